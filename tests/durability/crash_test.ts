/** Kills servers that are being written to, and looks what the next one finds. */
import { assert, assertEquals } from "@std/assert";
import { print } from "../../scripts/run.ts";
import { generator } from "../differential/commands.ts";
import { Child } from "../support/child.ts";
import { freePort, type Wire, Wire as Connection } from "../support/live.ts";

/** How many times: a long run is `RESPITE_CRASHES=200 deno task test`. */
const ROUNDS = Number(Deno.env.get("RESPITE_CRASHES") ?? 6);
/** Seed of the random moments: `RESPITE_SEED=7 deno task test tests/durability/crash_test.ts` repeats a run. */
const SEED = Number(Deno.env.get("RESPITE_SEED") ?? Math.floor(Math.random() * 2 ** 31));
const WRITERS = 8;
/** With everysec what was acknowledged longer ago must be there. */
const LOSS_MS = 1000;

/** A client that writes ascending numbers, and notes which were acknowledged. */
class Writer {
  sent = 0;
  /** Number and time of each acknowledged write. */
  readonly acknowledged: { number: number; at: number }[] = [];
  readonly #name: string;

  constructor(index: number) {
    this.#name = `w${index}`;
  }

  /** Writes until the connection breaks. */
  async run(wire: Wire): Promise<void> {
    for (;;) {
      const n = ++this.sent;
      const name = this.#name;
      const isSent = await wire.send(
        `rpush ${name}:list ${n}\r\nmulti\r\nset ${name}:a ${n}\r\nset ${name}:b ${n}\r\n` +
          `hset ${name}:hash f${n % 50} ${n}\r\nexec\r\nincrbyfloat ${name}:float 0.5\r\n`,
      ).then(() => true, () => false);
      if (!isSent) return;
      let last = "";
      for (let i = 0; i < 7; i++) {
        last = await wire.read().catch(() => "");
        if (last === "") return;
      }
      if (last.startsWith("-")) return;
      this.acknowledged.push({ number: n, at: performance.now() });
    }
  }

  /** Compares what is there with what was acknowledged up to `until`. */
  async verify(wire: Wire, until: number): Promise<void> {
    const name = this.#name;
    const least = this.acknowledged.findLast(({ at }) => at <= until)?.number ?? 0;
    const length = await numberOf(wire, `llen ${name}:list`);
    const [a, b] = [await numberOf(wire, `get ${name}:a`), await numberOf(wire, `get ${name}:b`)];
    const halves = 2 * await numberOf(wire, `get ${name}:float`);
    assert(length >= least, `${name}: ${length} elements, ${least} acknowledged`);
    assert(length <= this.sent, `${name}: ${length} elements, ${this.sent} sent`);
    assertEquals(a, b, `${name}: a transaction is whole or not there`);
    assert(a >= least && a <= length, `${name}: a is ${a}, ${least} acknowledged`);
    assert(halves >= least && halves <= a, `${name}: ${halves} halves, ${least} acknowledged`);
    this.sent = length;
    // Writes without an acknowledgement may have taken place: from here on they count as acknowledged.
    if (a < length) await wire.roundTrip(`ltrim ${name}:list 0 ${a - 1}`);
    for (const key of ["list", "a", "b", "hash", "float"]) {
      await wire.roundTrip(`del ${name}:${key}`);
    }
    this.sent = 0;
    this.acknowledged.length = 0;
  }
}

async function numberOf(wire: Wire, line: string): Promise<number> {
  const reply = await wire.roundTrip(line);
  if (reply.startsWith("$-1")) return 0;
  return Number(reply.replace(/^\$\d+\r\n/, "").replace(/^:/, ""));
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** As `crash`; a failure names the seed that repeats it. */
async function crashSeeded(policy: "always" | "everysec", rounds: number): Promise<void> {
  print(`crashes with RESPITE_SEED=${SEED}`);
  try {
    await crash(policy, rounds);
  } catch (error) {
    throw new Error(`a run with RESPITE_SEED=${SEED}`, { cause: error });
  }
}

async function crash(policy: "always" | "everysec", rounds: number): Promise<void> {
  const random = generator(SEED);
  const dir = await Deno.makeTempDir();
  const directives = ["--appendonly", "yes", "--appendfsync", policy, "--save", ""];
  const writers = Array.from({ length: WRITERS }, (_, i) => new Writer(i));
  const port = freePort();
  let child = Child.spawn(port, dir, ...directives);
  for (let round = 0; round < rounds; round++) {
    const wire = await child.started();
    const wires = await Promise.all(writers.map(() => Connection.connect(port)));
    const runs = writers.map((writer, i) => writer.run(wires[i]));
    await sleep(20 + 200 * random());
    // Some servers are killed while they rewrite or save.
    if (round % 3 === 1) await wire.send("bgrewriteaof\r\n");
    if (round % 3 === 2) await wire.send("bgsave\r\n");
    await sleep(30 * random());
    const now = performance.now();
    await child.stop("SIGKILL");
    await Promise.all(runs);
    for (const one of [wire, ...wires]) one.close();
    // Some servers are killed while they start.
    if (round % 2 === 1) {
      const early = Child.spawn(port, dir, ...directives);
      await sleep(100 + 500 * random());
      await early.stop("SIGKILL");
    }
    child = Child.spawn(port, dir, ...directives);
    const reader = await child.started();
    const until = policy === "always" ? Infinity : now - LOSS_MS;
    for (const writer of writers) await writer.verify(reader, until);
    reader.close();
  }
  await child.stop("SIGTERM");
  await Deno.remove(dir, { recursive: true });
}

const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test({
  name: "with appendfsync always nothing acknowledged is lost, and nothing is half there",
  ...options,
  fn: () => crashSeeded("always", ROUNDS),
});
Deno.test({
  name: "with appendfsync everysec at most the last second is lost",
  ...options,
  fn: () => crashSeeded("everysec", Math.ceil(ROUNDS / 2)),
});
