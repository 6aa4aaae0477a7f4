/**
 * Lua 5.1 as WebAssembly, from an npm package. It is fetched when the first script comes, so that a server without scripts
 * needs no package, no time and no memory for it. The executable of `deno task compile` contains it.
 */
import { hexText } from "../lib/hexadecimal.ts";
import { patched } from "./lua_patch.ts";

/** The package, its version, and the file in it. */
export const LUA_PACKAGE = "npm:wasmoon-lua5.1@1.18.10";
const FILE = "dist/liblua5.1.wasm";
const SHA_256 = "cba969b97e8a319eba8996b5df488aed5cdd22a56f2de53b42598e474014e610";

/** Lua's code. Throws an error that says why it can't be had. */
export async function loadLua(): Promise<WebAssembly.Module> {
  // Importing any module of the package downloads it, if it isn't in Deno's cache, and makes its other files known.
  await import(`${LUA_PACKAGE}/package.json`, { with: { type: "json" } });
  const bytes = Deno.build.standalone ? await readContained() : await importBytes();
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  if (hexText(sum) !== SHA_256) throw new Error(`${FILE} of ${LUA_PACKAGE} is not what it was`);
  return new WebAssembly.Module(patched(bytes));
}

/** The executable may read the files in it (app/sandbox.ts). Its imports of bytes would need no permission for any file: they are switched off. */
async function readContained(): Promise<Uint8Array<ArrayBuffer>> {
  return await Deno.readFile(new URL(import.meta.resolve(`${LUA_PACKAGE}/${FILE}`)));
}

/** With `deno run` the file lies in Deno's cache, which may not be read. It may be imported. */
async function importBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return (await import(`${LUA_PACKAGE}/${FILE}`, { with: { type: "bytes" } })).default;
}
