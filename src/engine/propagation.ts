// hot path
/**
 * The stream of all changes, as commands, for the append-only file and the replicas. A command is propagated as the
 * client sent it, or, if running it again would do something else (SPOP), as other commands that have its effect. While
 * nobody takes the stream, a change costs the test of one flag.
 *
 * All changes by one client's command, transaction or script are a unit: if it has several commands, they stand
 * between MULTI and EXEC.
 */
import { copyBytes } from "../lib/copy.ts";
import { type Int64, writeDecimal, writeInt64 } from "../lib/decimal.ts";
import type { Slice } from "../lib/slice.ts";
import type { Args } from "../protocol/args.ts";

/** Receives the stream: the append-only file, a replica. */
export interface PropagationTaker {
  /** `bytes[0, end)` are whole units, valid during this call only. */
  take(bytes: Uint8Array, end: number): void;
}

/** Who reads the stream, as bits: redis.REPL_ALL and its kin have the same. */
export const Reader = { none: 0, log: 1, replica: 2, all: 3 } as const;
const READERS = [Reader.log, Reader.replica] as const;

const STAR = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const ROOM_BYTES = 64 * 1024;
/** Bytes of a length with its mark and its line end, at most. */
const LENGTH_BYTES_MAX = 24;
/** When more bytes than this have gathered, the takers get them at once, not at the end of the turn. */
const PENDING_MAX = 1024 * 1024;

const MULTI = Uint8Array.from("*1\r\n$5\r\nMULTI\r\n", (character) => character.charCodeAt(0));
const EXEC = Uint8Array.from("*1\r\n$4\r\nEXEC\r\n", (character) => character.charCodeAt(0));

export class Propagation {
  /** Whether somebody takes the running command. */
  isOn = false;
  /** Whether the running command has been propagated already, as other commands. */
  wasRewritten = false;
  /** The unit goes on although other clients' commands end meanwhile: a script is suspended. */
  holdsUnit = false;
  /** Called once when bytes begin to gather, and again only after these have been taken. */
  onPending: () => void = () => {};
  #takers: readonly { readonly taker: PropagationTaker; readonly reader: number }[] = [];
  /** Which readers there are. */
  #present: number = Reader.none;
  /** Who gets commands now. */
  #allowed: number = Reader.all;
  /** Commands that not everybody gets: where in `#bytes` each begins and ends, and who gets it, in order. */
  #parts: number[] = [];
  /** Where the last command begins, and who gets it. */
  #commandStart = 0;
  #commandReaders: number = Reader.all;
  #bytes = new Uint8Array(ROOM_BYTES);
  #at = 0;
  /** The database that the stream has selected; −1 if the next command must be preceded by SELECT. */
  #selected = -1;
  #unitStart = 0;
  #unitCount = 0;
  /** Whether the unit has commands besides removals of expired or evicted keys. */
  #hasCommands = false;
  #isAnnounced = false;

  addTaker(taker: PropagationTaker, reader: number = Reader.log): void {
    this.flush();
    this.#takers = [...this.#takers, { taker, reader }];
    this.#countReaders();
    this.#selected = -1;
  }

  removeTaker(taker: PropagationTaker): void {
    this.flush();
    this.#takers = this.#takers.filter((other) => other.taker !== taker);
    this.#countReaders();
  }

  #countReaders(): void {
    this.#present = Reader.none;
    for (const { reader } of this.#takers) this.#present |= reader;
    this.restrict(this.#allowed);
  }

  /** From now on commands go to these readers only; removals of expired and evicted keys go to everybody all the same. */
  restrict(readers: number): void {
    this.#allowed = readers;
    this.isOn = (readers & this.#present) !== 0;
  }

  /** Whether anybody takes the stream. */
  get hasTakers(): boolean {
    return this.#present !== Reader.none;
  }

  /** Has the next command preceded by SELECT, since a new reader begins here. */
  restart(): void {
    this.flush();
    this.#selected = -1;
  }

  /** Adds a command that has changed `database`, as the client sent it. */
  append(database: number, args: Args): void {
    this.begin(database, args.count);
    for (let i = 0; i < args.count; i++) this.argument(args, i);
  }

  /** Adds a command that has published a message: replicas tell it to their clients, a log does without. */
  message(database: number, args: Args): void {
    const allowed = this.#allowed;
    this.restrict(allowed & Reader.replica);
    if (this.isOn) this.append(database, args);
    this.restrict(allowed);
  }

  /** Begins a command of `count` words that replaces the running one; the caller then adds the words. */
  begin(database: number, count: number): this {
    this.#hasCommands = true;
    return this.#begin(database, count, this.#allowed);
  }

  /** Adds the removal of an expired or evicted key. Several of them alone need no MULTI and EXEC. */
  removal(database: number, word: string, bytes: Uint8Array, start: number, end: number): void {
    this.#begin(database, 2, Reader.all).word(word).bytes(bytes, start, end);
  }

  #begin(database: number, count: number, readers: number): this {
    this.#endCommand();
    if (this.#unitCount === 0) this.#unitStart = this.#at;
    // SELECT goes to everybody.
    if (database !== this.#selected) this.#select(database);
    this.#unitCount++;
    this.#commandStart = this.#at;
    this.#commandReaders = readers;
    return this.#head(STAR, count);
  }

  /** Notes who gets the last command, now that it is whole. */
  #endCommand(): void {
    if (this.#commandReaders === Reader.all) return;
    this.#parts.push(this.#commandStart, this.#at, this.#commandReaders);
    this.#commandReaders = Reader.all;
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

  /** Adds a word whose characters are bytes. */
  word(text: string): this {
    this.#head(DOLLAR, text.length);
    this.#makeRoom(text.length + 2);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#at++] = text.charCodeAt(i);
    this.#bytes[this.#at++] = CR;
    this.#bytes[this.#at++] = LF;
    return this;
  }

  /** Adds an integer below 2^63 in magnitude. Beyond 2^53 it is rounded: use `int64` where it must be exact. */
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

  /** Ends the unit: a client's command, and the commands of waiting clients that it woke, are over. */
  endUnit(): void {
    if (this.#unitCount === 0 || this.holdsUnit) return;
    this.#endCommand();
    if (this.#unitCount > 1 && this.#hasCommands) this.#wrap();
    this.#unitCount = 0;
    this.#hasCommands = false;
    // This comes before flush(): it makes replies wait for the commit, which also covers what flush() hands over.
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
    const parts = this.#parts;
    for (let i = parts.length - 3; i >= 0 && parts[i] >= this.#unitStart; i -= 3) {
      parts[i] += MULTI.length;
      parts[i + 1] += MULTI.length;
    }
    this.#at += MULTI.length;
    bytes.set(EXEC, this.#at);
    this.#at += EXEC.length;
  }

  /** Gives the takers what has gathered, but for a unit that is not complete: units are taken whole. */
  flush(): void {
    this.#isAnnounced = false;
    this.#endCommand();
    const end = this.#unitCount > 0 ? this.#unitStart : this.#at;
    if (end === 0) return;
    if (this.#parts.length > 0) this.#handOutParts(end);
    else for (let i = 0; i < this.#takers.length; i++) this.#takers[i].taker.take(this.#bytes, end);
    this.#bytes.copyWithin(0, end, this.#at);
    this.#at -= end;
    this.#unitStart = 0;
    if (this.#at > 0) return;
    if (this.#bytes.length > PENDING_MAX) this.#bytes = new Uint8Array(ROOM_BYTES);
  }

  /** Gives each taker what it gets of the first `end` bytes. */
  #handOutParts(end: number): void {
    let count = 0;
    while (count < this.#parts.length && this.#parts[count] < end) count += 3;
    const parts = this.#parts.splice(0, count);
    for (let i = 0; i < this.#parts.length; i += 3) {
      this.#parts[i] -= end;
      this.#parts[i + 1] -= end;
    }
    const own = new Uint8Array(end);
    for (const reader of READERS) {
      if ((this.#present & reader) === 0) continue;
      const size = this.#copyFor(reader, parts, end, own);
      if (size === 0) continue;
      for (const one of this.#takers) if (one.reader === reader) one.taker.take(own, size);
    }
  }

  /** Copies what `reader` gets of the first `end` bytes; returns how many bytes that are. */
  #copyFor(reader: number, parts: readonly number[], end: number, own: Uint8Array): number {
    let size = 0;
    let from = 0;
    // All but the parts that others get alone.
    for (let i = 0; i <= parts.length; i += 3) {
      if (i < parts.length && (parts[i + 2] & reader) !== 0) continue;
      const to = parts[i] ?? end;
      copyBytes(this.#bytes, from, to, own, size);
      size += to - from;
      from = parts[i + 1] ?? end;
    }
    return size;
  }
}

// scratch: lives for one call
const digits = new Uint8Array(24);
