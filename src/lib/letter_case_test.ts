import { assertEquals } from "@std/assert";
import { inLowerCase, inUpperCase } from "./letter_case.ts";

Deno.test("only letters of ASCII change their case", () => {
  assertEquals(inLowerCase("CONFIG|Get@[`{\xc4\xe4ß"), "config|get@[`{\xc4\xe4ß");
  assertEquals(inUpperCase("config|Get@[`{\xc4\xe4ß"), "CONFIG|GET@[`{\xc4\xe4ß");
});
