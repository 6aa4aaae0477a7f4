/**
 * Payloads that are damaged under the right checksum: what redis-server refuses to restore, so does this server. It is asked to
 * look at all of a payload; without that it takes some that end it.
 */
import { assertEquals } from "@std/assert";
import { binaryText } from "../../src/protocol/args.ts";
import { damaged, payloadBodies } from "../support/damage.ts";
import { TestServer } from "../support/harness.ts";
import { startRedis } from "../support/live.ts";
import { payloadOf } from "../support/payload.ts";
import { Random } from "../support/random.ts";
import { requestOf } from "../support/requests.ts";

const COUNT = Number(Deno.env.get("RESPITE_DIFFERENTIAL") ?? 100_000) / 25;
const SEED = Number(Deno.env.get("RESPITE_SEED") ?? 7);
const BATCH = 100;
/** Types that Redis 7.0 does not know yet. */
const NEW_TYPES = [20, 21, 24, 25];
const redis = await startRedis(null, ["--save", "", "--sanitize-dump-payload", "yes"]);
const skips = redis === null ? " (skipped: redis-server is not installed)" : "";

Deno.test({
  name: `what redis-server refuses to restore is refused${skips}`,
  ignore: redis === null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    if (redis === null) return;
    const wire = await redis.connect();
    const server = new TestServer();
    const random = new Random(SEED);
    const whole = payloadBodies();
    const wrong: string[] = [];
    let restored = 0;
    for (let sent = 0; sent < COUNT; sent += BATCH) {
      const bodies = Array.from({ length: BATCH }, () => damaged(random.of(whole), whole, random))
        .filter(([type]) => !NEW_TYPES.includes(type));
      const requests = bodies.map((body) => {
        const payload = payloadOf(body);
        const text = binaryText(payload, 0, payload.length);
        return requestOf(["RESTORE", "k", "0", text, "REPLACE"]);
      });
      await wire.send(requests.join(""));
      for (const body of bodies) {
        const theirs = await wire.read();
        const own = server.call("RESTORE", "k", "0", payloadOf(body), "REPLACE");
        if (own !== "OK") continue;
        restored++;
        if (theirs !== "+OK\r\n") wrong.push(`${theirs.trim()}: ${body.join()}`);
      }
      server.engine.keyspace.verify();
    }
    wire.close();
    assertEquals(wrong, []);
    assertEquals(restored > COUNT / 20, true, "some damage does not matter");
  },
});

Deno.test.afterAll(async () => await redis?.stop());
