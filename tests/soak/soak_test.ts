import { assert, assertEquals } from "@std/assert";
import { Child } from "../support/child.ts";
import { Soak } from "./soak.ts";

/** `deno task soak` runs for twenty minutes, and judges time and memory, too. */
const SECONDS = 6;

Deno.test({
  name: "after a mixed load the data are redis-server's, and no descriptor is left",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const soak = new Soak({ seconds: SECONDS, seed: 1, judges: false });
    await soak.run();
    assertEquals(soak.problems, []);
    assert((soak.report?.commands ?? 0) > 0 && (soak.report?.messages ?? 0) > 0);
    assert((soak.report?.compared ?? 0) > 0 && soak.hasEvicted);
  },
});

Deno.test.afterAll(() => Child.killAll());
