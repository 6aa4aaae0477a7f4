import { assertThrows } from "@std/assert";
import { assert, unreachable } from "./assert.ts";

Deno.test("assert() lets pass what holds and stops at what does not", () => {
  assert(true, "a day has 24 hours");
  assertThrows(() => assert(false, "a day has 25 hours"), Error, "a day has 25 hours");
});
Deno.test("unreachable() stops wherever it is reached", () => {
  assertThrows(() => unreachable("a third side"), Error, "a third side");
});
