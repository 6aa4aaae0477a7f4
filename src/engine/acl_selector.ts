// hot path
/**
 * One set of a user's rights: which commands it allows, and on which keys and channels. A user has one at its root, and
 * those in parentheses; a request must be allowed by one of them as a whole.
 *
 * Which commands are allowed is worked out when rules change: a byte for each command, by its number. A check reads it, and
 * visits keys and channels only if the selector does not allow all of them.
 */
import { globMatches } from "../lib/glob.ts";
import { type Scratch, scratch } from "../lib/scratch.ts";
import { equalBytes } from "../lib/slice.ts";
import type { Args } from "../protocol/args.ts";
import { type Command, Flag } from "./command.ts";
import { Access, type KeyVisitor } from "./key_spec.ts";

/** What a request lacks, in ascending order of how close it came: Redis tells of the last of these. */
export const Denied = { command: 1, key: 2, channel: 3 } as const;
export type Denied = typeof Denied[keyof typeof Denied];

/** A denial is one number, so that allowed requests need no object: what is denied, and at which argument. */
const KIND_UNIT = 2 ** 32;

export function kindOf(denial: number): Denied {
  return Math.floor(denial / KIND_UNIT) as Denied;
}

/** The index of the argument that is denied; 0 for the command itself. */
export function indexOf(denial: number): number {
  return denial % KIND_UNIT;
}

/** Keys that match `bytes` may be read or written, or both. */
export interface KeyPattern {
  readonly bytes: Uint8Array;
  access: number;
}

export class Selector {
  /** By a command's number: 1 if it is allowed. */
  readonly allows: Uint8Array;
  /** Allowed first arguments, in upper case, of commands that are not allowed as a whole (+select|0), by the command's number. */
  firstArguments: Map<number, Uint8Array[]> | null = null;
  /** Whether the rules begin with +@all; else with -@all. */
  startsWithAll = false;
  /** The rules about commands behind that, in the order in which ACL LIST shows them. */
  rules: string[] = [];
  isAllKeys = false;
  keys: KeyPattern[] = [];
  isAllChannels = false;
  channels: Uint8Array[] = [];

  constructor(commandCount: number) {
    this.allows = new Uint8Array(commandCount);
  }

  copy(): Selector {
    const copy = new Selector(this.allows.length);
    copy.allows.set(this.allows);
    if (this.firstArguments !== null) {
      copy.firstArguments = new Map(
        Array.from(this.firstArguments, ([number, words]) => [number, [...words]]),
      );
    }
    copy.startsWithAll = this.startsWithAll;
    copy.rules = [...this.rules];
    copy.isAllKeys = this.isAllKeys;
    copy.keys = this.keys.map(({ bytes, access }) => ({ bytes, access }));
    copy.isAllChannels = this.isAllChannels;
    copy.channels = [...this.channels];
    return copy;
  }

  /** Whether it allows every request. */
  get isEverything(): boolean {
    return this.isAllKeys && this.isAllChannels && !this.allows.includes(0);
  }

  /** 0 if the request is allowed; else what is denied: see `kindOf` and `indexOf`. */
  check(command: Command, args: Args): number {
    if (!this.#allowsCommand(command, args)) return Denied.command * KIND_UNIT;
    if (!this.isAllKeys && command.hasKeys) {
      const index = keyCheck.firstDenied(this, command, args);
      if (index > 0) return Denied.key * KIND_UNIT + index;
    }
    if (!this.isAllChannels && command.channelsEnd !== 0) {
      const index = this.#deniedChannel(command, args);
      if (index > 0) return Denied.channel * KIND_UNIT + index;
    }
    return 0;
  }

  #allowsCommand(command: Command, args: Args): boolean {
    if (this.allows[command.number] === 1 || (command.flags & Flag.noAuth) !== 0) return true;
    const words = this.firstArguments?.get(command.number);
    if (words === undefined || args.count < 2) return false;
    for (let i = 0; i < words.length; i++) if (args.spells(1, words[i])) return true;
    return false;
  }

  /** Whether it lets keys of any name be read: SORT's BY and GET make names of the data. */
  get readsAllKeys(): boolean {
    return this.isAllKeys ||
      this.keys.some(({ bytes, access }) =>
        (access & Access.read) !== 0 && bytes.length === 1 && bytes[0] === STAR
      );
  }

  /** The index of the first channel that is not allowed; 0 if there is none. */
  #deniedChannel({ channelsEnd, hasChannelPatterns }: Command, args: Args): number {
    const end = channelsEnd < 0 ? args.count : channelsEnd;
    for (let i = 1; i < end; i++) {
      const bytes = args.bytesOf(i);
      if (!this.allowsChannel(bytes, args.start(i), args.end(i), hasChannelPatterns)) return i;
    }
    return 0;
  }

  /** Whether a channel is allowed, or a pattern of channels: that must be one of the selector's, letter for letter. */
  allowsChannel(bytes: Uint8Array, start: number, end: number, isPattern: boolean): boolean {
    if (this.isAllChannels) return true;
    const { channels } = this;
    for (let i = 0; i < channels.length; i++) {
      const channel = channels[i];
      const isAllowed = isPattern
        ? equalBytes(bytes, start, end, channel)
        : globMatches(channel, 0, channel.length, bytes, start, end, false);
      if (isAllowed) return true;
    }
    return false;
  }
}

const STAR = 0x2a;

/** Compares the keys of a request with a selector's patterns. */
class KeyCheck implements Scratch {
  #args: Args | null = null;
  #patterns: readonly KeyPattern[] = [];
  #denied = 0;
  readonly #visit: KeyVisitor = (index, spec) => {
    const args = this.#args;
    if (this.#denied !== 0 || args === null) return;
    if (!this.#allows(args, index, spec.accessOf(args))) this.#denied = index;
  };

  /**
   * The index of the first key that the selector does not allow; 0 if there is none. If the arguments are so wrong that keys
   * can't be told, none is denied, as in Redis: the command itself will refuse them.
   */
  firstDenied({ keys }: Selector, command: Command, args: Args): number {
    this.#args = args;
    this.#patterns = keys;
    this.#denied = 0;
    return command.forEachKey(args, this.#visit) ? this.#denied : 0;
  }

  #allows(args: Args, index: number, access: number): boolean {
    const patterns = this.#patterns;
    const bytes = args.bytesOf(index);
    const start = args.start(index);
    const end = args.end(index);
    for (let i = 0; i < patterns.length; i++) {
      const pattern = patterns[i];
      if ((pattern.access & access) !== access) continue;
      const { bytes: glob } = pattern;
      if (globMatches(glob, 0, glob.length, bytes, start, end, false)) return true;
    }
    return false;
  }

  forget(): void {
    this.#args = null;
    this.#patterns = [];
  }
}

// scratch: lives for one call
const keyCheck = scratch(new KeyCheck());
