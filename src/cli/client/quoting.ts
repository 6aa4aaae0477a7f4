/** How bytes are shown: in quotes with escapes, and as JSON. Texts are binary, one character a byte. */

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\x07": "\\a",
  "\b": "\\b",
};
const JSON_ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
};

/** In double quotes, all printable ASCII. */
export function quoted(binary: string): string {
  return `"${binary.replaceAll(/["\\]|[^ -~]/g, (char) => ESCAPES[char] ?? `\\x${hex(char, 2)}`)}"`;
}

/** A JSON string; bytes beyond ASCII stay as they are, which is right for UTF-8. */
export function jsonText(binary: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what JSON wants escaped
  const escaped = binary.replaceAll(/["\\\x00-\x1f]/g, (char) => {
    return JSON_ESCAPES[char] ?? `\\u${hex(char, 4)}`;
  });
  return `"${escaped}"`;
}

/** A JSON string that holds what `quoted` shows, so that it is ASCII whatever the bytes are. */
export function quotedJsonText(binary: string): string {
  return jsonText(quoted(binary).slice(1, -1));
}

function hex(char: string, digits: number): string {
  return char.charCodeAt(0).toString(16).padStart(digits, "0");
}
