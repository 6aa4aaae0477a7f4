import { assertEquals } from "@std/assert";
import { binaryBytes } from "../protocol/args.ts";
import { loadLua } from "./lua_code.ts";
import { GLOBALS, Status } from "./lua_constants.ts";
import { LuaMachine } from "./lua_machine.ts";
import { Registrar } from "./registrar.ts";

const code = await loadLua();

/** Runs a library's program; returns its error, or what it has registered. */
function registered(text: string): unknown {
  const machine = new LuaMachine(code);
  const { exports } = machine;
  const state = machine.newState(2 ** 24);
  const registrar = new Registrar(machine);
  exports.lua_createtable(state, 0, 1);
  machine.setFunction(state, -1, "register_function", (state) => {
    const error = registrar.call(state);
    if (error !== null) machine.pushText(state, error);
    return error === null ? 0 : -1;
  });
  exports.lua_setfield(state, GLOBALS, machine.name("redis"));
  machine.load(state, binaryBytes(text), 0, "@user_function");
  registrar.begin();
  const status = machine.run(state, 0, 0);
  const functions = registrar.end();
  assertEquals(new Set(functions.map(({ reference }) => reference)).size, functions.length);
  if (status !== Status.ok) return machine.text(state, -1);
  return functions.map(({ name, description, flags }) =>
    description === null && flags === 0 ? name : [name, description, flags]
  );
}

const PAIR = "function_name='f', callback=function() end";

Deno.test("redis.register_function takes a name and a function, or named arguments", () => {
  const f = "redis.register_function";
  assertEquals(registered(`${f}('f', function() end) ${f}('F', function() end)`), ["f", "F"]);
  assertEquals(registered(`${f}(1, function() end)`), ["1"]);
  assertEquals(registered(`${f}{${PAIR}}`), ["f"]);
  assertEquals(registered(`${f}{FUNCTION_NAME=1, Callback=${f}}`), ["1"]);
  assertEquals(registered(`${f}{${PAIR}, description='a\\0b\\255', flags={}}`), [
    ["f", "a\0b\xff", 0],
  ]);
  assertEquals(registered(`${f}{${PAIR}, description=1, flags={'Allow-OOM', 'no-writes'}}`), [
    ["f", "1", 3],
  ]);
  const all = "'no-writes','allow-oom','allow-stale','no-cluster','allow-cross-slot-keys'";
  assertEquals(registered(`${f}{${PAIR}, flags={${all}, ${all}}}`), [
    ["f", null, 31],
  ]);
  assertEquals(registered(`${f}{${PAIR}, flags={'no-writes', nil, 'x', a='y'}}`), [
    ["f", null, 1],
  ]);
  assertEquals(registered(`for i = 1, 3 do ${f}('f'..i, function() end) end`), ["f1", "f2", "f3"]);
});

Deno.test("redis.register_function says what is wrong with its arguments", () => {
  const cases: [args: string, error: string][] = [
    ["()", "wrong number of arguments to @"],
    ["('f', function() end, 1)", "wrong number of arguments to @"],
    [
      "('f')",
      "calling @ with a single argument is only applicable to Lua table (representing named arguments).",
    ],
    ["(nil, function() end)", "first argument to @ must be a string"],
    ["('f', 1)", "second argument to @ must be a function"],
    ["{}", "@ must get a function name argument"],
    ["{function_name='f'}", "@ must get a callback argument"],
    ["{callback=function() end}", "@ must get a function name argument"],
    ["{function_name={}}", "function_name argument given to @ must be a string"],
    ["{callback='f'}", "callback argument given to @ must be a function"],
    ["{description={}}", "description argument given to @ must be a string"],
    ["{x=1}", "unknown argument given to @"],
    ["{1}", "unknown argument given to @"],
    ["{[true]=1}", "named argument key given to @ is not a string"],
    ["{flags='no-writes'}", "flags argument to @ must be a table representing function flags"],
    ["{flags={'x'}}", "unknown flag given"],
    ["{flags={1}}", "unknown flag given"],
    ["{flags={true}}", "unknown flag given"],
    [
      "('a b', function() end)",
      "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
    ],
    [
      "('', function() end)",
      "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
    ],
    ["('x', function() end)", "Function already exists in the library"],
  ];
  for (const [args, error] of cases) {
    const text = `redis.register_function('x', function() end) redis.register_function${args}`;
    const expected = `ERR ${error.replace("@", "redis.register_function")}`;
    assertEquals(registered(text), expected, args);
  }
});
