/** Clients that keep what they read, and drop what they are told to: none of them ever has an old value. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { binaryBytes } from "../../src/protocol/args.ts";
import { readReply, type Reply } from "../support/replies.ts";
import { type TestClient, TestServer } from "../support/harness.ts";

const KEYS = ["a", "b", "ab", "c", ""];

/** A client with a cache. */
class Cache {
  readonly values = new Map<string, Reply>();
  readonly client: TestClient;
  readonly #isOptIn: boolean;
  readonly #isNoLoop: boolean;

  constructor(server: TestServer, options: string) {
    this.client = server.client();
    this.client.run("HELLO 3");
    assertEquals(this.client.run(`CLIENT TRACKING ON ${options}`), "OK");
    this.#isOptIn = options.includes("OPTIN");
    this.#isNoLoop = options.includes("NOLOOP");
  }

  /** Reads keys, within a transaction if asked, and keeps their values, unless a later message takes them back. */
  read(keys: readonly string[], inTransaction: boolean): void {
    if (this.#isOptIn) this.client.call("CLIENT", "CACHING", "YES");
    this.hear();
    if (inTransaction) {
      this.client.call("MULTI");
      this.client.call("MGET", ...keys);
      // The values are those before its own change, which a message follows.
      this.client.call("APPEND", keys[0], "!");
    }
    this.#send(inTransaction ? ["EXEC"] : ["MGET", ...keys]);
    this.hear((reply) => {
      const values = (inTransaction ? (reply as Reply[])[0] : reply) as Reply[];
      keys.forEach((key, i) => this.values.set(key, values[i]));
    });
    if (inTransaction && this.#isNoLoop) this.values.delete(keys[0]);
  }

  /** Runs a command that changes `keys`. With NOLOOP it must think of that itself. */
  write(words: readonly string[], keys: readonly string[]): void {
    this.#send(words);
    if (this.#isNoLoop) { for (const key of keys) this.values.delete(key); }
    this.hear(() => {});
  }

  #send(words: readonly string[]): void {
    const parts = words.map((word) => `$${word.length}\r\n${word}\r\n`);
    this.client.send(binaryBytes(`*${words.length}\r\n${parts.join("")}`));
  }

  /** Takes what has come: messages, and one reply if there is one. */
  hear(replied: (reply: Reply) => void = () => {}): void {
    this.client.client.engine.flushOthers();
    const bytes = binaryBytes(this.client.raw());
    for (let at = 0; at < bytes.length;) {
      const { reply, end } = readReply(bytes, at);
      if (bytes[at] !== 0x3e) replied(reply);
      else this.#drop((reply as [string, string[] | null])[1]);
      at = end;
    }
  }

  #drop(keys: readonly string[] | null): void {
    if (keys === null) this.values.clear();
    else for (const key of keys) this.values.delete(key);
  }
}

/** What MGET shows of a key. */
function valueOf(server: TestServer, key: string): Reply {
  return (server.call("MGET", key) as Reply[])[0];
}

const MODES = ["", "NOLOOP", "OPTIN", "BCAST", "BCAST NOLOOP", "BCAST PREFIX a PREFIX b"];

const key = fc.constantFrom(...KEYS);
const write = fc.oneof(
  fc.tuple(fc.constant("SET"), key, fc.constantFrom("1", "2")),
  fc.tuple(fc.constant("SET"), key, fc.constant("3"), fc.constant("PX"), fc.constant("15")),
  fc.tuple(fc.constantFrom("INCR", "DEL", "GETDEL", "PERSIST", "UNLINK"), key),
  fc.tuple(fc.constant("PEXPIRE"), key, fc.constantFrom("15", "0", "1000")),
  fc.tuple(fc.constantFrom("RENAME", "COPY", "SUNIONSTORE", "MSETNX"), key, key),
  fc.tuple(fc.constant("MSET"), key, fc.constant("5"), key, fc.constant("6")),
  fc.tuple(fc.constant("MOVE"), key, fc.constant("1")),
  fc.constantFrom(["FLUSHALL"], ["FLUSHDB"]),
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant("read" as const),
      who: fc.nat(MODES.length - 1),
      keys: fc.uniqueArray(key, { minLength: 1, maxLength: 3 }),
      inTransaction: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant("write" as const),
      who: fc.nat(MODES.length),
      words: write,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant("wait" as const), ms: fc.constantFrom(10, 20) }),
  },
);

for (const limit of ["1000000", "2"]) {
  Deno.test(`no cache has an old value, whoever changes it and how, with room for ${limit} keys`, () => {
    const run = (steps: (typeof step extends fc.Arbitrary<infer T> ? T : never)[]): void => {
      using server = new TestServer({ directives: { "tracking-table-max-keys": limit } });
      const caches = MODES.map((mode) => new Cache(server, mode));
      for (const one of steps) {
        if (one.does === "wait") server.advance(one.ms);
        else if (one.does === "read") caches[one.who].read(one.keys, one.inTransaction);
        else if (one.who < caches.length) caches[one.who].write(one.words, one.words.slice(1));
        else server.call(...one.words);
        const present = new Map(KEYS.map((key) => [key, valueOf(server, key)]));
        for (const [i, cache] of caches.entries()) {
          cache.hear();
          for (const [key, value] of cache.values) {
            // What no prefix covers is not cached by a client of this mode.
            if (MODES[i].includes("PREFIX") && !/^[ab]/.test(key)) continue;
            assertEquals(value, present.get(key), `${MODES[i]}: ${key}`);
          }
        }
      }
    };
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), run), { numRuns: 40 });
  });
}
