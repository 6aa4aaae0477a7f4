// hot path
/**
 * Keyspace events: what happens to keys is published to those who have subscribed to it.
 *
 *     __keyspace@0__:key      the message is the event's name
 *     __keyevent@0__:event    the message is the key
 *
 * `notify-keyspace-events` says which classes of events are told, and on which of the two channels. The keyspace is listened
 * to only while that asks for something: otherwise events cost nothing.
 */
import { ALL_EVENT_CLASSES } from "../config/parameter_words.ts";
import type { EventListener } from "../keyspace/change_hooks.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { copyBytes } from "../lib/copy.ts";
import { writeDecimal } from "../lib/decimal.ts";
import { Kind, type PubSub } from "./pubsub.ts";

const encoder = new TextEncoder();
const OF_KEYS = encoder.encode("__keyspace@");
const OF_EVENTS = encoder.encode("__keyevent@");
const BEFORE_NAME = encoder.encode("__:");
/** More than the parts of a channel's name before the key's or the event's. */
const PREFIX_BYTES_MAX = 32;
/** A buffer for the names of channels that is larger is given back. */
const KEPT_BYTES = 1024;

export class KeyspaceEvents {
  readonly #keyspace: Keyspace;
  readonly #pubsub: PubSub;
  /** Letters of the classes that are told. */
  #classes = "";
  #tellsOfKeys = false;
  #tellsOfEvents = false;
  /** Ends listening; null while nobody listens. */
  #stop: (() => void) | null = null;
  /** The name of a channel. */
  #channel = new Uint8Array(KEPT_BYTES);

  constructor(keyspace: Keyspace, pubsub: PubSub) {
    this.#keyspace = keyspace;
    this.#pubsub = pubsub;
  }

  /** Tells what `letters`, the value of notify-keyspace-events, ask for. */
  tell(letters: string): void {
    this.#classes = letters.replace("A", ALL_EVENT_CLASSES);
    this.#tellsOfKeys = letters.includes("K");
    this.#tellsOfEvents = letters.includes("E");
    const isOn = (this.#tellsOfKeys || this.#tellsOfEvents) && !/^[KE]*$/.test(letters);
    this.#keyspace.hooks.wantsAll = isOn && /[nm]/.test(letters);
    if (isOn) this.#stop ??= this.#keyspace.hooks.listenToEvents(this.#publish);
    else {
      this.#stop?.();
      this.#stop = null;
    }
  }

  readonly #publish: EventListener = (database, bytes, start, end, event) => {
    const pubsub = this.#pubsub;
    if (!this.#classes.includes(event.kind)) return;
    if (pubsub.count(Kind.channel) === 0 && pubsub.count(Kind.pattern) === 0) return;
    const name = event.bytes;
    if (this.#tellsOfKeys) {
      const size = this.#write(OF_KEYS, database, bytes, start, end);
      pubsub.publish(Kind.channel, this.#channel, 0, size, name, 0, name.length);
    }
    if (this.#tellsOfEvents) {
      const size = this.#write(OF_EVENTS, database, name, 0, name.length);
      pubsub.publish(Kind.channel, this.#channel, 0, size, bytes, start, end);
    }
    if (this.#channel.length > KEPT_BYTES) this.#channel = new Uint8Array(KEPT_BYTES);
  };

  /** Writes the name of a channel; returns how long it is. */
  #write(
    prefix: Uint8Array,
    database: number,
    name: Uint8Array,
    start: number,
    end: number,
  ): number {
    const size = PREFIX_BYTES_MAX + end - start;
    if (size > this.#channel.length) this.#channel = new Uint8Array(size);
    const channel = this.#channel;
    copyBytes(prefix, 0, prefix.length, channel, 0);
    let at = writeDecimal(database, channel, prefix.length);
    copyBytes(BEFORE_NAME, 0, BEFORE_NAME.length, channel, at);
    at += BEFORE_NAME.length;
    copyBytes(name, start, end, channel, at);
    return at + end - start;
  }
}
