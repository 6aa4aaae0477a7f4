/**
 * A value in DUMP's format: its type, its bytes, the version of the format, a checksum. FUNCTION DUMP's payload has libraries of
 * functions in place of the value.
 */
import { assert } from "../lib/assert.ts";
import type { Database } from "../keyspace/database.ts";
import type { Entries } from "../keyspace/entry.ts";
import { Crc64 } from "../lib/crc.ts";
import type { Scratch } from "../lib/scratch.ts";
import type { Args } from "../protocol/args.ts";
import { type ErrorReply, Errors } from "../protocol/errors.ts";
import type { BufferSink } from "./byte_sink.ts";
import { BufferSource, CorruptData } from "./byte_source.ts";
import { Opcode, RDB_VERSION_MAX } from "./rdb_format.ts";
import { RdbReader } from "./rdb_reader.ts";
import { RdbWriter } from "./rdb_writer.ts";
import { ValueWriter } from "./value_writer.ts";
import { finish, type Rest } from "./long_strings.ts";
import { ValueReader } from "./value_reader.ts";

const VERSION_BYTES = 2;
const FOOTER_BYTES = VERSION_BYTES + 8;

// scratch: lives for one call
const crc = new Crc64();

export class PayloadWriter {
  readonly #sink: BufferSink;
  readonly #out: RdbWriter;
  readonly #values: ValueWriter;

  /** `atOnceMaxBytes`: as RdbWriter's. */
  constructor(sink: BufferSink, version: number, compresses: boolean, atOnceMaxBytes?: number) {
    this.#sink = sink;
    this.#out = new RdbWriter(sink, version, compresses, atOnceMaxBytes);
    this.#values = new ValueWriter(this.#out);
  }

  /** Writes the open entry's value. Of a large one it writes the beginning, and returns a generator for the rest. */
  begin(entries: Entries): Rest | null {
    assert(this.#sink.at === 0, "a payload fills its sink from the beginning");
    this.#values.type(entries);
    return this.#values.value(entries);
  }

  /** Ends a payload that fills the sink. */
  end(): void {
    assert(this.#sink.at > 0, "a payload has a value");
    endPayload(this.#sink, this.#out);
  }

  /** Writes the open entry's value whole. */
  write(entries: Entries): void {
    finish(this.begin(entries));
    this.end();
  }
}

function endPayload(sink: BufferSink, out: RdbWriter): void {
  const { version } = out;
  assert(version > 0, "a version is counted from 1");
  assert(version <= RDB_VERSION_MAX, "nothing is written that could not be read");
  const valueBytes = sink.at;
  sink.byte(version & 255);
  sink.byte(version >>> 8);
  crc.reset();
  crc.update(sink.bytes, sink.view, 0, sink.at);
  out.checksum(crc);
  assert(sink.at === valueBytes + FOOTER_BYTES, "a payload ends with version and sum");
}

/** FUNCTION DUMP: fills `sink` with the libraries of which `codes` are the source. */
export function writeLibraries(
  sink: BufferSink,
  codes: Iterable<Uint8Array>,
  version: number,
  compresses: boolean,
): void {
  assert(sink.at === 0, "a payload fills its sink from the beginning");
  const out = new RdbWriter(sink, version, compresses, Infinity);
  for (const code of codes) out.functionLibrary(code);
  const { at } = sink;
  endPayload(sink, out);
  assert(sink.at === at + FOOTER_BYTES, "a payload without libraries is its end alone");
}

/** The sources of the libraries in the payload at argument `index`, which has passed `isPayload`; or an error. */
export function readLibraries(args: Args, index: number): Uint8Array[] | ErrorReply {
  const codes: Uint8Array[] = [];
  const source = new BufferSource();
  const input = new RdbReader(source);
  const end = args.end(index) - FOOTER_BYTES;
  assert(args.start(index) <= end, "a payload has an end");
  source.use(args.bytesOf(index), args.viewOf(index), args.start(index), end);
  try {
    while (source.left > 0) {
      const type = input.byte();
      if (type === Opcode.functionPreview) return Errors.previewLibrary;
      if (type !== Opcode.function2) return Errors.notALibrary;
      codes.push(input.ownBytes());
    }
    assert(source.left === 0, "the payload is read whole");
    return codes;
  } catch (error) {
    if (!(error instanceof CorruptData)) throw error;
    return Errors.damagedLibrary;
  }
}

/** Whether argument `index` has a version that can be read and, unless `skipsChecksum`, the right sum. */
export function isPayload(args: Args, index: number, skipsChecksum: boolean): boolean {
  const bytes = args.bytesOf(index);
  const view = args.viewOf(index);
  const start = args.start(index);
  const end = args.end(index);
  assert(start <= end, "an argument does not end before it begins");
  assert(end <= bytes.length, "an argument lies in its bytes");
  if (end - start < FOOTER_BYTES) return false;
  const footer = end - FOOTER_BYTES;
  if ((bytes[footer] | (bytes[footer + 1] << 8)) > RDB_VERSION_MAX) return false;
  if (skipsChecksum) return true;
  const lo = view.getInt32(footer + VERSION_BYTES, true);
  const hi = view.getInt32(footer + VERSION_BYTES + 4, true);
  crc.reset();
  crc.update(bytes, view, start, footer + VERSION_BYTES);
  return lo === crc.lo && hi === crc.hi;
}

/** Reads payloads, one after the other. */
export class PayloadReader implements Scratch {
  /** Made once, since they are a dozen objects. */
  #parts: ReaderParts | null = null;

  forget(): void {
    this.#parts = null;
  }

  /**
   * Reads the payload at argument `index` of `args` into the key at argument 0 of `key`, which must be missing in `db`.
   * Returns false, and leaves no key, if the payload is not valid.
   */
  read(args: Args, index: number, db: Database, key: Args): boolean {
    const { source, input, values } = this.#parts ??= new ReaderParts();
    assert(key.count === 1, "a payload is read to one key");
    // As in Redis, nobody asks whether the value ends where the footer begins.
    source.use(args.bytesOf(index), args.viewOf(index), args.start(index), args.end(index));
    try {
      const type = input.byte();
      if (db.find(key, 0) !== 0) return false;
      const isThere = values.read(type, db, key, true);
      assert(!isThere || values.ref !== 0, "what is there has an entry");
      if (isThere) return true;
    } catch (error) {
      if (!(error instanceof CorruptData)) throw error;
    }
    db.removeQuietly(key, 0);
    return false;
  }
}

class ReaderParts {
  readonly source = new BufferSource();
  readonly input = new RdbReader(this.source);
  readonly values = new ValueReader(this.input, () => {});
}
