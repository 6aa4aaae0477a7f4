/** Bytes of a terminal in raw mode → keys: text, Ctrl and Alt with letters, arrows and their like, pasted text. */
import { joined } from "../../../lib/joined.ts";

export type Key =
  | { readonly kind: "text" | "paste"; readonly text: string }
  /** "enter", "left", "ctrl-a", "alt-b": as people write them. */
  | { readonly kind: "key"; readonly name: string };

const ESC = 0x1b;
const PASTE_BEGIN = "\x1b[200~";
const PASTE_END = "\x1b[201~";

const CONTROLS: Readonly<Record<number, string>> = {
  0x08: "backspace",
  0x09: "tab",
  0x0a: "enter",
  0x0d: "enter",
  0x7f: "backspace",
};

/** What follows ESC, for keys that send more than one byte. */
const SEQUENCES: Readonly<Record<string, string>> = {
  "[A": "up",
  "[B": "down",
  "[C": "right",
  "[D": "left",
  "[H": "home",
  "[F": "end",
  "OA": "up",
  "OB": "down",
  "OC": "right",
  "OD": "left",
  "OH": "home",
  "OF": "end",
  "[1~": "home",
  "[7~": "home",
  "[4~": "end",
  "[8~": "end",
  "[3~": "delete",
  "[5~": "up",
  "[6~": "down",
  "[Z": "shift-tab",
  "[1;5C": "alt-f",
  "[1;5D": "alt-b",
  "[1;3C": "alt-f",
  "[1;3D": "alt-b",
};
/** A whole sequence of a terminal, known or not. */
// deno-lint-ignore no-control-regex -- a sequence begins with ESC
const SEQUENCE_REGEXP = /^\x1b(\[[0-9;?]*[ -/]*[@-~]|O[A-Za-z])/;

export class KeyDecoder {
  #bytes: Uint8Array = new Uint8Array(0);
  readonly #decoder = new TextDecoder();

  /** The keys in what was read. Bytes of a character or a sequence that is not complete wait for more. */
  feed(bytes: Uint8Array): Key[] {
    const all = joined([this.#bytes, bytes]);
    const keys: Key[] = [];
    let at = 0;
    while (at < all.length) {
      const end = this.#one(all.subarray(at), keys);
      if (end === 0) break;
      at += end;
    }
    this.#bytes = all.slice(at);
    return keys;
  }

  /** Adds the first key in `bytes`; returns how many bytes it took, 0 if it is not complete. */
  #one(bytes: Uint8Array, keys: Key[]): number {
    const [first] = bytes;
    if (first === ESC) return this.#escape(bytes, keys);
    if (first < 0x20 || first === 0x7f) {
      const name = CONTROLS[first] ?? `ctrl-${String.fromCharCode(first + 0x60)}`;
      keys.push({ kind: "key", name });
      return 1;
    }
    const end = textEnd(bytes);
    if (end > 0) keys.push({ kind: "text", text: this.#decoder.decode(bytes.subarray(0, end)) });
    return end;
  }

  #escape(bytes: Uint8Array, keys: Key[]): number {
    // A terminal sends a sequence at once: an ESC that comes alone is the key.
    if (bytes.length === 1) {
      keys.push({ kind: "key", name: "escape" });
      return 1;
    }
    const text = String.fromCharCode(...bytes.subarray(0, 32));
    if (text.startsWith(PASTE_BEGIN)) return this.#paste(bytes, keys);
    const sequence = SEQUENCE_REGEXP.exec(text);
    if (sequence !== null) {
      const name = SEQUENCES[sequence[1]];
      if (name !== undefined) keys.push({ kind: "key", name });
      return sequence[0].length;
    }
    if (text[1] === "[" || text[1] === "O") return text.length < 32 ? 0 : 2;
    const letter = bytes[1] === 0x7f ? "backspace" : text[1].toLowerCase();
    keys.push({ kind: "key", name: `alt-${letter}` });
    return 2;
  }

  #paste(bytes: Uint8Array, keys: Key[]): number {
    const end = indexOf(bytes, PASTE_END);
    if (end < 0) return 0;
    const text = this.#decoder.decode(bytes.subarray(PASTE_BEGIN.length, end));
    keys.push({ kind: "paste", text: text.replaceAll(/\r\n?/g, "\n") });
    return end + PASTE_END.length;
  }
}

/** Where the text at the beginning ends: before a control character, or a character that is not complete. */
function textEnd(bytes: Uint8Array): number {
  let end = 0;
  while (end < bytes.length && bytes[end] >= 0x20 && bytes[end] !== 0x7f) {
    const size = sizeOf(bytes[end]);
    if (end + size > bytes.length) break;
    end += size;
  }
  return end;
}

/** How many bytes a character of UTF-8 has, by its first. */
function sizeOf(byte: number): number {
  if (byte >= 0xf0) return 4;
  if (byte >= 0xe0) return 3;
  return byte >= 0xc0 ? 2 : 1;
}

function indexOf(bytes: Uint8Array, text: string): number {
  for (let at = bytes.indexOf(ESC); at >= 0; at = bytes.indexOf(ESC, at + 1)) {
    if (String.fromCharCode(...bytes.subarray(at, at + text.length)) === text) return at;
  }
  return -1;
}
