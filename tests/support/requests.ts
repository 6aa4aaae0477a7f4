/** Requests, as they go over the wire. */

/** The request of words whose characters stand for one byte each. */
export function requestOf(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}
