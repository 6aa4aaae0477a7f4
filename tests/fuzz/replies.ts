/** Whether bytes are whole replies: quickly, and without keeping anything of them. */

const LF = 0x0a;
const CR = 0x0d;
const NUMBER_MAX_DIGITS = 10;

/** Whether `bytes` are replies and pushes, one behind the other. */
export function isWhole(bytes: Uint8Array): boolean {
  let at = 0;
  /** Replies that must still come, as elements of arrays; whatever their depth. */
  let pending = 0;
  while (at < bytes.length || pending > 0) {
    const lineEnd = endOfLine(bytes, at);
    if (lineEnd < 0) return false;
    if (pending > 0) pending--;
    const mark = String.fromCharCode(bytes[at]);
    const next = lineEnd + 2;
    switch (mark) {
      case "+":
      case "-":
      case ":":
      case ",":
      case "#":
      case "_":
      case "(":
        at = next;
        break;
      case "$":
      case "=": {
        const size = numberIn(bytes, at + 1, lineEnd);
        if (Number.isNaN(size)) return false;
        at = size < 0 ? next : next + size + 2;
        const isEnded = size < 0 || (bytes[at - 2] === CR && bytes[at - 1] === LF);
        if (!isEnded) return false;
        break;
      }
      case "*":
      case "~":
      case ">":
      case "%":
      case "|": {
        const count = numberIn(bytes, at + 1, lineEnd);
        if (Number.isNaN(count)) return false;
        pending += Math.max(count, 0) * (mark === "%" || mark === "|" ? 2 : 1);
        // What an attribute belongs to follows it.
        if (mark === "|") pending++;
        at = next;
        break;
      }
      default:
        return false;
    }
  }
  return at === bytes.length;
}

/** The CR that ends the line; −1 if there is none, or a CR or LF that does not end it. */
function endOfLine(bytes: Uint8Array, at: number): number {
  for (let i = at; i < bytes.length - 1; i++) {
    if (bytes[i] === LF) return -1;
    if (bytes[i] === CR) return bytes[i + 1] === LF ? i : -1;
  }
  return -1;
}

function numberIn(bytes: Uint8Array, start: number, end: number): number {
  if (end === start + 2 && bytes[start] === 0x2d && bytes[start + 1] === 0x31) return -1;
  if (end === start || end - start > NUMBER_MAX_DIGITS) return NaN;
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i] - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    number = number * 10 + digit;
  }
  return number;
}
