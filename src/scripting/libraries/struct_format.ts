// hot path
/** The formats of the `struct` library: letters, read one by one, that also set byte order and alignment. */
import type { LuaMachine } from "../lua_machine.ts";
import { raise, refuseArgument } from "./library.ts";

const INTEGER_BYTES_MAX = 32;
/** That of "!" without a number. */
const ALIGNMENT = 8;
const SIZE_MAX = 0x7fffffff;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;
const LITTLE = 0x3c;
const BIG = 0x3e;
const ALIGN = 0x21;
const CHARS = code("c");

export function code(letter: string): number {
  return letter.charCodeAt(0);
}

/** What a letter stands for. */
export const Kind = { other: 0, integer: 1, float: 2, padding: 3, chars: 4, text: 5 } as const;

const KINDS = new Uint8Array(128);
const SIZES = new Uint8Array(128);
define("bB", Kind.integer, 1);
define("hH", Kind.integer, 2);
define("iI", Kind.integer, 4);
define("lLT", Kind.integer, 8);
define("f", Kind.float, 4);
define("d", Kind.float, 8);
define("x", Kind.padding, 1);
define("c", Kind.chars, 1);
define("s", Kind.text, 0);

function define(letters: string, kind: number, size: number): void {
  for (const letter of letters) {
    KINDS[code(letter)] = kind;
    SIZES[code(letter)] = size;
  }
}

export class StructFormat {
  readonly #machine: LuaMachine;
  #state = 0;
  #at = 0;
  #alignment = 1;
  /** The letter that was read last, its kind, and the bytes that it stands for; 0 if the value tells. */
  letter = 0;
  kind = 0;
  size = 0;
  isBig = false;

  constructor(machine: LuaMachine) {
    this.#machine = machine;
  }

  /** Begins with the format that is argument 1. */
  begin(state: number): void {
    this.#state = state;
    this.#at = this.#machine.checkString(state, 1);
    this.#alignment = 1;
    this.isBig = false;
  }

  /** Reads a letter and its number; false at the end. A NUL ends a format. */
  next(): boolean {
    const letter = this.#machine.bytes[this.#at];
    if (letter === 0) return false;
    this.#at++;
    this.letter = letter;
    this.kind = letter < 128 ? KINDS[letter] : Kind.other;
    this.size = letter < 128 ? SIZES[letter] : 0;
    if (letter === CHARS) this.size = this.#number(1);
    else if (letter === code("i") || letter === code("I")) this.#readSize();
    return true;
  }

  #readSize(): void {
    this.size = this.#number(this.size);
    if (this.size > INTEGER_BYTES_MAX) {
      this.#refuse(`integral size ${this.size} is larger than limit of ${INTEGER_BYTES_MAX}`);
    }
  }

  /** How many bytes of padding come before a value that would begin at `at`. */
  paddingAt(at: number): number {
    if (this.size === 0 || this.kind === Kind.chars) return 0;
    const size = Math.min(this.size, this.#alignment);
    // A size that is no power of two is not forbidden, and has a padding of its own.
    return (size - (at % 0x100000000 & (size - 1))) & (size - 1);
  }

  /** Obeys a letter that stands for no value. */
  control(): void {
    if (this.letter === SPACE) return;
    if (this.letter === LITTLE || this.letter === BIG) this.isBig = this.letter === BIG;
    else if (this.letter === ALIGN) {
      const alignment = this.#number(ALIGNMENT);
      if (alignment === 0 || (alignment & (alignment - 1)) !== 0) {
        this.#refuse(`alignment ${alignment} is not a power of 2`);
      }
      this.#alignment = alignment;
    } else {
      const letter = String.fromCharCode(this.letter);
      refuseArgument(this.#machine, this.#state, 1, `invalid format option '${letter}'`);
    }
  }

  #number(otherwise: number): number {
    const { bytes } = this.#machine;
    if (!isDigit(bytes[this.#at])) return otherwise;
    let value = 0;
    while (isDigit(bytes[this.#at])) {
      value = 10 * value + bytes[this.#at++] - ZERO;
      if (value > SIZE_MAX) this.#refuse("integral size overflow");
    }
    return value;
  }

  #refuse(text: string): never {
    raise(this.#machine, this.#state, text);
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
