/** How many columns of a terminal a character takes. */

const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;
const WIDE =
  /^[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Yi}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]$/u;
/** Halfwidth forms of characters of scripts that are wide. */
const NARROW = /^[\uff61-\uffdc]$/u;

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** What a reader takes for one character: "é" may be two of Unicode's, a family of emoji seven. */
export function graphemes(text: string): string[] {
  return Array.from(SEGMENTER.segment(text), ({ segment }) => segment);
}

/** The columns of one of `graphemes`. */
export function graphemeWidth(grapheme: string): number {
  let width = 0;
  for (const char of grapheme) width = Math.max(width, charWidth(char));
  // U+FE0F asks for the coloured picture of a character, which is wide.
  return width === 1 && grapheme.includes("\ufe0f") ? 2 : width;
}

/** The columns of a text without line ends. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const grapheme of graphemes(text)) width += graphemeWidth(grapheme);
  return width;
}

function charWidth(char: string): number {
  if (char < "\x7f") return 1;
  if (ZERO.test(char)) return 0;
  return WIDE.test(char) && !NARROW.test(char) ? 2 : 1;
}
