/**
 * The configuration in force: typed values for the server, texts for CONFIG, and changes that happen
 * all together or not at all.
 *
 * Texts are binary, one character a byte (Latin-1): see words.ts.
 */
import { cText } from "../lib/c_text.ts";
import { globMatches } from "../lib/glob.ts";
import {
  type ParameterSpec,
  type ParameterValue,
  type Parsed,
  wordsOfArgument,
  wordsOfDirective,
} from "./parameter_kinds.ts";
import { refusedDirective } from "./missing.ts";
import { PARAMETER_ROWS } from "./parameter_rows.ts";
import { binaryOf } from "./words.ts";

type AnyRow = (typeof PARAMETER_ROWS)[number];
type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** A field a parameter, named in camelCase. */
export type Values = { [R in AnyRow as CamelCase<R["name"]>]: R["initial"] };

/**
 * Applies a new value. If it returns an error's detail, or throws, all changes of the CONFIG SET are undone, and it is
 * called again with the old value.
 */
export type Apply = () => string | null;

/** What `setMany` answers in place of a text where a parameter can't be set while data are being loaded. */
export const DENIED_WHILE_LOADING = "denied while loading";

/** From where and when CONFIG SET comes. */
export interface SetContext {
  /** The client comes from this machine, to which more may be allowed. */
  readonly isLocal?: boolean;
  readonly isLoading?: boolean;
  /** Gets the warnings for the log, which the client does not see. */
  readonly warn?: (text: string) => void;
}

/** One directive that is to be set, as words. */
export interface Directive {
  readonly name: string;
  readonly words: readonly string[];
}

/** A parameter's value: all of its state, so that it can be put back. */
interface State {
  readonly value: ParameterValue;
  /** The digits of a number that `value` does not represent exactly; else null. */
  readonly exact: string | null;
}

interface Change {
  readonly slot: Slot;
  /** The name that the client gave, in lower case. */
  readonly asked: string;
  readonly before: State;
}

/** A parameter with its value and its listeners. */
class Slot {
  readonly field: string;
  readonly listeners: Apply[] = [];
  /** Called as soon as the value is set, before the next pair of the same CONFIG SET is read. */
  enter: Apply = () => null;
  #exact: State;

  constructor(readonly spec: ParameterSpec, readonly values: Record<string, ParameterValue>) {
    this.field = camelCase(spec.name);
    values[this.field] = spec.initial;
    this.#exact = { value: spec.initial, exact: null };
  }

  /** The state. `exact` is dropped if the server has written another value to `values` since. */
  get state(): State {
    const value = this.values[this.field];
    return value === this.#exact.value ? this.#exact : { value, exact: null };
  }

  set state(state: State) {
    this.values[this.field] = state.value;
    this.#exact = state;
  }

  get text(): string {
    const { value, exact } = this.state;
    return exact ?? this.spec.show(value);
  }

  /** What follows the name in a configuration file, one element a line. */
  get lines(): readonly string[] {
    const { value, exact } = this.state;
    return exact === null ? this.spec.write(value) : [exact];
  }

  get isDefault(): boolean {
    return this.state.value === this.spec.initial;
  }

  /** Why its value is refused, or null. */
  get danger(): string | null {
    return this.isDefault ? null : this.spec.traits.danger ?? null;
  }

  /** Its name and remark, if its value has no effect or less than it promises; else null. */
  get lack(): string | null {
    const { inert, remark } = this.spec.traits;
    if (this.isDefault || this.danger !== null) return null;
    if (inert !== true && remark === undefined) return null;
    return remark === undefined ? this.spec.name : `${this.spec.name} (${remark})`;
  }

  /** Reads words; what they mean, or the detail of an error. */
  read(words: readonly string[]): State | string {
    const { spec } = this;
    if (!spec.isMulti && words.length !== 1) return "wrong number of arguments";
    const parsed: Parsed<ParameterValue> = spec.parse(words, this.state.value);
    if ("error" in parsed) return parsed.error;
    return { value: parsed.value, exact: parsed.exact ?? null };
  }
}

/** Directives of older versions that are ignored. */
const FORGOTTEN = ["list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"];

export class Parameters {
  /** What the server reads: plain fields. Written by CONFIG, and by the server when it starts. */
  readonly values: Values;
  /** By name and alias, in lower case. */
  readonly #slots = new Map<string, Slot>();
  #hasLoadedSave = false;

  constructor() {
    const values: Record<string, ParameterValue> = {};
    for (const spec of specs) {
      const slot = new Slot(spec, values);
      this.#slots.set(spec.name, slot);
      if (spec.traits.alias !== undefined) this.#slots.set(spec.traits.alias, slot);
    }
    this.values = values as Values;
  }

  /** Whether there is a parameter of this name or alias, in any case. */
  has(name: string): boolean {
    return this.#slots.has(name.toLowerCase());
  }

  /** Whether there is a directive of this name: a parameter, or one that is refused or ignored. */
  knows(name: string): boolean {
    const lower = name.toLowerCase();
    return this.has(lower) || FORGOTTEN.includes(lower) ||
      refusedDirective(lower) !== undefined;
  }

  /** The row of the table for a name or an alias; it exists. */
  spec(name: string): ParameterSpec {
    return this.#slot(name).spec;
  }

  /** All names, aliases left out, in the table's order. */
  names(): readonly string[] {
    return specs.map((spec) => spec.name);
  }

  /** The value as CONFIG GET shows it; the name exists. */
  get(name: string): string {
    return this.#slot(name).text;
  }

  /** What follows the name in a configuration file, one element a line. */
  lines(name: string): readonly string[] {
    return this.#slot(name).lines;
  }

  isSensitive(name: string): boolean {
    return this.#slots.get(name.toLowerCase())?.spec.traits.sensitive === true;
  }

  isDefault(name: string): boolean {
    return this.#slot(name).isDefault;
  }

  /** Why the server must not start with these values: each reason once, with the name of a parameter. */
  dangers(): [name: string, danger: string][] {
    const found = new Map<string, string>();
    for (const slot of this.#slots.values()) {
      const { danger } = slot;
      if (danger !== null && !found.has(danger)) found.set(danger, slot.spec.name);
    }
    return [...found].map(([danger, name]) => [name, danger]);
  }

  /** One line that names all set parameters without effect or with less than they promise; null if there are none. */
  lacks(): string | null {
    return lackLine(new Set(this.#slots.values()));
  }

  /**
   * The parameters that CONFIG GET shows for the globs, each name once. A name without wildcards is
   * shown as it was asked for, an alias beside its newer name, and what is hidden by its full name only.
   */
  matching(globs: readonly string[]): [name: string, text: string][] {
    const found = new Map<string, [name: string, text: string]>();
    for (const glob of globs) {
      const isPattern = WILDCARD.test(glob);
      for (const [name, slot] of this.#matches(glob)) {
        if (!found.has(name)) found.set(name, [isPattern ? name : glob, slot.text]);
      }
    }
    return [...found.values()];
  }

  /** Calls `apply` after the parameter has changed; once if it is registered for several that have. */
  onChange(name: string, apply: Apply): void {
    this.#slot(name).listeners.push(apply);
  }

  /** Has `enter` called as soon as the parameter is set, for values that must be tried to know whether they are right. */
  onSet(name: string, enter: Apply): void {
    this.#slot(name).enter = enter;
  }

  /**
   * Sets a parameter while the server starts: immutable ones as well, and without calling listeners. The first
   * `save` replaces the default, further ones add to it. Returns an error's detail or null.
   */
  load({ name, words }: Directive): string | null {
    const slot = this.#slots.get(name.toLowerCase());
    if (slot === undefined) {
      const refused = refusedDirective(name.toLowerCase());
      if (refused !== undefined) return refused;
      const isForgotten = FORGOTTEN.includes(name.toLowerCase()) && words.length === 1;
      return isForgotten ? null : "Bad directive or wrong number of arguments";
    }
    const state = slot.read(wordsOfDirective(words, slot.spec.isMulti));
    if (typeof state === "string") return state;
    const isFurther = slot.spec.name === "save" && this.#hasLoadedSave && state.value !== "";
    if (slot.spec.name === "save") this.#hasLoadedSave = true;
    slot.state = isFurther ? { value: `${slot.text} ${state.value}`.trim(), exact: null } : state;
    return null;
  }

  /** `load` for directives whose texts are in Unicode. Throws an Error that names the one that is no good. */
  loadAll(directives: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(directives)) {
      const error = this.load({ name, words: [binaryOf(text)] });
      if (error !== null) throw new Error(`${name}: ${error}`);
    }
  }

  /**
   * CONFIG SET: sets all pairs or none. Returns the error's text (without "ERR"), `DENIED_WHILE_LOADING`, or null.
   */
  setMany(
    pairs: readonly (readonly [name: string, text: string])[],
    context: SetContext = {},
  ): string | null {
    const refusal = this.#refusal(pairs, context);
    if (refusal !== null) return refusal;
    const { warn = () => {} } = context;
    const changes: Change[] = [];
    for (const [name, text] of pairs) {
      const slot = this.#slot(name);
      const before = slot.state;
      const state = slot.read(wordsOfArgument(text, slot.spec.isMulti));
      if (typeof state === "string") {
        restore(changes, warn);
        return failure(name.toLowerCase(), state);
      }
      slot.state = state;
      changes.push({ slot, asked: name.toLowerCase(), before });
      const detail = detailOf(slot.enter);
      if (detail === null) continue;
      restore(changes, warn);
      return failure(name.toLowerCase(), detail);
    }
    for (const { slot, asked } of changes) {
      const { danger } = slot;
      if (danger === null) continue;
      restore(changes, warn);
      return failure(asked, danger);
    }
    const refused = apply(changes, warn);
    if (refused !== null) return refused;
    const line = lackLine(new Set(changes.map(({ slot }) => slot)));
    if (line !== null) warn(line);
    return null;
  }

  /** What is wrong with the names, before any value is looked at. */
  #refusal(pairs: readonly (readonly [string, string])[], context: SetContext): string | null {
    const seen = new Set<string>();
    for (const [name] of pairs) {
      const slot = this.#slots.get(name.toLowerCase());
      if (slot === undefined) {
        return `Unknown option or number of arguments for CONFIG SET - '${cText(name)}'`;
      }
      const { traits } = slot.spec;
      if (traits.immutable === true) return failure(name, "can't set immutable config");
      if (traits.protected === true && !this.#allowsProtected(context.isLocal === true)) {
        return failure(name, "can't set protected config");
      }
      if (traits.deniedWhileLoading === true && context.isLoading === true) {
        return DENIED_WHILE_LOADING;
      }
      // An alias beside its newer name is no duplicate to Redis: the last one wins.
      if (seen.has(name.toLowerCase())) return failure(name, "duplicate parameter");
      seen.add(name.toLowerCase());
    }
    return null;
  }

  #allowsProtected(isLocal: boolean): boolean {
    const allowed = this.values.enableProtectedConfigs;
    return allowed === "yes" || (allowed === "local" && isLocal);
  }

  #matches(glob: string): readonly [string, Slot][] {
    if (!WILDCARD.test(glob)) {
      const slot = this.#slots.get(glob.toLowerCase());
      return slot === undefined ? [] : [[glob.toLowerCase(), slot]];
    }
    const pattern = encoder.encode(glob);
    return [...this.#slots].filter(([name, { spec }]) =>
      spec.traits.hidden !== true && isMatch(pattern, name)
    );
  }

  #slot(name: string): Slot {
    const slot = this.#slots.get(name.toLowerCase());
    if (slot === undefined) throw new RangeError(`No parameter is called '${name}'`);
    return slot;
  }
}

/** The table without the types of its single rows. */
const specs: readonly ParameterSpec[] = PARAMETER_ROWS as unknown as readonly ParameterSpec[];
const encoder = new TextEncoder();
/** What makes a name a pattern. */
const WILDCARD = /[[*?]/;

function lackLine(slots: ReadonlySet<Slot>): string | null {
  const lacks = [...slots].map((slot) => slot.lack).filter((lack) => lack !== null);
  return lacks.length === 0 ? null : `Set, but without effect or not in full: ${lacks.join(", ")}`;
}

/** Tells the listeners of what has changed; puts everything back if one of them refuses. */
function apply(changes: readonly Change[], warn: (text: string) => void): string | null {
  const notified = new Set<Apply>();
  for (const { slot, asked, before } of changes) {
    const { value, exact } = slot.state;
    const isSame = before.value === value && before.exact === exact;
    if (isSame && slot.spec.traits.isReference !== true) continue;
    for (const listener of slot.listeners) {
      if (notified.has(listener)) continue;
      notified.add(listener);
      const detail = detailOf(listener);
      if (detail === null) continue;
      warn(
        `Failed applying new configuration. Possibly related to new ${asked} setting. ` +
          `Restoring previous settings.`,
      );
      restore(changes, warn);
      for (const each of notified) {
        const failed = detailOf(each);
        if (failed !== null) {
          warn(`Failed applying restored failed CONFIG SET command: ${failed}`);
        }
      }
      return failure(asked, detail);
    }
  }
  return null;
}

/** What a listener returns or throws, as an error's detail: an exception must not leave half of the changes applied. */
function detailOf(listener: Apply): string | null {
  try {
    return listener();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Puts the values back, the latest change first: a parameter can be changed twice, by two names. */
function restore(changes: readonly Change[], warn: (text: string) => void): void {
  for (let i = changes.length - 1; i >= 0; i--) {
    const { slot, asked, before } = changes[i];
    slot.state = before;
    const failed = detailOf(slot.enter);
    if (failed === null) continue;
    warn(`Failed restoring failed CONFIG SET command. Error setting ${asked}: ${failed}`);
  }
}

function failure(name: string, detail: string): string {
  return `CONFIG SET failed (possibly related to argument '${name}') - ${detail}`;
}

function camelCase(name: string): string {
  return name.replaceAll(/[-_](.)/g, (_, letter: string) => letter.toUpperCase());
}

function isMatch(pattern: Uint8Array, name: string): boolean {
  const text = encoder.encode(name);
  return globMatches(pattern, 0, pattern.length, text, 0, text.length, true);
}
