import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { TestServer } from "../support/harness.ts";

/** How a kind of collection is filled, emptied, walked, and stored anew, which may change its encoding. */
interface Kind {
  readonly name: string;
  add(names: string[]): string;
  remove(names: string[]): string;
  readonly scan: string;
  readonly storeAnew: string | null;
  /** Words for each element in the reply. */
  readonly step: number;
  readonly encoding: string | null;
}

const KINDS: readonly Kind[] = [
  {
    name: "keys",
    add: (names) => `MSET ${names.map((name) => `${name} v`).join(" ")}`,
    remove: (names) => `DEL ${names.join(" ")}`,
    scan: "SCAN",
    storeAnew: null,
    step: 1,
    encoding: null,
  },
  {
    name: "a hash",
    add: (names) => `HSET c ${names.map((name) => `${name} v`).join(" ")}`,
    remove: (names) => `HDEL c ${names.join(" ")}`,
    scan: "HSCAN c",
    storeAnew: null,
    step: 2,
    encoding: "OBJECT ENCODING c",
  },
  {
    name: "a set",
    add: (names) => `SADD c ${names.join(" ")}`,
    remove: (names) => `SREM c ${names.join(" ")}`,
    scan: "SSCAN c",
    storeAnew: "SUNIONSTORE c c",
    step: 1,
    encoding: "OBJECT ENCODING c",
  },
  {
    name: "a sorted set",
    add: (names) => `ZADD c ${names.map((name) => `${name.length} ${name}`).join(" ")}`,
    remove: (names) => `ZREM c ${names.join(" ")}`,
    scan: "ZSCAN c",
    storeAnew: "ZUNIONSTORE c 1 c",
    step: 2,
    encoding: "OBJECT ENCODING c",
  },
];

const change = fc.oneof(
  fc.record({ do: fc.constant("grow" as const), count: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ do: fc.constant("shrink" as const), count: fc.integer({ min: 1, max: 400 }) }),
  fc.record({ do: fc.constant("store anew" as const), count: fc.constant(0) }),
);

const scenario = fc.record({
  staying: fc.integer({ min: 1, max: 60 }),
  areIntegers: fc.boolean(),
  first: fc.nat(600),
  changes: fc.array(change, { maxLength: 40 }),
  count: fc.integer({ min: 1, max: 30 }),
});

for (const kind of KINDS) {
  Deno.test(`a scan of ${kind.name} returns what stays, whatever comes and goes meanwhile`, () => {
    const encodings = new Set<string>();
    fc.assert(
      fc.property(scenario, ({ staying, areIntegers, first, changes, count }) => {
        const server = new TestServer();
        for (const type of ["hash", "set", "zset"]) {
          server.run(`CONFIG SET ${type}-max-listpack-entries 64`);
        }
        server.run("CONFIG SET set-max-intset-entries 64");
        const names = (from: number, size: number) =>
          Array.from({ length: size }, (_, i) => areIntegers ? `${from + i}` : `n${from + i}`);
        const stay = names(1_000_000, staying);
        server.run(kind.add(stay));
        if (first > 0) server.run(kind.add(names(0, first)));
        let end = first;
        let begin = 0;
        const seen = new Set<string>();
        let cursor = "0";
        let turn = 0;
        do {
          const reply = server.run(`${kind.scan} ${cursor} COUNT ${count}`);
          const [next, found] = reply as [string, string[]];
          for (let i = 0; i < found.length; i += kind.step) seen.add(found[i]);
          cursor = next;
          if (kind.encoding !== null) encodings.add(String(server.run(kind.encoding)));
          const step = changes[turn++];
          if (step === undefined) continue;
          const size = step.do === "grow" ? step.count : Math.min(step.count, end - begin);
          if (step.do === "store anew") {
            if (kind.storeAnew !== null) server.run(kind.storeAnew);
          } else if (step.do === "grow") server.run(kind.add(names(end, size)));
          else if (size > 0) server.run(kind.remove(names(begin, size)));
          if (step.do === "grow") end += size;
          if (step.do === "shrink") begin += size;
        } while (cursor !== "0");
        assertEquals(stay.filter((name) => !seen.has(name)), []);
      }),
      { numRuns: 60 },
    );
    // The scenarios test something only if they change the encoding.
    if (kind.encoding !== null) assertEquals(encodings.size >= 2, true, [...encodings].join());
  });
}
