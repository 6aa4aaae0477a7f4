/** The libraries that scripts have beside Lua's own: cjson, cmsgpack, bit and struct. */
import { GLOBALS } from "../lua_constants.ts";
import type { LuaMachine } from "../lua_machine.ts";
import { bitLibrary } from "./bit.ts";
import { cjsonLibrary } from "./cjson.ts";
import { cmsgpackLibrary } from "./cmsgpack.ts";
import { resetSettings } from "./json_config.ts";
import type { Library } from "./library.ts";
import { Output } from "./output.ts";
import { structLibrary } from "./struct.ts";

/** All of them, for one machine: its states share their functions and a buffer. */
export class Libraries {
  readonly #machine: LuaMachine;
  readonly #libraries: readonly (readonly [name: string, library: Library])[];

  constructor(machine: LuaMachine) {
    const output = new Output(machine);
    this.#machine = machine;
    this.#libraries = [
      ["cjson", cjsonLibrary(machine, output)],
      ["struct", structLibrary(machine, output)],
      ["cmsgpack", cmsgpackLibrary(machine, output)],
      ["bit", bitLibrary(machine)],
    ];
  }

  /** Sets a global variable of a state for each, to a table of its own. */
  open(state: number): void {
    for (const [name, library] of this.#libraries) {
      library.open(state);
      this.#machine.exports.lua_setfield(state, GLOBALS, this.#machine.name(name));
    }
  }

  /** Forgets what scripts have set in a state. */
  reset(state: number): void {
    this.#machine.exports.lua_getfield(state, GLOBALS, this.#machine.name("cjson"));
    resetSettings(this.#machine, state);
    this.#machine.pop(state, 1);
  }
}
