/**
 * BITFIELD: integers of 1 to 64 bits (63 unsigned) at any bit offset of a string, big-endian.
 *
 * All operations are parsed first; then the string is grown once if one of them writes.
 */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Events } from "../keyspace/change_hooks.ts";
import type { StringValue } from "../keyspace/values.ts";
import { Int64, int64ToBigInt } from "../lib/decimal.ts";
import type { Args } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";

type Overflow = "wrap" | "sat" | "fail";

/** Redis reads a type as a C string, which a NUL ends. */
const TYPE_REGEXP = /^([iu])([1-9][0-9]?)(?:\0|$)/;

/** One GET, SET or INCRBY. */
interface Operation {
  readonly kind: "get" | "set" | "incrby";
  readonly isSigned: boolean;
  readonly bits: number;
  readonly offset: number;
  /** What SET stores or INCRBY adds. */
  readonly value: bigint;
  readonly overflow: Overflow;
}

// scratch: lives for one call
const parsed = new Int64();

function bitfield(call: Call): void {
  const operations = readOperations(call);
  if (call.args.error !== null) return call.reply.error(call.args.error);
  runOperations(call, operations);
}

function bitfieldRo(call: Call): void {
  const operations = readOperations(call);
  if (call.args.error !== null) return call.reply.error(call.args.error);
  if (operations.some(({ kind }) => kind !== "get")) return call.reply.error(Errors.bitfieldRo);
  runOperations(call, operations);
}

function readOperations(call: Call): Operation[] {
  const { args } = call;
  const operations: Operation[] = [];
  let overflow: Overflow = "wrap";
  let i = 2;
  while (i < args.count && args.error === null) {
    const isGet = args.is(i, "GET");
    if (args.is(i, "OVERFLOW") && i + 1 < args.count) {
      overflow = readOverflow(call, i + 1);
      i += 2;
    } else if (isGet && i + 2 < args.count) {
      operations.push(readOperation(call, i, "get", overflow));
      i += 3;
    } else if ((args.is(i, "SET") || args.is(i, "INCRBY")) && i + 3 < args.count) {
      operations.push(readOperation(call, i, args.is(i, "SET") ? "set" : "incrby", overflow));
      i += 4;
    } else args.fail(Errors.syntax);
  }
  return operations;
}

function readOverflow({ args }: Call, index: number): Overflow {
  if (args.is(index, "WRAP")) return "wrap";
  if (args.is(index, "SAT")) return "sat";
  if (!args.is(index, "FAIL")) args.fail(Errors.overflowType);
  return "fail";
}

function readOperation(
  call: Call,
  index: number,
  kind: Operation["kind"],
  overflow: Overflow,
): Operation {
  const { args } = call;
  const [, sign, digits] = TYPE_REGEXP.exec(args.binary(index + 1)) ?? ["", "", ""];
  const bits = Number(digits);
  const isSigned = sign === "i";
  if (bits < 1 || bits > (isSigned ? 64 : 63)) args.fail(Errors.bitfieldType);
  const offset = args.error === null ? readOffset(call, index + 2, bits) : 0;
  let value = 0n;
  if (kind !== "get" && args.error === null && args.int64(index + 3, parsed)) {
    value = int64ToBigInt(parsed);
  }
  return { kind, isSigned, bits, offset, value, overflow };
}

/** A bit offset, or "#n" for the n-th integer of this width. */
function readOffset({ args, engine }: Call, index: number, bits: number): number {
  const text = args.binary(index);
  const isIndex = text.startsWith("#");
  const digits = isIndex ? text.slice(1) : text;
  const most = engine.parameters.values.protoMaxBulkLen * 8;
  const given = /^(0|-?[1-9][0-9]{0,18})$/.test(digits) ? BigInt(digits) : -1n;
  if (BigInt.asIntN(64, given) !== given) return args.fail(Errors.bitOffset);
  // As in Redis, the product keeps its lowest 64 bits, and only the integer's first bit must lie within the limit.
  const offset = Number(BigInt.asIntN(64, given * BigInt(isIndex ? bits : 1)));
  return offset >= 0 && offset < most ? offset : args.fail(Errors.bitOffset);
}

function runOperations({ args, reply, db }: Call, operations: readonly Operation[]): void {
  const writes = operations.filter(({ kind }) => kind !== "get");
  let value = writes.length > 0 ? db.peekString(args, 1) : db.readString(args, 1);
  if (args.error !== null) return reply.error(args.error);
  const sizeBefore = value === null ? 0 : value.length;
  if (writes.length > 0) {
    const size = Math.max(...writes.map(({ offset, bits }) => Math.ceil((offset + bits) / 8)));
    value = db.strings.edit(args, 1, Math.max(size, sizeBefore));
  }
  reply.array(operations.length);
  const hasGrown = value !== null && value.length > sizeBefore;
  let changes = 0;
  for (const operation of operations) {
    const before = readBits(value, operation);
    if (operation.kind === "get") {
      reply.bigint(before);
      continue;
    }
    const wanted = operation.kind === "set" ? operation.value : before + operation.value;
    const stored = fitted(wanted, operation);
    if (stored === null) {
      reply.nullBulk();
      continue;
    }
    if (value !== null && (hasGrown || stored !== before)) {
      writeBits(value, operation, stored);
      changes++;
    }
    reply.bigint(operation.kind === "set" ? before : stored);
  }
  if (changes > 0) {
    db.changed(args, 1, Events.setbit);
    db.keyspace.hooks.dirty += changes - 1;
  } else if (hasGrown) {
    // All have failed by OVERFLOW FAIL, but there are more zero bytes: the log must have them, which Redis forgets.
    db.keyspace.hooks.dirty++;
  }
}

/** `value` as the operation's width holds it; null when it does not fit and the overflow fails. */
function fitted(value: bigint, { isSigned, bits, overflow }: Operation): bigint | null {
  const least = isSigned ? -(1n << BigInt(bits - 1)) : 0n;
  const most = isSigned ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
  if (value >= least && value <= most) return value;
  if (overflow === "fail") return null;
  if (overflow === "sat") return value < least ? least : most;
  return isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

function readBits(value: StringValue | null, { offset, bits, isSigned }: Operation): bigint {
  let result = 0n;
  for (let i = offset; i < offset + bits; i++) {
    const byte = Math.floor(i / 8);
    const isInside = value !== null && byte < value.length;
    const bit = isInside ? (value.bytes[value.start + byte] >>> (7 - i % 8)) & 1 : 0;
    result = (result << 1n) | BigInt(bit);
  }
  return isSigned ? BigInt.asIntN(bits, result) : result;
}

function writeBits(value: StringValue, { offset, bits }: Operation, stored: bigint): void {
  let rest = BigInt.asUintN(bits, stored);
  for (let i = offset + bits - 1; i >= offset; i--) {
    const at = value.start + Math.floor(i / 8);
    const mask = 0x80 >>> (i % 8);
    if ((rest & 1n) === 1n) value.bytes[at] |= mask;
    else value.bytes[at] &= ~mask;
    rest >>= 1n;
  }
}

/** The key's access flags: read only if the request consists of complete GETs. */
function bitfieldFlags(args: Args): string {
  for (let i = 2; i < args.count;) {
    if (args.is(i, "GET") && i + 2 < args.count) i += 3;
    else if (args.is(i, "OVERFLOW") && i + 1 < args.count) i += 2;
    else return "RW access update";
  }
  return "RO access";
}

/** Rows of the table: see engine/command.ts. */
export const bitfieldCommands: readonly CommandSpec[] = [
  {
    name: "bitfield",
    usage:
      "key [{operation=(GET get-block=(encoding offset:integer) | write=([OVERFLOW overflow-block=(WRAP | SAT | FAIL)] write-operation=(SET set-block=(encoding offset:integer value:integer) | INCRBY incrby-block=(encoding offset:integer increment:integer))))}*]",
    summary: "Reads and changes integers of any width in a string.",
    since: "3.2.0",
    complexity: "O(1)",
    flags: Flag.write | Flag.denyOom,
    keys: [
      oneKey("RW access update variable_flags", 1, {
        flagsOf: bitfieldFlags,
        notes: "RO access if all it does is GET",
      }),
    ],
    run: bitfield,
  },
  {
    name: "bitfield_ro",
    usage: "key [{GET get-block=(encoding offset:integer)}*]",
    summary: "Reads integers of any width from a string.",
    since: "6.0.0",
    complexity: "O(1)",
    flags: Flag.readonly | Flag.fast,
    keys: [oneKey("RO access")],
    run: bitfieldRo,
  },
];
