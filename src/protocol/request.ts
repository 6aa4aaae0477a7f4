/** Requests, as they go over the wire. */
import { joined } from "../lib/joined.ts";
import { binaryBytes } from "./args.ts";

/** A word of a request: its bytes, or a text of one character a byte. */
export type Word = string | Uint8Array;

/** The bytes of a request. */
export function requestOf(words: readonly Word[]): Uint8Array {
  const parts: Uint8Array[] = [binaryBytes(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === "string" ? binaryBytes(word) : word;
    parts.push(binaryBytes(`$${bytes.length}\r\n`), bytes, LINE_END);
  }
  return joined(parts);
}

const LINE_END = binaryBytes("\r\n");
