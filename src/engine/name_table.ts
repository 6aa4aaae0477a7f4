// hot path
/**
 * Names of commands, found by their bytes in any case, without a string.
 *
 * An open-addressing table of lower-case names, and in front of it a cache of clients' spellings ("GET", "get"). A name
 * of up to 8 bytes is identified by its length, its first and its last four bytes, so a cached spelling is found by three
 * comparisons. That saves some 10 ns a command.
 */
import type { Args } from "../protocol/args.ts";

const SPELLINGS = 256;
const SPELLING_BYTES_MAX = 8;
const NO_NAME = new Uint8Array(0);

export class NameTable<T> {
  readonly #slots: (T | null)[];
  readonly #names: Uint8Array[] = [];
  readonly #mask: number;
  /** The commands of cached spellings; null in free slots. */
  readonly #spelled: (T | null)[] = new Array(SPELLINGS).fill(null);
  readonly #heads = new Int32Array(SPELLINGS);
  readonly #tails = new Int32Array(SPELLINGS);
  readonly #lengths = new Uint8Array(SPELLINGS);

  /** Names are in lower case, one character a byte. */
  constructor(named: ReadonlyMap<string, T>) {
    let size = 16;
    while (size < 4 * named.size) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Array(size).fill(null);
    for (let i = 0; i < size; i++) this.#names.push(NO_NAME);
    for (const [text, one] of named) {
      const name = Uint8Array.from(text, (char) => char.charCodeAt(0));
      let slot = nameHash(name, 0, name.length) & this.#mask;
      while (this.#slots[slot] !== null) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = one;
      this.#names[slot] = name;
    }
  }

  /** What argument `index` names, or null. */
  find(args: Args, index: number): T | null {
    const view = args.viewOf(index);
    const start = args.start(index);
    const end = args.end(index);
    const length = end - start;
    if (length > SPELLING_BYTES_MAX || start + 4 > view.byteLength) {
      return this.#search(args.bytesOf(index), start, end);
    }
    let head = view.getInt32(start, true);
    let tail = 0;
    if (length >= 4) tail = view.getInt32(end - 4, true);
    else head &= (1 << (8 * length)) - 1;
    const slot = (Math.imul(head, 0x9e3779b1) ^ Math.imul(tail, 0x85ebca6b)) >>> 24;
    if (
      this.#heads[slot] === head && this.#tails[slot] === tail && this.#lengths[slot] === length
    ) {
      return this.#spelled[slot];
    }
    const found = this.#search(args.bytesOf(index), start, end);
    if (found === null) return null;
    this.#heads[slot] = head;
    this.#tails[slot] = tail;
    this.#lengths[slot] = length;
    this.#spelled[slot] = found;
    return found;
  }

  #search(bytes: Uint8Array, start: number, end: number): T | null {
    let slot = nameHash(bytes, start, end) & this.#mask;
    for (;;) {
      const found = this.#slots[slot];
      if (found === null) return null;
      if (isSameName(this.#names[slot], bytes, start, end)) return found;
      slot = (slot + 1) & this.#mask;
    }
  }
}

function nameHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + (bytes[i] | 0x20) | 0;
  return hash ^ (hash >>> 15);
}

function isSameName(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i];
    const lower = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    if (lower !== name[i]) return false;
  }
  return true;
}
