// hot path
/**
 * What changes the data, as a stream of commands: the append-only file and the replicas take it. A command goes as
 * it came, or as what it was rewritten to where running it again would not do the same. With nobody to take it, a
 * change costs a look at a flag.
 *
 * What one client's command, block or script has changed is a unit: if it is of several commands, they stand
 * between MULTI and EXEC.
 */
import { copyBytes } from "../lib/copy.ts";
import { type Int64, writeDecimal, writeInt64 } from "../lib/decimal.ts";
import type { Slice } from "../lib/slice.ts";
import type { Args } from "../protocol/args.ts";

/** Takes the stream, piece by piece. */
export interface PropagationTaker {
  /** `bytes[0, end)` are whole units; they are good until it returns. */
  take(bytes: Uint8Array, end: number): void;
}

const STAR = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const ROOM_BYTES = 64 * 1024;
/** Bytes of a length and what stands around it. */
const LENGTH_BYTES_MAX = 24;
/** With so much at hand it is taken at once. */
const PENDING_MAX = 1024 * 1024;

const MULTI = Uint8Array.from("*1\r\n$5\r\nMULTI\r\n", (character) => character.charCodeAt(0));
const EXEC = Uint8Array.from("*1\r\n$4\r\nEXEC\r\n", (character) => character.charCodeAt(0));

export class Propagation {
  /** Whether anybody takes it. */
  isOn = false;
  /** Whether the command that runs has propagated what stands for it. */
  wasRewritten = false;
  /** Called when there is something to take, once until it is taken. */
  onPending: () => void = () => {};
  #takers: readonly PropagationTaker[] = [];
  #bytes = new Uint8Array(ROOM_BYTES);
  #at = 0;
  /** The database that the stream has selected; −1 if the next command must. */
  #selected = -1;
  #unitStart = 0;
  #unitCount = 0;
  /** Whether there is more in the unit than removals. */
  #hasCommands = false;
  #isAnnounced = false;

  addTaker(taker: PropagationTaker): void {
    this.flush();
    this.#takers = [...this.#takers, taker];
    this.isOn = true;
    this.#selected = -1;
  }

  removeTaker(taker: PropagationTaker): void {
    this.flush();
    this.#takers = this.#takers.filter((other) => other !== taker);
    this.isOn = this.#takers.length > 0;
  }

  /** The next command selects its database: somebody begins to read here. */
  restart(): void {
    this.flush();
    this.#selected = -1;
  }

  /** One command that has changed `database`, as it came. */
  append(database: number, args: Args): void {
    this.begin(database, args.count);
    for (let i = 0; i < args.count; i++) this.argument(args, i);
  }

  /** Begins a command of `count` words that stands for the one that runs; the words follow. */
  begin(database: number, count: number): this {
    this.#hasCommands = true;
    return this.#begin(database, count);
  }

  /** A key that went by itself. Such removals need not be told together. */
  removal(database: number, word: string, bytes: Uint8Array, start: number, end: number): void {
    this.#begin(database, 2).word(word).bytes(bytes, start, end);
  }

  #begin(database: number, count: number): this {
    if (this.#unitCount === 0) this.#unitStart = this.#at;
    if (database !== this.#selected) this.#select(database);
    this.#unitCount++;
    return this.#head(STAR, count);
  }

  #select(database: number): void {
    this.#selected = database;
    this.#head(STAR, 2).word("SELECT").integer(database);
  }

  argument(args: Args, index: number): this {
    return this.bytes(args.bytesOf(index), args.start(index), args.end(index));
  }

  wordOf({ bytes, start, end }: Slice): this {
    return this.bytes(bytes, start, end);
  }

  bytes(source: Uint8Array, start: number, end: number): this {
    const size = end - start;
    this.#head(DOLLAR, size);
    this.#makeRoom(size + 2);
    const bytes = this.#bytes;
    copyBytes(source, start, end, bytes, this.#at);
    const at = this.#at + size;
    bytes[at] = CR;
    bytes[at + 1] = LF;
    this.#at = at + 2;
    return this;
  }

  /** A text of bytes, a character a byte. */
  word(text: string): this {
    this.#head(DOLLAR, text.length);
    this.#makeRoom(text.length + 2);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#at++] = text.charCodeAt(i);
    this.#bytes[this.#at++] = CR;
    this.#bytes[this.#at++] = LF;
    return this;
  }

  /** An integer below 2^63 in magnitude; one that must be exact beyond 2^53 goes to `int64`. */
  integer(value: number): this {
    const end = writeDecimal(value, digits, 0);
    return this.bytes(digits, 0, end);
  }

  int64({ hi, lo }: Int64): this {
    return this.bytes(digits, 0, writeInt64(hi, lo, digits, 0));
  }

  #head(mark: number, count: number): this {
    this.#makeRoom(LENGTH_BYTES_MAX);
    const bytes = this.#bytes;
    bytes[this.#at] = mark;
    const at = writeDecimal(count, bytes, this.#at + 1);
    bytes[at] = CR;
    bytes[at + 1] = LF;
    this.#at = at + 2;
    return this;
  }

  #makeRoom(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + size));
    grown.set(new Uint8Array(this.#bytes.buffer, 0, this.#at));
    this.#bytes = grown;
  }

  /** A client's command, with all that it caused, is over. */
  endUnit(): void {
    if (this.#unitCount === 0) return;
    if (this.#unitCount > 1 && this.#hasCommands) this.#wrap();
    this.#unitCount = 0;
    this.#hasCommands = false;
    // Before it is handed over, as whoever is answered must wait for what comes of that, too.
    if (!this.#isAnnounced) this.onPending();
    this.#isAnnounced = true;
    if (this.#at > PENDING_MAX) this.flush();
  }

  /** Puts the unit between MULTI and EXEC. */
  #wrap(): void {
    this.#makeRoom(MULTI.length + EXEC.length);
    const bytes = this.#bytes;
    bytes.copyWithin(this.#unitStart + MULTI.length, this.#unitStart, this.#at);
    bytes.set(MULTI, this.#unitStart);
    this.#at += MULTI.length;
    bytes.set(EXEC, this.#at);
    this.#at += EXEC.length;
  }

  /** Hands over what has gathered. Within a unit nothing is: units are taken whole. */
  flush(): void {
    this.#isAnnounced = false;
    if (this.#unitCount > 0) return;
    if (this.#at === 0) return;
    for (let i = 0; i < this.#takers.length; i++) this.#takers[i].take(this.#bytes, this.#at);
    this.#at = 0;
    if (this.#bytes.length > PENDING_MAX) this.#bytes = new Uint8Array(ROOM_BYTES);
  }
}

// scratch: lives for one call
const digits = new Uint8Array(24);
