/**
 * The wire protocols of older servers, which clients reach on ports of their own. A dialect translates: its requests are
 * made RESP, and replies become its own. So the server behind knows nothing of it.
 */
import type { ByteQueue } from "../byte_queue.ts";
import type { Reply } from "../reply.ts";
import { requestOf } from "../request.ts";

/** Arguments of one request, at most. */
export const ARGUMENTS_MAX = 200_000;

/** Makes requests RESP. */
export interface RequestTranslator {
  /**
   * Reads what has come, and adds the requests that are whole to `requests`, in RESP. Returns null, or how the connection ends: no more
   * is read then, and when all replies have been sent it is told these last words (none if empty).
   */
  read(requests: ByteQueue): Uint8Array | null;
}

/** One way to talk to the server. */
export interface Dialect {
  readonly name: string;
  /** Bytes of one message, at most, unless the listener says otherwise. */
  readonly maxMessage: number;
  /** The translator of what comes in through `input`. */
  requests(input: ByteQueue, maxMessage: number): RequestTranslator;
  /** Adds `reply` to `output`. */
  writeReply(reply: Reply, output: ByteQueue, maxMessage: number): void;
}

/** Adds a request to `requests`, in RESP. */
export function addRequest(requests: ByteQueue, words: readonly Uint8Array[]): void {
  requests.add(requestOf(isKeysAlone(words) ? [...words, "*"] : words));
}

/** The older servers had no patterns: `keys` lists all. */
function isKeysAlone(words: readonly Uint8Array[]): boolean {
  return words.length === 1 && isWord(words[0], "keys");
}

/** Whether `bytes` are `word`, in whatever case. */
export function isWord(bytes: Uint8Array, word: string): boolean {
  return bytes.length === word.length &&
    bytes.every((byte, i) => (byte | 0x20) === word.charCodeAt(i));
}
