// hot path
/**
 * `cmsgpack.unpack` and its kin: read MessagePack where it lies in Lua's memory. Nesting takes no frames of JavaScript, only slots
 * of Lua's stack, two a table, as in Redis: that bounds it. Binary strings and extensions are refused, as there.
 */
import type { LuaMachine } from "../lua_machine.ts";
import { raise, toInt, toLong } from "./library.ts";

/** How many values a function of Lua may have on its stack: LUAI_MAXCSTACK. */
const STACK_MAX = 8000;
const LEVELS_START = 32;
const TWO_32 = 4294967296;

/** Stands for a map where an array has the index of its last element. */
const MAP = -1;
const TOO_MANY = "too many return values at once; use unpack_one or unpack_limit instead.";
/** Slots that a call of a host function finds free above its arguments: LUA_MINSTACK. */
const SLOTS_FREE = 20;
/** So many are asked for at once when they are used up. */
const SLOTS_STEP = 64;

export class MessageUnpacker {
  readonly #machine: LuaMachine;
  /** Of each open table: how many values are still to come, and the index of the last element, or `MAP`. */
  #rests = new Float64Array(LEVELS_START);
  #indexes = new Float64Array(LEVELS_START);
  #depth = 0;
  /** Values on Lua's stack, as Redis counts them: the index of each open array's element is among them. */
  #height = 0;
  /** So high the stack may become without being asked. */
  #granted = 0;
  #state = 0;
  #at = 0;
  #end = 0;

  constructor(machine: LuaMachine) {
    this.#machine = machine;
  }

  /** `unpack`: all values of the argument. */
  unpack(state: number): number {
    return this.#unpack(state, 0, 0);
  }

  /** `unpack_one`: the offset behind the value at an offset, and the value. */
  unpackOne(state: number): number {
    const { exports } = this.#machine;
    const offset = toLong(exports.luaL_optnumber(state, 2, 0));
    if (exports.lua_gettop(state) > 1) exports.lua_settop(state, 1);
    return this.#unpack(state, 1, offset);
  }

  /** `unpack_limit`: the offset behind so many values from an offset on, and the values. */
  unpackLimit(state: number): number {
    const { exports } = this.#machine;
    const limit = toLong(exports.luaL_checknumber(state, 2));
    const offset = toLong(exports.luaL_optnumber(state, 3, 0));
    if (exports.lua_gettop(state) > 1) exports.lua_settop(state, 1);
    return this.#unpack(state, limit, offset);
  }

  /** All values, without an offset before them, if both numbers are 0. */
  #unpack(state: number, limit: number, offset: number): number {
    const machine = this.#machine;
    const { exports } = machine;
    const start = machine.checkString(state, 1);
    const length = machine.stringLength();
    this.#checkRange(state, limit, offset, length);
    const isAll = limit === 0 && offset === 0;
    const top = exports.lua_gettop(state);
    this.#state = state;
    this.#at = start + offset;
    this.#end = start + length;
    this.#height = top;
    this.#granted = top + SLOTS_FREE;
    this.#depth = 0;
    let count = 0;
    while (this.#at < this.#end && (isAll || count < limit)) {
      this.#readValue();
      count++;
    }
    if (isAll) return count;
    this.#makeRoom("in function mp_unpack_full");
    exports.lua_pushnumber(state, this.#at === this.#end ? -1 : this.#at - start);
    exports.lua_insert(state, top + 1);
    return count + 1;
  }

  #checkRange(state: number, limit: number, offset: number, length: number): void {
    const shown = toInt(offset);
    if (offset < 0 || limit < 0) {
      const text = `Invalid request to unpack with offset of ${shown} and limit of ${length}.`;
      raise(this.#machine, state, text);
    }
    if (offset > length) {
      const text = `Start offset ${shown} greater than input length ${length}.`;
      raise(this.#machine, state, text);
    }
  }

  /** Pushes the value that begins here, with all that it contains. */
  #readValue(): void {
    this.#read();
    while (this.#depth > 0) {
      const level = this.#depth - 1;
      if (this.#rests[level] === 0) {
        this.#depth--;
        if (this.#depth > 0) this.#store();
        continue;
      }
      this.#rests[level]--;
      // The element's index lies on Redis's stack, below the element.
      if (this.#indexes[level] !== MAP) this.#height++;
      if (!this.#read()) this.#store();
    }
  }

  /** Puts the complete value on top into the innermost open table; a key stays where it is. */
  #store(): void {
    const { exports } = this.#machine;
    const level = this.#depth - 1;
    if (this.#indexes[level] !== MAP) {
      exports.lua_rawseti(this.#state, -2, ++this.#indexes[level]);
    } else if (this.#rests[level] % 2 === 0) exports.lua_rawset(this.#state, -3);
    else return;
    this.#height -= 2;
  }

  /** Pushes what begins here; true if it is a table with contents that are still to be read. */
  #read(): boolean {
    const { exports } = this.#machine;
    this.#makeRoom(TOO_MANY);
    this.#need(1);
    const marker = this.#machine.bytes[this.#at++];
    if (marker < 0x80) exports.lua_pushnumber(this.#state, marker);
    else if (marker >= 0xe0) exports.lua_pushnumber(this.#state, marker - 0x100);
    else if (marker < 0x90) return this.#openMap(marker & 15);
    else if (marker < 0xa0) return this.#openArray(marker & 15);
    else if (marker < 0xc0) this.#readString(marker & 31);
    else return this.#readMarked(marker);
    this.#height++;
    return false;
  }

  #readMarked(marker: number): boolean {
    const { exports } = this.#machine;
    const state = this.#state;
    if (marker === 0xdc || marker === 0xdd) {
      return this.#openArray(this.#readUnsigned(marker - 0xdb));
    }
    if (marker === 0xde || marker === 0xdf) return this.#openMap(this.#readUnsigned(marker - 0xdd));
    if (marker === 0xc0) exports.lua_pushnil(state);
    else if (marker === 0xc2 || marker === 0xc3) exports.lua_pushboolean(state, marker - 0xc2);
    else if (marker === 0xca || marker === 0xcb) this.#readFloat(marker === 0xca);
    else if (marker >= 0xcc && marker <= 0xce) {
      exports.lua_pushnumber(state, this.#readUnsigned(marker - 0xcc));
    } else if (marker >= 0xd0 && marker <= 0xd2) this.#readSigned(marker - 0xd0);
    // Redis takes one without a sign for one that has it.
    else if (marker === 0xcf || marker === 0xd3) this.#readLong();
    else if (marker >= 0xd9 && marker <= 0xdb) this.#readString(this.#readUnsigned(marker - 0xd9));
    else raise(this.#machine, state, "Bad data format in input.");
    this.#height++;
    return false;
  }

  #openArray(count: number): boolean {
    if (this.#height + 2 > STACK_MAX) this.#overflow("in function mp_decode_to_lua_array");
    return this.#open(count, 0);
  }

  #openMap(count: number): boolean {
    return this.#open(2 * count, MAP);
  }

  #open(values: number, index: number): boolean {
    this.#machine.exports.lua_createtable(this.#state, 0, 0);
    this.#height++;
    if (values === 0) return false;
    if (this.#depth === this.#rests.length) this.#growLevels();
    this.#rests[this.#depth] = values;
    this.#indexes[this.#depth] = index;
    this.#depth++;
    return true;
  }

  /** Of 1, 2 or 4 bytes: 2^`power` of them. */
  #readUnsigned(power: number): number {
    const { view } = this.#machine;
    const size = 1 << power;
    this.#need(size);
    const at = this.#at;
    this.#at += size;
    if (size === 1) return view.getUint8(at);
    return size === 2 ? view.getUint16(at) : view.getUint32(at);
  }

  #readSigned(power: number): void {
    const value = this.#readUnsigned(power);
    const half = 2 ** (8 * (1 << power) - 1);
    this.#machine.exports.lua_pushnumber(this.#state, value < half ? value : value - 2 * half);
  }

  #readLong(): void {
    const { exports, view } = this.#machine;
    this.#need(8);
    const value = view.getInt32(this.#at) * TWO_32 + view.getUint32(this.#at + 4);
    this.#at += 8;
    exports.lua_pushnumber(this.#state, value);
  }

  #readFloat(isShort: boolean): void {
    const { exports, view } = this.#machine;
    this.#need(isShort ? 4 : 8);
    const value = isShort ? view.getFloat32(this.#at) : view.getFloat64(this.#at);
    this.#at += isShort ? 4 : 8;
    exports.lua_pushnumber(this.#state, value);
  }

  #readString(length: number): void {
    this.#need(length);
    this.#machine.exports.lua_pushlstring(this.#state, this.#at, length);
    this.#at += length;
  }

  #need(size: number): void {
    if (this.#end - this.#at < size) {
      raise(this.#machine, this.#state, "Missing bytes in input.");
    }
  }

  /** Makes room for one more value. */
  #makeRoom(where: string): void {
    if (this.#height < this.#granted) return;
    const slots = Math.min(SLOTS_STEP, STACK_MAX - this.#height);
    if (slots <= 0 || this.#machine.exports.lua_checkstack(this.#state, slots) === 0) {
      this.#overflow(where);
    }
    this.#granted = this.#height + slots;
  }

  #overflow(where: string): never {
    raise(this.#machine, this.#state, `stack overflow (${where})`);
  }

  #growLevels(): void {
    const rests = new Float64Array(2 * this.#rests.length);
    const indexes = new Float64Array(rests.length);
    rests.set(this.#rests);
    indexes.set(this.#indexes);
    this.#rests = rests;
    this.#indexes = indexes;
  }
}
