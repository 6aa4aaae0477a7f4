/**
 * Words of redis.conf and of the command line: splitting, quoting, and sizes such as "100mb".
 *
 * All texts are binary: one character a byte (Latin-1). `binaryOf` makes one of what JavaScript knows
 * as text, `unicodeOf` goes back, for paths that are handed to the system.
 */

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\x07",
};

/** The characters that end a word outside quotes. A form feed is not among them, as in Redis. */
const BLANK = /[ \n\r\t\0]/;
const SPACE = /[ \n\r\t\v\f]/;

/**
 * Splits a line into words: "…" knows \n \r \t \b \a \xHH and \ before any character, '…' knows \'.
 * Null when quotes are left open or are followed by something else than a blank.
 */
export function splitWords(line: string): string[] | null {
  const found: string[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && SPACE.test(line[at])) at++;
    // Redis's lines are C strings: they end at a zero byte.
    if (at >= line.length || line[at] === "\0") return found;
    const word = wordAt(line, at);
    if (word === null) return null;
    found.push(word.text);
    at = word.end;
  }
}

/** The word that begins at `start`, and where it ends. */
function wordAt(line: string, start: number): { text: string; end: number } | null {
  let text = "";
  for (let at = start; at < line.length; at++) {
    const char = line[at];
    if (BLANK.test(char)) return { text, end: at };
    if (char === '"' || char === "'") {
      const quoted = char === '"' ? doubleQuoted(line, at + 1) : singleQuoted(line, at + 1);
      if (quoted === null) return null;
      const { end } = quoted;
      return end < line.length && !SPACE.test(line[end]) ? null : { text: text + quoted.text, end };
    }
    text += char;
  }
  return { text, end: line.length };
}

/** The text up to the closing quote, and the position after that; null without one. */
function doubleQuoted(line: string, start: number): { text: string; end: number } | null {
  let text = "";
  for (let at = start; at < line.length; at++) {
    const char = line[at];
    if (char === '"') return { text, end: at + 1 };
    if (char !== "\\" || at + 1 === line.length) {
      text += char;
      continue;
    }
    const hex = /^x[0-9a-fA-F]{2}/.exec(line.slice(at + 1, at + 4));
    text += hex === null
      ? ESCAPES[line[at + 1]] ?? line[at + 1]
      : String.fromCharCode(parseInt(hex[0].slice(1), 16));
    at += hex === null ? 1 : 3;
  }
  return null;
}

function singleQuoted(line: string, start: number): { text: string; end: number } | null {
  let text = "";
  for (let at = start; at < line.length; at++) {
    if (line[at] === "'") return { text, end: at + 1 };
    if (line.startsWith("\\'", at)) at++;
    text += line[at];
  }
  return null;
}

/** Puts a word into quotes so that `splitWords` gives it back; the result is printable ASCII. */
export function quoteWord(word: string): string {
  const inner = word.replaceAll(/["\\]|[^ -~]/g, (char) => {
    if (char === '"' || char === "\\") return `\\${char}`;
    const name = Object.keys(ESCAPES).find((key) => ESCAPES[key] === char);
    return `\\${name ?? `x${char.charCodeAt(0).toString(16).padStart(2, "0")}`}`;
  });
  return `"${inner}"`;
}

const UNITS: Readonly<Record<string, bigint>> = {
  "": 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000n ** 2n,
  mb: 1024n ** 2n,
  g: 1000n ** 3n,
  gb: 1024n ** 3n,
};

const U64_MAX = 2n ** 64n - 1n;

/** Bytes as "100", "1kb", "1GB"; null if it is no such text. Overflows wrap as in Redis. */
export function parseMemory(word: string): bigint | null {
  const match = /^(\d{0,127})([a-z]*)$/i.exec(word);
  if (match === null) return null;
  const unit = match[2].toLowerCase();
  if (!Object.hasOwn(UNITS, unit)) return null;
  const digits = BigInt(match[1]);
  return BigInt.asUintN(64, (digits > U64_MAX ? U64_MAX : digits) * UNITS[unit]);
}

/** The shortest exact size: 104857600 is "100mb". */
export function formatMemory(bytes: number): string {
  for (const unit of ["gb", "mb", "kb"]) {
    const size = Number(UNITS[unit]);
    if (bytes !== 0 && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

/** The UTF-8 bytes of a text, one character a byte. */
export function binaryOf(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return binary;
}

/** The text whose UTF-8 bytes are given, one character a byte. */
export function unicodeOf(binary: string): string {
  return new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
}
