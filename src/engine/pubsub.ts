// hot path
/**
 * Who listens to which channels, and the way of a message to them.
 *
 *     channels, shard channels   by name → its subscribers
 *     patterns                   by name → its subscribers, and a list: each is compared with the channel of a message
 *
 * A message is encoded once and written once for each protocol, whose first bytes differ; subscribers refer to it (SharedBytes).
 * It allocates nothing for a subscriber. A subscriber that does not read is cut off by `client-output-buffer-limit`: at the end of the batch, or
 * at once if it has much waiting, so that a transaction of many large messages does not fill the memory.
 */
import { assert } from "../lib/assert.ts";
import { copyBytes } from "../lib/copy.ts";
import { globMatches } from "../lib/glob.ts";
import { ReplyWriter } from "../protocol/reply_writer.ts";
import { type SharedBytes, SharedStream } from "../protocol/shared_bytes.ts";
import { BytesMap } from "../structures/bytes_map.ts";
import type { Client } from "./client.ts";
import type { Engine } from "./engine.ts";

/** What a client can subscribe to. The numbers are indexes of `Subscriptions`' lists. */
export const Kind = { channel: 0, pattern: 1, shard: 2 } as const;
export type Kind = typeof Kind[keyof typeof Kind];

/** A subscriber with more bytes than this waiting is compared with its limit at each message. */
const PROMPT_BYTES = 64 * 1024;
/** A larger buffer is given back after the message. */
const KEPT_BYTES = 64 * 1024;

/** Memory of three maps, of a place in one of them and in a list, and of a topic without its name; measured. */
const OWN_BYTES = 600;
const SUBSCRIPTION_BYTES = 130;
const TOPIC_BYTES = 750;
const ARRAY_MARK = 0x2a;
const PUSH_MARK = 0x3e;
const encoder = new TextEncoder();
const MESSAGE = encoder.encode(">3\r\n$7\r\nmessage\r\n");
const SHARD_MESSAGE = encoder.encode(">3\r\n$8\r\nsmessage\r\n");
const PATTERN_MESSAGE = encoder.encode(">4\r\n$8\r\npmessage\r\n");

/** A channel or a pattern that has subscribers. */
export class Topic {
  readonly subscribers: Client[] = [];
  next: Topic | null = null;
  /** Its place in the list of patterns. */
  index = 0;

  constructor(readonly name: Uint8Array) {}
}

/** What one client has subscribed to: of each kind the topics, and its place among their subscribers. */
export class Subscriptions {
  readonly topics: readonly Map<Topic, number>[] = [new Map(), new Map(), new Map()];
  /** Bytes of memory, roughly. A name counts for each subscriber, as who keeps it can't be told. */
  bytes = OWN_BYTES;

  count(kind: Kind): number {
    return this.topics[kind].size;
  }

  get isEmpty(): boolean {
    return this.topics.every((topics) => topics.size === 0);
  }
}

/** Memory of one subscription, roughly. */
function bytesOf({ name }: Topic): number {
  return SUBSCRIPTION_BYTES + name.length;
}

/** How much a client has subscribed to of a kind. */
export function countOf(client: Client, kind: Kind): number {
  return client.subscriptions === null ? 0 : client.subscriptions.count(kind);
}

export class PubSub {
  readonly #engine: Engine;
  /** By kind. */
  readonly #topics: readonly BytesMap<Topic>[];
  readonly #patterns: Topic[] = [];
  /** A message as it is encoded for RESP3. */
  readonly #message: ReplyWriter;
  /** Where it is written for RESP2 and for RESP3, if somebody speaks that. */
  readonly #streams: readonly [SharedStream, SharedStream];
  /** Memory of the topics, without their names, and of what several clients are being sent. */
  get bytes(): number {
    const count = this.#topics[0].size + this.#topics[1].size + this.#topics[2].size;
    return TOPIC_BYTES * count + this.#engine.buffers.sharedBytes;
  }

  /** Subscribers that may have to be cut off when the message is sent: it must not change lists that are walked. */
  readonly #suspects: Client[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    const { hasher } = engine.keyspace;
    this.#topics = [new BytesMap(hasher), new BytesMap(hasher), new BytesMap(hasher)];
    this.#message = new ReplyWriter(engine.buffers);
    this.#message.resp = 3;
    this.#streams = [new SharedStream(engine.buffers), new SharedStream(engine.buffers)];
  }

  /** How many topics of a kind have subscribers. */
  count(kind: Kind): number {
    return this.#topics[kind].size;
  }

  /** The topics of a kind that have subscribers. None may come or go meanwhile. */
  topics(kind: Kind): IterableIterator<Topic> {
    return this.#topics[kind].values();
  }

  /** How many clients have subscribed to `name[start, end)` itself. */
  subscriberCount(kind: Kind, name: Uint8Array, start: number, end: number): number {
    return this.#topics[kind].get(name, start, end)?.subscribers.length ?? 0;
  }

  /** Subscribes `client`, unless it is subscribed already. */
  subscribe(client: Client, kind: Kind, name: Uint8Array, start: number, end: number): void {
    let topic = this.#topics[kind].get(name, start, end);
    if (topic === null) {
      const copy = new Uint8Array(end - start);
      copyBytes(name, start, end, copy, 0);
      topic = new Topic(copy);
      this.#topics[kind].add(topic);
      if (kind === Kind.pattern) topic.index = this.#patterns.push(topic) - 1;
    }
    client.subscriptions ??= new Subscriptions();
    const own = client.subscriptions.topics[kind];
    if (own.has(topic)) return;
    own.set(topic, topic.subscribers.push(client) - 1);
    client.subscriptions.bytes += bytesOf(topic);
  }

  /** Ends a subscription, if there is one. */
  unsubscribe(client: Client, kind: Kind, name: Uint8Array, start: number, end: number): void {
    const topic = this.#topics[kind].get(name, start, end);
    if (topic !== null && client.subscriptions?.topics[kind].has(topic) === true) {
      this.leave(client, kind, topic);
    }
  }

  /** Ends a subscription of a client to a topic; there must be one. */
  leave(client: Client, kind: Kind, topic: Topic): void {
    const { subscriptions } = client;
    const place = subscriptions?.topics[kind].get(topic);
    assert(subscriptions !== null && place !== undefined, "who leaves is subscribed");
    subscriptions.topics[kind].delete(topic);
    subscriptions.bytes -= bytesOf(topic);
    if (subscriptions.isEmpty) client.subscriptions = null;
    moveLastTo(topic, kind, place);
    if (topic.subscribers.length > 0) return;
    this.#topics[kind].delete(topic);
    if (kind === Kind.pattern) this.#forgetPattern(topic);
  }

  #forgetPattern(topic: Topic): void {
    const last = this.#patterns.pop();
    assert(last !== undefined, "a pattern is listed");
    if (last === topic) return;
    this.#patterns[topic.index] = last;
    last.index = topic.index;
  }

  /** A client has gone, or is reset: ends all of its subscriptions. */
  removeClient(client: Client): void {
    const { subscriptions } = client;
    if (subscriptions === null) return;
    for (const kind of [Kind.channel, Kind.pattern, Kind.shard]) {
      for (const topic of [...subscriptions.topics[kind].keys()]) this.leave(client, kind, topic);
    }
  }

  /**
   * Sends a message to all who listen to a channel, also by a pattern, or to a shard channel, which no patterns match;
   * returns how often it was sent.
   */
  publish(
    kind: typeof Kind.channel | typeof Kind.shard,
    channel: Uint8Array,
    start: number,
    end: number,
    message: Uint8Array,
    from: number,
    to: number,
  ): number {
    const topic = this.#topics[kind].get(channel, start, end);
    let count = 0;
    if (topic !== null) {
      this.#begin(kind === Kind.shard ? SHARD_MESSAGE : MESSAGE);
      this.#message.bulk(channel, start, end);
      this.#message.bulk(message, from, to);
      count = this.#send(topic);
    }
    const patternCount = kind === Kind.channel ? this.#patterns.length : 0;
    for (let i = 0; i < patternCount; i++) {
      const pattern = this.#patterns[i];
      const { name } = pattern;
      if (!globMatches(name, 0, name.length, channel, start, end, false)) continue;
      this.#begin(PATTERN_MESSAGE);
      this.#message.bulk(name, 0, name.length);
      this.#message.bulk(channel, start, end);
      this.#message.bulk(message, from, to);
      count += this.#send(pattern);
    }
    this.#limitSuspects();
    return count;
  }

  #begin(head: Uint8Array): void {
    this.#message.rewind(0);
    this.#message.raw(head);
  }

  /** Sends the message that has been written to the subscribers of `topic`; returns how many they are. */
  #send(topic: Topic): number {
    const { subscribers } = topic;
    const { pushes } = this.#engine;
    const { buffer, size } = this.#message;
    const [stream2, stream3] = this.#streams;
    let shared2: SharedBytes | null = null;
    let shared3: SharedBytes | null = null;
    const count = subscribers.length;
    for (let i = 0; i < count; i++) {
      const client = subscribers[i];
      const writer = pushes.to(client);
      let shared = writer.resp === 2 ? shared2 : shared3;
      if (shared === null) {
        if (writer.resp === 2) shared = shared2 = stream2.write(buffer, size, ARRAY_MARK);
        else shared = shared3 = stream3.write(buffer, size, PUSH_MARK);
      }
      writer.share(shared, shared.end - size);
      if (writer.size > PROMPT_BYTES && !client.isRunning) this.#suspects.push(client);
    }
    stream2.over();
    stream3.over();
    if (size > KEPT_BYTES) this.#message.drop();
    return count;
  }

  #limitSuspects(): void {
    if (this.#suspects.length === 0) return;
    for (const client of this.#suspects) this.#engine.limitOutput?.(client);
    this.#suspects.length = 0;
  }
}

/** Removes the subscriber at `place`: the last one takes it. */
function moveLastTo(topic: Topic, kind: Kind, place: number): void {
  const last = topic.subscribers.pop();
  assert(
    last !== undefined && place <= topic.subscribers.length,
    "the place is that of a subscriber",
  );
  if (place === topic.subscribers.length) return;
  topic.subscribers[place] = last;
  last.subscriptions?.topics[kind].set(topic, place);
}
