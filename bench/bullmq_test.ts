import { assert } from "@std/assert";
import { measure, Peer } from "./bullmq.ts";

Deno.test("the benchmark of BullMQ runs its jobs", async () => {
  const peer = await Peer.startCheckout("ours", ".");
  try {
    await measure([peer], 100, 1);
    assert(peer.runs[0].process.seconds > 0);
  } finally {
    await peer.stop();
  }
});
