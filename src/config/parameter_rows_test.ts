import { assertEquals } from "@std/assert";
import { PARAMETER_ROWS } from "./parameter_rows.ts";
import type { ParameterSpec, ParameterValue } from "./parameter_kinds.ts";
import { Parameters } from "./parameters.ts";

const rows = PARAMETER_ROWS as readonly unknown[] as readonly ParameterSpec[];

Deno.test("the table is sorted and names nothing twice", () => {
  const names = rows.map((row) => row.name);
  assertEquals(names, names.toSorted());
  const all = rows.flatMap(({ name, traits }) =>
    traits.alias === undefined ? name : [name, traits.alias]
  );
  assertEquals(all.length, new Set(all).size);
});

/** Files that show parameters and do not act on them. */
const SHOW_ONLY = ["parameter_rows.ts", "parameter_words.ts", "missing.ts", "info.ts"];

/** All source of the server that may act on parameters, tests left out. */
function sourceBelow(folder: URL): string {
  let text = "";
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) text += sourceBelow(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts") && !SHOW_ONLY.includes(name)) {
      text += Deno.readTextFileSync(new URL(name, folder));
    }
  }
  return text;
}

Deno.test("exactly the parameters that nothing reads are marked inert", () => {
  const source = sourceBelow(new URL("../", import.meta.url));
  // A parameter is read as `values.port`, for encodings `limits.setMaxIntsetEntries`, or in a pattern: `const { maxmemory, maxmemoryPolicy } = ….values`.
  const read = new Set(
    [...source.matchAll(/\b(?:values|limits)\.(\w+)/g)].map((match) => match[1]),
  );
  for (const [, fields] of source.matchAll(/\{([^{}]*)\} = [\w.#]*\b(?:values|limits);/g)) {
    for (const field of fields.split(",")) read.add(field.trim().split(":")[0]);
  }
  // Its value is only shown by INFO.
  read.add("latencyTrackingInfoPercentiles");
  const camel = (name: string): string =>
    name.replaceAll(/[-_](.)/g, (_, c: string) => c.toUpperCase());
  const wrong = rows.filter(({ name, traits }) =>
    read.has(camel(name)) === (traits.inert === true)
  );
  assertEquals(
    wrong.map(({ name, traits }) =>
      `${name}: ${traits.inert ? "take inert away" : "mark it inert"}`
    ),
    [],
  );
});

/** Words that some parameter takes. */
const WORDS = [
  ...["yes", "no", "1", "2", "11", "1024", "1mb", "50%", "abc", "C", "0", "host.example.org"],
  ...["127.0.0.1 6379", "KEA", "1 2 3", "normal 1 1 1", "DEFAULT"],
];

/** A value that a parameter takes and that is not its default; null if there is none. */
function otherValue({ parse, initial }: ParameterSpec): ParameterValue | null {
  const choices = parse(["no such choice"], initial);
  const named = "error" in choices ? /one of the following: (.*)$/.exec(choices.error)?.[1] : "";
  for (const word of [...WORDS, ...(named ?? "").split(", ")]) {
    const parsed = parse(word.split(" "), initial);
    if (!("error" in parsed) && parsed.value !== initial) return parsed.value;
  }
  return null;
}

Deno.test("setting a parameter without effect is refused or warned about, at the start and by CONFIG SET", () => {
  const silent: string[] = [];
  for (const { name, initial, parse, show, traits, isMulti } of rows) {
    if (traits.inert !== true) continue;
    const value = otherValue({ name, initial, parse, show, traits } as ParameterSpec);
    if (value === null) throw new Error(`${name}: the test has no value for it`);
    const words = isMulti ? show(value).split(" ") : [show(value)];
    const atStart = new Parameters();
    assertEquals(atStart.load({ name, words }), null, name);
    const isRefused = atStart.dangers().some(([dangerous]) => dangerous === name);
    const isWarned = atStart.lacks()?.includes(name) === true;
    if (!isRefused && !isWarned) silent.push(`${name} at the start`);
    if (traits.immutable === true) continue;
    let warned = "";
    const error = new Parameters().setMany([[name, show(value)]], {
      warn: (text) => warned += text,
    });
    if (error === null ? !warned.includes(name) : !isRefused) silent.push(`${name} by CONFIG SET`);
  }
  assertEquals(silent, []);
});

Deno.test("setting a parameter to its default logs no warning", () => {
  const parameters = new Parameters();
  const warned: string[] = [];
  for (const { name, traits } of rows) {
    const text = parameters.get(name);
    if (traits.immutable === true || traits.protected === true) {
      if (text !== "") assertEquals(parameters.load({ name, words: [text] }), null, name);
    } else {
      const error = parameters.setMany([[name, text]], { warn: (line) => warned.push(line) });
      assertEquals(error, null);
    }
  }
  assertEquals([parameters.dangers(), parameters.lacks(), warned], [[], null, []]);
});

Deno.test("harmful parameters are refused with the reason, and all of them are named", () => {
  const parameters = new Parameters();
  for (
    const [name, word] of [["tls-cluster", "yes"], ["tls-replication", "yes"], ["daemonize", "yes"]]
  ) {
    parameters.load({ name, words: [word] });
  }
  assertEquals(parameters.dangers().map((pair) => pair.join(": ").slice(0, 40)), [
    "daemonize: this server can't put itself ",
    "tls-cluster: connections that this serve",
  ]);
  assertEquals(parameters.lacks(), null);
});

Deno.test("loadmodule is refused with the reason", () => {
  const refused = new Parameters().load({ name: "loadmodule", words: ["x.so"] });
  assertEquals(refused, "modules can't be loaded");
});
