import { assertEquals } from "@std/assert";
import { TestServer } from "../../tests/support/harness.ts";
import { ManualClock } from "../lib/clock.ts";
import { argsOf } from "../protocol/args.ts";
import type { Call } from "./call.ts";
import { NOWHERE } from "./client.ts";
import { type CommandSpec, CommandTable, Flag } from "./command.ts";

/** Counts how often it is looked at. */
class WatchedClock extends ManualClock {
  looks = 0;

  override refresh(): void {
    this.looks++;
  }
}

/** SAY ms bytes: it takes so long and answers so much. */
function say({ args, reply, engine }: Call): void {
  (engine.clock as WatchedClock).advance(args.integer(1));
  const bytes = new Uint8Array(args.integer(2));
  reply.bulk(bytes, 0, bytes.length);
}

const base = { usage: "ms bytes", summary: "", since: "1.0.0", flags: Flag.readonly, run: say };
const commands: CommandSpec[] = [
  { ...base, name: "quick", complexity: "O(1)" },
  { ...base, name: "range", complexity: "O(N)", isTimedByReply: true },
  { ...base, name: "walk", complexity: "O(N)" },
];

class Runner {
  readonly clock = new WatchedClock(1_700_000_000_000);
  readonly #commands = new CommandTable([{ group: "string", commands }]);
  readonly #server = new TestServer({ commands: this.#commands, clock: this.clock });
  readonly #client = this.#server.server.hub.newClient(NOWHERE);

  /** Runs `lines` as one batch. */
  batch(lines: readonly string[], inTurn = false): void {
    const client = this.#client;
    const { evaluator } = this.#server;
    evaluator.beginBatch(client, inTurn);
    for (const line of lines) {
      const args = argsOf(...line.split(" "));
      client.args.referTo(args, 0, args.count - 1);
      evaluator.execute(client);
    }
    evaluator.endBatch();
  }

  /** The slow log, and the calls and µs counted for each command. */
  get counted(): [slow: string[], counted: Record<string, [number, number]>] {
    const counted: Record<string, [number, number]> = {};
    for (const { name, stats } of this.#commands.all()) {
      if (stats.calls > 0) counted[name] = [stats.calls, stats.microseconds];
    }
    const slow = this.#server.engine.slowlog.latest(100).map((entry) => entry.args.join(" "));
    return [slow, counted];
  }
}

/** What is counted for a batch of `lines`. */
function batch(...lines: string[]): Runner["counted"] {
  const runner = new Runner();
  runner.batch(lines);
  return runner.counted;
}

Deno.test("equal commands of a batch share their time", () => {
  const [slow, counted] = batch("quick 3 1", "quick 3 1", "quick 6 1");
  assertEquals(slow, []);
  assertEquals(counted, { quick: [3, 12_000] });
});

Deno.test("a command that is not O(1) is timed alone", () => {
  const [slow, counted] = batch("walk 1 1", "walk 30 1", "walk 1 1");
  assertEquals(slow, ["walk 30 1"]);
  assertEquals(counted, { walk: [3, 32_000] });
});

Deno.test("a long reply gets the time of the commands that shared its run", () => {
  const [slow, counted] = batch("range 0 1", "range 0 10", "range 30 20000", "range 1 1");
  assertEquals(slow, ["range 30 20000"]);
  assertEquals(counted, { range: [4, 31_000] });
});

Deno.test("batches of one turn share a look at the clock until it is a millisecond old", () => {
  const runner = new Runner();
  runner.batch(["quick 0 1"]);
  runner.batch(["quick 1 1"], true);
  assertEquals(runner.clock.looks, 1);
  runner.batch(["quick 5 1"], true);
  assertEquals(runner.clock.looks, 1);
  runner.batch(["quick 1 1"], true);
  assertEquals(runner.clock.looks, 2);
  runner.batch(["quick 1 1"]);
  assertEquals(runner.clock.looks, 3);
  assertEquals(runner.counted[1], { quick: [5, 8000] });
});
