/** The text that is being edited, and the cursor in it. Positions are of JavaScript's strings, at whole characters. */
import { graphemes } from "./display_width.ts";

export class Line {
  text = "";
  cursor = 0;
  /** What was cut last: Ctrl-Y puts it back. */
  #cut = "";

  set(text: string, cursor = text.length): void {
    this.text = text;
    this.cursor = cursor;
  }

  insert(text: string): void {
    this.set(
      this.text.slice(0, this.cursor) + text + this.text.slice(this.cursor),
      this.cursor + text.length,
    );
  }

  left(): void {
    this.cursor = this.#before();
  }

  right(): void {
    this.cursor = this.#after();
  }

  wordLeft(): void {
    this.cursor = this.#wordStart(/[\p{L}\p{N}_]/u);
  }

  wordRight(): void {
    this.cursor = this.#wordEnd();
  }

  home(): void {
    this.cursor = 0;
  }

  end(): void {
    this.cursor = this.text.length;
  }

  eraseLeft(): void {
    this.#remove(this.#before(), this.cursor);
  }

  eraseRight(): void {
    this.#remove(this.cursor, this.#after());
  }

  cutToEnd(): void {
    this.#takeOut(this.cursor, this.text.length);
  }

  cutToStart(): void {
    this.#takeOut(0, this.cursor);
  }

  /** Up to the white space before, as Ctrl-W does. */
  cutWordLeft(): void {
    this.#takeOut(this.#wordStart(/\S/), this.cursor);
  }

  cutWordRight(): void {
    this.#takeOut(this.cursor, this.#wordEnd());
  }

  paste(): void {
    this.insert(this.#cut);
  }

  /** Exchanges the characters at both sides of the cursor; at the end, the last two. */
  transpose(): void {
    if (this.cursor === this.text.length) this.left();
    const start = this.#before();
    const end = this.#after();
    if (start === this.cursor || end === this.cursor) return this.end();
    const { text, cursor } = this;
    const swapped = text.slice(cursor, end) + text.slice(start, cursor);
    this.set(text.slice(0, start) + swapped + text.slice(end), end);
  }

  #before(): number {
    return this.cursor - (graphemes(this.text.slice(0, this.cursor)).at(-1)?.length ?? 0);
  }

  #after(): number {
    return this.cursor + (graphemes(this.text.slice(this.cursor))[0]?.length ?? 0);
  }

  #wordStart(letter: RegExp): number {
    let at = this.cursor;
    while (at > 0 && !letter.test(this.text[at - 1])) at--;
    while (at > 0 && letter.test(this.text[at - 1])) at--;
    return at;
  }

  #wordEnd(): number {
    const letter = /[\p{L}\p{N}_]/u;
    let at = this.cursor;
    while (at < this.text.length && !letter.test(this.text[at])) at++;
    while (at < this.text.length && letter.test(this.text[at])) at++;
    return at;
  }

  #takeOut(start: number, end: number): void {
    if (start === end) return;
    this.#cut = this.text.slice(start, end);
    this.#remove(start, end);
  }

  #remove(start: number, end: number): void {
    this.set(this.text.slice(0, start) + this.text.slice(end), start);
  }
}
