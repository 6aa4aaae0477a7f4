/** The dialects plain and cdis: a request is a line of words, and so is a reply. */
import { Args, binaryBytes } from "../args.ts";
import { splitInline } from "../inline.ts";
import { isTrue, type Reply, type Scalar, type ScalarKind, textOf, walk } from "../reply.ts";
import type { ByteQueue } from "../byte_queue.ts";
import {
  addRequest,
  ARGUMENTS_MAX,
  type Dialect,
  isWord,
  type RequestTranslator,
} from "./dialect.ts";

const LF = 0x0a;
const MAX_MESSAGE = 64 * 1024;
const NOTHING = new Uint8Array(0);
const NIL = binaryBytes("(nil)");
const EMPTY = binaryBytes("(empty array)");
const ONE = binaryBytes("1");
const ZERO = binaryBytes("0");

/** As a person would write them: `alice`, `1`, `(nil)`, `ERR unknown command …`. */
export const plain: Dialect = {
  name: "plain",
  maxMessage: MAX_MESSAGE,
  requests: (input, maxMessage) => new Lines(input, maxMessage, "ERR "),
  writeReply: writePlain,
};

/** Each line begins with a character that says what it is. */
export const cdis: Dialect = {
  name: "cdis",
  maxMessage: MAX_MESSAGE,
  requests: (input, maxMessage) => new Lines(input, maxMessage, "-ERR "),
  writeReply: writeCdis,
};

class Lines implements RequestTranslator {
  readonly #input: ByteQueue;
  readonly #maxMessage: number;
  /** What error lines begin with. */
  readonly #errorStart: string;
  readonly #args = new Args();
  /** So many bytes have been looked through: no line ends in them. */
  #seen = 0;

  constructor(input: ByteQueue, maxMessage: number, errorStart: string) {
    this.#input = input;
    this.#maxMessage = maxMessage;
    this.#errorStart = errorStart;
  }

  read(requests: ByteQueue): Uint8Array | null {
    const input = this.#input;
    for (;;) {
      const end = input.indexOf(LF, this.#seen);
      if ((end < 0 ? input.length : end) > this.#maxMessage) {
        return this.#failure("too long a line");
      }
      if (end < 0) {
        this.#seen = input.length;
        return null;
      }
      const lastWords = this.#line(input.view(0, end), requests);
      input.skip(end + 1);
      this.#seen = 0;
      if (lastWords !== null) return lastWords;
    }
  }

  #line(line: Uint8Array, requests: ByteQueue): Uint8Array | null {
    const args = this.#args;
    if (!splitInline(line, 0, line.length, args)) return this.#failure("unbalanced quotes");
    if (args.count === 0) return null;
    if (args.count > ARGUMENTS_MAX) return this.#failure("too many words");
    const words = Array.from({ length: args.count }, (_, i) => args.copyOf(i));
    if (isWord(words[0], "exit")) return NOTHING;
    addRequest(requests, words);
    return null;
  }

  #failure(text: string): Uint8Array {
    return binaryBytes(`${this.#errorStart}${text}\n`);
  }
}

/** Each value on a line of its own, those of arrays as well. */
function writePlain(reply: Reply, output: ByteQueue): void {
  walk(reply, {
    scalar: (value) => writeLine(output, "", value.kind === "nil" ? NIL : shownOf(value)),
    open(group) {
      if (group.items.length === 0) writeLine(output, "", EMPTY);
    },
    close() {},
  });
}

/** What is wrong with a request that the older server knew. */
const WRONG_ARGUMENTS: Readonly<Record<string, string>> = {
  "ERR wrong number of arguments for 'set' command": "ERR SET requires key and value",
  "ERR wrong number of arguments for 'get' command": "ERR GET requires key",
  "ERR wrong number of arguments for 'del' command": "ERR DEL requires key",
};

const SIGNS: Readonly<Partial<Record<ScalarKind, string>>> = {
  status: "+",
  error: "-",
  integer: ":",
  boolean: ":",
};

function writeCdis(reply: Reply, output: ByteQueue): void {
  walk(reply, {
    scalar(value, place) {
      // Items of arrays have a nil of their own: a client counts them.
      if (value.kind === "nil") output.addText(place === null ? "-ERR key not found\n" : "_\n");
      else if (value.kind === "error") output.addText(`-${cdisError(textOf(value))}\n`);
      else writeLine(output, SIGNS[value.kind] ?? "$", shownOf(value));
    },
    open: (group) => output.addText(`*${group.items.length}\n`),
    close() {},
  });
}

function cdisError(text: string): string {
  if (text.startsWith("ERR unknown command")) return "ERR unknown command";
  return Object.hasOwn(WRONG_ARGUMENTS, text) ? WRONG_ARGUMENTS[text] : text;
}

/** The bytes that show a scalar. */
function shownOf(scalar: Scalar): Uint8Array {
  if (scalar.kind !== "boolean") return scalar.bytes;
  return isTrue(scalar) ? ONE : ZERO;
}

function writeLine(output: ByteQueue, sign: string, bytes: Uint8Array): void {
  output.addText(sign);
  output.add(bytes);
  output.addByte(LF);
}
