/**
 * The texts of scripts, by their SHA-1, which is how EVALSHA names them, and by their bytes, so that EVAL of the same text
 * again and again computes no sum.
 */
import { splitWords } from "../config/words.ts";
import { SCRIPT_FLAG_NAMES, ScriptFlag } from "../engine/script_flags.ts";
import { hexText } from "../lib/hexadecimal.ts";
import { sameBytes } from "../lib/slice.ts";
import { sha1, SHA1_BYTES } from "../lib/sha1.ts";
import { type Args, binaryText } from "../protocol/args.ts";
import { type ErrorReply, errorReply, Errors } from "../protocol/errors.ts";

const LINE_FEED = 0x0a;
export const SHA_DIGITS = 2 * SHA1_BYTES;
/** Digits by which a sum is found; then all are compared. */
const PREFIX_DIGITS = 8;
/** Of a text with more bytes only the first and the last so many are looked at to find it; then all are compared. */
const HASHED_BYTES = 32;
/** What a script costs beside its text and its code in Lua; measured. */
const SCRIPT_BYTES = 1500;

export class Script {
  /** Its place in the registry of the state in which it was compiled. */
  place = 0;
  /** See straight_code.ts. */
  isStraight = false;
  readonly view: DataView;

  constructor(
    readonly sha: string,
    readonly text: Uint8Array<ArrayBuffer>,
    readonly flags: number,
    /** Where its code begins: a declaration before it is a comment. */
    readonly codeStart: number,
  ) {
    this.view = new DataView(text.buffer);
  }

  get name(): string {
    return this.sha;
  }

  get bytes(): number {
    return this.text.length + SCRIPT_BYTES;
  }
}

export class ScriptCache {
  /** By the first eight digits of the sum, as a number. */
  readonly #bySha = new Map<number, Script[]>();
  #size = 0;
  /** By `hashOf` the text. */
  readonly #byText = new Map<number, Script[]>();
  /** Memory of all scripts. */
  bytes = 0;

  get size(): number {
    return this.#size;
  }

  *values(): Iterable<Script> {
    for (const scripts of this.#bySha.values()) yield* scripts;
  }

  /** By the text `bytes[start, end)`. */
  byText(bytes: Uint8Array, view: DataView, start: number, end: number): Script | null {
    const scripts = this.#byText.get(hashOf(bytes, start, end));
    if (scripts === undefined) return null;
    const size = end - start;
    for (let i = 0; i < scripts.length; i++) {
      const { text, view: own } = scripts[i];
      if (text.length === size && sameBytes(own, 0, view, start, size)) return scripts[i];
    }
    return null;
  }

  /** By the sum in argument `index`: forty hexadecimal digits, lower-case or not. */
  bySha(args: Args, index: number): Script | null {
    const bytes = args.bytesOf(index);
    const start = args.start(index);
    const scripts = this.#bySha.get(prefixOf(bytes, start));
    if (scripts === undefined) return null;
    for (let i = 0; i < scripts.length; i++) {
      if (isSha(scripts[i].sha, bytes, start)) return scripts[i];
    }
    return null;
  }

  add(script: Script): void {
    const { sha, text } = script;
    addTo(this.#bySha, Number.parseInt(sha.slice(0, PREFIX_DIGITS), 16) | 0, script);
    addTo(this.#byText, hashOf(text, 0, text.length), script);
    this.bytes += script.bytes;
    this.#size++;
  }

  clear(): void {
    this.#bySha.clear();
    this.#byText.clear();
    this.bytes = this.#size = 0;
  }
}

function addTo(map: Map<number, Script[]>, key: number, script: Script): void {
  const others = map.get(key);
  if (others === undefined) map.set(key, [script]);
  else others.push(script);
}

/** A digit in lower case; other bytes become something else. */
function digitOf(byte: number): number {
  return byte | 0x20;
}

/** The first digits of a sum as a number. Bytes that are no digits give any number. */
function prefixOf(bytes: Uint8Array, start: number): number {
  let prefix = 0;
  for (let i = start; i < start + PREFIX_DIGITS; i++) {
    const digit = digitOf(bytes[i]);
    prefix = (prefix << 4) | (digit >= 0x61 ? digit - 0x57 : digit - 0x30);
  }
  return prefix;
}

/** Whether the forty bytes at `start` are this sum. */
function isSha(sha: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < SHA_DIGITS; i++) {
    const byte = bytes[start + i];
    // Of digits 0 to 9 the other case would be a control character.
    if (sha.charCodeAt(i) !== (byte < 0x40 ? byte : digitOf(byte))) return false;
  }
  return true;
}

/** The script that is `text`; an error if its first line declares what there isn't. */
export function scriptOf(text: Uint8Array<ArrayBuffer>): Script | ErrorReply {
  const declared = declarationOf(text);
  if (declared instanceof Uint8Array) return declared;
  return new Script(sha1Hex(text, 0, text.length), text, declared.flags, declared.codeStart);
}

/** The SHA-1 of `bytes[start, end)`, in hexadecimal digits. */
export function sha1Hex(bytes: Uint8Array, start: number, end: number): string {
  const sum = new Uint8Array(SHA1_BYTES);
  sha1(bytes, start, end, sum);
  return hexText(sum);
}

/** Reads a first line such as "#!lua flags=no-writes,allow-oom". */
export function declarationOf(text: Uint8Array): { flags: number; codeStart: number } | ErrorReply {
  if (text[0] !== 0x23 || text[1] !== 0x21) return { flags: ScriptFlag.undeclared, codeStart: 0 };
  const end = text.indexOf(LINE_FEED);
  if (end < 0) return Errors.shebang;
  const words = splitWords(binaryText(text, 0, end));
  if (words === null || words.length === 0) return Errors.shebangEngine;
  const [engine, ...options] = words;
  if (engine !== "#!lua") {
    return errorReply(`ERR Unexpected engine in script shebang: ${engine}`);
  }
  let flags = 0;
  for (const option of options) {
    if (!option.startsWith("flags=")) {
      return errorReply(`ERR Unknown lua shebang option: ${option}`);
    }
    const names = option.slice("flags=".length);
    for (const name of names === "" ? [] : names.split(",")) {
      const flag = SCRIPT_FLAG_NAMES.get(name);
      if (flag === undefined) return errorReply(`ERR Unexpected flag in script shebang: ${name}`);
      flags |= flag;
    }
  }
  // The line feed stays, so that errors name the right lines.
  return { flags, codeStart: end };
}

/** A number below 2^31 from a text's length, beginning and end. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  const first = Math.min(end, start + HASHED_BYTES);
  for (let i = start; i < first; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0;
  for (let i = Math.max(first, end - HASHED_BYTES); i < end; i++) {
    hash = (Math.imul(hash, 31) + bytes[i]) | 0;
  }
  return hash & 0x3fffffff;
}
