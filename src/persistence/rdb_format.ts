/**
 * The format of RDB files and of DUMP's payloads.
 *
 * ```
 * file     "REDIS" · version, 4 digits · aux* · [functions]* · database* · 0xff · CRC-64 (versions from 5 on)
 * aux      0xfa · string name · string value
 * database 0xfe · length index · [0xfb · length keys · length expiring] · entry*
 * entry    [0xfc · ms, 8 bytes | 0xfd · seconds, 4 bytes] · [0xf8 · length idle s | 0xf9 · byte freq]
 *          · type · string key · value
 * payload  type · value · version, 2 bytes · CRC-64
 *
 * length   00nnnnnn | 01nnnnnn n | 10000000 n:4 big-endian | 10000001 n:8 big-endian
 * string   length · bytes | 11000000 int8 | 11000001 int16 | 11000010 int32
 *          | 11000011 length packed · length size · LZF
 * ```
 *
 * Integers are little-endian unless it says otherwise.
 * Source: https://github.com/sripathikrishnan/redis-rdb-tools/wiki/Redis-RDB-Dump-File-Format, and files that
 * redis-server 7.0.15 and 7.2 wrote.
 */

import { assert } from "../lib/assert.ts";

export const RDB_MAGIC = "REDIS";
/** The oldest version that is read. */
export const RDB_VERSION_MIN = 1;
export const RDB_VERSION_MAX = 12;
/** Since this version a file ends with a CRC-64. */
export const RDB_VERSION_CRC = 5;

export const Opcode = {
  slotInfo: 0xf4,
  function2: 0xf5,
  functionPreview: 0xf6,
  moduleAux: 0xf7,
  idle: 0xf8,
  frequency: 0xf9,
  aux: 0xfa,
  resizeDb: 0xfb,
  expireMs: 0xfc,
  expireSeconds: 0xfd,
  selectDb: 0xfe,
  end: 0xff,
} as const;

/** The types of values, as the byte before the key. */
export const RdbType = {
  string: 0,
  list: 1,
  set: 2,
  /** Scores as text. */
  zsetText: 3,
  hash: 4,
  zset: 5,
  module: 7,
  hashZipmap: 9,
  listZiplist: 10,
  setIntset: 11,
  zsetZiplist: 12,
  hashZiplist: 13,
  listQuicklist: 14,
  stream: 15,
  hashListpack: 16,
  zsetListpack: 17,
  listQuicklist2: 18,
  stream2: 19,
  setListpack: 20,
  stream3: 21,
  hashFieldExpiry: 24,
  hashListpackFieldExpiry: 25,
} as const;

export const LengthKind = { bits6: 0, bits14: 1, bits32: 0x80, bits64: 0x81, encoded: 3 } as const;
export const StringEncoding = { int8: 0, int16: 1, int32: 2, lzf: 3 } as const;
/** Nodes of a list: one large element as it is, or a listpack. */
export const ListNode = { plain: 1, packed: 2 } as const;
/** Parts of a module's value. */
export const ModulePart = {
  end: 0,
  signed: 1,
  unsigned: 2,
  float: 3,
  double: 4,
  string: 5,
} as const;

/** Characters of a module type's name, six bits each. */
const MODULE_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** Bits of a module type's version, below its name. */
const MODULE_VERSION_BITS = 10;
const MODULE_NAME_LENGTH = 9;

/** The name of the type of Bloom filters, as TYPE shows it, and the version of our format for them. */
export const BLOOM_NAME = "MBbloom--";
export const BLOOM_VERSION = 1000;

/** The 64-bit id of a module's type: nine characters and a version. */
export function moduleId(name: string, version: number): bigint {
  let id = 0n;
  assert(name.length === MODULE_NAME_LENGTH, "the name of a module's type has nine characters");
  assert(version >= 0, "a version is not negative");
  assert(version < 1 << MODULE_VERSION_BITS, "a version stays below the name");
  for (const character of name) {
    const value = MODULE_CHARACTERS.indexOf(character);
    assert(value >= 0, "a character of the name is one of 64");
    id = (id << 6n) | BigInt(value);
  }
  return (id << BigInt(MODULE_VERSION_BITS)) | BigInt(version);
}

/** The name in a module type's id. */
export function moduleName(id: bigint): string {
  assert(id >= 0n, "an id is not negative");
  assert(id < 1n << 64n, "an id has 64 bits");
  let name = "";
  for (let shift = 58n; shift >= 10n; shift -= 6n) {
    name += MODULE_CHARACTERS[Number((id >> shift) & 63n)];
  }
  return name;
}
