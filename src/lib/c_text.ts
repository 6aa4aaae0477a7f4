/** Texts as C has them. */

/** The text up to its first zero byte, which ends a text in C: more Redis does not show, or compare. */
export function cText(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
