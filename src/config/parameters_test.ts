import { assert, assertEquals } from "@std/assert";
import { DENIED_WHILE_LOADING, Parameters } from "./parameters.ts";

/** The detail with which CONFIG SET refuses one value; "OK" if it doesn't. */
function set(name: string, text: string, parameters = new Parameters()): string {
  const error = parameters.setMany([[name, text]]);
  const head = `CONFIG SET failed (possibly related to argument '${name}') - `;
  return error === null ? "OK" : error.startsWith(head) ? error.slice(head.length) : error;
}

/** What CONFIG GET shows after CONFIG SET. */
function shown(name: string, text: string): string {
  const parameters = new Parameters();
  assertEquals(set(name, text, parameters), "OK");
  return parameters.get(name);
}

Deno.test("every parameter that can be set accepts its own text and keeps it", () => {
  const parameters = new Parameters();
  parameters.load({ name: "enable-protected-configs", words: ["yes"] });
  for (const name of parameters.names()) {
    const text = parameters.get(name);
    const isImmutable = parameters.spec(name).traits.immutable === true;
    assertEquals(set(name, text, parameters), isImmutable ? "can't set immutable config" : "OK");
    assertEquals(parameters.get(name), text);
  }
});
Deno.test("values holds plain fields that follow CONFIG SET", () => {
  const parameters = new Parameters();
  assertEquals(parameters.values.protoMaxBulkLen, 512 * 1024 * 1024);
  parameters.setMany([["proto-max-bulk-len", "1gb"], ["latency-tracking", "NO"]]);
  assertEquals(parameters.values.protoMaxBulkLen, 2 ** 30);
  assertEquals(parameters.values.latencyTracking, false);
});
Deno.test("CONFIG SET refuses values in Redis's words", () => {
  const notOneOf = "argument(s) must be one of the following: ";
  const cases: [name: string, text: string, detail: string][] = [
    ["activerehashing", "maybe", "argument must be 'yes' or 'no'"],
    ["timeout", "01", "argument couldn't be parsed into an integer"],
    ["timeout", "-1", "argument must be between 0 and 2147483647 inclusive"],
    ["slowlog-max-len", "9223372036854775808", "argument couldn't be parsed into an integer"],
    [
      "list-max-listpack-size",
      "-2147483649",
      "argument must be between -2147483648 and 2147483647 inclusive",
    ],
    ["maxmemory", "1t", "argument must be a memory value"],
    [
      "proto-max-bulk-len",
      "1",
      "argument must be between 1048576 and 9223372036854775807 inclusive",
    ],
    ["maxmemory-clients", "-5", "argument must be a memory or percent value"],
    ["maxmemory-clients", "101%", "percentage argument must be less or equal to 100"],
    ["appendfsync", "never", `${notOneOf}everysec, always, no`],
    ["shutdown-on-sigint", "", `${notOneOf}default, save, nosave, now, force`],
    [
      "shutdown-on-sigint",
      "save nosave",
      "shutdown options SAVE and NOSAVE can't be used simultaneously",
    ],
    ["save", "60  1", "Invalid save parameters"],
    ["save", "0 1", "Invalid save parameters"],
    ["notify-keyspace-events", "q", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."],
    ["oom-score-adj-values", "1 2", "wrong number of arguments"],
    [
      "client-output-buffer-limit",
      "normal 1",
      "Wrong number of arguments in buffer limit configuration.",
    ],
    ["daemonize", "yes", "can't set immutable config"],
    ["dir", "/tmp", "can't set protected config"],
    [
      "cluster-announce-hostname",
      "a b",
      "Hostnames may only contain alphanumeric characters, hyphens or dots",
    ],
    ["proc-title-template", "{foo}", "template format is invalid or contains unknown variables"],
  ];
  for (const [name, text, detail] of cases) {
    assertEquals(set(name, text), detail, `${name} ${text}`);
  }
  assertEquals(
    set("nosuch", "1"),
    "Unknown option or number of arguments for CONFIG SET - 'nosuch'",
  );
});
Deno.test("CONFIG GET shows values in Redis's form", () => {
  const parameters = new Parameters();
  parameters.load({ name: "maxmemory-clients", words: ["50%"] });
  assertEquals(parameters.get("maxmemory-clients"), "50%");
  assertEquals(shown("maxmemory", "100MB"), "104857600");
  assertEquals(shown("maxmemory", "9007199254740993"), "9007199254740993");
  assertEquals(shown("slowlog-max-len", "9223372036854775807"), "9223372036854775807");
  assertEquals(shown("hz", "100000"), "500");
  assertEquals(shown("oom-score-adj", "relative"), "yes");
  assertEquals(shown("shutdown-on-sigint", "force default nosave"), "nosave force");
  assertEquals(shown("save", "+60 1"), "60 1");
  assertEquals(shown("save", ""), "");
  assertEquals(shown("notify-keyspace-events", "EKAn"), "AKE");
  assertEquals(shown("notify-keyspace-events", "nzm"), "znm");
  assertEquals(shown("latency-tracking-info-percentiles", "50 1e1 99.99999999"), "50 10 100");
  const limits = shown("client-output-buffer-limit", "normal 1k 1 1 replica 1 2 3");
  assertEquals(limits, "normal 1000 1 1 slave 1 2 3 pubsub 33554432 8388608 60");
});
Deno.test("CONFIG SET sets all or none", () => {
  const parameters = new Parameters();
  const error = parameters.setMany([["maxmemory", "1"], ["maxmemory-clients", "200%"], [
    "hz",
    "x",
  ]]);
  assertEquals(
    error,
    "CONFIG SET failed (possibly related to argument 'maxmemory-clients') - " +
      "percentage argument must be less or equal to 100",
  );
  assertEquals(parameters.values.maxmemory, 0);
});
Deno.test("CONFIG SET puts everything back when a listener refuses", () => {
  const parameters = new Parameters();
  const seen: number[] = [];
  parameters.onChange("maxmemory", () => {
    seen.push(parameters.values.maxmemory);
    return null;
  });
  parameters.onChange("port", () => parameters.values.port === 1 ? "Unable to listen" : null);
  assertEquals(
    parameters.setMany([["maxmemory", "5"], ["PORT", "1"]]),
    "CONFIG SET failed (possibly related to argument 'port') - Unable to listen",
  );
  assertEquals(seen, [5, 0]);
  assertEquals([parameters.values.maxmemory, parameters.values.port], [0, 6379]);
});
Deno.test("a listener is called once for all changes of a CONFIG SET, and not for unchanged values", () => {
  const parameters = new Parameters();
  let calls = 0;
  const listener = () => {
    calls++;
    return null;
  };
  for (const name of ["timeout", "maxmemory"]) parameters.onChange(name, listener);
  parameters.setMany([["timeout", "0"]]);
  assertEquals(calls, 0);
  parameters.setMany([["timeout", "9"], ["maxmemory", "9"]]);
  assertEquals(calls, 1);
});
Deno.test("CONFIG SET refuses a name twice but takes an alias beside its name", () => {
  const parameters = new Parameters();
  const pairs = [["timeout", "1"], ["TIMEOUT", "2"]] as const;
  assert(parameters.setMany(pairs)?.endsWith("'TIMEOUT') - duplicate parameter"));
  const both = [["hash-max-ziplist-entries", "1"], ["hash-max-listpack-entries", "2"]] as const;
  assertEquals(parameters.setMany(both), null);
  assertEquals(parameters.values.hashMaxListpackEntries, 2);
});
Deno.test("protected parameters can be set by clients that enable-protected-configs allows", () => {
  const parameters = new Parameters();
  parameters.load({ name: "enable-protected-configs", words: ["local"] });
  assert(parameters.setMany([["dbfilename", "x"]]) !== null);
  assertEquals(parameters.setMany([["dbfilename", "x"]], { isLocal: true }), null);
});
Deno.test("matching gives each name once, as it was asked for", () => {
  const parameters = new Parameters();
  const names = (...globs: string[]) => parameters.matching(globs).map(([name]) => name);
  assertEquals(names("PORT", "port", "por?"), ["PORT"]);
  assertEquals(names("hash-max-*-value"), ["hash-max-listpack-value", "hash-max-ziplist-value"]);
  assertEquals(names("nosuch", "di\\r"), []);
  assertEquals(names("key-load-delay"), ["key-load-delay"]);
  assert(!names("*").includes("key-load-delay"));
});
Deno.test("load() adds further save points to the first and reads over old names", () => {
  const parameters = new Parameters();
  assertEquals(parameters.load({ name: "save", words: ["900", "1"] }), null);
  assertEquals(parameters.load({ name: "SAVE", words: ["100 100"] }), null);
  assertEquals(parameters.get("save"), "900 1 100 100");
  parameters.load({ name: "save", words: [""] });
  assertEquals(parameters.get("save"), "");
  assertEquals(parameters.load({ name: "lua-replicate-commands", words: ["yes"] }), null);
  assertEquals(parameters.load({ name: "port", words: [] }), "wrong number of arguments");
});
Deno.test("the server may write to values, and isDefault and get() see it", () => {
  const parameters = new Parameters();
  parameters.setMany([["maxmemory", "9007199254740993"]]);
  parameters.values.maxmemory = 7;
  assertEquals(parameters.get("maxmemory"), "7");
  parameters.values.maxmemory = 0;
  assert(parameters.isDefault("maxmemory"));
});
Deno.test("CONFIG SET puts everything back when a listener throws, and notifies again those already notified", () => {
  const parameters = new Parameters();
  const notified: string[] = [];
  const warned: string[] = [];
  const { values } = parameters;
  parameters.onChange("hz", () => {
    notified.push(`hz ${values.hz}`);
    return null;
  });
  parameters.onChange("timeout", () => {
    notified.push(`timeout ${values.timeout}`);
    throw new Error(`no ${values.timeout}`);
  });
  parameters.onChange("maxmemory", () => {
    notified.push(`maxmemory ${values.maxmemory}`);
    return null;
  });
  assertEquals(
    parameters.setMany([["hz", "20"], ["Timeout", "5"], ["maxmemory", "7"]], {
      warn: (text) => warned.push(text),
    }),
    "CONFIG SET failed (possibly related to argument 'timeout') - no 5",
  );
  assertEquals([values.hz, values.timeout, values.maxmemory], [10, 0, 0]);
  assertEquals(notified, ["hz 20", "timeout 5", "hz 10", "timeout 0"]);
  assertEquals(warned, [
    "Failed applying new configuration. Possibly related to new timeout setting. " +
    "Restoring previous settings.",
    "Failed applying restored failed CONFIG SET command: no 0",
  ]);
});
Deno.test("CONFIG SET tries a value at once where only that shows what is wrong with it", () => {
  const parameters = new Parameters();
  const { values } = parameters;
  const entered: string[] = [];
  parameters.onSet("dir", () => {
    entered.push(values.dir);
    if (values.dir === "broken") throw new Error("it broke");
    return values.dir === "missing" ? "No such file or directory" : null;
  });
  const allowed = { isLocal: true };
  parameters.load({ name: "enable-protected-configs", words: ["yes"] });
  const set = (...pairs: [string, string][]) => parameters.setMany(pairs, allowed);
  // The error is that of the first wrong pair, in the order of the request.
  assert(
    set(["dir", "missing"], ["maxmemory", "x"])?.endsWith("'dir') - No such file or directory"),
  );
  assert(set(["maxmemory", "x"], ["dir", "missing"])?.includes("'maxmemory'"));
  assert(set(["maxmemory", "9"], ["dir", "broken"])?.endsWith("'dir') - it broke"));
  assertEquals([values.dir, values.maxmemory], [".", 0]);
  assert(set(["dir", "there"], ["maxmemory", "x"]) !== null);
  assertEquals(entered, ["missing", ".", "broken", ".", "there", "."]);
});
Deno.test("some parameters can't be set while data are being loaded", () => {
  const parameters = new Parameters();
  parameters.load({ name: "enable-protected-configs", words: ["yes"] });
  const set = (...pairs: [string, string][]) => parameters.setMany(pairs, { isLoading: true });
  assertEquals(set(["maxmemory", "1"], ["appendonly", "maybe"]), DENIED_WHILE_LOADING);
  assertEquals(set(["DIR", "/"]), DENIED_WHILE_LOADING);
  assertEquals(set(["dir", "/"], ["nosuch", "1"]), DENIED_WHILE_LOADING);
  assert(set(["nosuch", "1"], ["dir", "/"])?.startsWith("Unknown option"));
  assert(set(["daemonize", "yes"], ["dir", "/"])?.endsWith("can't set immutable config"));
  assertEquals(set(["maxmemory", "1"]), null);
});
