/** Reads RESP replies in tests: plain values, with errors as `ReplyError`. */

import { binaryBytes, binaryText } from "../../src/protocol/args.ts";

/** An error reply, as a value. */
export class ReplyError {
  constructor(readonly message: string) {}
}

export type Reply =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | ReplyError
  | Reply[]
  | Map<Reply, Reply>;

/** The reply that begins at `at`, and where it ends. Bulk strings become text (Latin-1). */
export function readReply(bytes: Uint8Array, at: number): { reply: Reply; end: number } {
  const lineEnd = bytes.indexOf(13, at);
  if (lineEnd < 0) throw new RangeError("The reply is not whole");
  const line = binaryText(bytes, at + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(bytes[at])) {
    case "+":
      return { reply: line, end: next };
    case "-":
      return { reply: new ReplyError(line), end: next };
    case ":":
      return { reply: safeNumber(line), end: next };
    case ",":
      return { reply: Number(line.replace("inf", "Infinity")), end: next };
    case "#":
      return { reply: line === "t", end: next };
    case "_":
      return { reply: null, end: next };
    case "(":
      return { reply: BigInt(line), end: next };
    case "$":
    case "=": {
      const size = Number(line);
      if (size < 0) return { reply: null, end: next };
      const text = binaryText(bytes, next, next + size);
      return { reply: bytes[at] === 0x3d ? text.slice(4) : text, end: next + size + 2 };
    }
    case "*":
    case "~":
    case ">":
      return readArray(bytes, Number(line), next);
    case "%": {
      const { reply, end } = readArray(bytes, 2 * Number(line), next);
      const flat = reply as Reply[];
      const map = new Map<Reply, Reply>();
      for (let i = 0; i < flat.length; i += 2) map.set(flat[i], flat[i + 1]);
      return { reply: map, end };
    }
    default:
      throw new Error(`Not a reply: ${JSON.stringify(line)}`);
  }
}

function readArray(bytes: Uint8Array, count: number, at: number): { reply: Reply; end: number } {
  if (count < 0) return { reply: null, end: at };
  const replies: Reply[] = [];
  for (let i = 0; i < count; i++) {
    const { reply, end } = readReply(bytes, at);
    replies.push(reply);
    at = end;
  }
  return { reply: replies, end: at };
}

function safeNumber(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** The reply that these characters, one for each byte, are. */
export function replyOf(text: string): Reply {
  return readReply(binaryBytes(text), 0).reply;
}

/** A reply as text, in which any array may be a set: its elements are sorted, as are the pairs of a map. */
export function sortedText(reply: Reply): string {
  if (reply instanceof ReplyError) return `-${reply.message}`;
  if (reply instanceof Map) {
    const pairs = [...reply].map((pair) => pair.map(sortedText).join(": "));
    return `{${pairs.sort().join()}}`;
  }
  if (Array.isArray(reply)) return `[${reply.map(sortedText).sort().join()}]`;
  return typeof reply === "string" ? JSON.stringify(reply) : String(reply);
}
