/**
 * The libraries of functions. A library is known by its source, which is what files hold; its functions are what its source has
 * registered when it was run. Names of libraries are told apart by case, those of functions are not.
 *
 * A load or restore that fails leaves everything as it was: all is compiled and checked before anything changes.
 */
import type { Call } from "../engine/call.ts";
import type {
  FunctionCalls,
  FunctionLibrary,
  LibraryFunction,
  RestorePolicy,
} from "../engine/function_calls.ts";
import { NameTable } from "../engine/name_table.ts";
import { assert } from "../lib/assert.ts";
import type { Log } from "../observe/log.ts";
import type { Args } from "../protocol/args.ts";
import type { FunctionLibraries } from "../persistence/parts.ts";
import {
  type ErrorReply,
  Errors,
  errorText,
  functionExists,
  libraryExists,
  restoredLibraryExists,
} from "../protocol/errors.ts";
import { type LibraryHeader, readLibraryHeader } from "./library_header.ts";

/** A function that a library has registered. */
export interface CompiledFunction extends LibraryFunction {
  /** By which the interpreter knows it. */
  readonly reference: number;
}

/** The interpreter. */
export interface FunctionEngine {
  /** Bytes that it takes. */
  readonly bytes: number;
  readonly isReady: boolean;
  /** Called when it has forgotten all functions: they must be loaded again. */
  onReplaced: () => void;
  prepare(): Promise<void>;
  /**
   * Runs a library's program, the source from `start` on; returns the functions that it has registered, or an error.
   * `isLimited`: it is ended after half a second.
   */
  load(code: Uint8Array, start: number, isLimited: boolean): CompiledFunction[] | ErrorReply;
  /** These functions are not called any more. */
  release(functions: readonly CompiledFunction[]): void;
  /** No functions are left. */
  clear(): void;
  /** Calls a function: see FunctionCalls.run. */
  run(call: Call, one: CompiledFunction, keyCount: number, isReadOnly: boolean): void;
}

/** Bytes that a library and a function take beside their texts, roughly. */
const LIBRARY_BYTES = 200;
const FUNCTION_BYTES = 150;

interface Library extends FunctionLibrary {
  readonly functions: readonly CompiledFunction[];
  readonly bytes: number;
}

export class FunctionStore implements FunctionCalls, FunctionLibraries {
  readonly #engine: FunctionEngine;
  readonly #libraries = new Map<string, Library>();
  /** By lower-case name. */
  readonly #owners = new Map<string, Library>();
  /** Finds functions; null after a change, until it is needed. */
  #lookUp: NameTable<CompiledFunction> | null = null;
  #count = 0;
  #bytes = 0;
  readonly #log: Log;
  /** How often the interpreter has been replaced by a new one. */
  #replacements = 0;

  constructor(engine: FunctionEngine, log: Log) {
    this.#engine = engine;
    this.#log = log;
    engine.onReplaced = () => this.#loadAgain();
  }

  get libraries(): ReadonlyMap<string, FunctionLibrary> {
    return this.#libraries;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get machineBytes(): number {
    return this.#engine.bytes;
  }

  get isReady(): boolean {
    return this.#engine.isReady;
  }

  prepare(): Promise<void> {
    return this.#engine.prepare();
  }

  load(code: Uint8Array, replaces: boolean, isLimited: boolean): string | ErrorReply {
    const header = readLibraryHeader(code);
    if (header instanceof Uint8Array) return header;
    const old = this.#libraries.get(header.name);
    if (old !== undefined && !replaces) return libraryExists(header.name);
    const library = this.#compile(code, header, isLimited);
    if (library instanceof Uint8Array) return library;
    const isOld = (other: Library): boolean => other === old;
    const collision = this.#collision([library], isOld);
    if (collision !== null) {
      this.#engine.release(library.functions);
      return collision;
    }
    if (old !== undefined) this.#remove(old);
    this.#add(library);
    return library.name;
  }

  #compile(
    code: Uint8Array,
    { name, end }: LibraryHeader,
    isLimited: boolean,
  ): Library | ErrorReply {
    const functions = this.#engine.load(code, end, isLimited);
    if (functions instanceof Uint8Array) return functions;
    if (functions.length === 0) return Errors.noFunctions;
    let bytes = LIBRARY_BYTES + code.length;
    for (const { name, description } of functions) {
      bytes += FUNCTION_BYTES + name.length + (description?.length ?? 0);
    }
    return { name, code, functions, bytes };
  }

  /** An error if a function of `libraries` is called as one of another library that stays: `leaves` tells which do not. */
  #collision(
    libraries: readonly Library[],
    leaves: (other: Library) => boolean,
  ): ErrorReply | null {
    for (const { functions } of libraries) {
      for (const { name } of functions) {
        const owner = this.#owners.get(name.toLowerCase());
        if (owner !== undefined && !leaves(owner)) return functionExists(name);
      }
    }
    return null;
  }

  #add(library: Library): void {
    assert(!this.#libraries.has(library.name), "a library's name is its own");
    this.#lookUp = null;
    this.#libraries.set(library.name, library);
    // As long as they differ by case, a library's own functions may have the same name.
    for (const { name } of library.functions) this.#owners.set(name.toLowerCase(), library);
    this.#count += library.functions.length;
    this.#bytes += library.bytes;
  }

  #remove(library: Library): void {
    this.#drop(library);
    this.#engine.release(library.functions);
  }

  /** Forgets a library whose functions the interpreter has forgotten, or is about to. */
  #drop(library: Library): void {
    assert(this.#libraries.get(library.name) === library, "what is removed is there");
    this.#lookUp = null;
    this.#libraries.delete(library.name);
    for (const { name } of library.functions) this.#owners.delete(name.toLowerCase());
    this.#count -= library.functions.length;
    this.#bytes -= library.bytes;
    assert(this.#libraries.size > 0 || this.#bytes === 0, "no library takes no bytes");
  }

  /**
   * The interpreter is a new one, which knows no functions. A library that it refuses now is left out. None is limited: one of a
   * file may always have taken long.
   */
  #loadAgain(): void {
    this.#replacements++;
    for (const library of [...this.#libraries.values()]) {
      // It is dropped first, in case that it breaks this interpreter, too.
      this.#drop(library);
      const error = this.add(library.code, false);
      if (error === null) continue;
      this.#log.warning(`Library ${library.name} is lost: it could not be loaded again: ${error}`);
    }
  }

  *codes(): Iterable<Uint8Array> {
    for (const { code } of this.#libraries.values()) yield code;
  }

  /** Adds a library of a file. */
  add(code: Uint8Array, replaces: boolean): string | null {
    const loaded = this.load(code, replaces, false);
    return typeof loaded === "string" ? null : errorText(loaded);
  }

  delete(name: string): boolean {
    const library = this.#libraries.get(name);
    if (library === undefined) return false;
    this.#remove(library);
    return true;
  }

  clear(): void {
    for (const library of this.#libraries.values()) this.#remove(library);
    this.#engine.clear();
    assert(this.#count === 0 && this.#owners.size === 0, "nothing is left");
  }

  restore(codes: readonly Uint8Array[], policy: RestorePolicy): ErrorReply | null {
    const restored = new Map<string, Library>();
    const replacements = this.#replacements;
    const error = this.#compileAll(codes, restored) ?? this.#conflict(restored, policy);
    if (error !== null) {
      // If one of them has broken the interpreter, the new one may know other functions by the same references.
      if (this.#replacements !== replacements) return error;
      for (const { functions } of restored.values()) this.#engine.release(functions);
      return error;
    }
    for (const library of this.#libraries.values()) {
      if (policy === "flush" || restored.has(library.name)) this.#remove(library);
    }
    for (const library of restored.values()) this.#add(library);
    return null;
  }

  /** Compiles libraries, which must not be in each other's way, into `restored`. */
  #compileAll(codes: readonly Uint8Array[], restored: Map<string, Library>): ErrorReply | null {
    const names = new Set<string>();
    for (const code of codes) {
      const header = readLibraryHeader(code);
      if (header instanceof Uint8Array) return header;
      if (restored.has(header.name)) return libraryExists(header.name);
      const library = this.#compile(code, header, true);
      if (library instanceof Uint8Array) return library;
      restored.set(library.name, library);
      const taken = library.functions.find(({ name }) => names.has(name.toLowerCase()));
      if (taken !== undefined) return functionExists(taken.name);
      for (const { name } of library.functions) names.add(name.toLowerCase());
    }
    return null;
  }

  /** Why `restored` can't stand beside the libraries that stay. */
  #conflict(restored: ReadonlyMap<string, Library>, policy: RestorePolicy): ErrorReply | null {
    if (policy === "flush") return null;
    if (policy === "append") {
      for (const name of restored.keys()) {
        if (this.#libraries.has(name)) return restoredLibraryExists(name);
      }
    }
    return this.#collision([...restored.values()], ({ name }) => restored.has(name));
  }

  find(args: Args, index: number): CompiledFunction | null {
    this.#lookUp ??= this.#makeLookUp();
    return this.#lookUp.find(args, index);
  }

  run(call: Call, one: LibraryFunction, keyCount: number, isReadOnly: boolean): void {
    this.#engine.run(call, one as CompiledFunction, keyCount, isReadOnly);
  }

  #makeLookUp(): NameTable<CompiledFunction> {
    const functions = new Map<string, CompiledFunction>();
    for (const library of this.#libraries.values()) {
      for (const one of library.functions) functions.set(one.name.toLowerCase(), one);
    }
    assert(functions.size === this.#owners.size, "a function that has an owner is found");
    return new NameTable(functions);
  }
}
