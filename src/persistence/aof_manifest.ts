/**
 * The manifest of an append-only file: which files it consists of, in the order in which they are read.
 *
 * ```
 * file NAME seq N type b      the base: everything up to some instant, one at most
 * file NAME seq N type i      what has changed since, in ascending order
 * file NAME seq N type h      replaced, not yet removed
 * ```
 *
 * A `#` begins a line to be skipped; names with blanks are quoted.
 * Source: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
 */
import { assert } from "../lib/assert.ts";
import { quoteWord, splitWords } from "../config/words.ts";
import { binaryBytes, binaryText } from "../protocol/args.ts";

export type AofFileType = "b" | "i" | "h";

export interface AofFile {
  readonly name: string;
  readonly sequence: number;
  readonly type: AofFileType;
}

/** A manifest that can't be read. */
export class InvalidManifest extends Error {
  override name = "InvalidManifest";
}

const LINE_MAX = 1024;
const NAME_SUFFIX = ".manifest";

/** The manifest's own name beside files that are called `prefix`. */
export function manifestName(prefix: string): string {
  return prefix + NAME_SUFFIX;
}

export class AofManifest {
  base: AofFile | null = null;
  incremental: AofFile[] = [];
  history: AofFile[] = [];
  /** The sequence numbers of the last base and the last incremental file; 0 if there was none. */
  baseSequence = 0;
  incrementalSequence = 0;

  /** `prefix` is `appendfilename`. */
  constructor(readonly prefix: string) {}

  static parse(prefix: string, bytes: Uint8Array): AofManifest {
    const manifest = new AofManifest(prefix);
    const text = binaryText(bytes, 0, bytes.length);
    if (text === "") throw new InvalidManifest("Found an empty AOF manifest");
    if (!text.endsWith("\n")) {
      throw new InvalidManifest("The AOF manifest file ends within a line");
    }
    for (const line of text.slice(0, -1).split("\n")) {
      if (!line.startsWith("#")) manifest.#add(parseLine(line.replace(/\r$/, "")));
    }
    return manifest;
  }

  #add(file: AofFile): void {
    const { name, sequence, type } = file;
    assert(name !== "", "a file has a name");
    assert(sequence > 0, "sequences begin at 1");
    if (type === "h") this.history.push(file);
    else if (type === "b") {
      if (this.base !== null) {
        throw new InvalidManifest("Found duplicate base file information");
      }
      this.base = file;
      this.baseSequence = sequence;
    } else {
      if (sequence <= this.incrementalSequence) {
        throw new InvalidManifest(`Found a non-monotonic sequence number of ${name}`);
      }
      this.incremental.push(file);
      this.incrementalSequence = sequence;
    }
  }

  /** Files to be read, in order. */
  files(): AofFile[] {
    assert(this.base === null || this.base.type === "b", "a base is listed as one");
    return this.base === null ? this.incremental : [this.base, ...this.incremental];
  }

  format(): Uint8Array {
    const { sequence = 0 } = this.incremental.at(-1) ?? {};
    assert(sequence <= this.incrementalSequence, "no file is numbered beyond the last");
    const lines = [...this.base === null ? [] : [this.base], ...this.history, ...this.incremental]
      .map(({ name, sequence, type }) =>
        `file ${/[^!-~]|["'\\]/.test(name) ? quoteWord(name) : name} seq ${sequence} type ${type}\n`
      );
    return binaryBytes(lines.join(""));
  }

  /** The next incremental file, added at the end. */
  addIncremental(): AofFile {
    const nameOf = (sequence: number): string => `${this.prefix}.${sequence}.incr.aof`;
    const sequence = this.#unusedSequence(this.incrementalSequence, nameOf);
    this.incrementalSequence = sequence;
    const last = this.incremental.at(-1);
    assert(last === undefined || last.sequence < sequence, "sequences ascend");
    const file: AofFile = { name: nameOf(sequence), sequence, type: "i" };
    this.incremental.push(file);
    return file;
  }

  /** The name that the next base will have. */
  nextBaseName(isRdb: boolean): string {
    const nameOf = (sequence: number): string =>
      `${this.prefix}.${sequence}.base.${isRdb ? "rdb" : "aof"}`;
    return nameOf(this.#unusedSequence(this.baseSequence, nameOf));
  }

  /**
   * The next sequence after `last` whose name no file has. Somebody may have edited the manifest, so that names and
   * sequences do not agree.
   */
  #unusedSequence(last: number, nameOf: (sequence: number) => string): number {
    assert(last >= 0, "sequences are counted upwards");
    assert(nameOf(last).startsWith(this.prefix), "what we make has our prefix");
    const names = new Set([...this.files(), ...this.history].map(({ name }) => name));
    let sequence = last + 1;
    while (names.has(nameOf(sequence))) sequence++;
    return sequence;
  }

  /**
   * Replaces the present base and the incremental files before sequence `first` by a base of that name; the replaced
   * files become history.
   */
  replaceBase(name: string, first: number): void {
    assert(name !== "" && name !== this.base?.name, "a new base has a name of its own");
    assert(first > 0, "sequences begin at 1");
    const gone = this.incremental.filter(({ sequence }) => sequence < first).reverse();
    if (this.base !== null) gone.push(this.base);
    this.history.unshift(...gone.map((file): AofFile => ({ ...file, type: "h" })));
    this.incremental = this.incremental.filter(({ sequence }) => sequence >= first);
    this.base = { name, sequence: ++this.baseSequence, type: "b" };
    assert(this.history.every(({ type }) => type === "h"), "what was replaced is history");
    assert(this.history.length >= gone.length, "nothing that was replaced is forgotten");
    assert(this.files()[0] === this.base, "a base is read first");
  }

  copy(): AofManifest {
    const twin = new AofManifest(this.prefix);
    twin.base = this.base;
    twin.incremental = [...this.incremental];
    twin.history = [...this.history];
    twin.baseSequence = this.baseSequence;
    twin.incrementalSequence = this.incrementalSequence;
    assert(twin.prefix === this.prefix, "a copy belongs to the same files");
    assert(twin.files().length === this.files().length, "a copy names as many files");
    return twin;
  }
}

function parseLine(line: string): AofFile {
  if (line.length > LINE_MAX) {
    throw new InvalidManifest("The AOF manifest file contains too long line");
  }
  const words = splitWords(line);
  if (words === null || words.length < 6 || words.length % 2 !== 0) {
    throw new InvalidManifest(`Invalid AOF manifest file format: ${line}`);
  }
  let name = "";
  let sequence = 0;
  let type = "";
  for (let i = 0; i < words.length; i += 2) {
    const key = words[i].toLowerCase();
    if (key === "file") name = words[i + 1];
    else if (key === "seq") sequence = Number(words[i + 1]);
    else if (key === "type") type = words[i + 1];
    // Other keys are of later versions.
  }
  if (name.includes("/")) {
    throw new InvalidManifest(`File can't be a path, just a filename: ${name}`);
  }
  if (name === "" || !Number.isInteger(sequence) || sequence <= 0 || type === "") {
    throw new InvalidManifest(`Invalid AOF manifest file format: ${line}`);
  }
  if (type !== "b" && type !== "i" && type !== "h") {
    throw new InvalidManifest(`Unknown AOF file type ${type}`);
  }
  return { name, sequence, type };
}
