/** Client libraries over TLS: ioredis, node-redis and, where it is installed, redis-cli. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { isNodeTlsSound } from "../../src/net/tls.ts";
import { certificateFiles, makeCertificate } from "../support/certificates.ts";
import { freePort, startRespite, Wire } from "../support/live.ts";
import { EVERY_COMMAND } from "./every_command.ts";

const authority = await makeCertificate("authority", { isAuthority: true });
const files = certificateFiles(authority);
const server = files.write("server", await makeCertificate("server", { issuer: authority }));
const shown = await makeCertificate("client", { issuer: authority, usage: "client" });
const client = files.write("client", shown);
addEventListener("unload", () => Deno.removeSync(files.directory, { recursive: true }));

/** What the server asks of clients: each is tried, where the runtime can. */
const DEMANDS = isNodeTlsSound() ? ["no", "yes"] : ["no"];

/** Runs `work` against servers that ask for certificates, and that don't. The libraries close their sockets a moment later. */
function tlsTest(name: string, work: (port: number) => Promise<void>): void {
  const fn = async (): Promise<void> => {
    for (const demand of DEMANDS) {
      const port = freePort();
      const live = startRespite({
        "tls-port": `${port}`,
        "tls-cert-file": server.certificate,
        "tls-key-file": server.key,
        "tls-ca-cert-file": files.authority,
        "tls-auth-clients": demand,
      });
      await reachable(port);
      try {
        await work(port);
      } finally {
        await live.stop();
      }
    }
  };
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn });
}

async function reachable(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const wire = await Wire.connect(port).catch(() => null);
    if (wire !== null) return wire.close();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What both libraries hand to node:tls. */
const tls = { ca: authority.certificate, cert: shown.certificate, key: shown.key };

tlsTest("ioredis runs every command over TLS, and hears messages", async (port) => {
  const redis = new Redis({ host: "127.0.0.1", port, tls });
  for (const [line, expected] of EVERY_COMMAND) {
    const [name, ...words] = line.split(" ");
    const reply = await redis.call(name, ...words).catch((error: unknown) => error);
    if (typeof expected === "function") assert(expected(reply), `${line}: ${Deno.inspect(reply)}`);
    else assertEquals(reply, expected, line);
  }
  const value = "x".repeat(3_000_000);
  assertEquals(await redis.set("large", value), "OK");
  assertEquals((await redis.get("large"))?.length, value.length);
  const subscriber = redis.duplicate();
  await subscriber.subscribe("news");
  const message = new Promise((resolve) => subscriber.on("message", (_, text) => resolve(text)));
  assertEquals(await redis.publish("news", "hello"), 1);
  assertEquals(await message, "hello");
  subscriber.disconnect();
  redis.disconnect();
});

tlsTest("ioredis refuses a server whose authority it does not know", async (port) => {
  const redis = new Redis({
    host: "127.0.0.1",
    port,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    tls: {},
  });
  redis.on("error", () => {});
  await assertRejects(() => redis.connect());
  redis.disconnect();
});

tlsTest("node-redis runs commands over TLS", async (port) => {
  const redis = createClient({ socket: { host: "127.0.0.1", port, tls: true, ...tls } });
  redis.on("error", () => {});
  await redis.connect();
  assertEquals(await redis.set("k", "v"), "OK");
  assertEquals(await redis.get("k"), "v");
  const counts = await Promise.all(Array.from({ length: 1000 }, () => redis.incr("n")));
  assertEquals(counts, Array.from({ length: 1000 }, (_, i) => i + 1));
  await redis.disconnect();
});

tlsTest("redis-cli --tls is answered, and shown why a plain one is not", async (port) => {
  const run = async (...args: string[]): Promise<string | null> => {
    try {
      const command = new Deno.Command("redis-cli", { args: ["-p", `${port}`, ...args] });
      const { stdout, stderr } = await command.output();
      return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    } catch {
      return null;
    }
  };
  const own = ["--tls", "--cacert", files.authority];
  const certificate = ["--cert", client.certificate, "--key", client.key];
  const reply = await run(...own, ...certificate, "ping");
  // Not installed, or built without TLS.
  if (reply === null || reply.includes("Unrecognized option")) return;
  assertEquals(reply, "PONG\n");
  assertStringIncludes(await run("ping") ?? "", "Error");
});
