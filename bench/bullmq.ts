/**
 * BullMQ, side by side with redis-server: fifty at a time add jobs to one queue, then one worker with a concurrency of fifty
 * processes and completes them. Prints ours and redis-server's jobs a second, and what a job costs each server.
 *
 *     deno run -A --lock=tests/deno.lock bench/bullmq.ts [--jobs 10000] [--rounds 5] [--redis redis-server] [--before DIR]
 *
 * The servers are pinned to core 0, BullMQ runs on core 1. It needs more of its core than a server of its own, so the
 * throughput shows how soon replies come, and the server's CPU time what they cost. `--redis` is the redis-server to run;
 * `--before` is another checkout of ours, measured in the same rounds. `--smoke` runs few jobs once.
 */
import { parseArgs } from "@std/cli/parse-args";
import { Queue, Worker } from "bullmq";
import { cpuUsage } from "node:process";
import { print, SERVER_PERMISSIONS, serverV8Flags } from "../scripts/run.ts";
import { freePort, Wire } from "../tests/support/live.ts";

const SERVER_CORE = "0";
const CLIENT_CORE = "1";
const CONCURRENCY = 50;
const START_TRIES = 200;
const START_PAUSE_MS = 50;

/** What one phase of one run took. */
interface Cost {
  readonly seconds: number;
  /** Time that all threads of the server were on a processor. */
  readonly serverUs: number;
  /** The same of this process, which is BullMQ. */
  readonly clientUs: number;
}

/** The phases of a run, in order. */
interface Run {
  readonly add: Cost;
  readonly process: Cost;
}

/** A server under measurement, and its runs. */
export class Peer {
  readonly runs: Run[] = [];

  private constructor(
    readonly name: string,
    readonly port: number,
    readonly child: Deno.ChildProcess,
  ) {}

  /** Starts a server on the servers' core, and waits until it answers. */
  static async start(name: string, words: readonly string[]): Promise<Peer> {
    const port = freePort();
    const args = ["-c", SERVER_CORE, ...words, "--port", `${port}`, "--save", ""];
    const child = new Deno.Command("taskset", { args, stdout: "null", stderr: "inherit" }).spawn();
    const peer = new Peer(name, port, child);
    for (let tries = 0; tries < START_TRIES; tries++) {
      const wire = await Wire.connect(port).catch(() => null);
      wire?.close();
      if (wire !== null) return peer;
      await new Promise((resolve) => setTimeout(resolve, START_PAUSE_MS));
    }
    await peer.stop();
    throw new Error(`${name} could not be started`);
  }

  /** Ours, from the checkout in `dir`, as the task `start` runs it. */
  static startCheckout(name: string, dir: string): Promise<Peer> {
    const flags = ["--no-prompt", serverV8Flags(dir), "--no-code-cache", ...SERVER_PERMISSIONS];
    const main = ["--config", `${dir}/deno.json`, `${dir}/main.ts`];
    return Peer.start(name, [Deno.execPath(), "run", ...flags, ...main]);
  }

  /** One run: adds so many jobs to an empty queue, then processes them. */
  async run(jobs: number): Promise<Run> {
    const connection = { host: "127.0.0.1", port: this.port };
    const queue = new Queue("bench", { connection });
    const worker = new Worker("bench", ({ data }) => Promise.resolve(data.n), {
      connection,
      concurrency: CONCURRENCY,
      autorun: false,
    });
    await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
    const add = await this.#measured(async () => {
      let added = 0;
      const adder = async (): Promise<void> => {
        while (added < jobs) {
          await queue.add("job", { n: added++, text: "as applications send it" });
        }
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, adder));
    });
    const process = await this.#measured(async () => {
      let completed = 0;
      const areCompleted = new Promise<void>((resolve) => {
        worker.on("completed", () => ++completed === jobs && resolve());
      });
      void worker.run();
      await areCompleted;
    });
    const counts = await queue.getJobCounts("wait", "active", "completed", "failed");
    if (counts.completed !== jobs) throw new Error(`${this.name}: ${JSON.stringify(counts)}`);
    await worker.close();
    await queue.obliterate();
    await queue.close();
    return { add, process };
  }

  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    await this.child.status;
  }

  async #measured(work: () => Promise<void>): Promise<Cost> {
    const serverBefore = await this.#cpuUs();
    const clientBefore = cpuUsage();
    const start = performance.now();
    await work();
    const seconds = (performance.now() - start) / 1000;
    const client = cpuUsage(clientBefore);
    const serverUs = await this.#cpuUs() - serverBefore;
    return { seconds, serverUs, clientUs: client.user + client.system };
  }

  async #cpuUs(): Promise<number> {
    const args = ["-c", `cat /proc/${this.child.pid}/task/*/schedstat`];
    const { stdout } = await new Deno.Command("sh", { args }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    return lines.reduce((sum, line) => sum + Number(line.split(" ")[0]), 0) / 1000;
  }
}

/** Measures the peers in turn, each of them first as often as the others, after a run that warms all of them up. */
export async function measure(peers: readonly Peer[], jobs: number, rounds: number): Promise<void> {
  for (const peer of peers) await peer.run(jobs);
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < peers.length; n++) {
      const peer = peers[(round + n) % peers.length];
      peer.runs.push(await peer.run(jobs));
    }
  }
}

/** A table: a row for each phase and peer, with the ratios to the first peer's figures. */
function report(peers: readonly Peer[], jobs: number): void {
  print("phase     server       jobs/s  ours/its  CPU µs a job  its/ours  client's core");
  const phases = {
    add: ({ add }: Run) => add,
    process: ({ process }: Run) => process,
    both: ({ add, process }: Run) => ({
      seconds: add.seconds + process.seconds,
      serverUs: add.serverUs + process.serverUs,
      clientUs: add.clientUs + process.clientUs,
    }),
  };
  for (const [phase, costOf] of Object.entries(phases)) {
    for (const peer of peers) {
      const median = (figure: (own: Cost, ours: Cost) => number): number => {
        const figures = peer.runs.map((run, n) => figure(costOf(run), costOf(peers[0].runs[n])));
        return figures.sort((a, b) => a - b)[figures.length >> 1];
      };
      const cells = [
        median(({ seconds }) => jobs / seconds).toFixed(0).padStart(8),
        median((own, ours) => own.seconds / ours.seconds).toFixed(2).padStart(9),
        median(({ serverUs }) => serverUs / jobs).toFixed(1).padStart(13),
        median((own, ours) => own.serverUs / ours.serverUs).toFixed(2).padStart(9),
        `${median(({ seconds, clientUs }) => clientUs / seconds / 10_000).toFixed(0)} %`.padStart(
          14,
        ),
      ];
      print(`${phase.padEnd(9)} ${peer.name.padEnd(10)} ${cells.join(" ")}`);
    }
  }
}

async function main(): Promise<void> {
  const options = parseArgs(Deno.args, {
    string: ["jobs", "rounds", "redis", "before"],
    boolean: ["smoke"],
    default: { jobs: "10000", rounds: "5", redis: "redis-server", before: "" },
  });
  const isSmoke = options.smoke === true;
  const jobs = isSmoke ? 100 : Number(options.jobs);
  await new Deno.Command("taskset", { args: ["-a", "-c", "-p", CLIENT_CORE, `${Deno.pid}`] })
    .output();
  const peers: Peer[] = [];
  try {
    peers.push(await Peer.startCheckout("ours", "."));
    peers.push(await Peer.start("redis", [String(options.redis)]));
    if (options.before !== "") {
      peers.push(await Peer.startCheckout("before", String(options.before)));
    }
    await measure(peers, jobs, isSmoke ? 1 : Number(options.rounds));
    report(peers, jobs);
  } finally {
    for (const peer of peers) await peer.stop();
  }
}

if (import.meta.main) await main();
