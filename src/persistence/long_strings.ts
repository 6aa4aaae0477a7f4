/**
 * Long strings, written in steps so that nobody waits for them: each step is some 0.2 ms of work. A string that is a key's
 * value is held meanwhile, and may change; an element of a collection must not.
 */
import { assert } from "../lib/assert.ts";
import { Int64 } from "../lib/decimal.ts";
import { detach } from "../lib/detach.ts";
import { Compressor, packedMax } from "../lib/lzf.ts";
import type { DatabaseContents } from "../keyspace/database.ts";
import { Encoding, Type } from "../keyspace/entry.ts";
import { readDeadline } from "../keyspace/placement.ts";
import { largeString } from "../keyspace/values.ts";
import type { BulkBuffer } from "../protocol/bulk_buffer.ts";
import type { Ref } from "../structures/arena.ts";
import type { ByteSink } from "./byte_sink.ts";
import { COMPRESS_LIMIT_BYTES, INTEGER_TEXT_MAX, type RdbWriter } from "./rdb_writer.ts";

/** Bytes of a string that one step writes or compresses. */
export const STEP_BYTES = 32 * 1024;
/** So many compressed bytes of a string are kept; if there are more, it is compressed once more to write it. */
const KEPT_MAX_BYTES = 32 * 1024 * 1024;

/** The rest of what is written: each `next` writes some more of it. */
export type Rest = Generator<void, void>;

/** Writes all of the rest at once. */
export function finish(rest: Rest | null): void {
  if (rest !== null) { while (rest.next().done !== true); }
}

/**
 * As RdbWriter.string, in steps. A string's compressed size stands before it, so a first pass compresses it and counts.
 * If the result is not too large it is kept and written; otherwise a second pass compresses again and writes.
 */
export function* stringInSteps(
  out: RdbWriter,
  bytes: Uint8Array,
  start: number,
  end: number,
): Rest {
  const size = end - start;
  assert(size > INTEGER_TEXT_MAX, "what is written in steps is no integer");
  assert(end <= bytes.length, "a string ends in its bytes");
  if (out.compresses && size <= COMPRESS_LIMIT_BYTES) {
    const kept: Uint8Array[] = [];
    const total = yield* packedSize(bytes, start, end, kept);
    if (total > 0) {
      out.packedHead(total, size);
      if (kept.length > 0) yield* writeParts(out.sink, kept);
      else yield* writePacked(out.sink, bytes, start, end);
      return;
    }
  }
  out.length(size);
  yield* writeInSteps(out.sink, bytes, start, end);
}

/** The size that a string compresses to, and in `kept` what, if it is not much; 0 if it does not become shorter. */
function* packedSize(
  bytes: Uint8Array,
  start: number,
  end: number,
  kept: Uint8Array[],
): Generator<void, number> {
  assert(kept.length === 0, "nothing was kept before");
  const limit = end - start - 4;
  let total = 0;
  for (const part of packedParts(bytes, start, end)) {
    total += part.length;
    if (total <= Math.min(limit, KEPT_MAX_BYTES)) kept.push(part.slice());
    else drop(kept);
    if (total > limit) return 0;
    yield;
  }
  return total;
}

/** What `bytes[start, end)` compresses to, part by part; each is valid until the next. */
function* packedParts(bytes: Uint8Array, start: number, end: number): Generator<Uint8Array> {
  assert(start < end, "what is compressed has bytes");
  const compressor = new Compressor();
  const part = new Uint8Array(packedMax(STEP_BYTES));
  compressor.begin(bytes, new DataView(bytes.buffer, bytes.byteOffset), start, end);
  for (let at = start; at < end; at += STEP_BYTES) {
    const size = compressor.part(at, Math.min(at + STEP_BYTES, end), part, part.length);
    assert(size > 0, "a part has room for its literals");
    yield part.subarray(0, size);
  }
}

function* writePacked(sink: ByteSink, bytes: Uint8Array, start: number, end: number): Rest {
  let total = 0;
  for (const part of packedParts(bytes, start, end)) {
    total += part.length;
    assert(total < end - start, "what is compressed twice is shorter");
    sink.write(part, 0, part.length);
    yield;
  }
}

/** Writes parts that were kept, and lets go of each. */
function* writeParts(sink: ByteSink, parts: Uint8Array[]): Rest {
  for (const part of parts) {
    assert(part.length > 0, "a part is written once");
    sink.write(part, 0, part.length);
    detach(part);
    yield;
  }
}

function drop(parts: Uint8Array[]): void {
  for (const part of parts) detach(part);
  parts.length = 0;
}

/** Writes `bytes[start, end)` to `sink` in steps. */
export function* writeInSteps(
  sink: ByteSink,
  bytes: Uint8Array,
  start: number,
  end: number,
): Rest {
  assert(start <= end, "a string does not end before it begins");
  assert(end <= bytes.length, "a string ends in its bytes");
  sink.expect(end - start);
  for (let at = start; at < end; at += STEP_BYTES) {
    sink.write(bytes, at, Math.min(at + STEP_BYTES, end));
    yield;
  }
}

/** A key whose value is a long string, as they were when it was held. */
export class HeldString {
  readonly key: Uint8Array;
  readonly keyView: DataView;
  readonly deadline: Int64 | null;
  readonly access: number;
  readonly length: number;
  readonly #buffer: BulkBuffer;

  /** Holds the value of `ref`, which is open. */
  constructor(contents: DatabaseContents, ref: Ref) {
    const { entries } = contents;
    const { keyBytes, keyStart, keyEnd } = entries;
    const large = largeString(entries);
    this.key = keyBytes.slice(keyStart, keyEnd);
    this.keyView = new DataView(this.key.buffer);
    const deadline = new Int64();
    this.deadline = readDeadline(contents, ref, deadline) ? deadline : null;
    this.access = entries.access(ref);
    this.length = large.length;
    this.#buffer = large.hold();
    assert(this.length <= this.bytes.length, "a string lies in its buffer");
  }

  get bytes(): Uint8Array {
    assert(this.#buffer.isHeld, "what is read is held");
    return this.#buffer.bytes;
  }

  letGo(): void {
    this.#buffer.letGo();
  }
}

/** See EntryWriter.hold; `write` writes what was held. */
export function hold(
  contents: DatabaseContents,
  ref: Ref,
  write: (held: HeldString) => Rest,
): Rest | null {
  const { entries } = contents;
  assert(ref !== 0, "an entry has a place");
  entries.open(ref);
  if (entries.type !== Type.string || entries.encoding !== Encoding.object) return null;
  const rest = lettingGo(new HeldString(contents, ref), write);
  // It has begun now, so that `return` lets go of the string.
  const { done } = rest.next();
  assert(done === false, "nothing is written yet");
  return rest;
}

function* lettingGo(held: HeldString, write: (held: HeldString) => Rest): Rest {
  try {
    yield;
    yield* write(held);
  } finally {
    held.letGo();
  }
}
