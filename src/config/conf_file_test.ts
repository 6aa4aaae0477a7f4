import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  applyDirectives,
  environmentName,
  parseCommandLine,
  parseConf,
  parseEnvironment,
  rewriteConf,
  withIncludes,
} from "./conf_file.ts";
import { Parameters } from "./parameters.ts";

function noFiles(path: string): never {
  throw new Error(`nobody asked for ${path}`);
}

/** Parameters as a configuration file sets them. */
function loaded(text: string): Parameters {
  const parameters = new Parameters();
  applyDirectives(parameters, parseConf(text, "redis.conf", noFiles));
  return parameters;
}

/** The directives of a command line, each as its words. */
function options(...argv: string[]): string[][] {
  return parseCommandLine(argv).directives.map(({ name, words }) => [name, ...words]);
}

/** All values in the form of the configuration file, which tells more than CONFIG GET. */
function everything(parameters: Parameters): string[] {
  return parameters.names().map((name) => `${name} ${parameters.lines(name).join(" | ")}`);
}

Deno.test("parseConf passes over comments and blank lines and lowers names", () => {
  const found = parseConf(
    '# a\n\n \t\r\n  PORT 7000 \r\nsave 900 1\nrequirepass "a b"',
    "f",
    noFiles,
  );
  assertEquals(found.map(({ name, words, line }) => [name, ...words, line]), [
    ["port", "7000", 4],
    ["save", "900", "1", 5],
    ["requirepass", "a b", 6],
  ]);
});
Deno.test("parseConf puts included files where their include stands", () => {
  const read = (path: string) =>
    path === "*.conf" ? [{ name: "b.conf", text: "hz 1\ntimeout 2" }] : "";
  const found = parseConf("port 1\ninclude *.conf\nport 2\ninclude none", "a.conf", read);
  assertEquals(found.map(({ name, source, line }) => `${name} ${source}:${line}`), [
    "port a.conf:1",
    "hz b.conf:1",
    "timeout b.conf:2",
    "port a.conf:3",
  ]);
});
Deno.test("a file that includes itself is refused", () => {
  const read = () => "include a.conf";
  assertThrows(() => parseConf(read(), "a.conf", read), SyntaxError, "include each other");
});
Deno.test("an error in a file names the file, the line and its text", () => {
  const cases = [
    ["port 7\n  foo bar ", "foo bar", "Bad directive or wrong number of arguments"],
    ["\nport 1 2", "port 1 2", "wrong number of arguments"],
    ["\nport x", "port x", "argument couldn't be parsed into an integer"],
    ['\nfoo "b', 'foo "b', "Unbalanced quotes in configuration line"],
  ];
  for (const [text, line, detail] of cases) {
    const error = assertThrows(() => loaded(text), SyntaxError);
    assertEquals(
      error.message,
      "\n*** FATAL CONFIG FILE ERROR (Respite) ***\n" +
        `Reading the configuration file redis.conf, at line 2\n>>> '${line}'\n${detail}`,
    );
  }
});
Deno.test("an unknown directive is followed by what may have been meant", () => {
  const hintOf = (text: string): string =>
    assertThrows(() => loaded(text), SyntaxError).message.split("arguments\n")[1] ?? "";
  assertEquals(hintOf("prot 7000"), "Did you mean port?");
  assertEquals(hintOf("max-memory 1gb"), "Did you mean maxmemory?");
  assertEquals(hintOf("nosuch 1"), "");
  assertEquals(
    hintOf("\xef\xbb\xbfport 7000"),
    "The file begins with a byte order mark: save it without one",
  );
});
Deno.test("an error shows the letters of the line, not its bytes", () => {
  const { message } = assertThrows(() => loaded("gr\xc3\xbc\xc3\x9fe 1"), SyntaxError);
  assertStringIncludes(message, ">>> 'grüße 1'");
});
Deno.test("directives that are no parameters go to their handlers", () => {
  const seen: (readonly string[])[] = [];
  const renameCommand = (words: readonly string[]) => {
    seen.push(words);
    return words.length === 2 ? null : "wrong number of arguments";
  };
  const others = { "rename-command": renameCommand };
  const apply = (text: string) =>
    applyDirectives(new Parameters(), parseConf(text, "f", noFiles), others);
  apply('rename-command FLUSHALL ""');
  assertEquals(seen, [["FLUSHALL", ""]]);
  assertThrows(() => apply("rename-command"), SyntaxError, "wrong number of arguments");
});

Deno.test("parseCommandLine reads a file, standard input and options", () => {
  const { file, stdin, directives } = parseCommandLine(["a.conf", "--port", "7000", "-"]);
  assertEquals([file, stdin, directives.length], ["a.conf", true, 1]);
  assertEquals(parseCommandLine(["-"]), { file: null, stdin: true, directives: [] });
  assertEquals(parseCommandLine([]), { file: null, stdin: false, directives: [] });
});
Deno.test("parseCommandLine reads options as redis-server does", () => {
  assertEquals(options("--port 7000", "--save", "900", "1"), [["port", "7000"], [
    "save",
    "900",
    "1",
  ]]);
  assertEquals(options("--maxmemory '700mb'"), [["maxmemory", "700mb"]]);
  assertEquals(options("--requirepass", 'a "b'), [["requirepass", 'a "b']]);
  assertEquals(options("--a", "--b", "--c", "d"), [["a", "--b"], ["c", "d"]]);
  assertEquals(options("--save", "--hz", "1"), [["save", ""], ["hz", "1"]]);
  assertEquals(options("--hz", "1", "--save"), [["hz", "1"], ["save", ""]]);
  assertEquals(options("--a", "--save", "--save", ""), [["a", "--save"], ["save", ""]]);
  assertEquals(options("--port=7000"), [["port=7000"]]);
  assertEquals(parseCommandLine(["f", "loglevel", "verbose"]).directives[0].words, ["verbose"]);
});
Deno.test("an error in an option shows its values in quotes, as redis-server does", () => {
  const refusalOf = (...argv: string[]): string | undefined =>
    assertThrows(
      () => applyDirectives(new Parameters(), parseCommandLine(argv).directives),
      SyntaxError,
    ).message.split(">>> ")[1];
  assertEquals(
    refusalOf("--port", "6379", "6380"),
    `'port "6379" "6380"'\nwrong number of arguments`,
  );
  assertEquals(
    refusalOf("--port", 'a b"c', "x"),
    `'port "a b\\"c" "x"'\nwrong number of arguments`,
  );
  assertEquals(refusalOf("--port 1 2"), "'port 1 2'\nwrong number of arguments");
  assertEquals(refusalOf("--port"), "'port'\nwrong number of arguments");
  assertEquals(refusalOf("--nosuch"), "'nosuch'\nBad directive or wrong number of arguments");
});
Deno.test("save points of the command line add to those of the file, and an empty list ends them", () => {
  const file = parseConf("save 900 1", "f", noFiles);
  const save = (...argv: string[]): string => {
    const parameters = new Parameters();
    applyDirectives(parameters, [...file, ...parseCommandLine(argv).directives]);
    return parameters.get("save");
  };
  assertEquals(save("--save", "100", "100"), "900 1 100 100");
  assertEquals(save("--save", "100 100"), "900 1 100 100");
  assertEquals(save("--save", ""), "");
});
Deno.test("withIncludes reads the files that a command line includes", () => {
  const { directives } = parseCommandLine(["--include", "x", "--hz", "2"]);
  const found = withIncludes(directives, () => "port 5");
  assertEquals(found.map(({ name }) => name), ["port", "hz"]);
});
Deno.test("variables of the environment name any parameter", () => {
  const parameters = new Parameters();
  const variables = {
    RESPITE_SAVE: "900 1",
    RESPITE_REQUIREPASS: "a b",
    HOME: "/",
    RESPITE_BIO_CPULIST: "0",
  };
  applyDirectives(parameters, parseEnvironment(variables, parameters).directives);
  assertEquals(parameters.values.save, "900 1");
  assertEquals(parameters.values.requirepass, "a b");
  for (const name of parameters.names()) {
    const { directives } = parseEnvironment({ [environmentName(name)]: "1" }, parameters);
    assertEquals(directives[0].name, name);
  }
});

Deno.test("rewriteConf leaves a file alone that says what is in force", () => {
  const text =
    "# mine\n\n\nport   6379\nhash-max-ziplist-entries 21\nmaxmemory 1024kb # \ninclude x\n";
  const old = text.replace(" # ", "");
  const parameters = new Parameters();
  applyDirectives(parameters, parseConf(old, "f", () => ""));
  assertEquals(rewriteConf(old, parameters), old);
});
Deno.test("rewriteConf changes values in place and adds new ones under a heading", () => {
  const old =
    "# mine\nport 1\n\nrequirepass x\nsave 1 1\nsave 2 2\n# end\ntimeout 3\nport 2\nuser u on\n";
  const parameters = loaded(old.replace(/user.*/, ""));
  parameters.setMany([["port", "5"], ["requirepass", ""], ["save", "7 7 8 8 9 9"], ["hz", "20"]]);
  const expected = "# mine\nport 5\n\nsave 7 7\nsave 8 8\nsave 9 9\n# end\ntimeout 3\nuser u on\n" +
    "# Generated by CONFIG REWRITE\nhz 20\n";
  // One line is wanted: the first `port` becomes that line, the second is removed.
  assertEquals(rewriteConf(old, parameters), expected);
  assertEquals(rewriteConf(expected, parameters), expected);
  parameters.setMany([["save", ""], ["hz", "10"]]);
  const emptied = rewriteConf(expected, parameters);
  assert(emptied.includes('\nsave ""\n# end\n') && emptied.endsWith("CONFIG REWRITE\nhz 10\n"));
});
Deno.test("rewriteConf writes the newer name, sizes with units, and bytes that don't print", () => {
  const parameters = loaded("hash-max-ziplist-entries 21");
  const limit = "slave 1mb 2kb 3";
  parameters.setMany([
    ["hash-max-listpack-entries", "100"],
    ["requirepass", "\xff "],
    ["client-output-buffer-limit", limit],
  ]);
  assertEquals(
    rewriteConf('hash-max-ziplist-entries 21\nbroken "\n', parameters).split("\n"),
    [
      "hash-max-listpack-entries 100",
      '# ??? broken "',
      "# Generated by CONFIG REWRITE",
      "client-output-buffer-limit normal 0 0 0",
      "client-output-buffer-limit replica 1mb 2kb 3",
      "client-output-buffer-limit pubsub 32mb 8mb 60",
      'requirepass "\\xff "',
      "",
    ],
  );
});
Deno.test("words that need quotes survive in a list, be they one or several", () => {
  for (const value of ["'", "' \"", " ", "a b"]) {
    const parameters = new Parameters();
    parameters.setMany([["bind", value]]);
    assertEquals(loaded(rewriteConf("", parameters)).values.bind, value);
  }
});
Deno.test("rewriteConf replaces lines of other directives if they are given", () => {
  const others = { user: ["default on nopass", "b off"] };
  const text = rewriteConf("user a on\nhz 10\n", new Parameters(), { others });
  assertEquals(text, "user default on nopass\nuser b off\nhz 10\n");
});
Deno.test("rewriteConf writes everything on demand, and all of it can be read", () => {
  const parameters = new Parameters();
  const text = rewriteConf("", parameters, { all: true });
  assert(text.split("\n").length > parameters.names().length);
  assertEquals(everything(loaded(text)), everything(parameters));
});

/** Texts that some parameter accepts, and any bytes for those that take all. */
const someText = fc.oneof(
  fc.constantFrom(
    "yes",
    "no",
    "0",
    "7",
    "100",
    "9007199254740993",
    "1gb",
    "100mb",
    "50%",
    "",
    "a b",
  ),
  fc.constantFrom(
    "3600 1 300 10",
    "60 0",
    "force now",
    "KEAn",
    "Kxg",
    "1 2 3",
    "50 99.5",
    "everysec",
  ),
  fc.constantFrom(
    "normal 1 2 3",
    "replica 1gb 1mb 9 pubsub 0 0 0",
    "allkeys-lru",
    "local",
    "127.0.0.1",
  ),
  fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 8 })
    .map((codes) => String.fromCharCode(...codes)),
);
const someName = fc.oneof(
  fc.constantFrom(...new Parameters().names()),
  // Parameters of several lines or with a form of their own are chosen more often than others.
  fc.constantFrom("save", "client-output-buffer-limit", "requirepass", "maxmemory", "bind"),
  fc.constantFrom("notify-keyspace-events", "shutdown-on-sigint", "maxmemory-clients"),
);
const somePairs = fc.array(fc.tuple(someName, someText), { maxLength: 30 });

/** Sets what of `pairs` is accepted. */
function setSome(parameters: Parameters, pairs: readonly (readonly [string, string])[]): void {
  parameters.values.enableProtectedConfigs = "yes";
  for (const pair of pairs) parameters.setMany([pair]);
  parameters.values.enableProtectedConfigs = "no";
}

Deno.test("a rewritten file sets what was in force, whatever stood in it before", () => {
  fc.assert(fc.property(somePairs, somePairs, fc.boolean(), (before, after, all) => {
    const parameters = new Parameters();
    setSome(parameters, before);
    const old = `# head\n${rewriteConf("", parameters, { all })}`;
    setSome(parameters, after);
    const text = rewriteConf(old, parameters);
    assertEquals(everything(loaded(text)), everything(parameters));
    assertEquals(rewriteConf(text, parameters), text);
  }));
});
