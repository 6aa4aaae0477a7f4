// hot path
/**
 * A buffer in Lua's memory in which a library puts a string together: Lua copies it from there, and nobody else has to. It
 * belongs to the machine, not to a state. A small one is kept for the next call, a large one given back after each.
 */
import { assert } from "../../lib/assert.ts";
import type { LuaMachine } from "../lua_machine.ts";

const KEPT_BYTES = 64 * 1024;
/** A string can't be longer in Redis, either (proto-max-bulk-len). */
const BYTES_MAX = 512 * 1024 * 1024;

export class Output {
  /** Where the next byte goes: an address. */
  at = 0;
  readonly #machine: LuaMachine;
  #start = 0;
  #end = 0;

  constructor(machine: LuaMachine) {
    this.#machine = machine;
  }

  /** Forgets what was written. A large buffer is still there if an error kept somebody from calling `end`. */
  begin(): void {
    this.end();
    this.at = this.#start;
  }

  /** The address of what was written. */
  get start(): number {
    return this.#start;
  }

  get length(): number {
    return this.at - this.#start;
  }

  /** Makes room for `size` more bytes; false if there is none. The machine's memory may have grown: read its views again. */
  reserve(size: number): boolean {
    return this.at + size <= this.#end || this.#grow(size);
  }

  #grow(size: number): boolean {
    const used = this.at - this.#start;
    const capacity = Math.max(2 * (this.#end - this.#start), used + size, 1024);
    if (used + size > BYTES_MAX) return false;
    const start = this.#machine.exports.realloc(this.#start, Math.min(capacity, BYTES_MAX));
    if (start === 0) return false;
    // It is a negative number from there on. A state's values and two such buffers take less.
    assert(start > 0, "no address lies beyond 2 GiB");
    this.#start = start;
    this.#end = start + Math.min(capacity, BYTES_MAX);
    this.at = start + used;
    return true;
  }

  /** Pushes what was written. */
  push(state: number): void {
    this.#machine.exports.lua_pushlstring(state, this.#start, this.at - this.#start);
  }

  /** Gives a large buffer back. */
  end(): void {
    if (this.#end - this.#start <= KEPT_BYTES) return;
    this.#machine.exports.free(this.#start);
    this.#start = 0;
    this.#end = 0;
    this.at = 0;
  }
}
