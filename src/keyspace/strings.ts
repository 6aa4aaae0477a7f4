// hot path
/**
 * Strings of one database: setting and editing them wherever they lie. A short string lies in its entry, an integer as
 * eight bytes, a string of more than 64 KiB in a buffer of its own.
 */
import { assert } from "../lib/assert.ts";
import { copyBytes, copyIn } from "../lib/copy.ts";
import { type Int64, parseInt64 } from "../lib/decimal.ts";
import type { Args } from "../protocol/args.ts";
import type { Ref } from "../structures/arena.ts";
import type { KeyEvent } from "./change_hooks.ts";
import type { Database } from "./database.ts";
import { Encoding, EntryFlag, LargeString, OBJECT_BYTES, spareBytes, Type } from "./entry.ts";
import { integerFound, isIntegerText, largeString, stringEncoding, StringValue } from "./values.ts";

const INTEGER_BYTES = 8;

export class Strings {
  readonly #db: Database;
  readonly #value = new StringValue();

  constructor(db: Database) {
    this.#db = db;
  }

  /** As `set`, to argument `value`. If that has a large buffer of its own, the buffer is taken over, not copied. */
  setArgument(args: Args, index: number, value: number, keepTtl: boolean, event: KeyEvent): Ref {
    const bytes = args.bytesOf(value);
    const view = args.viewOf(value);
    const start = args.start(value);
    const end = args.end(value);
    if (args.hasBuffers && end - start > this.#db.entries.inlineMax(args.length(index))) {
      const own = args.take(value);
      if (own !== null) {
        return this.setLarge(args, index, new LargeString(own.bytes, end, own), keepTtl, event);
      }
    }
    return this.set(args, index, bytes, view, start, end, keepTtl, event);
  }

  /**
   * Sets the string at argument `index` to `bytes[start, end)`, replacing any value; `view` is over `bytes`. Integers
   * are stored as such. Removes the deadline unless `keepTtl`. `bytes` must not lie in the entry itself.
   */
  set(
    args: Args,
    index: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    keepTtl: boolean,
    event: KeyEvent,
  ): Ref {
    if (isIntegerText(bytes, start, end)) {
      return this.setInt64(args, index, integerFound.hi, integerFound.lo, keepTtl, event);
    }
    const size = end - start;
    if (size > this.#db.entries.inlineMax(args.length(index))) {
      const large = LargeString.of(bytes, start, end);
      return this.setLarge(args, index, large, keepTtl, event);
    }
    const ref = this.#place(args, index, size, keepTtl);
    const entries = this.#db.entries;
    entries.setValueHeader(Type.string, stringEncoding(size), size);
    copyIn(bytes, view, start, end, entries.bytes, entries.view, entries.valueStart);
    this.#db.changed(args, index, event);
    return ref;
  }

  /** Makes the string at argument `index`, which is missing, as `set` does, but tells nobody: see Database.createValue. */
  create(
    args: Args,
    index: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): Ref {
    const db = this.#db;
    const { entries } = db;
    const size = end - start;
    if (isIntegerText(bytes, start, end)) {
      const made = db.createValue(args, index, Type.string, Encoding.int, INTEGER_BYTES);
      this.#writeInteger(integerFound.hi, integerFound.lo);
      return made;
    }
    if (size > entries.inlineMax(args.length(index))) {
      return db.createObject(args, index, Type.string, LargeString.of(bytes, start, end));
    }
    const ref = db.createValue(args, index, Type.string, stringEncoding(size), size);
    copyIn(bytes, view, start, end, entries.bytes, entries.view, entries.valueStart);
    return ref;
  }

  /** As `set`, to a string in a buffer of its own, which the database takes over. */
  setLarge(args: Args, index: number, large: LargeString, keepTtl: boolean, event: KeyEvent): Ref {
    const ref = this.#place(args, index, OBJECT_BYTES, keepTtl);
    this.#db.placement.storeObject(Type.string, large);
    this.#db.changed(args, index, event);
    return ref;
  }

  /** As `set`, to all of `bytes`, but digits stay text, with that encoding: embstr or raw. */
  setText(
    args: Args,
    index: number,
    bytes: Uint8Array,
    view: DataView,
    keepTtl: boolean,
    event: KeyEvent,
    encoding: number,
  ): void {
    const size = bytes.length;
    if (size > this.#db.entries.inlineMax(args.length(index))) {
      this.setLarge(args, index, LargeString.of(bytes, 0, size), keepTtl, event);
      return;
    }
    this.#place(args, index, size, keepTtl);
    const entries = this.#db.entries;
    entries.setValueHeader(Type.string, encoding, size);
    copyIn(bytes, view, 0, size, entries.bytes, entries.view, entries.valueStart);
    this.#db.changed(args, index, event);
  }

  /** Sets the string at argument `index` to an integer. */
  setInt64(
    args: Args,
    index: number,
    hi: number,
    lo: number,
    keepTtl: boolean,
    event: KeyEvent,
  ): Ref {
    const ref = this.#place(args, index, INTEGER_BYTES, keepTtl);
    const entries = this.#db.entries;
    entries.setValueHeader(Type.string, Encoding.int, INTEGER_BYTES);
    this.#writeInteger(hi, lo);
    this.#db.changed(args, index, event);
    return ref;
  }

  /** Writes the value of the open entry, whose encoding is that of integers. */
  #writeInteger(hi: number, lo: number): void {
    const { view, valueStart } = this.#db.entries;
    view.setInt32(valueStart, lo, true);
    view.setInt32(valueStart + 4, hi, true);
  }

  /** Changes the open entry, an integer found at argument `index`, in place. */
  replaceInt64(args: Args, index: number, hi: number, lo: number, event: KeyEvent): void {
    const db = this.#db;
    const entries = this.#db.entries;
    assert(entries.encoding === Encoding.int, "an integer is changed in place");
    db.keyspace.hooks.willChange(db.index, entries.ref);
    db.touch(entries.ref);
    this.#writeInteger(hi, lo);
    db.changed(args, index, event);
  }

  /** Reads the open entry, a string, as an integer; returns whether it is one. */
  readInt64(into: Int64): boolean {
    this.#value.read(this.#db.entries);
    return parseInt64(this.#value.bytes, this.#value.start, this.#value.end, into);
  }

  /**
   * Makes the string at argument `index` `length` bytes long, keeping what it holds and filling up with
   * zero bytes, and returns it for writing in place; encoded raw from now on. Creates a missing key.
   * The caller has checked the type, writes, and then calls `changed`.
   */
  edit(args: Args, index: number, length: number): StringValue {
    const ref = this.#db.edit(args, index);
    const entries = this.#db.entries;
    if (ref === 0) return this.#createZeros(args, index, length);
    entries.open(ref);
    this.#value.read(entries);
    if (entries.encoding === Encoding.object) return this.#resizeLarge(length);
    if (entries.encoding !== Encoding.int && length <= entries.valueRoom()) {
      entries.bytes.fill(0, entries.valueEnd, entries.valueStart + length);
      entries.setValueHeader(Type.string, Encoding.raw, length);
    } else {
      this.#rebuild(length);
    }
    this.#value.read(entries);
    return this.#value;
  }

  /**
   * The large string at argument `index`, `length` bytes long and without a deadline, for a caller that writes all of it
   * and then calls `changed`: until then it holds what it held. Null if there is none, or none with that much room and
   * not over twice as much, or if a snapshot reads it.
   */
  overwriteLarge(args: Args, index: number, length: number): LargeString | null {
    const db = this.#db;
    const { entries } = db;
    const ref = db.edit(args, index);
    if (ref === 0) return null;
    entries.open(ref);
    if (entries.type !== Type.string || entries.encoding !== Encoding.object) return null;
    const large = largeString(entries);
    const room = large.content.length;
    if (room < length || room > 2 * length || large.isHeld) return null;
    db.deadlines.persist(args, index);
    large.resize(length);
    return large;
  }

  #createZeros(args: Args, index: number, length: number): StringValue {
    const db = this.#db;
    const entries = this.#db.entries;
    if (length > entries.inlineMax(args.length(index))) {
      // Allocate the buffer first: if that fails, no key is made.
      const large = new LargeString(new Uint8Array(length), length);
      db.createObject(args, index, Type.string, large);
    } else {
      db.createValue(args, index, Type.string, Encoding.raw, length);
      entries.bytes.fill(0, entries.valueStart, entries.valueEnd);
    }
    db.created(args, index);
    this.#value.read(entries);
    return this.#value;
  }

  #resizeLarge(length: number): StringValue {
    const entries = this.#db.entries;
    const large = largeString(entries);
    large.resize(length);
    entries.accountMemory(large);
    this.#value.read(entries);
    return this.#value;
  }

  /** Moves the open string (its bytes are in `#value`) to a block or a buffer with more room. */
  #rebuild(length: number): void {
    const { placement } = this.#db;
    const entries = this.#db.entries;
    const value = this.#value;
    const kept = Math.min(value.length, length);
    const keyLength = entries.keyEnd - entries.keyStart;
    if (length > entries.inlineMax(keyLength)) {
      const content = new Uint8Array(length + spareBytes(length));
      copyBytes(value.bytes, value.start, value.start + kept, content, 0);
      placement.replaceByObject(entries.ref, new LargeString(content, length));
      return;
    }
    const room = Math.min(length + (length >>> 1), entries.inlineMax(keyLength));
    const isInteger = entries.encoding === Encoding.int;
    placement.move(isInteger ? 0 : kept, room);
    // An integer's text is in the scratch of `#value`; other bytes have moved with the block.
    if (isInteger) {
      copyBytes(value.bytes, value.start, value.start + kept, entries.bytes, entries.valueStart);
    }
    entries.bytes.fill(0, entries.valueStart + kept, entries.valueStart + length);
    entries.setValueHeader(Type.string, Encoding.raw, length);
  }

  /**
   * Finds or makes the entry at argument `index` with room for `size` bytes of value, releases the
   * value that it had, and opens it.
   */
  #place(args: Args, index: number, size: number, keepTtl: boolean): Ref {
    const db = this.#db;
    const found = db.find(args, index);
    if (found === 0) {
      const made = db.createValue(args, index, Type.string, Encoding.embstr, size);
      db.created(args, index);
      return made;
    }
    db.keyspace.hooks.willChange(db.index, found);
    const { placement } = db;
    const ref = placement.replaceValue(found, size);
    const { entries } = placement;
    if (!keepTtl && (entries.flags & EntryFlag.ttl) !== 0) {
      placement.dropDeadline(ref);
      entries.open(ref);
    }
    db.touch(ref);
    return ref;
  }
}
