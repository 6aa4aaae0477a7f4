/**
 * The configuration in force: typed values for the server, texts for CONFIG, and changes that happen
 * all together or not at all.
 */
import { globMatches } from "../lib/glob.ts";
import type { ParameterValue, Row } from "./parameter_kinds.ts";
import { PARAMETER_ROWS } from "./parameter_rows.ts";

type AnyRow = (typeof PARAMETER_ROWS)[number];
type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** A field a parameter, named in camelCase. */
export type Values = { [R in AnyRow as CamelCase<R["name"]>]: R["initial"] };

/** Applies a new value; returns an error's detail, upon which everything is rolled back. */
export type Apply = () => string | null;

/** One directive that is to be set, as words. */
export interface Directive {
  readonly name: string;
  readonly words: readonly string[];
}

interface Change {
  readonly row: Row;
  readonly asked: string;
  readonly before: ParameterValue;
  readonly after: ParameterValue;
}

const encoder = new TextEncoder();
const rows: readonly Row[] = PARAMETER_ROWS as unknown as readonly Row[];

export class Parameters {
  readonly values: Values;
  readonly #byName = new Map<string, Row>();
  readonly #listeners = new Map<string, Apply[]>();

  constructor() {
    const values: Record<string, ParameterValue> = {};
    for (const row of rows) {
      values[camelCase(row.name)] = row.initial;
      this.#byName.set(row.name, row);
      if (row.options.alias !== undefined) this.#byName.set(row.options.alias, row);
    }
    this.values = values as Values;
  }

  /** Whether there is a parameter of this name or alias, in any case. */
  has(name: string): boolean {
    return this.#byName.has(name.toLowerCase());
  }

  /** The name that stands in the table, for a name or an alias. */
  canonicalName(name: string): string {
    return this.#row(name).name;
  }

  /** The value as CONFIG GET shows it; the name exists. */
  text(name: string): string {
    const row = this.#row(name);
    return row.show(this.#value(row));
  }

  isSensitive(name: string): boolean {
    return this.#byName.get(name.toLowerCase())?.options.sensitive === true;
  }

  isDefault(name: string): boolean {
    const row = this.#row(name);
    return this.#value(row) === row.initial;
  }

  /** All names, aliases left out, in the table's order. */
  names(): readonly string[] {
    return rows.map((row) => row.name);
  }

  /** Names and aliases that match any of the globs, each once, with their values. */
  matching(globs: readonly string[]): [name: string, text: string][] {
    const names = [...this.#byName.keys()];
    const found = names.filter((name) => globs.some((glob) => isMatch(glob, name)));
    return found.map((name) => [name, this.text(name)]);
  }

  /** Calls `apply` after the parameter has changed. */
  onChange(name: string, apply: Apply): void {
    const row = this.#row(name);
    const listeners = this.#listeners.get(row.name) ?? [];
    this.#listeners.set(row.name, [...listeners, apply]);
  }

  /**
   * Sets a parameter while the server starts: immutable ones as well, and nobody is told. Returns an
   * error's detail or null.
   */
  load({ name, words }: Directive): string | null {
    const row = this.#byName.get(name.toLowerCase());
    if (row === undefined || words.length === 0) {
      return "Bad directive or wrong number of arguments";
    }
    const before = this.#value(row);
    const parsed = row.parse(words, before);
    if ("error" in parsed) return parsed.error;
    const isFurtherSave = row.name === "save" && before !== "" && parsed.value !== "";
    this.#store(row, isFurtherSave ? `${before} ${parsed.value}` : parsed.value);
    return null;
  }

  /** CONFIG SET: sets all pairs or none. Returns the error's text (without "ERR") or null. */
  setMany(pairs: readonly (readonly [name: string, text: string])[]): string | null {
    const changes: Change[] = [];
    for (const [name, word] of pairs) {
      const row = this.#byName.get(name.toLowerCase());
      if (row === undefined) {
        return `Unknown option or number of arguments for CONFIG SET - '${name}'`;
      }
      const before = this.#value(row);
      const refusal = row.options.immutable === true
        ? "can't set immutable config"
        : changes.some((change) => change.row === row)
        ? "duplicate parameter"
        : null;
      if (refusal !== null) return failure(name, refusal);
      const parsed = row.parse([word], before);
      if ("error" in parsed) return failure(name, parsed.error);
      changes.push({ row, asked: name, before, after: parsed.value });
    }
    return this.#apply(changes);
  }

  #apply(changes: readonly Change[]): string | null {
    for (const { row, after } of changes) this.#store(row, after);
    for (const [i, { row, asked, before, after }] of changes.entries()) {
      if (before === after) continue;
      const detail = this.#tell(row);
      if (detail === null) continue;
      for (const change of changes) this.#store(change.row, change.before);
      for (const change of changes.slice(0, i + 1)) this.#tell(change.row);
      return failure(asked, detail);
    }
    return null;
  }

  #tell(row: Row): string | null {
    for (const apply of this.#listeners.get(row.name) ?? []) {
      const detail = apply();
      if (detail !== null) return detail;
    }
    return null;
  }

  #row(name: string): Row {
    const row = this.#byName.get(name.toLowerCase());
    if (row === undefined) throw new RangeError("No parameter of this name: " + name);
    return row;
  }

  #value(row: Row): ParameterValue {
    return (this.values as Record<string, ParameterValue>)[camelCase(row.name)];
  }

  #store(row: Row, value: ParameterValue): void {
    (this.values as Record<string, ParameterValue>)[camelCase(row.name)] = value;
  }
}

function failure(name: string, detail: string): string {
  return `CONFIG SET failed (possibly related to argument '${name}') - ${detail}`;
}

function camelCase(name: string): string {
  return name.replaceAll(/[-_](.)/g, (_, letter: string) => letter.toUpperCase());
}

function isMatch(glob: string, name: string): boolean {
  const pattern = encoder.encode(glob);
  const text = encoder.encode(name);
  return globMatches(pattern, 0, pattern.length, text, 0, text.length, true);
}
