import { assertEquals } from "@std/assert";
import { startRedis, startRespite, Wire } from "../support/live.ts";
import { requestOf } from "../support/requests.ts";
import { libraryScripts } from "./library_scripts.ts";

/** How many scripts: a long run is `RESPITE_SCRIPTS=100000 deno task test tests/differential/libraries_test.ts`. */
const COUNT = Number(Deno.env.get("RESPITE_SCRIPTS") ?? 3000);
const SEED = Number(Deno.env.get("RESPITE_SEED") ?? 7);
const PIPELINE = 100;

const redis = await startRedis();
const skips = redis === null ? " (skipped: redis-server is not installed)" : "";

Deno.test({
  name: `random scripts with cjson, cmsgpack, bit and struct get redis-server's replies${skips}`,
  ignore: redis === null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    if (redis === null) return;
    const ours = startRespite();
    const wires = [await Wire.connect(redis.port), await Wire.connect(ours.port)];
    const scripts = libraryScripts(SEED);
    const differences: string[] = [];
    for (let sent = 0; sent < COUNT && differences.length < 5; sent += PIPELINE) {
      const batch = Array.from({ length: PIPELINE }, () => scripts.next().value);
      const request = batch.map(requestOf).join("");
      const writes = wires.map((wire) => wire.send(request));
      for (const [, script, , ...argv] of batch) {
        const [theirs, own] = await Promise.all(wires.map((wire) => wire.read()));
        if (theirs === own) continue;
        const last = script.slice(script.lastIndexOf("end\n"));
        differences.push(
          [last, ...argv, theirs, own].map((text) => JSON.stringify(text)).join("\n"),
        );
      }
      await Promise.all(writes);
    }
    for (const wire of wires) wire.close();
    await ours.stop();
    assertEquals(differences.join("\n\n"), "");
  },
});
