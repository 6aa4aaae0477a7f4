import { assertEquals } from "@std/assert";
import { binaryOf } from "../../src/config/words.ts";
import { ALL_EVENTS, type EventCase, eventOf, eventSections } from "../support/event_table.ts";
import { is72, type LiveServer, startRedis, startRespite, Wire } from "../support/live.ts";
import { replyOf } from "../support/replies.ts";
import { requestOf } from "../support/requests.ts";
import { pause } from "../support/waiting.ts";
import { randomCommands } from "./commands.ts";
import { OTHER_IN_7_0 } from "./odd_compare.ts";
import { oddEpisodes } from "./odd_commands.ts";

/** Random commands whose events are compared; a long run is RESPITE_EVENTS=100000. */
const COUNT = Number(Deno.env.get("RESPITE_EVENTS") ?? 10_000);
const SEED = Number(Deno.env.get("RESPITE_SEED") ?? 7);
const PIPELINE = 200;
const EPISODE_SIZE = 30;
const DIFFERENCES_MAX = 5;
/** Further commands of which Redis 7.0 tells other events than 7.2. */
const OTHER_EVENTS_IN_7_0 = /^(?:xclaim|xsetid)$/;

type Words = readonly string[];

const redis = await startRedis();
const skips = redis === null ? " (skipped: redis-server is not installed)" : "";
const options = { ignore: redis === null, sanitizeOps: false, sanitizeResources: false };

/** Subscribed to all keyspace events of a server. */
class EventTap {
  private constructor(readonly control: Wire, readonly listener: Wire) {}

  static async open({ port }: LiveServer): Promise<EventTap> {
    const tap = new EventTap(await Wire.connect(port), await Wire.connect(port));
    await tap.control.roundTrip(`config set notify-keyspace-events ${ALL_EVENTS}`);
    // Expired keys are removed by commands, not by the timer.
    await tap.control.roundTrip("debug set-active-expire 0");
    await tap.listener.roundTrip("psubscribe __key*__:*");
    await tap.listener.roundTrip("subscribe mark");
    return tap;
  }

  /** The messages up to one on the channel "mark", as they came over the wire. */
  async untilMark(): Promise<string[]> {
    const messages: string[] = [];
    for (;;) {
      const message = await this.listener.read();
      if (message === "" || message.startsWith("*3")) return messages;
      messages.push(message);
    }
  }

  /** What has happened since the last call, as the table shows it. */
  async take(): Promise<string> {
    await this.control.roundTrip("publish mark x");
    const ofKeys: string[] = [];
    const ofEvents: string[] = [];
    for (const message of await this.untilMark()) {
      const [, , channel, text] = replyOf(message) as string[];
      const [event, isOfKey] = eventOf(channel, text) ?? [message, true];
      (isOfKey ? ofKeys : ofEvents).push(event);
    }
    assertEquals(ofKeys, ofEvents);
    return ofKeys.join(", ");
  }

  close(): void {
    this.control.close();
    this.listener.close();
  }
}

/** A client that waits is looked for so often, a millisecond apart. */
const LOOKS = 2000;

/** Waits until `count` clients wait. */
async function untilBlocked(control: Wire, count: number): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    const info = await control.roundTrip("info clients");
    if (info.includes(`blocked_clients:${count}\r\n`)) return;
    await pause(1);
  }
}

/** The lines of a case, each with the events that they cause on a server. */
async function replay(server: LiveServer, { lines }: EventCase): Promise<string[]> {
  const tap = await EventTap.open(server);
  await tap.control.roundTrip("flushall");
  await tap.control.roundTrip("debug set-active-expire 1");
  await tap.take();
  const wires = [await Wire.connect(server.port)];
  const found: string[] = [];
  for (const { line } of lines) {
    if (line.startsWith("> ")) {
      const waiting = await Wire.connect(server.port);
      wires.push(waiting);
      const info = await tap.control.roundTrip("info clients");
      const [, blocked] = /blocked_clients:(\d+)/.exec(info) ?? [];
      await waiting.send(`${line.slice(2)}\r\n`);
      await untilBlocked(tap.control, Number(blocked) + 1);
    } else if (line.startsWith("wait ")) await pause(Number(line.slice(5)));
    else await wires[0].roundTrip(line);
    found.push(`${line} => ${await tap.take()}`);
  }
  for (const wire of wires) wire.close();
  await untilBlocked(tap.control, 0);
  tap.close();
  return found;
}

Deno.test({
  name: `the table of keyspace events is redis-server's${skips}`,
  ...options,
  fn: async () => {
    if (redis === null) return;
    const isJudge = await is72(redis);
    for (const { cases } of eventSections()) {
      for (const one of cases) {
        if (one.isOurs || (one.isOf72 && !isJudge)) continue;
        const expected = one.lines.map(({ line, events }) => `${line} => ${events}`);
        assertEquals(await replay(redis, one), expected);
      }
    }
  },
});

function shown(message: string): string {
  const [, , channel, text] = replyOf(message) as string[];
  const [event, isOfKey] = eventOf(channel, text) ?? [message, true];
  return isOfKey ? event : "…";
}

/** Commands, those of a transaction together. */
function steps(commands: readonly Words[]): Words[][] {
  const found: Words[][] = [];
  let open: Words[] | null = null;
  for (const words of commands) {
    open ??= [];
    open.push(words);
    if (open[0][0] === "multi" && !/^(?:exec|discard)$/.test(words[0])) continue;
    found.push(open);
    open = null;
  }
  if (open !== null) found.push([...open, ["discard"]]);
  return found;
}

/** The first difference between the messages that commands cause on two servers, or null. A mark follows each step. */
async function firstDifference(
  wires: readonly Wire[],
  taps: readonly EventTap[],
  commands: readonly Words[],
): Promise<string | null> {
  const all = steps(commands);
  const sent = all.flatMap((step) => [...step, ["publish", "mark", "x"]]);
  const request = sent.map(requestOf).join("");
  const writes = wires.map((wire) => wire.send(request));
  const replies = wires.map(async (wire) => {
    for (let i = 0; i < sent.length; i++) await wire.read();
  });
  let found: string | null = null;
  for (let i = 0; i < all.length; i++) {
    const [theirs, ours] = await Promise.all(taps.map((tap) => tap.untilMark()));
    if (found !== null || theirs.join("\n") === ours.join("\n")) continue;
    const before = all.slice(Math.max(0, i - 3), i + 1).flat().map((words) => words.join(" "));
    const [expected, actual] = [theirs, ours].map((messages) => messages.map(shown).join(", "));
    found = `${JSON.stringify(before)}\n  redis: ${expected}\n  ours:  ${actual}`;
  }
  await Promise.all([...writes, ...replies]);
  return found;
}

function isAlikeIn70(name: string): boolean {
  return !OTHER_IN_7_0.test(name) && !OTHER_EVENTS_IN_7_0.test(name);
}

/** LSET takes only 32 bits of its index in Redis. */
const isWithin32Bits = ([name, , index]: Words): boolean =>
  name !== "lset" || Math.abs(Number(index)) < 2 ** 31;
/** How much memory XAUTOCLAIM can reserve for COUNT ids is a matter of the machine. */
const isModest = ([name, ...rest]: Words): boolean =>
  name !== "xautoclaim" || rest.every((word) => !(Number(word) >= 2 ** 31));
const LOOKS_UP = /\b(?:by|get)\b/i;
/** A list may hold what a set held, in the order of each server: so do the look-ups of SORT then come. */
const isOrdered = ([name, ...rest]: Words): boolean =>
  !name.startsWith("sort") || !LOOKS_UP.test(rest.join(" "));

/** Has commands run on redis-server and on ours, batch after batch, and asserts that both tell the same events. */
async function assertAlike(
  redis: LiveServer,
  prepare: (wires: readonly Wire[], taps: readonly EventTap[]) => Promise<void>,
  batches: (isTried: (name: string) => boolean) => () => Words[],
): Promise<void> {
  const isJudge = await is72(redis);
  const ours = startRespite();
  const servers = [redis, ours];
  const wires = await Promise.all(servers.map(({ port }) => Wire.connect(port)));
  const taps = await Promise.all(servers.map((server) => EventTap.open(server)));
  await prepare(wires, taps);
  const nextBatch = batches((name) => isJudge || isAlikeIn70(name));
  const differences: string[] = [];
  for (let sent = 0; sent < COUNT && differences.length < DIFFERENCES_MAX;) {
    const batch = nextBatch();
    sent += batch.length;
    const found = await firstDifference(wires, taps, batch);
    if (found !== null) differences.push(found);
  }
  for (const one of [...wires, ...taps]) one.close();
  await ours.stop();
  assertEquals(differences.join("\n"), "");
}

Deno.test({
  name: `random commands cause redis-server's keyspace events${skips}`,
  ...options,
  fn: async () => {
    if (redis === null) return;
    const commands = randomCommands(SEED, true);
    await assertAlike(
      redis,
      async (wires) => {
        for (const wire of wires) await wire.roundTrip("flushall");
      },
      (isTried) => () =>
        Array.from({ length: PIPELINE }, () => commands.next().value as string[])
          .filter((words) => isOrdered(words) && isTried(words[0])),
    );
  },
});

const isComparable = (words: Words): boolean =>
  isOrdered(words) && isWithin32Bits(words) && isModest(words);

Deno.test({
  name: `odd commands cause redis-server's keyspace events${skips}`,
  ...options,
  fn: async () => {
    if (redis === null) return;
    await assertAlike(
      redis,
      async (_wires, taps) => {
        for (const { control } of taps) {
          await control.roundTrip("config set proto-max-bulk-len 1mb");
        }
      },
      (isTried) => {
        const episodes = oddEpisodes(
          SEED,
          EPISODE_SIZE,
          (name) => !CHANGES_THE_SERVER.test(name) && isTried(name),
        );
        return () => {
          const { setUp, commands } = episodes.next().value as {
            setUp: string[][];
            commands: string[][];
          };
          return [["select", "0"], ["flushall"], ...setUp, ...commands.filter(isComparable)]
            .map((words) => words.map(binaryOf));
        };
      },
    );
  },
});

/** Commands that change what the tests need, or what later commands answer. */
const CHANGES_THE_SERVER = /^(?:config\|.*|client\|.*|p?s?s?(?:un)?subscribe|pubsub\|.*|reset)$/;

Deno.test.afterAll(async () => await redis?.stop());
