/**
 * Changes Lua's WebAssembly module as Redis changed its Lua: tables can be read-only, and code that was compiled elsewhere is not
 * loaded. Both can't be had from outside: an assignment to a field that exists calls no metamethod, and what
 * string.dump makes can be loaded by `load` and `loadstring`, unchecked.
 *
 * A table is read-only if, of its byte of flags (offset 6 of Lua's struct Table), bit 7 is set and bit 5 is not. Lua itself uses
 * the low five, but makes all eight 1 in a new table, and all 0 in one that is written. The functions through which tables
 * are written begin with a test of the two bits, and call an import that raises the error.
 *
 * The numbers of functions here belong to the one file whose checksum lua_code.ts knows.
 */
import { assert } from "../lib/assert.ts";
import { joined } from "../lib/joined.ts";

/** Where a table's flags lie, the two that matter, and their value in a read-only table. */
export const FLAGS_AT = 6;
export const READ_ONLY_MASK = 0xa0;
export const READ_ONLY = 0x80;

/** An import that nothing calls any more: it is called with a state when a read-only table is to be written. */
export const REFUSE_WRITE = "_emscripten_system";

/**
 * Where the constant 5 lies in luaS_newlstr, which hashes strings. Of a long string Lua leaves characters out, so that others with
 * the same hash are easily made; Redis takes all of them, and the order of a table's keys depends on it.
 */
const HASH_SHIFT_AT = 108405;
const HASH_SHIFT = 5;
const NO_SHIFT = 31;

/** Numbers of functions that are not exported: luaH_set, through which assignments go, and what lua_load calls. */
const SET_FUNCTION = 418;
const LOAD_FUNCTION = 243;

const Section = { import: 2, export: 7, code: 10 } as const;
const KIND_FUNCTION = 0;
const HEADER_BYTES = 8;

/** Instructions of WebAssembly. */
const Op = {
  if: [0x04, 0x40],
  end: [0x0b],
  call: (index: number) => [0x10, ...unsigned(index)],
  drop: [0x1a],
  local: (index: number) => [0x20, index],
  loadByte: (offset: number) => [0x2d, 0x00, offset],
  constant: (value: number) => [0x41, ...signed(value)],
  equal: [0x46],
  and: [0x71],
};

const TYPE_TABLE = 5;
/** The first byte of compiled code, and a number that no byte has. */
const SIGNATURE = 0x1b;
const NO_BYTE = -2;

class Reader {
  constructor(readonly bytes: Uint8Array, public at: number) {}

  number(): number {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = this.bytes[this.at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  name(): string {
    const size = this.number();
    this.at += size;
    return new TextDecoder().decode(this.bytes.subarray(this.at - size, this.at));
  }
}

/** The module with these changes. */
export function patched(original: Uint8Array): Uint8Array<ArrayBuffer> {
  const module = original.slice();
  assert(module[HASH_SHIFT_AT] === HASH_SHIFT, "the constant lies where it lay");
  module[HASH_SHIFT_AT] = NO_SHIFT;
  const sections = sectionsOf(module);
  const imports = importsOf(sections);
  const exports = exportsOf(sections);
  const refuse = imports.indexOf(REFUSE_WRITE);
  const setmetatable = exports.get("lua_setmetatable") ?? 0;
  const rawseti = exports.get("lua_rawseti") ?? 0;
  const type = exports.get("lua_type") ?? 0;
  const topointer = exports.get("lua_topointer") ?? 0;
  const refuseIfReadOnly = (table: number[]): number[] => [
    ...[...table, ...Op.loadByte(FLAGS_AT), ...Op.constant(READ_ONLY_MASK), ...Op.and],
    ...[
      ...Op.constant(READ_ONLY),
      ...Op.equal,
      ...Op.if,
      ...Op.local(0),
      ...Op.call(refuse),
      ...Op.drop,
      ...Op.end,
    ],
  ];
  const argument = [...Op.local(0), ...Op.local(1)];
  const isTable = [...argument, ...Op.call(type), ...Op.constant(TYPE_TABLE), ...Op.equal];
  const pointer = [...argument, ...Op.call(topointer)];
  const beginnings = new Map([
    [SET_FUNCTION, refuseIfReadOnly(Op.local(1))],
    [rawseti, refuseIfReadOnly(pointer)],
    // The value may be of any type.
    [setmetatable, [...isTable, ...Op.if, ...refuseIfReadOnly(pointer), ...Op.end]],
  ]);
  const parts: Uint8Array[] = [module.subarray(0, HEADER_BYTES)];
  for (const { id, content } of sections) {
    const changed = id === Section.code
      ? changedCode(content, imports.length, beginnings)
      : content;
    parts.push(Uint8Array.from([id, ...unsigned(changed.length)]), changed);
  }
  return joined(parts);
}

interface ModuleSection {
  readonly id: number;
  readonly content: Uint8Array;
}

function sectionsOf(module: Uint8Array): ModuleSection[] {
  const sections: ModuleSection[] = [];
  const reader = new Reader(module, HEADER_BYTES);
  while (reader.at < module.length) {
    const id = module[reader.at++];
    const size = reader.number();
    sections.push({ id, content: module.subarray(reader.at, reader.at + size) });
    reader.at += size;
  }
  return sections;
}

function readerOf(sections: readonly ModuleSection[], id: number): Reader {
  const section = sections.find((section) => section.id === id);
  assert(section !== undefined, "the module has all sections");
  return new Reader(section.content, 0);
}

/** The names of the imports, all of which are functions, in order: their numbers. */
function importsOf(sections: readonly ModuleSection[]): string[] {
  const reader = readerOf(sections, Section.import);
  const names: string[] = [];
  for (let count = reader.number(); count > 0; count--) {
    reader.name();
    names.push(reader.name());
    assert(reader.bytes[reader.at++] === KIND_FUNCTION, "imports are functions");
    reader.number();
  }
  return names;
}

/** The numbers of the exported functions. */
function exportsOf(sections: readonly ModuleSection[]): Map<string, number> {
  const reader = readerOf(sections, Section.export);
  const numbers = new Map<string, number>();
  for (let count = reader.number(); count > 0; count--) {
    const name = reader.name();
    const kind = reader.bytes[reader.at++];
    const number = reader.number();
    if (kind === KIND_FUNCTION) numbers.set(name, number);
  }
  return numbers;
}

/** The code with other beginnings of some functions; `first` is the number of the first function that has code. */
function changedCode(
  code: Uint8Array,
  first: number,
  beginnings: ReadonlyMap<number, number[]>,
): Uint8Array {
  const reader = new Reader(code, 0);
  const count = reader.number();
  const parts: Uint8Array[] = [Uint8Array.from(unsigned(count))];
  for (let index = first; index < first + count; index++) {
    const size = reader.number();
    let body = code.subarray(reader.at, reader.at + size);
    reader.at += size;
    const beginning = beginnings.get(index);
    if (beginning !== undefined) body = begunWith(body, beginning);
    if (index === LOAD_FUNCTION) body = withoutSignature(body);
    parts.push(Uint8Array.from(unsigned(body.length)), body);
  }
  return joined(parts);
}

/** A function's body with instructions in front of its own. */
function begunWith(body: Uint8Array, instructions: readonly number[]): Uint8Array {
  const reader = new Reader(body, 0);
  for (let groups = reader.number(); groups > 0; groups--) {
    reader.number();
    reader.at++; // the type of so many local variables
  }
  return joined([
    body.subarray(0, reader.at),
    Uint8Array.from(instructions),
    body.subarray(reader.at),
  ]);
}

/** No text begins with the byte that tells compiled code from text: such code is parsed as text, and refused. */
function withoutSignature(body: Uint8Array): Uint8Array {
  const wanted = [...Op.constant(SIGNATURE), ...Op.equal];
  const places: number[] = [];
  for (let at = 0; at < body.length; at++) {
    if (wanted.every((byte, i) => body[at + i] === byte)) places.push(at);
  }
  assert(places.length === 1, "the first byte is compared in one place");
  const changed = Uint8Array.from(body);
  changed.set(Op.constant(NO_BYTE), places[0]);
  return changed;
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push(value & 0x7f | 0x80);
  return [...bytes, value];
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (; value < -0x40 || value >= 0x40; value >>= 7) bytes.push(value & 0x7f | 0x80);
  return [...bytes, value & 0x7f];
}
