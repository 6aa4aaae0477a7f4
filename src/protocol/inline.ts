/**
 * Inline commands: words separated by white space, with the quoting of redis-cli.
 *
 * "double quotes" take the escapes \n \r \t \b \a \xHH and \<any>; 'single quotes' take \' alone.
 * A closing quote must be followed by white space or the end of the line.
 */
import { isSpace } from "../lib/decimal.ts";
import type { Args } from "./args.ts";

const DOUBLE = 0x22;
const SINGLE = 0x27;
const BACKSLASH = 0x5c;

/** Splits `bytes[start, end)` into `args`; false when the quotes are unbalanced. */
export function splitInline(bytes: Uint8Array, start: number, end: number, args: Args): boolean {
  const words = new Words(bytes, start, end);
  args.clear();
  const out = words.out;
  for (;;) {
    words.skipSpace();
    if (words.at === end) break;
    const from = words.filled;
    if (!words.word()) return false;
    args.push(from, words.filled);
  }
  args.use(out, new DataView(out.buffer));
  return true;
}

/** A cursor over the line; unescaped bytes go to `out`, which is never longer than the line. */
class Words {
  readonly out: Uint8Array;
  filled = 0;
  at: number;

  constructor(readonly bytes: Uint8Array, start: number, readonly end: number) {
    this.out = new Uint8Array(end - start);
    this.at = start;
  }

  skipSpace(): void {
    while (this.at < this.end && isGap(this.bytes[this.at])) this.at++;
  }

  /** Copies one word; a quote may open in the middle of it, as in a"b c". */
  word(): boolean {
    while (this.at < this.end && !isGap(this.bytes[this.at])) {
      const byte = this.bytes[this.at++];
      if (byte === DOUBLE || byte === SINGLE) {
        if (!this.#quoted(byte)) return false;
        return this.at === this.end || isGap(this.bytes[this.at]);
      }
      this.out[this.filled++] = byte;
    }
    return true;
  }

  #quoted(quote: number): boolean {
    while (this.at < this.end) {
      const byte = this.bytes[this.at++];
      if (byte === quote) return true;
      if (byte === BACKSLASH && this.at < this.end) this.#escape(quote);
      else this.out[this.filled++] = byte;
    }
    return false;
  }

  #escape(quote: number): void {
    const byte = this.bytes[this.at];
    if (quote === SINGLE) {
      if (byte === SINGLE) this.at++;
      this.out[this.filled++] = byte === SINGLE ? SINGLE : BACKSLASH;
      return;
    }
    const hex = byte === 0x78 ? hexByte(this.bytes, this.at + 1, this.end) : -1;
    if (hex >= 0) {
      this.out[this.filled++] = hex;
      this.at += 3;
      return;
    }
    this.out[this.filled++] = ESCAPES.get(byte) ?? byte;
    this.at++;
  }
}

const ESCAPES = new Map([[0x6e, 0x0a], [0x72, 0x0d], [0x74, 0x09], [0x62, 0x08], [0x61, 0x07]]);

function isGap(byte: number): boolean {
  return isSpace(byte) || byte === 0;
}

/** The value of two hexadecimal digits at `at`, or -1. */
function hexByte(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) return -1;
  const text = String.fromCharCode(bytes[at], bytes[at + 1]);
  return /^[0-9a-fA-F]{2}$/.test(text) ? parseInt(text, 16) : -1;
}
