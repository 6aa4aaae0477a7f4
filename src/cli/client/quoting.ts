/** How bytes are shown: in quotes with escapes, and as JSON. A table says what stands for each byte. */
import { quoteWord } from "../../config/words.ts";
import type { Output } from "./output.ts";

/** What is written for each of the 256 bytes; one character a byte. */
export type Escapes = readonly string[];

const NAMED_IN_JSON: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
};

/** All printable ASCII: what `quoteWord` writes, without its quotes. */
export const QUOTED: Escapes = tableOf((char) => quoteWord(char).slice(1, -1));

/** A JSON string; bytes beyond ASCII stay as they are, which is right for UTF-8. */
export const JSON_QUOTED: Escapes = tableOf((char) => {
  const code = char.charCodeAt(0).toString(16).padStart(4, "0");
  return NAMED_IN_JSON[char] ?? (char < " " ? `\\u${code}` : char);
});

/** A JSON string that holds what QUOTED shows, so that it is ASCII whatever the bytes are. */
export const ASCII_JSON_QUOTED: Escapes = QUOTED.map((shown) => {
  return Array.from(shown, (char) => JSON_QUOTED[char.charCodeAt(0)]).join("");
});

/** In double quotes. Long strings are written as they are gone through: the whole text would take four times their size. */
export function writeQuoted(output: Output, bytes: Uint8Array, escapes: Escapes): void {
  output.text('"');
  for (let at = 0; at < bytes.length; at++) output.text(escapes[bytes[at]]);
  output.text('"');
}

function tableOf(show: (char: string) => string): Escapes {
  return Array.from({ length: 256 }, (_, byte) => show(String.fromCharCode(byte)));
}
