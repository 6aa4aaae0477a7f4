/** Runs a server under a mixed load for a long time, and says whether it is at the end as it was at the start. */
import { Child } from "../support/child.ts";
import { freePort, type RedisServer, startRedis, Wire } from "../support/live.ts";
import { pause } from "../support/waiting.ts";
import type { LoadAnswer, LoadReport, LoadTask } from "./load.ts";

export interface SoakPlan {
  readonly seconds: number;
  readonly seed: number;
  /** Whether time and memory are judged, for which the machine must be quiet and the time long. */
  readonly judges: boolean;
  readonly onSample?: (sample: Sample) => void;
}

/** The server at one moment. */
export interface Sample {
  readonly second: number;
  readonly residentBytes: number;
  readonly usedBytes: number;
  /** Descriptors that are no clients'. */
  readonly descriptors: number;
  readonly keys: number;
  readonly evicted: number;
}

const SAMPLE_MS = 1000;
const PROBE_MS = 2;
const SAVE_EVERY_SECONDS = 10;
/** Parts of the time: in the first it warms up, the second is the start, the last the end. */
const PARTS = 6;
/** So much more memory, and so much beside it, may be used at the end. */
const GROWTH_MAX = 1.1;
const GROWTH_BYTES = 16 * 2 ** 20;
const DESCRIPTORS_MORE = 4;
const SLOWER_MAX = 2;
/** Below this, times are the machine's. */
const LATENCY_FLOOR_MS = 2;
const DIRECTIVES = [
  ...["--appendonly", "yes", "--appendfsync", "no", "--save", ""],
  ...["--auto-aof-rewrite-min-size", "8mb", "--maxclients", "200"],
];
/** When the load has run for this part of the time, memory is limited to a share of what is in use: keys are evicted. */
const EVICTS_AFTER = 1 / 4;
const MEMORY_SHARE = 0.8;

export class Soak {
  readonly samples: Sample[] = [];
  /** When, in ms since the start, each probe began, and how long it took. */
  readonly #probes: { at: number; ms: number }[] = [];
  readonly #plan: SoakPlan;
  /** What is not as it should be. */
  readonly problems: string[] = [];
  report: LoadReport | null = null;
  /** Whether keys were evicted, and a redis-server was there. */
  hasEvicted = false;
  hasCompared = false;
  #begin = 0;

  constructor(plan: SoakPlan) {
    this.#plan = plan;
  }

  async run(): Promise<void> {
    const dir = await Deno.makeTempDir();
    const child = Child.spawn(freePort(), dir, ...DIRECTIVES);
    const redis = await startRedis();
    this.hasCompared = redis !== null;
    try {
      const wire = await child.started();
      await this.#load(child, redis, wire);
      await this.#compare(wire, redis);
      wire.close();
      const log = await child.stop("SIGTERM");
      if (/ failed: |Commands before it/.test(log)) this.problems.push(`The log says: ${log}`);
    } finally {
      await Child.killAll();
      await redis?.stop();
      await Deno.remove(dir, { recursive: true });
    }
    this.#judge();
  }

  async #load(child: Child, redis: RedisServer | null, wire: Wire): Promise<void> {
    const { seconds, seed, onSample } = this.#plan;
    const thread = new Worker(new URL("./load.ts", import.meta.url), { type: "module" });
    const answer = Promise.withResolvers<LoadReport>();
    const ready = Promise.withResolvers<void>();
    thread.onmessage = ({ data }: MessageEvent<LoadAnswer>) => {
      if (data === "ready") ready.resolve();
      else if ("error" in data) answer.reject(new Error(data.error));
      else answer.resolve(data);
    };
    thread.onerror = (event) => answer.reject(new Error(event.message));
    const task: LoadTask = { port: child.port, redisPort: redis?.port ?? null, seed };
    thread.postMessage(task);
    await Promise.race([ready.promise, answer.promise]);
    this.#begin = performance.now();
    const isOver = (): boolean => performance.now() - this.#begin > 1000 * seconds;
    let hasFailed = false;
    answer.promise.catch(() => (hasFailed = true));
    const probing = this.#probe(child.port, () => hasFailed || isOver());
    let saveAt = SAVE_EVERY_SECONDS;
    let limitAt = Math.ceil(EVICTS_AFTER * seconds);
    while (!isOver() && !hasFailed) {
      await pause(SAMPLE_MS);
      const second = Math.round((performance.now() - this.#begin) / 1000);
      const sample = await sampleOf(wire, child.pid, second);
      this.samples.push(sample);
      this.hasEvicted ||= sample.evicted > 0;
      onSample?.(sample);
      if (second >= limitAt) {
        limitAt = Infinity;
        this.#expect(await limitMemory(wire, MEMORY_SHARE * sample.usedBytes), "+OK\r\n");
      }
      if (second < saveAt) continue;
      saveAt += SAVE_EVERY_SECONDS;
      await wire.roundTrip("bgsave schedule");
    }
    await probing;
    thread.postMessage("stop");
    this.report = await answer.promise;
    thread.terminate();
    this.problems.push(...new Set(this.report.wrong));
  }

  /** Asks again and again, and notes how long the answer takes. */
  async #probe(port: number, isOver: () => boolean): Promise<void> {
    const wire = await Wire.connect(port);
    while (!isOver()) {
      const begin = performance.now();
      await wire.roundTrip("set probe value");
      this.#probes.push({ at: begin - this.#begin, ms: performance.now() - begin });
      await pause(PROBE_MS);
    }
    await wire.roundTrip("del probe");
    wire.close();
  }

  async #compare(wire: Wire, redis: RedisServer | null): Promise<void> {
    await wire.roundTrip("config set maxmemory 0");
    const own = await wire.roundTrip("debug digest");
    const reloaded = await wire.roundTrip("debug reload");
    const after = await wire.roundTrip("debug digest");
    if (own !== after) this.problems.push(`DEBUG RELOAD (${reloaded}) changes ${own} to ${after}`);
    const log = await wire.roundTrip("debug loadaof");
    const logged = await wire.roundTrip("debug digest");
    if (own !== logged) this.problems.push(`DEBUG LOADAOF (${log}) changes ${own} to ${logged}`);
    const theirs = await redis?.digest();
    if (theirs !== undefined && theirs !== own) {
      this.problems.push(`The digest is ${own}, redis-server's is ${theirs}`);
    }
  }

  #expect(actual: string, expected: string): void {
    if (actual !== expected) this.problems.push(`${actual} instead of ${expected}`);
  }

  #judge(): void {
    const { judges, seconds } = this.#plan;
    const { start, end } = this.figures();
    if (end.descriptors > start.descriptors + DESCRIPTORS_MORE) {
      this.problems.push(`Descriptors: ${start.descriptors}, at the end ${end.descriptors}`);
    }
    if (!judges) return;
    if (end.residentBytes > start.residentBytes * GROWTH_MAX + GROWTH_BYTES) {
      this.problems.push(
        `Resident memory: ${start.residentBytes}, after ${seconds} s ${end.residentBytes}`,
      );
    }
    if (end.latencyMs > SLOWER_MAX * Math.max(start.latencyMs, LATENCY_FLOOR_MS)) {
      this.problems.push(`p99.9: ${start.latencyMs} ms, at the end ${end.latencyMs} ms`);
    }
  }

  /** Memory, descriptors and p99.9 in the second and in the last part. */
  figures(): { start: Figures; end: Figures } {
    return { start: this.#part(1), end: this.#part(PARTS - 1) };
  }

  #part(index: number): Figures {
    const { seconds } = this.#plan;
    const from = (seconds * index) / PARTS;
    const to = (seconds * (index + 1)) / PARTS;
    const samples = this.samples.filter(({ second }) => second >= from && second <= to);
    const probes = this.#probes.filter(({ at }) => at >= 1000 * from && at <= 1000 * to);
    const times = probes.map(({ ms }) => ms).sort((a, b) => a - b);
    const highest = (of: (sample: Sample) => number): number => Math.max(0, ...samples.map(of));
    return {
      residentBytes: highest(({ residentBytes }) => residentBytes),
      descriptors: highest(({ descriptors }) => descriptors),
      latencyMs: times[Math.floor(times.length * 0.999)] ?? 0,
    };
  }
}

interface Figures {
  readonly residentBytes: number;
  readonly descriptors: number;
  readonly latencyMs: number;
}

/** Returns the answer. Only keys with a deadline are evicted: the others are compared. */
async function limitMemory(wire: Wire, bytes: number): Promise<string> {
  return await wire.roundTrip(
    `config set maxmemory-policy volatile-lru maxmemory ${Math.floor(bytes)}`,
  );
}

async function sampleOf(wire: Wire, pid: number, second: number): Promise<Sample> {
  const info = await wire.roundTrip("info everything");
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  const shell = new Deno.Command("sh", { args: ["-c", `ls /proc/${pid}/fd | wc -l`] });
  const { stdout } = await shell.output();
  const keys = [...info.matchAll(/^db\d+:keys=(\d+)/gm)].map(([, count]) => Number(count));
  return {
    second,
    residentBytes: field("used_memory_rss"),
    usedBytes: field("used_memory"),
    descriptors: Number(new TextDecoder().decode(stdout)) - field("connected_clients"),
    keys: keys.reduce((sum, count) => sum + count, 0),
    evicted: field("evicted_keys"),
  };
}
