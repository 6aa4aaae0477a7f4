import { assertEquals } from "@std/assert";
import { is72, startRedis, startRespite, Wire } from "../support/live.ts";
import { pause } from "../support/waiting.ts";
import { binaryBytes, binaryText } from "../../src/protocol/args.ts";
import { TRACKING_SESSIONS } from "./tracking_sessions.ts";

/** What is received belongs to a line if neither server has said more for so long. */
const QUIET_MS = 10;
/** The servers get so long to have said the same. */
const PATIENCE_MS = 1_000;

/** A connection that gathers whatever comes. */
class Listener {
  received = "";
  id = "";
  readonly #conn: Deno.TcpConn;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    void this.#gather();
  }

  /** Connects, and asks for its id. */
  static async connect(port: number): Promise<Listener> {
    const listener = new Listener(await Deno.connect({ hostname: "127.0.0.1", port }));
    await listener.send("client id");
    while (!listener.received.endsWith("\r\n")) await pause();
    listener.id = listener.take().slice(1, -2);
    return listener;
  }

  async #gather(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await this.#conn.read(buffer).catch(() => null);
      if (count === null) return;
      this.received += binaryText(buffer, 0, count);
    }
  }

  async send(lines: string): Promise<void> {
    const bytes = binaryBytes(lines.split(" ;; ").map((line) => `${line}\r\n`).join(""));
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  take(): string {
    const taken = this.received;
    this.received = "";
    return taken;
  }

  close(): void {
    this.#conn.close();
  }
}

/** The clients of one server, by name. */
class Cast {
  readonly clients = new Map<string, Listener>();

  constructor(readonly port: number) {}

  async say(name: string, text: string): Promise<void> {
    let client = this.clients.get(name);
    if (client === undefined) {
      client = await Listener.connect(this.port);
      this.clients.set(name, client);
    }
    if (text === "CLOSE") {
      client.close();
      this.clients.delete(name);
      return;
    }
    await client.send(
      text.replaceAll(/\$(\w)/g, (all, other: string) => this.clients.get(other)?.id ?? all),
    );
  }

  /** What has been received, by each. */
  get heard(): string {
    return [...this.clients].sort().map(([name, { received }]) => `${name} ${received}`).join("\n");
  }

  forget(): void {
    for (const client of this.clients.values()) client.take();
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }
}

/** Waits until the clients of both servers have heard the same and hear no more; returns whether that came to pass. */
async function agree(theirs: Cast, ours: Cast): Promise<boolean> {
  const end = performance.now() + PATIENCE_MS;
  let quietSince = performance.now();
  let heard = "";
  for (;;) {
    await pause(1);
    const now = performance.now();
    const both = `${theirs.heard}\n\n${ours.heard}`;
    if (both !== heard) quietSince = now;
    heard = both;
    if (theirs.heard === ours.heard && now - quietSince > QUIET_MS) return true;
    if (now > end) return false;
  }
}

/** The lines after which clients of the two servers have heard something else. */
async function differencesOf(script: string, theirs: Cast, ours: Cast): Promise<string[]> {
  const differences: string[] = [];
  for (const line of script.split("\n").map((line) => line.trim()).filter((line) => line !== "")) {
    const [name, text] = [line.slice(0, 1), line.slice(3)];
    await Promise.all([theirs.say(name, text), ours.say(name, text)]);
    if (!await agree(theirs, ours)) {
      const [expected, actual] = [JSON.stringify(theirs.heard), JSON.stringify(ours.heard)];
      differences.push(`${line}\n  redis: ${expected}\n  ours:  ${actual}`);
    }
    theirs.forget();
    ours.forget();
  }
  return differences;
}

const redis = await startRedis();
/** Redis 7.0, which Debian installs, tracks otherwise. */
const isJudge = redis !== null && await is72(redis);
const skips = isJudge ? "" : " (skipped: redis-server 7.2 is not installed)";

for (const [name, script] of Object.entries(TRACKING_SESSIONS)) {
  Deno.test({
    name: `in a session of ${name} every client hears what redis-server tells it${skips}`,
    ignore: !isJudge,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      if (redis === null) return;
      const ours = startRespite();
      const casts = [new Cast(redis.port), new Cast(ours.port)];
      const wire = await Wire.connect(redis.port);
      await wire.roundTrip("flushall");
      // Ids are shown in replies: both servers go on with the same one.
      const next = Number((await wire.roundTrip("client id")).slice(1)) + 1;
      while (ours.server.engine.takeClientId() + 1 < next);
      wire.close();
      const differences = await differencesOf(script, casts[0], casts[1]);
      for (const cast of casts) cast.close();
      await ours.stop();
      assertEquals(differences.join("\n"), "");
    },
  });
}

Deno.test.afterAll(async () => await redis?.stop());
