/** The `cmsgpack` library: values to MessagePack and back. */
import type { LuaMachine } from "../lua_machine.ts";
import { addFunctions, type Library, setFunctions, setText } from "./library.ts";
import { MessagePacker } from "./message_packer.ts";
import { MessageUnpacker } from "./message_unpacker.ts";
import type { Output } from "./output.ts";

export function cmsgpackLibrary(machine: LuaMachine, output: Output): Library {
  const packer = new MessagePacker(machine, output);
  const unpacker = new MessageUnpacker(machine);
  const functions = addFunctions(machine, {
    pack: (state) => packer.pack(state),
    unpack: (state) => unpacker.unpack(state),
    unpack_one: (state) => unpacker.unpackOne(state),
    unpack_limit: (state) => unpacker.unpackLimit(state),
  });
  return {
    open(state) {
      machine.exports.lua_createtable(state, 0, functions.length + 4);
      setFunctions(machine, state, functions);
      setText(machine, state, "_NAME", "cmsgpack");
      setText(machine, state, "_VERSION", "lua-cmsgpack 0.4.0");
      setText(machine, state, "_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo");
      setText(machine, state, "_DESCRIPTION", "MessagePack C implementation for Lua");
    },
  };
}
