/** Reads a line at a terminal: editing, history, search, completion, hints and colours. */
import { History } from "./history.ts";
import { type Key, KeyDecoder } from "./keys.ts";
import { Line } from "./line.ts";
import { endColumn, type Piece, Screen } from "./screen.ts";

/** The terminal, in raw mode while a line is read. */
export interface Terminal {
  /** What was typed; null at its end. */
  read(): Promise<Uint8Array | null>;
  write(text: string): void;
  columns(): number;
  setRaw(isRaw: boolean): void;
}

/** What the editor asks about the text; all of it depends on the text alone. */
export interface Adviser {
  /** The text in colours. */
  paint(text: string): Piece[];
  /** What may follow, shown in grey behind the text; "" for nothing. */
  hint(text: string): string;
  /** The texts that may stand instead of this one, which ends at the cursor. */
  complete(text: string): string[];
}

/** Something that may happen while a line is read: the line is taken away for it, and then shown again. */
export interface Background {
  /** Resolves when there is something to do; null if nothing can come. */
  arrival(): Promise<void> | null;
  handle(): Promise<void>;
}

/** Ctrl-C on an empty line, or the end of the input. */
export const END = Symbol("end");

const HINT_STYLE = "90";
const PASTES_IN_BRACKETS = ["\x1b[?2004h", "\x1b[?2004l"];

/** Reads keys one by one; bytes that come later are kept for the next line. */
export class KeyReader {
  readonly #decoder = new KeyDecoder();
  readonly #keys: Key[] = [];
  #pending: Promise<void> | null = null;
  #isOver = false;

  constructor(readonly terminal: Terminal) {}

  /** The next key; null at the end. */
  async next(): Promise<Key | null> {
    while (this.#keys.length === 0 && !this.#isOver) await this.arrival();
    return this.#keys.shift() ?? null;
  }

  /** The key that `next` will give, if it has been read already; null at the end, or if a key is not complete. */
  peek(): Key | null {
    return this.#keys[0] ?? null;
  }

  /** Waits for some input, which `next` then gives. The waiting may be given up. */
  arrival(): Promise<void> {
    if (this.#keys.length > 0 || this.#isOver) return Promise.resolve();
    this.#pending ??= this.#read();
    return this.#pending;
  }

  async #read(): Promise<void> {
    const bytes = await this.terminal.read();
    this.#pending = null;
    if (bytes === null) this.#isOver = true;
    else this.#keys.push(...this.#decoder.feed(bytes));
  }
}

export class Editor {
  readonly terminal: Terminal;
  readonly #line = new Line();
  readonly #screen: Screen;
  #prompt: () => string = () => "";
  /** Where in the history the line came from; the number of lines for a new one, which `#draft` keeps meanwhile. */
  #historyIndex = 0;
  #draft = "";
  /** A completion in progress. */
  #choice: { texts: string[]; index: number; before: string; after: string } | null = null;
  /** A search in progress. */
  #search: { part: string; index: number; before: string } | null = null;

  /** Editors of one terminal share its keys: some may have been read before they are needed. */
  constructor(readonly keys: KeyReader, readonly history: History, readonly adviser: Adviser) {
    const { terminal } = keys;
    this.terminal = terminal;
    this.#screen = new Screen((text) => terminal.write(text), () => terminal.columns());
  }

  /** Reads a line. `prompt` is asked again whenever the line is drawn. */
  async readLine(prompt: () => string, background: Background): Promise<string | typeof END> {
    this.#prompt = prompt;
    this.#line.set("");
    this.#historyIndex = this.history.lines.length;
    this.#draft = "";
    this.terminal.setRaw(true);
    this.terminal.write(PASTES_IN_BRACKETS[0]);
    this.#draw();
    try {
      for (;;) {
        await this.#arrival(background);
        const key = await this.keys.next();
        if (key === null) return END;
        const result = this.#take(key);
        if (result !== null) return result;
      }
    } finally {
      this.terminal.write(PASTES_IN_BRACKETS[1]);
      this.terminal.setRaw(false);
    }
  }

  /** Waits for a key; does what else comes. */
  async #arrival(background: Background): Promise<void> {
    for (;;) {
      const other = background.arrival();
      const keys = this.keys.arrival();
      if (other === null) return await keys;
      let isKey = false;
      await Promise.race([keys.then(() => (isKey = true)), other]);
      if (isKey) return;
      this.#screen.erase();
      await background.handle();
      this.#draw();
    }
  }

  /** Takes a key; the line if it is complete, else null. */
  #take(key: Key): string | typeof END | null {
    if (this.#search !== null && this.#searchTakes(this.#search, key)) return null;
    this.#search = null;
    const name = key.kind === "key" ? key.name : "";
    if (this.#choice !== null && !/^(shift-)?tab$/.test(name)) {
      if (name === "escape") this.#line.set(this.#choice.before + this.#choice.after);
      this.#choice = null;
    }
    if (key.kind !== "key") this.#line.insert(key.text);
    else if (name === "enter") return this.#enter();
    else if (name === "ctrl-c") return this.#interrupt();
    else if (name === "ctrl-d" && this.#line.text === "") return this.#leave();
    else ACTIONS[name]?.(this.#line);
    if (name === "ctrl-l") this.#screen.clear();
    else if (name === "up" || name === "ctrl-p") this.#recall(-1);
    else if (name === "down" || name === "ctrl-n") this.#recall(1);
    else if (name === "ctrl-r") this.#search = this.#newSearch();
    else if (name === "tab") this.#completeNext(1);
    else if (name === "shift-tab") this.#completeNext(-1);
    this.#draw();
    return null;
  }

  #enter(): string {
    this.#finish();
    return this.#line.text;
  }

  #leave(): typeof END {
    this.#finish();
    return END;
  }

  /** The first Ctrl-C drops the line. */
  #interrupt(): typeof END | null {
    if (this.#line.text === "") return this.#leave();
    this.#line.end();
    this.#line.insert("^C");
    this.#finish();
    this.#line.set("");
    this.#historyIndex = this.history.lines.length;
    this.#draw();
    return null;
  }

  #finish(): void {
    this.#search = null;
    this.#choice = null;
    this.#screen.finish({ pieces: this.#pieces(), cursor: Infinity });
  }

  /** To an older or a newer line. */
  #recall(step: number): void {
    const { lines } = this.history;
    const index = this.#historyIndex + step;
    if (index < 0 || index > lines.length) return;
    if (this.#historyIndex === lines.length) this.#draft = this.#line.text;
    this.#historyIndex = index;
    this.#line.set(lines[index] ?? this.#draft);
  }

  #newSearch(): { part: string; index: number; before: string } {
    return { part: "", index: this.history.lines.length, before: this.#line.text };
  }

  /** Whether the key belongs to the search; another one ends it and edits the line that was found. */
  #searchTakes(search: { part: string; index: number; before: string }, key: Key): boolean {
    const name = key.kind === "key" ? key.name : "";
    if (key.kind !== "key") this.#find(search, search.part + key.text, search.index + 1);
    else if (name === "ctrl-r") this.#find(search, search.part, search.index);
    else if (name === "backspace") {
      this.#find(search, search.part.slice(0, -1), this.history.lines.length);
    } else if (name === "ctrl-g" || name === "ctrl-c" || name === "escape") {
      this.#line.set(search.before);
      this.#search = null;
    } else return false;
    this.#draw();
    return true;
  }

  #find(search: { part: string; index: number }, part: string, end: number): void {
    search.part = part;
    const found = this.history.search(part, end);
    if (found < 0) return;
    search.index = found;
    this.#line.set(this.history.lines[found], this.history.lines[found].indexOf(part));
  }

  /** Puts in the next completion, or the one before. The first Tab asks for them. */
  #completeNext(step: number): void {
    if (this.#choice === null) {
      const before = this.#line.text.slice(0, this.#line.cursor);
      const texts = this.adviser.complete(before);
      if (texts.length === 0) return this.terminal.write("\x07");
      const after = this.#line.text.slice(this.#line.cursor);
      this.#choice = { texts, index: step > 0 ? -1 : 0, before, after };
    }
    const choice = this.#choice;
    choice.index = (choice.index + step + choice.texts.length) % choice.texts.length;
    const text = choice.texts[choice.index];
    this.#line.set(text + choice.after, text.length);
    if (choice.texts.length === 1) this.#choice = null;
  }

  #draw(): void {
    const pieces = this.#pieces();
    const before = pieces[0].text.length + this.#line.cursor;
    const room = this.terminal.columns() - endColumn(pieces, this.terminal.columns());
    this.#screen.draw({ pieces: [...pieces, ...this.#hint(room)], cursor: before });
  }

  #pieces(): Piece[] {
    const search = this.#search;
    const prompt = search === null ? this.#prompt() : `(reverse-i-search)'${search.part}': `;
    return [{ text: prompt, style: "" }, ...this.adviser.paint(this.#line.text)];
  }

  /** A hint has only what is left of the row. */
  #hint(room: number): Piece[] {
    const { text, cursor } = this.#line;
    if (cursor < text.length || this.#search !== null) return [];
    if (this.#choice !== null) {
      const { index, texts } = this.#choice;
      return [{ text: `  ${index + 1} of ${texts.length}`, style: HINT_STYLE }];
    }
    const hint = this.adviser.hint(text);
    const shown = hint.length < room ? hint : room < 2 ? "" : `${hint.slice(0, room - 2)}…`;
    return shown === "" ? [] : [{ text: shown, style: HINT_STYLE }];
  }
}

/** What keys do to the line alone. */
const ACTIONS: Readonly<Record<string, (line: Line) => void>> = {
  "left": (line) => line.left(),
  "ctrl-b": (line) => line.left(),
  "right": (line) => line.right(),
  "ctrl-f": (line) => line.right(),
  "home": (line) => line.home(),
  "ctrl-a": (line) => line.home(),
  "end": (line) => line.end(),
  "ctrl-e": (line) => line.end(),
  "alt-b": (line) => line.wordLeft(),
  "alt-f": (line) => line.wordRight(),
  "backspace": (line) => line.eraseLeft(),
  "delete": (line) => line.eraseRight(),
  "ctrl-d": (line) => line.eraseRight(),
  "ctrl-k": (line) => line.cutToEnd(),
  "ctrl-u": (line) => line.cutToStart(),
  "ctrl-w": (line) => line.cutWordLeft(),
  "alt-backspace": (line) => line.cutWordLeft(),
  "alt-d": (line) => line.cutWordRight(),
  "ctrl-y": (line) => line.paste(),
  "ctrl-t": (line) => line.transpose(),
};
