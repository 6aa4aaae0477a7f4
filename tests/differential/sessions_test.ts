import { assertEquals } from "@std/assert";
import { startRedis, startRespite, Wire } from "../support/live.ts";
import { FUNCTION_SESSIONS } from "./function_sessions.ts";
import { SESSIONS } from "./sessions.ts";
import { USER_SESSIONS } from "./user_sessions.ts";

/**
 * Where Redis 7.2, whose replies we give, differs from the 7.0 that Debian installs: lines that are sent
 * to neither.
 */
const DIFFERS_IN_7_2 = [
  /^object freq/, // our text names the policy in force
  /^command getkeys (ping|nosuch|get)$/, // takes one argument more in 7.0
  /^config set (client-output-buffer-limit|save)/,
];

const redis = await startRedis();
const skips = redis === null ? " (skipped: redis-server is not installed)" : "";

for (
  const [name, script] of Object.entries({ ...SESSIONS, ...FUNCTION_SESSIONS, ...USER_SESSIONS })
) {
  Deno.test({
    name: `a session of ${name} gets the replies that redis-server gives${skips}`,
    ignore: redis === null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      if (redis === null) return;
      const ours = startRespite();
      const wires = [await Wire.connect(redis.port), await Wire.connect(ours.port)];
      await wires[0].roundTrip("flushall");
      const lines = script.split("\n").map((line) => line.trim()).filter((line) =>
        line !== "" && !DIFFERS_IN_7_2.some((pattern) => pattern.test(line))
      );
      const differences: string[] = [];
      for (const line of lines) {
        const [expected, actual] = await Promise.all(wires.map((wire) => wire.roundTrip(line)));
        if (actual !== expected) {
          differences.push(
            `${line}\n  redis: ${JSON.stringify(expected)}\n  ours:  ${JSON.stringify(actual)}`,
          );
        }
      }
      for (const wire of wires) wire.close();
      await ours.stop();
      assertEquals(differences.join("\n"), "");
    },
  });
}

Deno.test.afterAll(async () => await redis?.stop());
