/** Publish and subscribe: https://redis.io/docs/latest/commands/?group=pubsub */
import type { Call } from "../engine/call.ts";
import type { Client } from "../engine/client.ts";
import { type CommandSpec, Flag, keyRange } from "../engine/command.ts";
import { countOf, Kind, type Topic } from "../engine/pubsub.ts";
import { globMatches } from "../lib/glob.ts";
import { Errors, unknownOrArity } from "../protocol/errors.ts";
import { replyHelp } from "./help.ts";

/** How many subscriptions a client has, as its confirmations tell it: shard channels are counted apart. */
function subscriptionCount(client: Client, kind: Kind): number {
  if (kind === Kind.shard) return countOf(client, Kind.shard);
  return countOf(client, Kind.channel) + countOf(client, Kind.pattern);
}

/** SUBSCRIBE and its kin: each argument is confirmed by a message. */
function subscribe({ args, client, engine }: Call, kind: Kind, word: string): void {
  for (let i = 1; i < args.count; i++) {
    const bytes = args.bytesOf(i);
    engine.pubsub.subscribe(client, kind, bytes, args.start(i), args.end(i));
    confirm(client, kind, word, bytes, args.start(i), args.end(i));
  }
}

/** Unlike its kin it is refused where nothing may wait: within a transaction. */
function ssubscribe(call: Call): void {
  if (call.engine.blocking.denied > 0) return call.reply.error(Errors.shardInTransaction);
  subscribe(call, Kind.shard, "ssubscribe");
}

/** UNSUBSCRIBE and its kin. Without arguments they end all subscriptions of their kind. */
function unsubscribe(call: Call, kind: Kind, word: string): void {
  const { args, client, engine } = call;
  if (args.count === 1) return unsubscribeAll(call, kind, word);
  for (let i = 1; i < args.count; i++) {
    const bytes = args.bytesOf(i);
    engine.pubsub.unsubscribe(client, kind, bytes, args.start(i), args.end(i));
    confirm(client, kind, word, bytes, args.start(i), args.end(i));
  }
}

function unsubscribeAll({ client, engine }: Call, kind: Kind, word: string): void {
  const topics = [...client.subscriptions?.topics[kind].keys() ?? []];
  for (const topic of topics) {
    engine.pubsub.leave(client, kind, topic);
    confirm(client, kind, word, topic.name, 0, topic.name.length);
  }
  if (topics.length === 0) confirm(client, kind, word, null, 0, 0);
}

/** Sends the message that confirms `word`: the name `bytes[start, end)`, or null, and how many subscriptions there are now. */
function confirm(
  client: Client,
  kind: Kind,
  word: string,
  bytes: Uint8Array | null,
  start: number,
  end: number,
): void {
  const reply = client.engine.pushes.answering(client);
  reply.push(3);
  reply.bulkText(word);
  if (bytes === null) reply.nullBulk();
  else reply.bulk(bytes, start, end);
  reply.integer(subscriptionCount(client, kind));
}

/** PUBLISH and SPUBLISH. */
function publish(
  { args, reply, engine, db }: Call,
  kind: typeof Kind.channel | typeof Kind.shard,
): void {
  const count = engine.pubsub.publish(
    kind,
    args.bytesOf(1),
    args.start(1),
    args.end(1),
    args.bytesOf(2),
    args.start(2),
    args.end(2),
  );
  engine.propagation.message(db.index, args);
  reply.integer(count);
}

/** PUBSUB CHANNELS and SHARDCHANNELS: the names of those that have subscribers, or that match a pattern besides. */
function channels({ args, reply, engine }: Call, kind: Kind): void {
  if (args.count > 3) return reply.error(unknownOrArity(args));
  const isAsked = ({ name }: Topic): boolean =>
    args.count === 2 ||
    globMatches(args.bytesOf(2), args.start(2), args.end(2), name, 0, name.length, false);
  const mark = reply.mark();
  let count = 0;
  for (const topic of engine.pubsub.topics(kind)) {
    if (!isAsked(topic)) continue;
    reply.bulk(topic.name, 0, topic.name.length);
    count++;
  }
  reply.arrayFrom(mark, count);
}

/** PUBSUB NUMSUB and SHARDNUMSUB: channels and how many clients have subscribed to each. */
function subscriberCounts({ args, reply, engine }: Call, kind: Kind): void {
  reply.array(2 * (args.count - 2));
  for (let i = 2; i < args.count; i++) {
    const bytes = args.bytesOf(i);
    reply.bulk(bytes, args.start(i), args.end(i));
    reply.integer(engine.pubsub.subscriberCount(kind, bytes, args.start(i), args.end(i)));
  }
}

function help(call: Call): void {
  replyHelp(call, [
    ["CHANNELS [<pattern>]", "The channels with subscribers, or those that match <pattern>."],
    ["NUMPAT", "How many patterns have subscribers."],
    ["NUMSUB [<channel> ...]", "How many clients have subscribed to each channel itself."],
    ["SHARDCHANNELS [<pattern>]", "The shard channels with subscribers, or those that match."],
    ["SHARDNUMSUB [<shardchannel> ...]", "How many clients have subscribed to each shard channel."],
  ]);
}

const PUBLISHES = Flag.pubsub | Flag.loading | Flag.stale | Flag.fast | Flag.mayReplicate;
const SUBSCRIBES = Flag.pubsub | Flag.noScript | Flag.loading | Flag.stale | Flag.whileSubscribed;
const ASKS = Flag.pubsub | Flag.loading | Flag.stale;

/** Shard channels have a place in a cluster, as keys have. */
const SHARD_CHANNELS = [keyRange("not_key", 1, -1, 1)];

/** Rows of the table: see engine/command.ts. */
export const pubsubCommands: readonly CommandSpec[] = [
  {
    name: "psubscribe",
    usage: "{pattern}*",
    summary: "Listens to all channels whose names match a pattern.",
    since: "2.0.0",
    complexity: "O(N)",
    flags: SUBSCRIBES,
    channels: "patterns",
    run: (call) => subscribe(call, Kind.pattern, "psubscribe"),
  },
  {
    name: "publish",
    usage: "channel message",
    summary: "Sends a message to those who listen to a channel.",
    since: "2.0.0",
    complexity: "O(N+M)",
    flags: PUBLISHES,
    channels: "first",
    run: (call) => publish(call, Kind.channel),
  },
  {
    name: "pubsub",
    usage: "",
    summary: "Tells who listens to what.",
    since: "2.8.0",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      {
        name: "channels",
        usage: "[pattern]",
        summary: "Returns the channels that have subscribers.",
        since: "2.8.0",
        complexity: "O(N)",
        flags: ASKS,
        run: (call) => channels(call, Kind.channel),
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "6.2.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        acl: ["-pubsub"],
        run: help,
      },
      {
        name: "numpat",
        usage: "",
        summary: "Counts the patterns that have subscribers.",
        since: "2.8.0",
        complexity: "O(1)",
        flags: ASKS,
        run: ({ reply, engine }) => reply.integer(engine.pubsub.count(Kind.pattern)),
      },
      {
        name: "numsub",
        usage: "[{channel}*]",
        summary: "Counts the subscribers of channels.",
        since: "2.8.0",
        complexity: "O(N)",
        flags: ASKS,
        run: (call) => subscriberCounts(call, Kind.channel),
      },
      {
        name: "shardchannels",
        usage: "[pattern]",
        summary: "Returns the shard channels that have subscribers.",
        since: "7.0.0",
        complexity: "O(N)",
        flags: ASKS,
        run: (call) => channels(call, Kind.shard),
      },
      {
        name: "shardnumsub",
        usage: "[{shardchannel}*]",
        summary: "Counts the subscribers of shard channels.",
        since: "7.0.0",
        complexity: "O(N)",
        flags: ASKS,
        run: (call) => subscriberCounts(call, Kind.shard),
      },
    ],
  },
  {
    name: "punsubscribe",
    usage: "[{pattern}*]",
    summary: "Ends listening to channels whose names match a pattern.",
    since: "2.0.0",
    complexity: "O(N)",
    flags: SUBSCRIBES,
    run: (call) => unsubscribe(call, Kind.pattern, "punsubscribe"),
  },
  {
    name: "spublish",
    usage: "shardchannel message",
    summary: "Sends a message to those who listen to a shard channel.",
    since: "7.0.0",
    complexity: "O(N)",
    flags: PUBLISHES,
    keys: [keyRange("not_key", 1, 0, 1)],
    channels: "first",
    run: (call) => publish(call, Kind.shard),
  },
  {
    name: "ssubscribe",
    usage: "{shardchannel}*",
    summary: "Listens to shard channels.",
    since: "7.0.0",
    complexity: "O(N)",
    flags: SUBSCRIBES,
    keys: SHARD_CHANNELS,
    channels: "all",
    run: ssubscribe,
  },
  {
    name: "subscribe",
    usage: "{channel}*",
    summary: "Listens to channels.",
    since: "2.0.0",
    complexity: "O(N)",
    flags: SUBSCRIBES,
    channels: "all",
    run: (call) => subscribe(call, Kind.channel, "subscribe"),
  },
  {
    name: "sunsubscribe",
    usage: "[{shardchannel}*]",
    summary: "Ends listening to shard channels.",
    since: "7.0.0",
    complexity: "O(N)",
    flags: SUBSCRIBES,
    keys: SHARD_CHANNELS,
    run: (call) => unsubscribe(call, Kind.shard, "sunsubscribe"),
  },
  {
    name: "unsubscribe",
    usage: "[{channel}*]",
    summary: "Ends listening to channels.",
    since: "2.0.0",
    complexity: "O(N)",
    flags: SUBSCRIBES,
    run: (call) => unsubscribe(call, Kind.channel, "unsubscribe"),
  },
];
