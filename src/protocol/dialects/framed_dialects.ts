/**
 * The dialects book, nano and framed-text: a message is its length, a u32 in little-endian order, and so many bytes. A reply's values
 * begin with a byte that says what they are.
 */
import { doubleOf, isTrue, type Reply, type Scalar, textOf, walk } from "../reply.ts";
import { ByteQueue } from "../byte_queue.ts";
import { addRequest, ARGUMENTS_MAX, type Dialect, type RequestTranslator } from "./dialect.ts";

const U32_BYTES = 4;
const SPACE = /\s+/;

const NIL = 0;
const ERROR = 1;
const STRING = 2;
const INTEGER = 3;

type Failure = "unknown" | "tooBig" | "badType" | "badArgument";

/** How the three differ. */
interface Form {
  /** What an error's number is; null: errors have none. */
  readonly codes: Readonly<Record<Failure, number>> | null;
  /** Null: doubles are sent as strings. */
  readonly double: number | null;
  readonly array: number;
  readonly tooBig: string;
  /** The words of the message `bytes`, or null if it is malformed. */
  words(bytes: Uint8Array): readonly Uint8Array[] | null;
}

const BOOK: Form = {
  codes: { unknown: 1, tooBig: 2, badType: 3, badArgument: 4 },
  double: 4,
  array: 5,
  tooBig: "message too long",
  words: countedWords,
};

const NANO: Form = {
  ...BOOK,
  codes: { tooBig: 0, unknown: 1, badType: 3, badArgument: 4 },
  double: null,
  array: 4,
};

const FRAMED_TEXT: Form = {
  ...BOOK,
  codes: null,
  tooBig: "Message too long",
  words: spacedWords,
};

export const book = framed("book", 32 * 1024 * 1024, BOOK);
export const nano = framed("nano", 4096, NANO);
export const framedText = framed("framed-text", 4096, FRAMED_TEXT);

function framed(name: string, maxMessage: number, form: Form): Dialect {
  return {
    name,
    maxMessage,
    requests: (input, most) => new Frames(input, most, form),
    writeReply: (reply, output, most) => writeReply(reply, output, most, form),
  };
}

class Frames implements RequestTranslator {
  constructor(
    readonly input: ByteQueue,
    readonly maxMessage: number,
    readonly form: Form,
  ) {}

  read(requests: ByteQueue): Uint8Array | null {
    const { input } = this;
    while (input.length >= U32_BYTES) {
      const size = input.u32(0);
      if (size > this.maxMessage) return errorMessage(this.form, "tooBig", this.form.tooBig);
      if (input.length < U32_BYTES + size) return null;
      const words = this.form.words(input.view(U32_BYTES, U32_BYTES + size));
      if (words === null) return errorMessage(this.form, "badArgument", "malformed message");
      // A message without words names no command, which is answered, too.
      addRequest(requests, words.length === 0 ? [new Uint8Array(0)] : words);
      input.skip(U32_BYTES + size);
    }
    return null;
  }
}

/** `u32 count | (u32 length, bytes) × count`. */
function countedWords(bytes: Uint8Array): readonly Uint8Array[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < U32_BYTES) return null;
  const count = view.getUint32(0, true);
  if (count > ARGUMENTS_MAX) return null;
  const words: Uint8Array[] = [];
  let at = U32_BYTES;
  while (words.length < count && at + U32_BYTES <= bytes.length) {
    const start = at + U32_BYTES;
    at = start + view.getUint32(at, true);
    if (at <= bytes.length) words.push(bytes.subarray(start, at));
  }
  return words.length === count && at === bytes.length ? words : null;
}

/** UTF-8 with white space between the words. */
function spacedWords(bytes: Uint8Array): readonly Uint8Array[] {
  const text = new TextDecoder().decode(bytes).trim();
  if (text === "") return [];
  const encoder = new TextEncoder();
  return text.split(SPACE).map((word) => encoder.encode(word));
}

/** A whole message with an error in it. */
function errorMessage(form: Form, failure: Failure, text: string): Uint8Array {
  const message = new ByteQueue();
  message.addU32(0);
  writeError(message, form, failure, text);
  message.setU32(0, message.length - U32_BYTES);
  return message.view();
}

function writeReply(reply: Reply, output: ByteQueue, maxMessage: number, form: Form): void {
  // Its length comes first, so it is put together before it is sent.
  const message = new ByteQueue();
  walk(reply, {
    scalar: (value) => message.length <= maxMessage && writeScalar(value, message, form),
    open(group) {
      message.addByte(form.array);
      message.addU32(group.items.length);
    },
    close() {},
  });
  if (message.length > maxMessage) {
    return output.add(errorMessage(form, "tooBig", "response is too big"));
  }
  output.addU32(message.length);
  output.add(message.view());
}

function writeScalar(value: Scalar, message: ByteQueue, form: Form): void {
  const { kind, bytes } = value;
  if (kind === "nil") return message.addByte(NIL);
  if (kind === "error") return writeError(message, form, failureOf(textOf(value)), textOf(value));
  if (kind === "integer" || kind === "boolean") {
    message.addByte(INTEGER);
    return message.addI64(kind === "integer" ? BigInt(textOf(value)) : isTrue(value) ? 1n : 0n);
  }
  if (kind === "double" && form.double !== null) {
    message.addByte(form.double);
    return message.addF64(doubleOf(value));
  }
  message.addByte(STRING);
  message.addU32(bytes.length);
  message.add(bytes);
}

function writeError(message: ByteQueue, { codes }: Form, failure: Failure, text: string): void {
  message.addByte(ERROR);
  if (codes !== null) message.addU32(codes[failure]);
  message.addU32(text.length);
  message.addText(text);
}

function failureOf(text: string): Failure {
  if (text.startsWith("ERR unknown command")) return "unknown";
  return text.startsWith("WRONGTYPE") ? "badType" : "badArgument";
}
