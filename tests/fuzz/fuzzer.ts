/** Runs episodes of all kinds in a worker, and sees when one hangs. */
import { isStepwise, type Kind, KINDS, stepsOf } from "./episodes.ts";
import { Place, type Report, type Task } from "./worker.ts";
import { Samples } from "./values.ts";

/** What is to be run. */
export interface Plan {
  readonly kinds: readonly Kind[];
  /** The seed of the first episode; each has the next. */
  readonly seed: number;
  /** After so many inputs, or so many seconds, it is over. */
  readonly inputs: number;
  readonly seconds: number;
  /** A step that takes longer is a finding, unless it is null. */
  readonly slowMs: number | null;
  /** Called after each episode. */
  readonly onProgress?: (fuzzer: Fuzzer) => void;
}

/** A step that takes longer never ends. */
const HANG_MS = 20_000;
const LOOK_MS = 250;
/** Of the kinds with whole files, an episode in so many rounds. */
const ROUNDS: Partial<Record<Kind, number>> = {
  rdb: 3,
  aof: 4,
  scripts: 2,
  sockets: 4,
  starts: 12,
};

export class Fuzzer {
  inputs = 0;
  episodes = 0;
  /** By cause: how often, and what happened first. */
  readonly findings = new Map<string, { count: number; story: string }>();
  readonly byKind = new Map<Kind, number>();
  readonly #plan: Plan;
  readonly #dir: string;
  readonly #places = new SharedArrayBuffer(8);
  #worker: Worker | null = null;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#dir = directory();
  }

  async run(): Promise<void> {
    const { kinds, inputs, seconds, onProgress } = this.#plan;
    const end = performance.now() + 1000 * seconds;
    let { seed } = this.#plan;
    try {
      for (let round = 0; this.inputs < inputs && performance.now() < end; round++) {
        for (const kind of kinds) {
          if (round % (ROUNDS[kind] ?? 1) !== 0) continue;
          await this.#episode(kind, seed++);
          onProgress?.(this);
        }
      }
    } finally {
      this.#worker?.terminate();
      Deno.removeSync(this.#dir, { recursive: true });
    }
  }

  async #episode(kind: Kind, seed: number): Promise<void> {
    this.episodes++;
    const report = await this.#report(kind, seed);
    this.inputs += report.inputs;
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + report.inputs);
    if (report.finding === "") return;
    const known = this.findings.get(report.cause);
    if (known !== undefined) known.count++;
    else {
      const story = `--kinds ${kind} --seed ${seed}: ${report.finding}`;
      this.findings.set(report.cause, { count: 1, story });
    }
  }

  async #report(kind: Kind, seed: number): Promise<Report> {
    const at = new Int32Array(this.#places);
    if (this.#worker === null) {
      at[Place.count] = 0;
      this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    }
    const worker = this.#worker;
    const task: Task = {
      ...{ kind, seed, dir: `${this.#dir}/server`, places: this.#places },
      slowMs: this.#plan.slowMs,
    };
    const answer = Promise.withResolvers<Report>();
    const failed = (what: string): void => {
      this.#worker?.terminate();
      this.#worker = null;
      answer.resolve({ inputs: 0, cause: `${kind}: ${what.slice(0, 60)}`, finding: what });
    };
    worker.onmessage = ({ data }: MessageEvent<Report>) => answer.resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      failed(`The server has ended: ${event.message}`);
    };
    let count = 0;
    let since = Infinity;
    const watchdog = setInterval(() => {
      const now = performance.now();
      // A new worker makes its first step when all is loaded, which may take long where much else runs.
      if (Atomics.load(at, Place.count) !== count) {
        count = Atomics.load(at, Place.count);
        since = now;
      } else if (now - since > HANG_MS) failed(`It hangs at ${this.#step(kind, seed, at)}`);
    }, LOOK_MS);
    worker.postMessage(task);
    const report = await answer.promise;
    clearInterval(watchdog);
    return report;
  }

  /** The step that does not end. */
  #step(kind: Kind, seed: number, at: Int32Array): string {
    const step = Atomics.load(at, Place.step);
    if (!isStepwise(kind)) return `part ${step}`;
    const steps = stepsOf(kind, seed, new Samples(this.#dir));
    return String(steps[step] ?? "the end of the episode");
  }
}

/** A new directory, in memory if this process may use that. */
function directory(): string {
  try {
    return Deno.makeTempDirSync({ dir: "/dev/shm" });
  } catch {
    return Deno.makeTempDirSync();
  }
}

/** The kinds that are named in a list, or all. */
export function kindsOf(list: string | undefined): readonly Kind[] {
  if (list === undefined) return KINDS;
  const names = list.split(",");
  const unknown = names.find((name) => !KINDS.some((kind) => kind === name));
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${KINDS.join(", ")}`);
  return KINDS.filter((kind) => names.includes(kind));
}
