// hot path
/**
 * A cursor over one collection: where a list, set, hash, sorted set or stream lies. A small collection is a
 * listpack (or intset) in the entry's block, a large one an object. A listpack that is too long for
 * a block, which the configuration may allow, lies in a buffer of its own; users of the cursor see no difference.
 *
 * A cursor is bound to one key by `read`, `edit` or `editOrCreate` and stays bound while other entries are
 * opened; it ends with `changed`, `discard`, or the end of the command.
 *
 * ListValue, SetValue and the others contain a cursor instead of extending it, so that V8 sees one shape here. As the
 * base class of five types it cost 150 to 300 ns a command.
 */
import { assert } from "../lib/assert.ts";
import type { Scratch } from "../lib/scratch.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import type { Ref } from "../structures/arena.ts";
import { isEmptyIntset } from "../structures/intset.ts";
import { EMPTY_LISTPACK_BYTES, Listpack, type ListpackHome } from "../structures/listpack.ts";
import { Events, type KeyEvent } from "./change_hooks.ts";
import type { Database } from "./database.ts";
import { COLLECTION_INLINE_MAX, Encoding, type Entries, type HeapValue } from "./entry.ts";
import { LongPack } from "./long_pack.ts";

export class Cursor implements ListpackHome, Scratch {
  /** Points at the value, while its encoding is `listpack` or `intset`. */
  readonly pack: Listpack = new Listpack(this);
  ref: Ref = 0;
  encoding: number = Encoding.listpack;
  #db: Database | null = null;
  #args: Args | null = null;
  #index = 0;
  /** The value, while its encoding is `object`. */
  object: HeapValue | null = null;
  /** The buffer that `pack` points at, if the listpack does not lie in the entry's block; otherwise null. */
  #long: LongPack | null = null;
  readonly #make: () => Ref;

  /** `create` makes the entry of a new, empty collection; without it, an empty listpack is made. */
  constructor(readonly type: number, create: (() => Ref) | null = null) {
    this.#make = create ?? (() => this.createListpack());
  }

  get db(): Database {
    assert(this.#db !== null, "a cursor is bound to a key");
    return this.#db;
  }

  get entries(): Entries {
    return this.db.keyspace.entries;
  }

  /** The arguments that hold the key. */
  get args(): Args {
    assert(this.#args !== null, "a cursor is bound to a key");
    return this.#args;
  }

  get index(): number {
    return this.#index;
  }

  /**
   * Binds the cursor for a command that reads: counts the hit or miss. Returns false if the key is missing,
   * or is of another type, which fails `args`.
   */
  read(db: Database, args: Args, index: number): boolean {
    return this.#bind(db, args, index, db.read(args, index));
  }

  /** As `read`, but counts no hit, miss or access. */
  peek(db: Database, args: Args, index: number): boolean {
    return this.#bind(db, args, index, db.find(args, index));
  }

  /** As `read`, for a command that changes the collection. */
  edit(db: Database, args: Args, index: number): boolean {
    if (!this.#bind(db, args, index, db.find(args, index))) return false;
    db.willEdit(this.ref);
    return true;
  }

  /** As `edit`, but counts the hit or miss, as Redis does for some commands that change streams. */
  readToEdit(db: Database, args: Args, index: number): boolean {
    if (!this.read(db, args, index)) return false;
    db.keyspace.hooks.willChange(db.index, this.ref);
    return true;
  }

  /** As `edit`, making an empty collection where there is none; returns false only for another type. */
  editOrCreate(db: Database, args: Args, index: number): boolean {
    if (this.edit(db, args, index)) return true;
    if (args.error !== null) return false;
    this.create(db, args, index);
    db.created(args, index);
    return true;
  }

  /** Binds the cursor to a new, empty collection, which replaces any value that the key had. */
  replace(db: Database, args: Args, index: number): void {
    const ref = db.find(args, index);
    if (ref !== 0) {
      db.willEdit(ref);
      db.placement.discard(ref);
    }
    this.create(db, args, index);
    if (ref === 0) db.created(args, index);
  }

  /** Binds the cursor to a new, empty collection at a key that is missing. Tells nobody: see Database.createValue. */
  create(db: Database, args: Args, index: number): void {
    this.#db = db;
    this.#args = args;
    this.#index = index;
    this.ref = this.#make();
    this.#open();
  }

  /** Makes the entry of an empty listpack. */
  createListpack(): Ref {
    const { db, entries } = this;
    const ref = db.createValue(
      this.args,
      this.#index,
      this.type,
      Encoding.listpack,
      EMPTY_LISTPACK_BYTES,
    );
    this.pack.open(entries.bytes, entries.view, entries.valueStart);
    this.pack.writeEmpty();
    return ref;
  }

  /** Replaces the listpack or intset by `object`. */
  toObject(object: HeapValue): void {
    if (this.#long !== null) this.toInline(this.encoding, 0);
    this.ref = this.db.placement.replaceByObject(this.ref, object);
    this.#open();
  }

  /** Replaces an object by an inline value of `size` bytes, which the caller writes. */
  toInline(encoding: number, size: number): void {
    this.ref = this.db.placement.replaceObject(this.ref, encoding, size);
    this.#open();
  }

  /** Makes the value, a listpack, a copy of `pack`. */
  copyPack(pack: Listpack): void {
    const { size } = pack;
    this.resizeValue(size);
    const source = new Uint8Array(pack.bytes.buffer, pack.bytes.byteOffset + pack.start, size);
    this.pack.bytes.set(source, this.pack.start);
  }

  /** Makes the listpack or intset `size` bytes long. */
  resizeValue(size: number): void {
    this.resize(this.pack, size);
  }

  /** Sets the encoding of an inline value; the caller writes its bytes. */
  setEncoding(encoding: number): void {
    const { entries } = this;
    entries.open(this.ref);
    entries.setValueHeader(this.type, encoding, entries.valueEnd - entries.valueStart);
    this.#open();
  }

  // ListpackHome

  resize(pack: Listpack, size: number): void {
    if (this.#long !== null) this.#resizeLong(this.#long, size);
    else if (size > COLLECTION_INLINE_MAX) this.#toLong(size);
    else {
      const { entries } = this;
      this.ref = this.db.placement.resizeValue(this.ref, size);
      pack.open(entries.bytes, entries.view, entries.valueStart);
    }
  }

  #toLong(size: number): void {
    const { entries } = this;
    entries.open(this.ref);
    const used = entries.valueEnd - entries.valueStart;
    const room = size + (size >>> 1);
    this.toObject(new LongPack(this.encoding, entries.bytes, entries.valueStart, used, room));
  }

  #resizeLong(long: LongPack, size: number): void {
    const { length } = long.content;
    if (size < COLLECTION_INLINE_MAX >>> 1) {
      // Copy first: `toInline` frees the buffer.
      const kept = new Uint8Array(size);
      kept.set(new Uint8Array(long.content.buffer, 0, size));
      this.toInline(this.encoding, size);
      this.pack.bytes.set(kept, this.pack.start);
    } else if (size > length || size < length >>> 2) {
      long.resize(size + (size >>> 1));
      this.pack.open(long.content, long.view, 0);
    }
  }

  /**
   * The command has changed the collection: counts `dirty` changes, tells the listeners, and removes the
   * key if nothing is left in it. Call it once for each event.
   */
  changed(event: KeyEvent, dirty = 1): void {
    const { db, args } = this;
    this.accountMemory();
    const { isEmpty } = this;
    if (isEmpty) db.placement.discard(this.ref);
    db.changed(args, this.#index, event);
    db.keyspace.hooks.dirty += dirty - 1;
    if (!isEmpty) return;
    db.notify(args, this.#index, Events.del);
    this.#leave();
  }

  /**
   * As `changed` for what lies beside the value, such as a stream's groups: it is saved and propagated, and may be an event,
   * but is no change of the key to those who watch it.
   */
  changedBeside(event: KeyEvent | null, dirty = 1): void {
    this.accountMemory();
    this.db.keyspace.hooks.dirty += dirty;
    if (event !== null) this.db.notify(this.args, this.#index, event);
  }

  /** Updates the count of memory after a change of a value that is an object. */
  accountMemory(): void {
    const object = this.object ?? this.#long;
    if (object !== null) this.entries.accountMemory(object);
  }

  /** For a command that added nothing after `editOrCreate`: removes the key if its collection is empty. */
  discard(): void {
    if (!this.isEmpty) return;
    this.db.placement.discard(this.ref);
    this.#leave();
  }

  /** Whether the collection is empty, so that its key must be removed. An empty stream keeps its key. */
  get isEmpty(): boolean {
    if (this.object !== null) return this.object.isEmpty;
    if (this.encoding === Encoding.listpack) return this.pack.first() === 0;
    return isEmptyIntset(this.pack.view, this.pack.start);
  }

  #bind(db: Database, args: Args, index: number, ref: Ref): boolean {
    if (ref === 0) return false;
    const { entries } = db.keyspace;
    entries.open(ref);
    if (entries.type !== this.type) {
      args.fail(Errors.wrongType);
      return false;
    }
    // Compare first: they are often the same, and writing a pointer costs V8's write barrier.
    if (this.#db !== db) this.#db = db;
    if (this.#args !== args) this.#args = args;
    this.#index = index;
    this.ref = ref;
    this.#useOpen(entries);
    return true;
  }

  /** Binds the cursor to an entry of this type that was not looked up by key: for walks over a database. */
  openEntry(db: Database, ref: Ref): void {
    this.#db = db;
    this.ref = ref;
    this.#open();
  }

  #open(): void {
    const { entries } = this;
    entries.open(this.ref);
    this.#useOpen(entries);
  }

  /** Binds the cursor to the open entry. */
  #useOpen(entries: Entries): void {
    this.encoding = entries.encoding;
    if (this.#long !== null) this.#long = null;
    if (entries.encoding === Encoding.object) return this.#useObject(entries.object());
    if (this.object !== null) this.object = null;
    this.pack.open(entries.bytes, entries.view, entries.valueStart);
  }

  #useObject(object: HeapValue): void {
    // Nothing to do if the object is the same: consecutive commands often use one key.
    if (this.object === object) return;
    if (object instanceof LongPack) {
      this.object = null;
      this.#long = object;
      this.encoding = object.encoding;
      this.pack.open(object.content, object.view, 0);
    } else this.object = object;
  }

  /** Unbinds the cursor: its key was removed. */
  #leave(): void {
    this.ref = 0;
    this.object = null;
    this.#long = null;
  }

  forget(): void {
    this.#leave();
    this.#db = null;
    this.#args = null;
    this.pack.forget();
  }
}
