import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { binaryBytes } from "../protocol/args.ts";
import { AofManifest } from "./aof_manifest.ts";

function parsed(text: string): AofManifest {
  return AofManifest.parse("appendonly.aof", binaryBytes(text));
}

Deno.test("AofManifest.parse() reads what redis-server 7.0.15 wrote", () => {
  const manifest = parsed(
    "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n",
  );
  assertEquals(manifest.files().map(({ name }) => name), [
    "appendonly.aof.1.base.rdb",
    "appendonly.aof.1.incr.aof",
  ]);
  assertEquals(manifest.nextBaseName(true), "appendonly.aof.2.base.rdb");
});
Deno.test("AofManifest.parse() gives back what format() wrote, whatever happened between", () => {
  const steps = fc.array(fc.constantFrom("add", "replace", "forget"), { maxLength: 20 });
  fc.assert(fc.property(fc.constantFrom("a.aof", 'blank "quoted" name'), steps, (prefix, steps) => {
    let manifest = new AofManifest(prefix);
    for (const step of steps) {
      if (step === "add") manifest.addIncremental();
      else if (step === "replace") {
        const { sequence } = manifest.addIncremental();
        manifest.replaceBase(manifest.nextBaseName(false), sequence);
      } else manifest.history = [];
      const text = manifest.format();
      if (text.length === 0) continue;
      const again = AofManifest.parse(prefix, text);
      assertEquals(again.files(), manifest.files());
      assertEquals(again.history, manifest.history);
      manifest = again;
    }
  }));
});
Deno.test("AofManifest.replaceBase() keeps what came after the new base began", () => {
  const manifest = parsed("file a seq 3 type b\nfile b seq 4 type i\nfile c seq 5 type i\n");
  const { sequence } = manifest.addIncremental();
  manifest.replaceBase(manifest.nextBaseName(true), sequence);
  assertEquals(manifest.files().map(({ name }) => name), [
    "appendonly.aof.4.base.rdb",
    "appendonly.aof.6.incr.aof",
  ]);
  assertEquals(manifest.history.map(({ name }) => name), ["c", "b", "a"]);
});
Deno.test("AofManifest gives no new file a name that a listed one has", () => {
  const manifest = parsed(
    "file appendonly.aof.2.base.rdb seq 1 type b\nfile appendonly.aof.4.incr.aof seq 3 type i\n",
  );
  assertEquals(manifest.addIncremental().name, "appendonly.aof.5.incr.aof");
  assertEquals(manifest.nextBaseName(true), "appendonly.aof.3.base.rdb");
});
Deno.test("AofManifest.parse() says what is wrong", () => {
  const wrong: Record<string, string> = {
    "": "Found an empty AOF manifest",
    "file a seq 1 type b": "ends within a line",
    "file a seq 1 type b\nfile b seq 2 type b\n": "Found duplicate base file information",
    "file a seq 2 type i\nfile b seq 2 type i\n": "Found a non-monotonic sequence number",
    "file a seq 1 type x\n": "Unknown AOF file type",
    "file a seq one type i\n": "Invalid AOF manifest file format",
    "file a seq 1\n": "Invalid AOF manifest file format",
    "file ../a seq 1 type i\n": "File can't be a path",
    [`file ${"a".repeat(2000)} seq 1 type i\n`]: "too long line",
  };
  for (const [text, message] of Object.entries(wrong)) {
    assertThrows(() => parsed(text), Error, message);
  }
});
