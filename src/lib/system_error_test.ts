import { assertEquals } from "@std/assert";
import { systemText } from "./system_error.ts";

Deno.test("systemText() is what strerror gives", () => {
  const message = "No such file or directory (os error 2): chdir '/nonexistent'";
  assertEquals(systemText(new Error(message)), "No such file or directory");
  assertEquals(systemText(new Error("of our own")), "of our own");
  assertEquals(systemText("thrown as it is"), "thrown as it is");
});
