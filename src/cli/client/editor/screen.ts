/**
 * Draws the line that is being edited, over as many rows as it takes, and draws it again over itself after each key.
 * Rows are ended here and not by the terminal, since terminals differ in what they do behind their last column.
 */
import { graphemes, graphemeWidth } from "./display_width.ts";

/** A text in one colour: what SGR is told, "" for none. */
export interface Piece {
  readonly text: string;
  readonly style: string;
}

/** What is to be seen. */
export interface View {
  /** Prompt, line and hint, one after another. */
  readonly pieces: readonly Piece[];
  /** How many characters (of JavaScript's strings) stand before the cursor. */
  readonly cursor: number;
}

/** A line end within the line is shown so. */
const LINE_END_MARK = "⏎";

export class Screen {
  /** The row that the cursor is in, counted from the first row of the line. */
  #cursorRow = 0;

  constructor(readonly write: (text: string) => void, readonly columns: () => number) {}

  draw(view: View): void {
    const { rows, row, column } = layOut(view, Math.max(2, this.columns()));
    const up = rows.length - 1 - row;
    this.write(
      this.#toStart() + rows.join("\r\n") + (up > 0 ? `\x1b[${up}A` : "") + "\r" +
        (column > 0 ? `\x1b[${column}C` : ""),
    );
    this.#cursorRow = row;
  }

  /** Leaves the line as it is and goes below it; `view` is drawn a last time. */
  finish(view: View): void {
    this.draw({ ...view, cursor: Infinity });
    this.write("\r\n");
    this.#cursorRow = 0;
  }

  /** Takes the line away, for what is printed in its place. */
  erase(): void {
    this.write(this.#toStart());
    this.#cursorRow = 0;
  }

  /** A new, empty screen. */
  clear(): void {
    this.write("\x1b[H\x1b[2J");
    this.#cursorRow = 0;
  }

  /** To the first row, which is cleared with all below. */
  #toStart(): string {
    return `${this.#cursorRow > 0 ? `\x1b[${this.#cursorRow}A` : ""}\r\x1b[J`;
  }
}

/** The column behind a text that begins in the first one. */
export function endColumn(pieces: readonly Piece[], columns: number): number {
  return layOut({ pieces, cursor: Infinity }, columns).column;
}

/** Divides what is to be seen into rows, and finds the cursor's place. */
export function layOut(
  { pieces, cursor }: View,
  columns: number,
): { rows: string[]; row: number; column: number } {
  const rows = [""];
  let width = 0;
  let at = 0;
  let place = { row: 0, column: 0 };
  for (const { text, style } of pieces) {
    if (style !== "") rows[rows.length - 1] += `\x1b[${style}m`;
    for (const grapheme of graphemes(text)) {
      const shown = visible(grapheme);
      const own = shown === grapheme ? graphemeWidth(grapheme) : shown.length;
      if (width + own > columns) {
        rows.push("");
        width = 0;
      }
      if (at <= cursor) place = { row: rows.length - 1, column: width };
      rows[rows.length - 1] += shown;
      width += own;
      at += grapheme.length;
    }
    if (style !== "") rows[rows.length - 1] += "\x1b[0m";
  }
  if (at > cursor) return { rows, ...place };
  // Behind a full row, the cursor stands in the next one.
  if (width === columns) {
    rows.push("");
    width = 0;
  }
  return { rows, row: rows.length - 1, column: width };
}

/** A control character as a terminal may show it. */
function visible(grapheme: string): string {
  if (grapheme === "\n") return LINE_END_MARK;
  const code = grapheme.charCodeAt(0);
  return code < 0x20 || code === 0x7f ? `^${String.fromCharCode(code ^ 0x40)}` : grapheme;
}
