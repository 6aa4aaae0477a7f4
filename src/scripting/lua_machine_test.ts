import { assert, assertEquals } from "@std/assert";
import { binaryBytes } from "../protocol/args.ts";
import { loadLua } from "./lua_code.ts";
import { Collect, Decision, GLOBALS, Status } from "./lua_constants.ts";
import { LuaMachine } from "./lua_machine.ts";

const code = await loadLua();
const LIMIT = 8 * 1024 * 1024;

function fresh(): { machine: LuaMachine; state: number; run: (text: string) => unknown } {
  const machine = new LuaMachine(code);
  const state = machine.newState(LIMIT);
  machine.exports.luaopen_base(state);
  machine.exports.luaopen_string(state);
  machine.hookEvery(state, 1000);
  return { machine, state, run: (text) => run(machine, state, text) };
}

/** Runs a script and returns its one result as text, or a promise of it. */
function run(machine: LuaMachine, state: number, text: string): unknown {
  const { exports } = machine;
  exports.lua_settop(state, 0);
  const status = machine.load(state, binaryBytes(text), 0, "@x");
  assertEquals(status, Status.ok, machine.text(state, -1) ?? "");
  const outcome = machine.run(state, 0, 1);
  const result = (): unknown => machine.text(state, -1);
  return typeof outcome === "number" ? result() : outcome.then(result);
}

Deno.test("A script that does not wait is over when run() returns", () => {
  const { run } = fresh();
  assertEquals(run("return 1 + 1"), "2");
  assertEquals(run("return 'a\\0b'"), "a\0b");
  assertEquals(run("error('no')"), "x:1: no");
  assertEquals(run("local ok, text = pcall(error, 'no') return text"), "no");
});

Deno.test("A script is suspended inside pcall and coroutines, and goes on", async () => {
  const { machine, state, run } = fresh();
  let waits = 0;
  machine.decide = () => waits < 3 ? Decision.wait : Decision.goOn;
  machine.wait = async () => {
    await new Promise((resolve) => setTimeout(resolve));
    waits++;
  };
  const text = `
    local co = coroutine.wrap(function()
      local ok, sum = pcall(function() local n = 0 for i = 1, 1e5 do n = n + i end return n end)
      coroutine.yield(sum)
    end)
    return co()`;
  const outcome = run(text);
  assert(outcome instanceof Promise);
  assertEquals(await outcome, "5000050000");
  assertEquals(waits, 3);
  machine.pop(state, 1);
});

Deno.test("What a state is allowed beside its limit can be taken, and no more", () => {
  const { machine, state, run } = fresh();
  const takes = "return #('x'):rep(6 * 2^20)";
  const megabytes = new Uint8Array(6 * 1024 * 1024);
  machine.allow(state, LIMIT, megabytes.length + 1024);
  machine.pushBytes(state, megabytes, 0, megabytes.length);
  machine.exports.lua_gc(state, Collect.stop, 0);
  assertEquals(run("return #('x'):rep(2^20)"), "1048576");
  assertEquals(run(takes), "not enough memory");
  machine.allow(state, LIMIT, 0);
  machine.exports.lua_gc(state, Collect.all, 0);
});

Deno.test("The hook ends a script that catches its errors, and the state goes on", () => {
  const { machine, run } = fresh();
  let isOver = false;
  machine.decide = (state) => {
    if (isOver) return Decision.goOn;
    machine.hookEvery(state, 1, true);
    machine.pushText(state, "killed");
    return Decision.raise;
  };
  assertEquals(run("while true do pcall(function() while true do end end) end"), "killed");
  isOver = true;
  assertEquals(run("return 'fine'"), "fine");
});

Deno.test("A state has no more memory than its limit, and is usable afterwards", () => {
  const { machine, state, run } = fresh();
  const before = machine.usedBytes(state);
  assertEquals(run("local t = {} for i = 1, 1e9 do t[i] = {} end"), "not enough memory");
  machine.exports.lua_settop(state, 0);
  machine.exports.lua_gc(state, Collect.all, 0);
  assert(machine.usedBytes(state) < before + 10_000);
  assertEquals(run("return ('x'):rep(10)"), "xxxxxxxxxx");
});

Deno.test("Functions of the host get and return values, raise errors, and fail without harm", () => {
  const { machine, state, run } = fresh();
  const { exports } = machine;
  machine.setFunction(state, GLOBALS, "double", (state) => {
    exports.lua_pushnumber(state, 2 * exports.lua_tonumber(state, 1));
    return 1;
  });
  machine.setFunction(state, GLOBALS, "refuse", (state) => {
    machine.pushText(state, "refused");
    return -1;
  });
  machine.setFunction(state, GLOBALS, "fail", () => {
    throw new Error("a bug of ours");
  });
  assertEquals(run("return double(21)"), "42");
  assertEquals(run("refuse()"), "refused");
  assertEquals(run("local ok, text = pcall(refuse) return text"), "refused");
  assertEquals(run("local ok, text = pcall(fail) return text"), "internal error");
  assertEquals(String(machine.failure), "Error: a bug of ours");
  assertEquals(run("return double(1)"), "2");
});

Deno.test("Long strings go in and out, and memory that grows meanwhile is seen", () => {
  const { machine, state } = fresh();
  const text = "0123456789".repeat(300_000);
  machine.pushText(state, text);
  assertEquals(machine.text(state, -1), text);
});

Deno.test("A read-only table refuses every way of writing it", () => {
  const { machine, state, run } = fresh();
  machine.exports.luaopen_table(state);
  assertEquals(run("t = {1, 2, a = 3} return type(t)"), "table");
  machine.exports.lua_getfield(state, GLOBALS, machine.name("t"));
  machine.protect(state, -1);
  assert(machine.isReadOnly(state, -1));
  const refused = "Attempt to modify a readonly table";
  assertEquals(run("t.a = 4"), `x:1: ${refused}`);
  assertEquals(run("t.b = 4"), `x:1: ${refused}`);
  assertEquals(run("t[1] = 4"), `x:1: ${refused}`);
  assertEquals(run("rawset(t, 'a', 4)"), refused);
  assertEquals(run("table.insert(t, 4)"), refused);
  assertEquals(run("setmetatable(t, {})"), refused);
  assertEquals(run("setmetatable({}, {__newindex = t}).a = 4"), `x:1: ${refused}`);
  assertEquals(run("local ok, text = pcall(rawset, t, 1, 2) return text"), refused);
  assertEquals(run("return t.a + t[1] + #t"), "6");
  machine.exports.lua_getfield(state, GLOBALS, machine.name("t"));
  machine.protect(state, -1, false);
  assertEquals(run("t.a = 4 return t.a"), "4");
});

Deno.test("Compiled code is parsed as text, and refused", () => {
  const { run } = fresh();
  assertEquals(
    run("local f, text = loadstring(string.dump(function() end), '=x') return text"),
    "x:1: unexpected symbol near 'char(27)'",
  );
});

Deno.test("Memory that small values of one size have taken serves others, and large ones, afterwards", () => {
  const { machine, state, run } = fresh();
  const { exports } = machine;
  const collect = (): void => {
    exports.lua_settop(state, 0);
    exports.lua_gc(state, Collect.all, 0);
  };
  run("return #(('x'):rep(2000000))");
  collect();
  const before = machine.usedBytes(state);
  // Strings of 20 to 240 bytes, five megabytes of each; a state may have eight.
  for (let size = 20; size <= 240; size += 20) {
    run(`local t = {} for i = 1, ${5e6 / (size + 24)} do t[i] = ('%0${size}d'):format(i) end`);
    collect();
    assert(machine.usedBytes(state) <= before + 20_000);
  }
  assertEquals(run("return #(('x'):rep(2000000))"), "2000000");
  assert(machine.memoryBytes < 32 * 1024 * 1024, `${machine.memoryBytes}`);
});

Deno.test("What is kept of small blocks has the right sizes: values of all sizes stay what they are", () => {
  const { run } = fresh();
  const text = `
    local kept = {}
    for round = 1, 40 do
      for size = 0, 300 do
        local t = {}
        for i = 1, size % 17 do t[i] = size * round + i end
        for i = 1, size % 5 do t['k' .. i] = ('x'):rep(size) end
        if (size + round) % 3 == 0 then kept[round .. ':' .. size] = {round, size, t} end
      end
      if round % 7 == 0 then collectgarbage() end
    end
    for name, entry in pairs(kept) do
      local round, size, t = entry[1], entry[2], entry[3]
      if name ~= round .. ':' .. size then return 'name' end
      for i = 1, size % 17 do if t[i] ~= size * round + i then return 'element' end end
      for i = 1, size % 5 do if t['k' .. i] ~= ('x'):rep(size) then return 'text' end end
    end
    return 'right'`;
  assertEquals(run(text), "right");
});
