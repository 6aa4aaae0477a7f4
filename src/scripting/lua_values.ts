// hot path
/**
 * Turns replies of commands into Lua's values, and what a script returns into a reply, as Redis does.
 *
 *     RESP2 → Lua       +OK {ok=}  ·  -E {err=}  ·  :1 number  ·  $ string, null false  ·  * table, null false
 *     RESP3 → Lua       _ nil  ·  # boolean  ·  , {double=}  ·  ( {big_number=}  ·  = {verbatim_string={format=, string=}}
 *                       % {map={}}  ·  ~ {set={member=true}}
 *     Lua → a reply     the same tables back; other tables are arrays up to their first nil, numbers lose their fraction
 *
 * A script that has not called redis.setresp(3) gets RESP2's values, and its booleans are 1 and null.
 */
import { Int64, parseInt64 } from "../lib/decimal.ts";
import { parseDouble } from "../lib/double_text.ts";
import { binaryBytes, binaryText } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { type ErrorReply, errorReply, Errors } from "../protocol/errors.ts";
import { cText } from "../lib/c_text.ts";
import { Type } from "./lua_constants.ts";
import type { LuaMachine } from "./lua_machine.ts";

const PLUS = 0x2b;
const MINUS = 0x2d;
const COLON = 0x3a;
const DOLLAR = 0x24;
const STAR = 0x2a;
const UNDERSCORE = 0x5f;
const HASH = 0x23;
const COMMA = 0x2c;
const PERCENT = 0x25;
const TILDE = 0x7e;
const PARENTHESIS = 0x28;
const EQUALS = 0x3d;
const BAR = 0x7c;
const CR = 0x0d;
const LETTER_T = 0x74;

/** Values on Lua's stack that one level of a reply takes. */
const LEVEL_SLOTS = 4;
/** Tables within tables of a reply. Redis goes on for as long as Lua's stack allows: 7,995 of them. */
const DEPTH_MAX = 1000;
/** A verbatim text begins with three letters and a colon. */
const FORMAT_BYTES = 4;
const INT64_MIN = -(2 ** 63);
const MIN_REPLY = binaryBytes(":-9223372036854775808\r\n");

// scratch: lives for one call
const wide = new Int64();

/** A reply that is being turned into values. */
export class ReplyReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(readonly machine: LuaMachine) {}

  /** Pushes the reply that begins `bytes`. It is whole: our own writer has made it. */
  push(state: number, bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
    this.#value(state);
  }

  #value(state: number): void {
    const { exports } = this.machine;
    const start = this.#at + 1;
    const end = this.#lineEnd();
    switch (this.#bytes[start - 1]) {
      case COLON:
        exports.lua_pushnumber(state, this.#integer(start, end));
        return;
      case DOLLAR:
        return this.#bulk(state, start, end);
      case PLUS:
        return this.#field(state, "ok", start, end);
      case MINUS:
        return this.#error(state, start, end);
      case STAR:
        return this.#array(state, this.#integer(start, end));
      default:
        return this.#valueOf3(state, start, end);
    }
  }

  /** A value that only RESP3 has. */
  #valueOf3(state: number, start: number, end: number): void {
    const { exports } = this.machine;
    switch (this.#bytes[start - 1]) {
      case UNDERSCORE:
        exports.lua_pushnil(state);
        return;
      case HASH:
        exports.lua_pushboolean(state, this.#bytes[start] === LETTER_T ? 1 : 0);
        return;
      case COMMA:
        exports.lua_createtable(state, 0, 1);
        exports.lua_pushnumber(state, parseDouble(this.#bytes, start, end));
        exports.lua_setfield(state, -2, this.machine.name("double"));
        return;
      case PARENTHESIS:
        return this.#field(state, "big_number", start, end);
      case EQUALS:
        return this.#verbatim(state, this.#integer(start, end));
      case PERCENT:
        return this.#members(state, "map", this.#integer(start, end));
      case TILDE:
        return this.#members(state, "set", this.#integer(start, end));
      case BAR:
        // Attributes are not for scripts: the value follows them.
        this.#members(state, "map", this.#integer(start, end));
        this.machine.pop(state, 1);
        return this.#value(state);
      default:
        return this.#array(state, this.#integer(start, end));
    }
  }

  /** Where the line that begins at `#at` ends; `#at` is the next one's beginning afterwards. */
  #lineEnd(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    while (bytes[at] !== CR) at++;
    this.#at = at + 2;
    return at;
  }

  #integer(start: number, end: number): number {
    const first = this.#bytes[start] - 0x30;
    if (end === start + 1) return first;
    return parseInt64(this.#bytes, start, end, wide) ? wide.rounded : 0;
  }

  #bulk(state: number, start: number, end: number): void {
    const size = this.#integer(start, end);
    if (size < 0) {
      this.machine.exports.lua_pushboolean(state, 0);
      return;
    }
    this.machine.pushBytes(state, this.#bytes, this.#at, this.#at + size);
    this.#at += size + 2;
  }

  /** A table whose one field is a line. */
  #field(state: number, name: string, start: number, end: number): void {
    const { exports } = this.machine;
    exports.lua_createtable(state, 0, 1);
    this.machine.pushBytes(state, this.#bytes, start, end);
    exports.lua_setfield(state, -2, this.machine.name(name));
  }

  #error(state: number, start: number, end: number): void {
    this.#field(state, "err", start, end);
    markCounted(this.machine, state);
  }

  #array(state: number, count: number): void {
    const { exports } = this.machine;
    if (count < 0) {
      exports.lua_pushboolean(state, 0);
      return;
    }
    exports.lua_createtable(state, count, 0);
    if (exports.lua_checkstack(state, LEVEL_SLOTS) === 0) return;
    for (let i = 1; i <= count; i++) {
      this.#value(state);
      exports.lua_rawseti(state, -2, i);
    }
  }

  /** A table whose one field is a table with a key for each member: of a map with its value, of a set with true. */
  #members(state: number, name: "map" | "set", count: number): void {
    const { exports } = this.machine;
    exports.lua_createtable(state, 0, 1);
    exports.lua_createtable(state, 0, count);
    exports.lua_checkstack(state, LEVEL_SLOTS);
    for (let i = 0; i < count; i++) {
      this.#value(state);
      if (name === "map") this.#value(state);
      else exports.lua_pushboolean(state, 1);
      exports.lua_rawset(state, -3);
    }
    exports.lua_setfield(state, -2, this.machine.name(name));
  }

  #verbatim(state: number, size: number): void {
    const { exports } = this.machine;
    const start = this.#at;
    exports.lua_createtable(state, 0, 1);
    exports.lua_createtable(state, 0, 2);
    this.machine.pushBytes(state, this.#bytes, start, start + FORMAT_BYTES - 1);
    exports.lua_setfield(state, -2, this.machine.name("format"));
    this.machine.pushBytes(state, this.#bytes, start + FORMAT_BYTES, start + size);
    exports.lua_setfield(state, -2, this.machine.name("string"));
    exports.lua_setfield(state, -2, this.machine.name("verbatim_string"));
    this.#at = start + size + 2;
  }
}

/** Notes in the error table on top that the server's figures have it. */
export function markCounted(machine: LuaMachine, state: number): void {
  machine.exports.lua_pushboolean(state, 1);
  machine.exports.lua_setfield(state, -2, machine.name("ignore_error_stats_update"));
}

/** Writes the value that a script returns. */
export class ValueWriter {
  /** The protocol that the script has chosen by redis.setresp. */
  resp = 2;
  #depth = 0;

  /** `count` is called with each error that the server's figures don't have yet. */
  constructor(readonly machine: LuaMachine, readonly count: (error: ErrorReply) => void) {}

  /** Writes the value on top of the stack and takes it off. */
  write(state: number, reply: ReplyWriter): void {
    const { exports } = this.machine;
    switch (exports.lua_type(state, -1)) {
      case Type.string:
        this.#string(state, reply);
        break;
      case Type.number:
        writeNumber(reply, exports.lua_tonumber(state, -1));
        break;
      case Type.boolean:
        this.#boolean(reply, exports.lua_toboolean(state, -1) !== 0);
        break;
      case Type.table:
        this.#depth++;
        if (this.#depth > DEPTH_MAX || exports.lua_checkstack(state, LEVEL_SLOTS) === 0) {
          reply.error(Errors.luaStack);
        } else this.#table(state, reply);
        this.#depth--;
        break;
      default:
        reply.nullBulk();
    }
    this.machine.pop(state, 1);
  }

  #string(state: number, reply: ReplyWriter): void {
    const start = this.machine.string(state, -1);
    reply.bulkIn(this.machine.bytes, this.machine.view, start, start + this.machine.stringLength());
  }

  #boolean(reply: ReplyWriter, value: boolean): void {
    if (this.resp === 3) reply.bool(value);
    else if (value) reply.integer(1);
    else reply.nullBulk();
  }

  #table(state: number, reply: ReplyWriter): void {
    if (this.machine.hasFields(state, -1) && this.#typed(state, reply)) return;
    this.#array(state, reply);
  }

  /** Writes a table whose field says what it is; returns whether there was one. */
  #typed(state: number, reply: ReplyWriter): boolean {
    if (this.#push(state, "err", Type.string)) this.#error(state, reply);
    else if (this.#push(state, "ok", Type.string)) reply.simpleBinary(lineOf(this.#text(state)));
    else if (this.#push(state, "double", Type.number)) {
      reply.double(this.machine.exports.lua_tonumber(state, -1));
    } else if (this.#push(state, "map", Type.table)) return this.#map(state, reply);
    else if (this.#push(state, "set", Type.table)) return this.#set(state, reply);
    else if (this.#push(state, "big_number", Type.string)) {
      reply.bigNumber(lineOf(this.#text(state)));
    } else if (this.#push(state, "verbatim_string", Type.table)) {
      return this.#verbatim(state, reply);
    } else return false;
    this.machine.pop(state, 1);
    return true;
  }

  /** Pushes a field of the table on top, not asking its metatable, if it has the type; returns whether it has. */
  #push(state: number, name: string, type: number): boolean {
    if (this.machine.rawField(state, -1, name) === type) return true;
    this.machine.pop(state, 1);
    return false;
  }

  #text(state: number): string {
    return this.machine.text(state, -1) ?? "";
  }

  /** Writes the error whose text is on top; its table lies below. */
  #error(state: number, reply: ReplyWriter): void {
    const error = errorReply(cText(this.#text(state)));
    if (this.machine.rawField(state, -2, "ignore_error_stats_update") !== Type.boolean) {
      this.count(error);
    }
    this.machine.pop(state, 1);
    reply.error(error);
  }

  #array(state: number, reply: ReplyWriter): void {
    const { exports } = this.machine;
    const mark = reply.mark();
    let count = 0;
    for (;;) {
      exports.lua_rawgeti(state, -1, count + 1);
      if (exports.lua_type(state, -1) === Type.nil) break;
      this.write(state, reply);
      count++;
    }
    this.machine.pop(state, 1);
    reply.arrayFrom(mark, count);
  }

  /** Writes the map on top, and takes it off. */
  #map(state: number, reply: ReplyWriter): boolean {
    const { exports } = this.machine;
    const mark = reply.mark();
    let count = 0;
    for (exports.lua_pushnil(state); exports.lua_next(state, -2) !== 0; count++) {
      exports.lua_pushvalue(state, -2);
      this.write(state, reply);
      this.write(state, reply);
    }
    this.machine.pop(state, 1);
    reply.mapFrom(mark, count);
    return true;
  }

  #set(state: number, reply: ReplyWriter): boolean {
    const { exports } = this.machine;
    const mark = reply.mark();
    let count = 0;
    for (exports.lua_pushnil(state); exports.lua_next(state, -2) !== 0; count++) {
      this.machine.pop(state, 1);
      exports.lua_pushvalue(state, -1);
      this.write(state, reply);
    }
    this.machine.pop(state, 1);
    reply.setFrom(mark, count);
    return true;
  }

  /** Writes the text whose table is on top, and takes it off; false if a part of it is missing. */
  #verbatim(state: number, reply: ReplyWriter): boolean {
    const { machine } = this;
    const hasFormat = machine.rawField(state, -1, "format") === Type.string;
    const hasText = machine.rawField(state, -2, "string") === Type.string;
    if (hasFormat && hasText) {
      reply.verbatimBinary(machine.text(state, -2) ?? "", machine.text(state, -1) ?? "");
    }
    machine.pop(state, 3);
    return hasFormat && hasText;
  }
}

/** A number without its fraction. What no 64 bits hold is what x86 makes of it: the least integer. */
function writeNumber(reply: ReplyWriter, value: number): void {
  const whole = Math.trunc(value) + 0;
  if (whole > INT64_MIN && whole < -INT64_MIN) reply.integer(whole);
  else reply.raw(MIN_REPLY);
}

/** A text as one line: up to its first zero byte, with spaces for line breaks. */
function lineOf(text: string): string {
  return cText(text).replaceAll(/[\r\n]/g, " ");
}

/** A reply's first line as text: of an error or a status. */
export function firstLine(bytes: Uint8Array, size: number): string {
  let end = 1;
  while (end < size && bytes[end] !== CR) end++;
  return binaryText(bytes, 1, end);
}
