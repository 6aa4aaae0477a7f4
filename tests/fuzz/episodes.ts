/** Episodes: what is done to one server, from a seed. */
import { binaryBytes } from "../../src/protocol/args.ts";
import type { MachineBuilder } from "../../src/scripting/machinery.ts";
import { generator } from "../differential/commands.ts";
import { limitsOf, ODD_DATA, Speaker } from "../differential/odd_commands.ts";
import { Random } from "../support/random.ts";
import { requestOf } from "../support/requests.ts";
import { Hostile } from "./hostile.ts";
import { logOf } from "./logs.ts";
import { scriptRequest } from "./scripts.ts";
import { Audits, Loaded, Passes, Sent, type Step } from "./steps.ts";
import { cutsOf, streamOf } from "./streams.ts";
import { CLIENTS, Finding, Subject } from "./subject.ts";
import type { Samples } from "./values.ts";

/** What is done step by step to one server, and can be done again. */
const STEPWISE = ["commands", "streams", "payloads", "scripts", "rdb", "aof"] as const;
type Stepwise = typeof STEPWISE[number];
/** All; the last two need the event loop: see live.ts. */
export const KINDS = [...STEPWISE, "sockets", "starts"] as const;
export type Kind = typeof KINDS[number];

export function isStepwise(kind: Kind): kind is Stepwise {
  return STEPWISE.some((one) => one === kind);
}

/** Steps of an episode, besides those that make its data. */
const STEPS: Record<Stepwise, number> = {
  commands: 600,
  streams: 500,
  payloads: 500,
  scripts: 300,
  rdb: 40,
  aof: 30,
};
const WAITS_MS = [1, 10, 100, 1000, 60_000, 3_600_000, 86_400_000];
const READS: readonly string[] = [
  ...[
    "dump k",
    "object encoding k",
    "memory usage k",
    "debug object k",
    "type k",
    "copy k k2 replace",
  ],
  ...["get k", "append k x", "lrange k 0 -1", "lpop k 2", "rpush k x", "smembers k", "spop k 2"],
  ...[
    "sadd k x 1",
    "zrange k 0 -1 withscores",
    "zpopmin k 2",
    "zadd k 1 x",
    "hgetall k",
    "hset k x y",
  ],
  ...[
    "hdel k a",
    "hrandfield k 3",
    "zrandmember k -3",
    "srandmember k -3",
    "xrange k - +",
    "xadd k * a b",
  ],
  ...[
    "xinfo stream k full",
    "xpending k g",
    "xautoclaim k g c 0 0",
    "xtrim k maxlen 1",
    "xdel k 1-1",
  ],
  ...[
    "pfcount k",
    "pfadd k x",
    "bf.exists k a",
    "bf.add k b",
    "lset k 0 z",
    "linsert k before a b",
  ],
  ...["xreadgroup group g c streams k >", "xack k g 1-1", "lrem k 0 a", "zrem k a", "expire k 100"],
];

/** Everything that the steps of any kind need beside a seed. */
export interface Means {
  readonly samples: Samples;
  readonly lua: MachineBuilder;
  /** A directory for the server, in memory if that can be. */
  readonly dir: string;
}

/** The steps of an episode. */
export function stepsOf(kind: Stepwise, seed: number, samples: Samples): Step[] {
  const hostile = new Hostile(seed);
  const { random } = hostile;
  const steps = setUp(seed);
  const count = steps.length + STEPS[kind];
  while (steps.length < count) {
    if (kind === "rdb") steps.push(load(samples.file(random)));
    else if (kind === "aof") steps.push(new Loaded("DEBUG LOADAOF", logOf(hostile, samples)));
    else if (random.isLikely(0.01)) steps.push(new Passes(random.of(WAITS_MS)));
    else if (kind === "payloads" && random.isLikely(0.1)) steps.push(new Audits());
    else if (kind === "streams") steps.push(stream(hostile));
    else if (kind === "payloads") steps.push(...payload(random, samples));
    else {
      const words = kind === "scripts" ? scriptRequest(hostile) : hostile.request();
      steps.push(request(words, random));
    }
  }
  return steps;
}

function setUp(seed: number): Step[] {
  const limits = limitsOf(new Speaker(generator(seed + 1)));
  return [...limits, ["hello", `${2 + seed % 2}`], ...ODD_DATA].map((words) => sent(0, words));
}

function sent(slot: number, words: readonly string[]): Sent {
  const bytes = binaryBytes(requestOf(words));
  return new Sent(slot, bytes, [bytes.length], true);
}

function request(words: readonly string[], random: Random): Sent {
  const { slot, bytes } = sent(random.below(CLIENTS), words);
  const cuts = random.isLikely(0.9) ? [bytes.length] : cutsOf(bytes.length, random);
  return new Sent(slot, bytes, cuts, true);
}

function stream(hostile: Hostile): Sent {
  const { random } = hostile;
  const bytes = binaryBytes(streamOf(hostile));
  return new Sent(random.below(CLIENTS), bytes, cutsOf(bytes.length, random), false);
}

function payload(random: Random, samples: Samples): Sent[] {
  const text = String.fromCharCode(...samples.payload(random));
  const steps = [sent(1, ["restore", "k", "0", text, "replace"])];
  for (let left = random.below(4); left > 0; left--) {
    steps.push(sent(1, random.of(READS).split(" ")));
  }
  return steps;
}

function load(file: Uint8Array): Loaded {
  return new Loaded("DEBUG RELOAD NOSAVE", new Map([["dump.rdb", file]]));
}

/** In one of so many episodes, what was propagated is compared with the data: unless files were loaded. */
const LOG_EVERY = 3;

/** How an episode went. */
export interface Outcome {
  readonly inputs: number;
  /** What must not happen, or "". */
  readonly finding: string;
  /** The step at which it did; that behind the last is the end of the episode. */
  readonly at: number;
  /** The step that took longest, and its time. */
  readonly slowest: number;
  readonly slowestMs: number;
}

/** Performs the steps on a new server; `before` is told each of them. */
export function perform(
  steps: readonly Step[],
  seed: number,
  { lua, dir }: Means,
  before: (step: number) => void = () => {},
): Outcome {
  emptied(dir);
  // What the server draws by lot is the same in each run.
  Math.random = generator(seed);
  const isAllPropagated = !steps.some((step) => step instanceof Loaded);
  const subject = new Subject(dir, lua, isAllPropagated && seed % LOG_EVERY === 0);
  let [inputs, slowest, slowestMs, at] = [0, 0, 0, 0];
  let finding = "";
  try {
    for (; at < steps.length; at++) {
      before(at);
      const begin = performance.now();
      steps[at].perform(subject);
      const elapsed = performance.now() - begin;
      inputs += steps[at].inputs;
      if (elapsed > slowestMs) [slowest, slowestMs] = [at, elapsed];
    }
    before(at);
    subject.finish();
  } catch (error) {
    finding = error instanceof Finding
      ? error.message
      : error instanceof Error
      ? error.stack ?? error.message
      : String(error);
  }
  try {
    subject.close();
  } catch (error) {
    if (finding === "") finding = `Closing: ${error instanceof Error ? error.stack : error}`;
  }
  return { inputs, finding, at, slowest, slowestMs };
}

/** Makes `dir` an empty directory for a server. */
export function emptied(dir: string): void {
  try {
    Deno.removeSync(dir, { recursive: true });
  } catch {
    // It is not there yet.
  }
  Deno.mkdirSync(`${dir}/appendonlydir`, { recursive: true });
}

/** Fewer steps that lead to the same, found within about `ms`. */
export function minimised(
  steps: readonly Step[],
  isSame: (steps: readonly Step[]) => boolean,
  ms: number,
): readonly Step[] {
  const end = performance.now() + ms;
  let left = steps;
  for (let size = Math.ceil(left.length / 2); size > 0; size = Math.floor(size / 2)) {
    for (let at = Math.max(left.length - size, 0);; at -= size) {
      if (performance.now() > end) return left;
      const from = Math.max(at, 0);
      const fewer = [...left.slice(0, from), ...left.slice(at + size)];
      if (fewer.length < left.length && isSame(fewer)) left = fewer;
      if (at <= 0) break;
    }
  }
  return left;
}

/** What two findings that have the same cause have in common: their first words, and the line of ours that met it. */
export function causeOf(finding: string): string {
  const [first, ...rest] = finding.split("\n");
  const words = first.replaceAll(/"[^"]*"|\/\S*|[^ -~]/g, "").slice(0, WORDS_OF_CAUSE);
  const line = rest.find((one) => one.includes("/src/") && !one.includes("/assert.ts")) ?? "";
  const place = /\/src\/[^)]*/.exec(line)?.[0] ?? "";
  return `${words.replaceAll(/\d+/g, "0")} ${place}`;
}

const WORDS_OF_CAUSE = 70;
