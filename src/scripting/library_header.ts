/**
 * The first line of a library of functions, which says how it is run and what it is called:
 *
 *     #!lua name=mylib
 *
 * It is split into words as redis-cli splits its input, so that values can be quoted.
 */
import { Args } from "../protocol/args.ts";
import { type ErrorReply, Errors, invalidMetadata, unknownEngine } from "../protocol/errors.ts";
import { splitInline } from "../protocol/inline.ts";

const HASH = 0x23;
const BANG = 0x21;
const LF = 0x0a;
const NAME = "name=";
/** The words of the first line begin with it. */
const SHEBANG_LENGTH = 2;

export interface LibraryHeader {
  readonly name: string;
  /** Where the first line ends, with whose line break the program begins: then its lines are those of the source. */
  readonly end: number;
}

/** Reads the first line of a library's source; returns an error if it does not say what it must. */
export function readLibraryHeader(code: Uint8Array): LibraryHeader | ErrorReply {
  if (code[0] !== HASH || code[1] !== BANG) return Errors.noMetadata;
  const end = code.indexOf(LF);
  const words = new Args();
  // As in Redis, a zero byte ends the text in which the line's end is sought.
  const isLine = end >= 0 && code.lastIndexOf(0, end) < 0;
  if (!isLine || !splitInline(code, 0, end, words)) return Errors.badMetadata;
  let name: string | null = null;
  for (let i = 1; i < words.count; i++) {
    const word = words.binary(i);
    if (word.slice(0, NAME.length).toLowerCase() !== NAME) return invalidMetadata(word);
    if (name !== null) return Errors.secondLibraryName;
    name = word.slice(NAME.length);
  }
  if (name === null) return Errors.noLibraryName;
  if (!isLibraryName(name)) return Errors.badLibraryName;
  const engine = words.binary(0).slice(SHEBANG_LENGTH);
  return engine.toLowerCase() === "lua" ? { name, end } : unknownEngine(engine);
}

/** Whether a library or function may be called that. */
export function isLibraryName(name: string): boolean {
  return /^\w+$/.test(name);
}
