/** The `cjson` library: values to JSON and back. */
import type { LuaMachine } from "../lua_machine.ts";
import { pushSettings, settingFunctions } from "./json_config.ts";
import { JsonDecoder } from "./json_decoder.ts";
import { JsonEncoder } from "./json_encoder.ts";
import { addFunctions, type Library, setText } from "./library.ts";
import type { Output } from "./output.ts";

export function cjsonLibrary(machine: LuaMachine, output: Output): Library {
  const { exports } = machine;
  const encoder = new JsonEncoder(machine, output);
  const decoder = new JsonDecoder(machine, output);
  const functions = addFunctions(machine, {
    encode: (state) => encoder.encode(state),
    decode: (state) => decoder.decode(state),
    ...settingFunctions(machine),
    new: (state) => {
      open(state);
      return 1;
    },
  });

  /** Pushes a table whose functions share new settings. */
  function open(state: number): void {
    exports.lua_createtable(state, 0, functions.length + 3);
    pushSettings(machine, state);
    for (const [name, address] of functions) {
      exports.lua_pushvalue(state, -1);
      exports.lua_pushcclosure(state, address, 1);
      exports.lua_setfield(state, -3, machine.name(name));
    }
    machine.pop(state, 1);
    exports.lua_pushlightuserdata(state, 0);
    nameNull(state);
    exports.lua_setfield(state, -2, machine.name("null"));
    setText(machine, state, "_NAME", "cjson");
    setText(machine, state, "_VERSION", "2.1.0");
  }

  const toText = machine.addFunction((state) => {
    machine.pushText(state, "userdata: (nil)");
    return 1;
  });

  /** Gives `cjson.null`, on top, the text that it has in Redis. All values of its kind in a state share a metatable. */
  function nameNull(state: number): void {
    exports.lua_createtable(state, 0, 2);
    exports.lua_pushcclosure(state, toText, 0);
    exports.lua_setfield(state, -2, machine.name("__tostring"));
    exports.lua_pushboolean(state, 0);
    exports.lua_setfield(state, -2, machine.name("__metatable"));
    machine.protect(state, -1);
    exports.lua_setmetatable(state, -2);
  }

  return { open };
}
