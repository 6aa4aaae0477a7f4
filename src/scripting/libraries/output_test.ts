import { assert, assertEquals } from "@std/assert";
import { loadLua } from "../lua_code.ts";
import { LuaMachine } from "../lua_machine.ts";
import { Output } from "./output.ts";

const code = await loadLua();

function write(machine: LuaMachine, output: Output, count: number): void {
  for (let i = 0; i < count; i++) {
    assert(output.reserve(1));
    machine.bytes[output.at++] = i;
  }
}

Deno.test("What was written stays while the buffer grows, and is pushed as a string", () => {
  const machine = new LuaMachine(code);
  const state = machine.newState(1 << 20);
  const output = new Output(machine);
  for (const count of [0, 1, 5000, 300]) {
    output.begin();
    write(machine, output, count);
    assertEquals(output.length, count);
    output.push(state);
    const expected = Array.from({ length: count }, (_, i) => String.fromCharCode(i & 255));
    assertEquals(machine.text(state, -1), expected.join(""));
    output.end();
  }
});

Deno.test("A small buffer is kept and a large one given back, at the latest when the next call begins", () => {
  const machine = new LuaMachine(code);
  const output = new Output(machine);
  output.begin();
  write(machine, output, 10);
  const { start } = output;
  output.end();
  output.begin();
  write(machine, output, 10);
  assertEquals(output.start, start);
  write(machine, output, 100_000);
  output.end();
  assertEquals(output.start, 0);
  output.begin();
  write(machine, output, 100_000);
  output.begin();
  assertEquals(output.start, 0);
  const before = machine.memoryBytes;
  for (let i = 0; i < 100; i++) {
    output.begin();
    write(machine, output, 100_000);
    output.end();
  }
  assertEquals(machine.memoryBytes, before);
});

Deno.test("There is no room for more than half a gigabyte, and what was written is still there", () => {
  const machine = new LuaMachine(code);
  const output = new Output(machine);
  output.begin();
  write(machine, output, 3);
  assertEquals(output.reserve(512 * 1024 * 1024), false);
  assertEquals([...machine.bytes.subarray(output.start, output.at)], [0, 1, 2]);
});
