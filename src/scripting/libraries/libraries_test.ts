import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { binaryBytes } from "../../protocol/args.ts";
import { loadLua } from "../lua_code.ts";
import { Collect, GLOBALS, Status } from "../lua_constants.ts";
import { LuaMachine } from "../lua_machine.ts";
import { Libraries } from "./libraries.ts";

const code = await loadLua();
const LIMIT = 64 * 1024 * 1024;

/** A machine with one state that has the libraries, and Lua's own for strings and tables. */
class Bench {
  readonly machine = new LuaMachine(code);
  readonly libraries = new Libraries(this.machine);
  readonly state: number;

  constructor(limit = LIMIT) {
    this.state = this.machine.newState(limit);
    const { exports } = this.machine;
    for (const open of ["base", "table", "string", "math"] as const) {
      exports[`luaopen_${open}`](this.state);
    }
    this.libraries.open(this.state);
  }

  /** Runs a script whose `...` are the arguments; returns its one result as text, or its error. */
  run(text: string, ...argv: string[]): string | null {
    const { machine, state } = this;
    const { exports } = machine;
    exports.lua_settop(state, 0);
    const loaded = machine.load(state, binaryBytes(text), 0, "@x");
    assertEquals(loaded, Status.ok, machine.text(state, -1) ?? "");
    for (const argument of argv) machine.pushText(state, argument);
    machine.run(state, argv.length, 1);
    assertEquals(machine.failure, null);
    return machine.text(state, -1);
  }

  get usedBytes(): number {
    this.machine.exports.lua_settop(this.state, 0);
    // Each time, Lua halves the buffer in which it puts strings together.
    for (let i = 0; i < 16; i++) this.machine.exports.lua_gc(this.state, Collect.all, 0);
    return this.machine.usedBytes(this.state);
  }
}

Deno.test("States of one machine have tables and settings of their own", () => {
  const bench = new Bench();
  const other = bench.machine.newState(LIMIT);
  bench.libraries.open(other);
  assertEquals(bench.run("cjson.encode_max_depth(1) return cjson.encode_max_depth()"), "1");
  const { exports } = bench.machine;
  exports.lua_getfield(other, GLOBALS, bench.machine.name("cjson"));
  exports.lua_getfield(other, -1, bench.machine.name("encode_max_depth"));
  assertEquals(bench.machine.run(other, 0, 1), Status.ok);
  assertEquals(bench.machine.text(other, -1), "1000");
});

Deno.test("The settings of cjson.new are collected with it, and its functions are not made anew", () => {
  const bench = new Bench();
  const table = bench.machine.exports.__indirect_function_table;
  const slots = table.length;
  const before = bench.usedBytes;
  bench.run("for i = 1, 1e4 do cjson.new().encode_max_depth(2) end");
  assertEquals(table.length, slots);
  assert(bench.usedBytes < before + 10_000);
});

Deno.test("JSON that JavaScript writes is read and written again as JavaScript would", () => {
  const bench = new Bench();
  const values = [
    { a: [1, 2.5, -3e-7, "x"], b: { c: null, d: true }, e: '\u0000\u0001é€😀"\\/\n' },
    [[[]], [false], { "": "" }],
    Array.from({ length: 1000 }, (_, i) => ({ [`key${i}`]: i / 8 })),
    "x".repeat(100_000),
  ];
  for (const value of values) {
    const text = unescape(encodeURIComponent(JSON.stringify(value)));
    const written = bench.run("return cjson.encode(cjson.decode(...))", text) ?? "";
    const back = JSON.parse(decodeURIComponent(escape(written)));
    // An empty array is an empty object afterwards.
    assertEquals(back, JSON.parse(JSON.stringify(value).replaceAll("[]", "{}")));
  }
});

Deno.test("Every double of up to 14 digits survives cjson, and every double cmsgpack and struct", () => {
  const bench = new Bench();
  const view = new DataView(new ArrayBuffer(8));
  for (let round = 0; round < 500; round++) {
    crypto.getRandomValues(new Uint8Array(view.buffer));
    const value = view.getFloat64(0);
    if (!Number.isFinite(value)) continue;
    const short = value.toPrecision(14);
    const text = `local n = tonumber(...)
      return tostring(cjson.decode('[' .. (...) .. ']')[1] == n
        and cjson.decode(cjson.encode(n)) == n
        and cmsgpack.unpack(cmsgpack.pack(n)) == n
        and struct.unpack('>d', struct.pack('>d', n)) == n)`;
    assertEquals(bench.run(text, short), "true", short);
    const exact = "local n = tonumber(...) return tostring(cjson.decode(...) == n)";
    assertEquals(bench.run(exact, String(value)), "true", String(value));
  }
});

Deno.test("A result that finds no memory is an error, and nothing is kept of it", () => {
  const bench = new Bench(4 * 1024 * 1024);
  bench.run("big = ('x'):rep(1024):rep(1024) deep = {} for i = 1, 40 do deep = {deep, deep} end");
  const before = bench.usedBytes;
  const scripts = [
    "return cjson.encode({big, big, big, big})",
    "return cmsgpack.pack({big, big, big, big})",
    "return struct.pack('sss', big, big, big)",
    "return cjson.decode('[' .. ('[],'):rep(2e5) .. '[]]')",
    "return cjson.decode('\"' .. ('\\\\n'):rep(1000):rep(1000) .. '\"')",
    "return cmsgpack.unpack('\\221\\0\\4\\0\\0' .. ('\\144'):rep(262144))",
  ];
  for (const script of scripts) {
    assertStringIncludes(bench.run(script) ?? "", "not enough memory", script);
    assert(bench.usedBytes < before + 10_000, script);
    assertEquals(
      bench.run('return cjson.encode(cjson.decode(\'[1,{"a":"\\\\n"}]\'))'),
      '[1,{"a":"\\n"}]',
    );
    assertEquals(bench.run("return #cmsgpack.pack({1, {a = 2}})"), "6");
  }
});

Deno.test("Deep nesting takes no stack of the host", () => {
  const bench = new Bench();
  const text = `
    local c = cjson.new()
    c.encode_max_depth(1e6) c.decode_max_depth(1e6)
    local function deep(n) return ('['):rep(n) .. (']'):rep(n) end
    -- In the innermost of many calls, and in coroutines within coroutines.
    local function inside(n)
      if n > 0 then return coroutine.wrap(function() return (inside(n - 1)) end)() end
      local t = c.decode(deep(7000))
      return #c.encode(t) .. ' ' .. tostring(pcall(cmsgpack.unpack, ('\\145'):rep(3900) .. '\\1'))
        .. ' ' .. tostring(pcall(c.decode, deep(9000))) .. ' ' .. #cmsgpack.pack(t)
    end
    return inside(50)`;
  assertEquals(bench.run(text), "14000 true false 17");
});

Deno.test("A long run of digits is read in a time that grows no faster than it", () => {
  const bench = new Bench();
  const text = `
    local digits = ('7'):rep(1000):rep(1000)
    return cjson.decode(digits) .. ' ' .. cjson.decode('0x' .. digits) .. ' ' ..
      cjson.decode('0.' .. digits) .. ' ' .. cjson.decode('0x1p' .. digits)`;
  assertEquals(bench.run(text), "inf inf 0.77777777777778 inf");
});

Deno.test("Lua's memory may grow at any step of a library's work", () => {
  const scripts: [script: string, argument: string, result: string][] = [
    ["return select('#', cmsgpack.unpack(...))", "\x01".repeat(7000), "7000"],
    ["return #cmsgpack.unpack(...)", "\xdc\x4e\x20" + "\xa3abc".repeat(20_000), "20000"],
    ["return #cjson.decode(...)", `[${'"a\\n",'.repeat(20_000)}[[[[1]]]]]`, "20001"],
    ["return #cjson.encode(cjson.decode(...))", `[${"1.25,".repeat(20_000)}0]`, "100003"],
    ["return #cmsgpack.pack(cjson.decode(...))", `[${"[1,{}],".repeat(9_000)}0]`, "27004"],
    ["return #struct.pack(('c1'):rep(200), (...):byte(1, 200))", "7".repeat(200), "200"],
    ["return select('#', struct.unpack(('B'):rep(7000), ...))", "x".repeat(7000), "7001"],
  ];
  for (const [script, argument, result] of scripts) {
    for (const left of [0, 2000, 20_000, 50_000]) {
      const bench = new Bench();
      const { exports } = bench.machine;
      // No hole is left, and so much memory at the end.
      for (const size of [65536, 4096, 256, 16]) {
        const before = bench.machine.memoryBytes;
        while (bench.machine.memoryBytes === before) exports.malloc(size);
      }
      const spare = exports.malloc(left + 1);
      assertEquals(bench.run(`spare = ... ${script}`, argument), result, script);
      exports.free(spare);
    }
  }
});
