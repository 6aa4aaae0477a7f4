import { assertEquals } from "@std/assert";
import { failureText, systemText } from "./system_error.ts";

Deno.test("systemText() is what strerror gives", () => {
  const message = "No such file or directory (os error 2): chdir '/nonexistent'";
  assertEquals(systemText(new Error(message)), "No such file or directory");
  assertEquals(systemText(new Error("of our own")), "of our own");
  assertEquals(systemText("thrown as it is"), "thrown as it is");
});
Deno.test("failureText() names the path, and no error number", () => {
  const message = "Permission denied (os error 13): open '/x/dump.rdb'";
  assertEquals(failureText(new Error(message)), "Permission denied: open '/x/dump.rdb'");
});
Deno.test("the runtime's advice to run it with other flags is not passed on", () => {
  const error = new Error('Requires all access to "/dev/tty", run again with the --allow-all flag');
  error.name = "NotCapable";
  assertEquals(systemText(error), "This server may not use /dev/tty");
  assertEquals(failureText(error), "This server may not use /dev/tty");
});
