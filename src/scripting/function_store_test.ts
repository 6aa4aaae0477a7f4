import { assertEquals } from "@std/assert";
import { Log } from "../observe/log.ts";
import { argsOf, binaryBytes } from "../protocol/args.ts";
import { type ErrorReply, errorReply, errorText } from "../protocol/errors.ts";
import { type CompiledFunction, type FunctionEngine, FunctionStore } from "./function_store.ts";

/**
 * An interpreter whose programs are names of functions; "!" is an error, and "!!" breaks it: a new one takes its place. It knows
 * which of them are in use.
 */
class Names implements FunctionEngine {
  readonly bytes = 0;
  readonly isReady = true;
  onReplaced = (): void => {};
  readonly inUse = new Map<number, string>();
  /** A program with this word is an error, too. */
  refused = "";
  #next = 1;

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  load(code: Uint8Array, start: number): CompiledFunction[] | ErrorReply {
    const words = String.fromCharCode(...code.slice(start)).split(/\s+/).filter((word) => word);
    if (words.includes("!")) return errorReply("ERR no");
    if (words.includes("!!")) {
      this.inUse.clear();
      this.#next = 1;
      this.onReplaced();
      return errorReply("ERR broken");
    }
    if (words.includes(this.refused)) return errorReply("ERR refused");
    return words.map((name) => {
      this.inUse.set(this.#next, name);
      return { name, description: null, flags: 0, reference: this.#next++ };
    });
  }

  release(functions: readonly CompiledFunction[]): void {
    for (const { reference } of functions) {
      if (!this.inUse.delete(reference)) throw new Error("released twice");
    }
  }

  clear(): void {}
  run(): void {}
}

function fresh() {
  const names = new Names();
  const logged: string[] = [];
  const store = new FunctionStore(names, new Log(1, (line) => logged.push(line)));
  const load = (text: string, replaces = false): string => {
    const loaded = store.load(binaryBytes(text), replaces, true);
    return typeof loaded === "string" ? loaded : errorText(loaded);
  };
  const restore = (policy: "append" | "flush" | "replace", ...texts: string[]): string => {
    const error = store.restore(texts.map(binaryBytes), policy);
    return error === null ? "OK" : errorText(error);
  };
  /** The libraries with their functions; asserts that the interpreter keeps these and no others. */
  const all = (): string => {
    const libraries = [...store.libraries.values()];
    const functions = libraries.flatMap(({ functions }) => functions.map(({ name }) => name));
    assertEquals([...names.inUse.values()].sort(), functions.sort());
    assertEquals(store.count, functions.length);
    for (const name of functions) {
      assertEquals(store.find(argsOf(name.toUpperCase()), 0)?.name, name);
    }
    return libraries.map(({ name, functions }) =>
      `${name}: ${functions.map(({ name }) => name).join(" ")}`
    ).join(", ");
  };
  return { store, load, restore, all, names, logged };
}

Deno.test("A library's first line names it, and what is wrong with it is said", () => {
  const { load, store } = fresh();
  const badName =
    "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";
  const cases: [line: string, answer: string][] = [
    ["", "ERR Missing library metadata"],
    ["#", "ERR Missing library metadata"],
    ["lua name=x", "ERR Missing library metadata"],
    ["#!", "ERR Library name was not given"],
    ["#!lua", "ERR Library name was not given"],
    ["#! name=x", "ERR Engine '' not found"],
    ["#!js name=x", "ERR Engine 'js' not found"],
    ["#!js name=a-b", badName],
    ["#! lua name=x", "ERR Invalid metadata value given: lua"],
    ["#!lua foo=bar", "ERR Invalid metadata value given: foo=bar"],
    ["#!lua name=a name=b", "ERR Invalid metadata value, name argument was given multiple times"],
    ['#!lua name="x', "ERR Invalid library metadata"],
    ["#!lua name=x\0", "ERR Invalid library metadata"],
    ["#!lua name=", badName],
    ['#!lua name="a b"', badName],
    ["#!lua name=\xe4", badName],
    ["#!lua name=x", "x"],
    ["#!LUA  NAME=x2\t", "x2"],
    ['#!lua\tname="x_3"\r', "x_3"],
    ["#!lua name=x'y'", "xy"],
  ];
  for (const [line, answer] of cases) {
    assertEquals(load(`${line}\nf`), answer, line);
    store.clear();
  }
  assertEquals(load("#!lua name=x"), "ERR Invalid library metadata");
  assertEquals(load("#!lua name=x\n"), "ERR No functions registered");
});

Deno.test("A load that fails leaves the old library", () => {
  const { load, all } = fresh();
  assertEquals(load("#!lua name=a\nf g"), "a");
  assertEquals(load("#!lua name=a\nh"), "ERR Library 'a' already exists");
  assertEquals(load("#!lua name=a\n!", true), "ERR no");
  assertEquals(load("#!lua name=b\nh F"), "ERR Function F already exists");
  assertEquals(all(), "a: f g");
  assertEquals(load("#!lua name=b\nh", true), "b");
  assertEquals(load("#!lua name=b\ng h", true), "ERR Function g already exists");
  assertEquals(all(), "a: f g, b: h");
  assertEquals(load("#!lua name=a\nG i", true), "a");
  assertEquals(all(), "b: h, a: G i");
  // Only functions are alike whatever their case.
  assertEquals(load("#!lua name=A\nj"), "A");
  assertEquals(all(), "b: h, a: G i, A: j");
});

Deno.test("A restore takes all libraries or none", () => {
  const { load, restore, all } = fresh();
  const [a, b] = ["#!lua name=a\nf g", "#!lua name=b\nh"];
  assertEquals(restore("append", a, b), "OK");
  assertEquals(all(), "a: f g, b: h");
  assertEquals(restore("append", "#!lua name=c\ni", b), "ERR Library b already exists");
  assertEquals(restore("flush", a, a), "ERR Library 'a' already exists");
  assertEquals(restore("flush", a, "#!lua name=c\nF"), "ERR Function F already exists");
  assertEquals(restore("flush", a, "#!lua name=c\n"), "ERR No functions registered");
  assertEquals(restore("flush", a, "#!lua name=c\n!"), "ERR no");
  assertEquals(restore("flush", a, "c"), "ERR Missing library metadata");
  assertEquals(restore("append", "#!lua name=c\nH"), "ERR Function H already exists");
  assertEquals(
    restore("replace", "#!lua name=b\ni", "#!lua name=c\nF"),
    "ERR Function F already exists",
  );
  assertEquals(all(), "a: f g, b: h");
  // A function moves from one library to another.
  assertEquals(restore("replace", "#!lua name=a\nf", "#!lua name=c\ng"), "OK");
  assertEquals(all(), "b: h, a: f, c: g");
  assertEquals(restore("flush", "#!lua name=d\nf"), "OK");
  assertEquals(all(), "d: f");
  assertEquals(restore("flush"), "OK");
  assertEquals(all(), "");
  assertEquals(load(a), "a");
});

Deno.test("What is removed takes no bytes, and its names are free", () => {
  const { store, load, all } = fresh();
  assertEquals(load("#!lua name=a\nf F"), "a");
  assertEquals(store.bytes > 0, true);
  assertEquals([store.delete("A"), store.delete("a"), store.delete("a")], [false, true, false]);
  assertEquals(store.bytes, 0);
  assertEquals(store.find(argsOf("f"), 0), null);
  assertEquals(load("#!lua name=b\nf"), "b");
  assertEquals(all(), "b: f");
  store.clear();
  assertEquals([store.bytes, store.count, all()], [0, 0, ""]);
});

Deno.test("A restore that breaks the interpreter leaves the libraries, whose functions the new one keeps", () => {
  const { load, restore, all } = fresh();
  assertEquals(load("#!lua name=a\nf g"), "a");
  assertEquals(restore("append", "#!lua name=b\nh", "#!lua name=c\n!!"), "ERR broken");
  assertEquals(all(), "a: f g");
});

Deno.test("A library that a new interpreter refuses is left out, and the log says so", () => {
  const { load, all, names, logged } = fresh();
  assertEquals([load("#!lua name=a\nf"), load("#!lua name=b\ng")], ["a", "b"]);
  names.refused = "f";
  assertEquals(load("#!lua name=c\n!!"), "ERR broken");
  assertEquals(all(), "b: g");
  assertEquals(logged.map((line) => line.slice(line.indexOf("Library")).trimEnd()), [
    "Library a is lost: it could not be loaded again: ERR refused",
  ]);
});
