import { assertEquals, assertThrows } from "@std/assert";
import { addressText, isLocal, parseUri } from "./address.ts";
import { addressOf, parseOptions, unquoted, UsageError } from "./options.ts";

Deno.test("parseOptions takes options up to the first word of the command", () => {
  const options = parseOptions(["-h", "there", "-p", "7000", "-n", "3", "set", "-h", "é"], null);
  assertEquals(addressText(addressOf(options)), "there:7000");
  assertEquals(options.db, 3);
  assertEquals(options.words, ["set", "-h", "\xc3\xa9"]);
});

Deno.test("parseOptions refuses unknown options and missing values as redis-cli does", () => {
  const refusals: [string[], string][] = [
    [["--bogus"], "Unrecognized option or bad number of args for: '--bogus'"],
    [["-p"], "Unrecognized option or bad number of args for: '-p'"],
    [["-2", "-3"], "Options -2 and -3 are mutually exclusive."],
    [["-x", "-X", "tag"], "Options -x and -X are mutually exclusive."],
    [["-u", "http://a"], "Invalid URI scheme"],
    [["-p", "70000"], "Invalid server port."],
    [["--insecure", "ping"], "--insecure is not supported"],
  ];
  for (const [argv, message] of refusals) {
    assertThrows(() => parseOptions(argv, null), UsageError, message);
  }
});

Deno.test("-h alone asks for help, as --help does", () => {
  for (const argv of [["-h"], ["--help"], ["-p", "1", "-h"]]) {
    assertEquals(parseOptions(argv, null).mode, "help");
  }
});

Deno.test("a password on the command line wins over the environment's", () => {
  assertEquals(parseOptions(["ping"], "env").password, "env");
  assertEquals(parseOptions(["ping"], "env").isPasswordShown, false);
  assertEquals(parseOptions(["-a", "own", "ping"], "env").password, "own");
  assertEquals(parseOptions(["--pass", "own", "ping"], "env").isPasswordShown, true);
});

Deno.test("a URI says what it says and leaves the rest", () => {
  assertEquals(parseUri("redis://"), { isTls: false });
  assertEquals(parseUri("redis://secret@h"), { isTls: false, password: "secret", host: "h" });
  assertEquals(parseUri("redis://:secret@h"), { isTls: false, password: "secret", host: "h" });
  assertEquals(parseUri("rediss://u%40x:p%3aw@h:1/2?x=1"), {
    isTls: true,
    user: "u@x",
    password: "p:w",
    host: "h",
    port: 1,
    db: 2,
  });
  assertEquals(parseUri("redis://[::1]:7000"), { isTls: false, host: "::1", port: 7000 });
  assertEquals(parseUri("redis://u:a/b@h"), {
    isTls: false,
    user: "u",
    password: "a/b",
    host: "h",
  });
  assertEquals(parseUri("redis://u:%zz@h"), "Invalid URI: a % is followed by no number");
});

Deno.test("a server is local if its name is", () => {
  const isLocalArgv = (...argv: string[]): boolean => isLocal(addressOf(parseOptions(argv, null)));
  assertEquals(isLocalArgv(), true);
  assertEquals(isLocalArgv("-s", "/run/x.sock", "-h", "far"), true);
  assertEquals(isLocalArgv("-h", "localhost"), true);
  assertEquals(isLocalArgv("-h", "far"), false);
});

Deno.test("--quoted-input takes one word in quotes, or without", () => {
  assertEquals(unquoted('"a\\x00b"'), "a\x00b");
  assertEquals(unquoted("a"), "a");
  for (const wrong of ["", "a b", '"a', "'a'b"]) assertEquals(unquoted(wrong), null);
});
