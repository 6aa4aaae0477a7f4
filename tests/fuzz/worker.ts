/**
 * Runs episodes in a thread of its own, so that another thread can see one that never ends. It is told what to do by a
 * `Task`, writes where it is into `places` before each step, and answers with a `Report` after each episode.
 */
import { loadMachinery } from "../../src/scripting/machinery.ts";
import { pause } from "../support/waiting.ts";
import { attackSockets, attackStarts } from "./live.ts";
import {
  causeOf,
  isStepwise,
  type Kind,
  type Means,
  minimised,
  perform,
  stepsOf,
} from "./episodes.ts";
import { Samples } from "./values.ts";

/** What a worker is to run. */
export interface Task {
  readonly kind: Kind;
  readonly seed: number;
  readonly dir: string;
  /** Of an episode and of a step: see `Place`. */
  readonly places: SharedArrayBuffer;
  /** A step that takes longer is tried again alone; null: no step does. */
  readonly slowMs: number | null;
}

/** Where the numbers lie in `places`. */
export const Place = { step: 0, count: 1 } as const;

/** How an episode went. */
export interface Report {
  readonly inputs: number;
  /** What has happened that must not, and the steps that lead there; "" if all is well. */
  readonly finding: string;
  readonly cause: string;
}

/** This thread. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<Task>) => void;
  postMessage(report: Report): void;
};

const MINIMISE_MS = 10_000;
const RETRIES = 3;

let means: Means | null = null;

async function meansIn(dir: string): Promise<Means> {
  await Deno.mkdir(dir, { recursive: true });
  return { samples: new Samples(dir), lua: await loadMachinery(), dir };
}

async function run({ kind, seed, dir, places, slowMs }: Task): Promise<Report> {
  means ??= await meansIn(dir);
  const own = means;
  const at = new Int32Array(places);
  if (!isStepwise(kind)) return await runLive(kind, seed, own, at);
  const steps = stepsOf(kind, seed, own.samples);
  const outcome = perform(steps, seed, own, (step) => {
    at[Place.step] = step;
    at[Place.count]++;
  });
  // What the episode has begun to do in the background ends with it.
  await pause();
  const { inputs } = outcome;
  if (outcome.finding !== "") {
    const cause = causeOf(outcome.finding);
    const fewer = minimised(
      steps.slice(0, outcome.at + 1),
      (some) => {
        at[Place.count]++;
        const { finding } = perform(some, seed, own);
        return finding !== "" && causeOf(finding) === cause;
      },
      MINIMISE_MS,
    );
    return { inputs, cause, finding: `${outcome.finding}\n${fewer.map(String).join("\n")}` };
  }
  if (slowMs === null || outcome.slowestMs < slowMs) return { inputs, cause: "", finding: "" };
  let ms = outcome.slowestMs;
  // Other work of the machine may have been the reason.
  for (let left = RETRIES; left > 0 && ms >= slowMs; left--) {
    const again = perform(steps.slice(0, outcome.slowest + 1), seed, own);
    ms = again.slowest === outcome.slowest ? Math.min(ms, again.slowestMs) : 0;
  }
  if (ms < slowMs) return { inputs, cause: "", finding: "" };
  const step = String(steps[outcome.slowest]);
  return { inputs, cause: `slow: ${step.slice(0, 60)}`, finding: `${ms.toFixed(0)} ms: ${step}` };
}

/** An attack that can't be taken apart in steps. */
async function runLive(
  kind: "sockets" | "starts",
  seed: number,
  own: Means,
  at: Int32Array,
): Promise<Report> {
  const before = (step: number): void => {
    at[Place.step] = step;
    at[Place.count]++;
  };
  try {
    const inputs = kind === "sockets"
      ? await attackSockets(seed, own.dir, before)
      : await attackStarts(seed, own, before);
    return { inputs, cause: "", finding: "" };
  } catch (error) {
    const finding = error instanceof Error ? error.stack ?? error.message : String(error);
    return { inputs: 0, cause: causeOf(finding), finding };
  }
}

thread.onmessage = ({ data }) => void run(data).then((report) => thread.postMessage(report));
