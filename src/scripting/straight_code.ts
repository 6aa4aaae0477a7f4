/**
 * Which scripts can be called without JSPI, which costs as much as a short script does otherwise: those that are over after a
 * few instructions whatever they are given. Their code has no loop and no function of its own, and names no global through
 * which it could get at one: all it can call are functions of ours and of Lua's libraries.
 *
 * It is read where Lua has it: see lobject.h and lopcodes.h of Lua 5.1.
 */
import { binaryText } from "../protocol/args.ts";
import { type LuaMachine, VALUE_BYTES } from "./lua_machine.ts";

/** Globals that give no access to other code. */
const HARMLESS = new Set([
  ...["KEYS", "ARGV", "redis", "server", "cjson", "cmsgpack", "bit", "struct", "string", "table"],
  ...["math", "assert", "error", "pcall", "select", "tonumber", "tostring", "type", "unpack"],
]);

/** Where a closure has its prototype, and where that has its constants, its code, and the counts of both and of inner functions. */
const CLOSURE = { prototype: 16 } as const;
const PROTOTYPE = { constants: 8, code: 12, codeCount: 44, functionCount: 52 } as const;

const Op = { getGlobal: 5, jump: 22, forLoop: 31, forIn: 33 } as const;
const OPCODE_MASK = 0x3f;
/** The 18 bits of an instruction's long operand begin here; a signed one is shifted by so much. */
const OPERAND_SHIFT = 14;
const OPERAND_BIAS = 131_071;

/** Whether the Lua function on top of the stack is such code. */
export function isStraight(machine: LuaMachine, state: number): boolean {
  const word = (address: number): number => machine.view.getUint32(address, true);
  const prototype = word(machine.exports.lua_topointer(state, -1) + CLOSURE.prototype);
  if (word(prototype + PROTOTYPE.functionCount) > 0) return false;
  const code = word(prototype + PROTOTYPE.code);
  const constants = word(prototype + PROTOTYPE.constants);
  const end = code + 4 * word(prototype + PROTOTYPE.codeCount);
  for (let at = code; at < end; at += 4) {
    const instruction = word(at);
    const operand = instruction >>> OPERAND_SHIFT;
    switch (instruction & OPCODE_MASK) {
      case Op.forLoop:
      case Op.forIn:
        return false;
      case Op.jump:
        if (operand < OPERAND_BIAS) return false;
        break;
      case Op.getGlobal:
        if (!HARMLESS.has(nameAt(machine, constants + VALUE_BYTES * operand))) return false;
        break;
    }
  }
  return true;
}

/** The string that is the value at `address`. */
function nameAt(machine: LuaMachine, address: number): string {
  const start = machine.stringAt(address);
  return binaryText(machine.bytes, start, start + machine.lengthOf(start));
}
