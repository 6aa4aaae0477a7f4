/** Standard input, line by line and as a whole. */
import { joined } from "../../lib/joined.ts";
import { binaryOf } from "../../protocol/reply.ts";
import type { Input } from "./surroundings.ts";

const LF = "\n";

/** Reads lines, one character a byte, without their ends. */
export class LineReader {
  readonly #buffer = new Uint8Array(1 << 16);
  #text = "";
  #isOver = false;
  #pending: Promise<string | null> | null = null;

  constructor(readonly input: Input) {}

  /** The next line; null at the end. A last line needs no end. */
  async next(): Promise<string | null> {
    const line = await this.#line();
    this.#pending = null;
    return line;
  }

  /** Waits until `next` will not have to wait. The waiting may be given up. */
  async arrival(): Promise<void> {
    await this.#line();
  }

  #line(): Promise<string | null> {
    this.#pending ??= this.#read();
    return this.#pending;
  }

  async #read(): Promise<string | null> {
    let end = this.#text.indexOf(LF);
    while (end < 0 && !this.#isOver) {
      const count = await this.input.read(this.#buffer);
      if (count === null) this.#isOver = true;
      else {
        const from = this.#text.length;
        this.#text += binaryOf(this.#buffer.subarray(0, count));
        end = this.#text.indexOf(LF, from);
      }
    }
    if (end < 0) {
      const last = this.#text;
      this.#text = "";
      return last === "" ? null : last;
    }
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }
}

/** All of standard input. */
export async function readAll(input: Input): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(1 << 16);
  for (let count = await input.read(buffer); count !== null; count = await input.read(buffer)) {
    parts.push(buffer.slice(0, count));
  }
  return joined(parts);
}
