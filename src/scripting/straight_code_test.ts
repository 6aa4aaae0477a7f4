import { assertEquals } from "@std/assert";
import { binaryBytes } from "../protocol/args.ts";
import { loadLua } from "./lua_code.ts";
import { Status } from "./lua_constants.ts";
import { LuaMachine } from "./lua_machine.ts";
import { isStraight } from "./straight_code.ts";

const machine = new LuaMachine(await loadLua());
const state = machine.newState(1 << 20);

function isStraightText(text: string): boolean {
  machine.exports.lua_settop(state, 0);
  assertEquals(machine.load(state, binaryBytes(text), 0, "x"), Status.ok);
  return isStraight(machine, state);
}

Deno.test("Code without loops, functions and ways to either is straight", () => {
  for (
    const text of [
      "",
      "return 1",
      "return redis.call('GET', KEYS[1])",
      "if redis.call('get',KEYS[1]) == ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end",
      "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('EXPIRE', KEYS[1], 5) end return n",
      "local ok, e = pcall(redis.call, 'GET', KEYS[1]) return cjson.encode({ok and 1 or 2, tostring(e)})",
      "return ('x'):rep(3) .. string.format('%d', math.floor(2.5)) .. #ARGV",
    ]
  ) assertEquals(isStraightText(text), true, text);
});

Deno.test("Code that could run for ever is not", () => {
  for (
    const text of [
      "while true do end",
      "repeat until false",
      "for i = 1, 10 do end",
      "for k, v in pairs(KEYS) do end",
      "local function f() return f() end return f()",
      "return loadstring(ARGV[1])()",
      "return _G[ARGV[1]](ARGV[2])",
      "return getfenv(1)",
      "setmetatable({}, {})",
      "coroutine.wrap(redis.call)()",
      "x = 1 return unknown",
    ]
  ) assertEquals(isStraightText(text), false, text);
});
