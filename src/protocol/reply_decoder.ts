/**
 * Bytes of the server → replies, RESP2 and RESP3, in pieces of any size. A large string is received into memory of its
 * own, which grows as it arrives, and nested replies are kept in a list: neither size nor depth has a limit.
 */
import { ByteQueue } from "./byte_queue.ts";
import type { GroupKind, Reply, ScalarKind } from "./reply.ts";

const CR = 0x0d;
const LF = 0x0a;
const NO_BYTES = new Uint8Array(0);
/** So much is set aside for a string whose bytes have not arrived: the server may have announced too much. */
const FIRST_PART = 1 << 20;

/** What the server sent is no reply. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

const SCALARS: Readonly<Record<string, ScalarKind>> = {
  "+": "status",
  "-": "error",
  ":": "integer",
  ",": "double",
  "#": "boolean",
  "_": "nil",
  "(": "bignum",
};
const STRINGS: Readonly<Record<string, ScalarKind>> = {
  "$": "string",
  "=": "verbatim",
  "!": "error",
};
const GROUPS: Readonly<Record<string, GroupKind | "attribute">> = {
  "*": "array",
  "%": "map",
  "~": "set",
  ">": "push",
  "|": "attribute",
};

/** A group that is not complete. */
interface Open {
  readonly kind: GroupKind | "attribute";
  readonly items: Reply[];
  readonly count: number;
}

export class ReplyDecoder {
  /** What has arrived and is not decoded. */
  readonly #input = new ByteQueue();
  /** The end of a line was looked for in so many bytes of it. */
  #searched = 0;
  readonly #open: Open[] = [];
  #string: LongString | null = null;

  /** Takes what the socket gave. */
  feed(bytes: Uint8Array): void {
    this.#input.add(this.#string === null ? bytes : this.#string.take(bytes));
  }

  /** The next whole reply; null if more bytes are needed. Throws a ProtocolError. */
  next(): Reply | null {
    for (;;) {
      const reply = this.#value();
      if (reply === null) return null;
      const whole = reply === "opened" ? this.#closed(null) : this.#closed(reply);
      if (whole !== null) return whole;
    }
  }

  /** Whether nothing has arrived of a further reply. */
  get isAtBoundary(): boolean {
    return this.#input.length === 0 && this.#open.length === 0 && this.#string === null;
  }

  /** A scalar, "opened" after the head of a group, or null if more bytes are needed. */
  #value(): Reply | "opened" | null {
    if (this.#string !== null) return this.#stringValue(this.#string);
    const line = this.#line();
    if (line === null) return null;
    if (line.length === 0) throw this.#unknown("\r");
    const sign = String.fromCharCode(line[0]);
    const scalar = SCALARS[sign];
    if (scalar !== undefined) return { kind: scalar, bytes: line.slice(1) };
    const string = STRINGS[sign];
    const group = GROUPS[sign];
    if (string === undefined && group === undefined) throw this.#unknown(sign);
    const count = countOf(line);
    if (count < 0) return { kind: "nil", bytes: NO_BYTES };
    if (string === undefined) {
      const isPaired = group === "map" || group === "attribute";
      this.#open.push({ kind: group, items: [], count: isPaired ? 2 * count : count });
      return "opened";
    }
    this.#string = new LongString(string, count);
    const input = this.#input;
    const rest = this.#string.take(input.view());
    input.skip(input.length - rest.length);
    return this.#stringValue(this.#string);
  }

  #stringValue(string: LongString): Reply | null {
    const bytes = string.whole();
    if (bytes === null) return null;
    this.#string = null;
    // The first four bytes of a verbatim string name its format: "txt:".
    return { kind: string.kind, bytes: string.kind === "verbatim" ? bytes.subarray(4) : bytes };
  }

  /** Adds a value to the group that it belongs to, and closes those that are complete; the whole reply, or null. */
  #closed(value: Reply | null): Reply | null {
    for (let one = value;;) {
      const group = this.#open.at(-1);
      if (group === undefined) return one;
      if (one !== null) group.items.push(one);
      if (group.items.length < group.count) return null;
      this.#open.pop();
      // Attributes say something about the reply that follows, which no command of ours asks for.
      if (group.kind === "attribute") return null;
      one = { kind: group.kind, items: group.items };
    }
  }

  /** The bytes up to the next line end, valid until more are fed; null if it has not arrived. */
  #line(): Uint8Array | null {
    const input = this.#input;
    for (let at = this.#searched;;) {
      const found = input.indexOf(LF, at);
      if (found < 0) break;
      if (found > 0 && input.byte(found - 1) === CR) {
        const line = input.view(0, found - 1);
        input.skip(found + 1);
        this.#searched = 0;
        return line;
      }
      at = found + 1;
    }
    this.#searched = input.length;
    return null;
  }

  #unknown(sign: string): ProtocolError {
    const shown = /[ -~]/.test(sign)
      ? sign
      : `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`;
    return new ProtocolError(`Protocol error, got "${shown}" as reply type byte`);
  }
}

/** A string whose size was announced, and the line end behind it. */
class LongString {
  #bytes: Uint8Array;
  #filled = 0;

  constructor(readonly kind: ScalarKind, readonly size: number) {
    this.#bytes = new Uint8Array(Math.min(size + 2, FIRST_PART));
  }

  /** Takes what belongs to it; returns the rest. */
  take(bytes: Uint8Array): Uint8Array {
    const count = Math.min(bytes.length, this.size + 2 - this.#filled);
    if (this.#filled + count > this.#bytes.length) {
      const larger = new Uint8Array(
        Math.min(this.size + 2, Math.max(2 * this.#bytes.length, this.#filled + count)),
      );
      larger.set(this.#bytes.subarray(0, this.#filled));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes.subarray(0, count), this.#filled);
    this.#filled += count;
    return bytes.subarray(count);
  }

  /** Null until all has arrived. */
  whole(): Uint8Array | null {
    if (this.#filled < this.size + 2) return null;
    if (this.#bytes[this.size] !== CR || this.#bytes[this.size + 1] !== LF) {
      throw new ProtocolError("Protocol error, a string is longer than announced");
    }
    return this.#bytes.subarray(0, this.size);
  }
}

/** The count that a line such as "*12" announces; negative for nil. */
function countOf(line: Uint8Array): number {
  const text = String.fromCharCode(...line.subarray(1, 24));
  const count = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(count) || count < -1) {
    throw new ProtocolError("Protocol error, bad length of a reply");
  }
  return count;
}
