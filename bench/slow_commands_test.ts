import { assert } from "@std/assert";
import { walk } from "./slow_commands.ts";

Deno.test({
  name: "the benchmark of slow commands walks every command that the server knows",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const sizes = { elements: 200, stringBytes: 2000, rounds: 1, settleMs: 0 };
    const rows = await walk({ ...sizes, only: /./, redis: null }, () => {});
    assert(rows.length > 300, "there is a case for each");
  },
});
