import { assert, assertEquals } from "@std/assert";
import { TestServer } from "../support/harness.ts";

/** Around the block that BITOP combines at a time, and around the length from which a string has a buffer of its own. */
const SIZES = [1, 16_383, 16_384, 50_000, 140_000];
const OPERATIONS = ["AND", "OR", "XOR", "NOT"] as const;

function bytesOf(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Math.imul(i + 1, seed) >>> 7);
}

function combined(operation: string, sources: readonly Uint8Array[]): Uint8Array {
  const size = Math.max(...sources.map(({ length }) => length));
  return Uint8Array.from({ length: size }, (_, i) => {
    const [first, ...others] = sources.map((source) => source[i] ?? 0);
    if (operation === "NOT") return ~first;
    if (operation === "AND") return others.reduce((a, b) => a & b, first);
    if (operation === "OR") return others.reduce((a, b) => a | b, first);
    return others.reduce((a, b) => a ^ b, first);
  });
}

/** Whether the string at `key` is `expected`. */
function holds(server: TestServer, key: string, expected: Uint8Array): boolean {
  const client = server.client();
  client.run("COPY " + key + " compared REPLACE");
  client.call("SET", "wanted", expected);
  client.run("BITOP XOR compared compared wanted");
  return client.run("STRLEN " + key) === expected.length && client.run("BITCOUNT compared") === 0;
}

Deno.test("BITOP combines strings of any lengths, also into one of them", () => {
  for (const operation of OPERATIONS) {
    for (const size of SIZES) {
      for (const other of SIZES) {
        const server = new TestServer();
        const sources = [bytesOf(size, 2654435761), bytesOf(other, 40503)];
        server.call("SET", "a", sources[0]);
        server.call("SET", "b", sources[1]);
        const names = operation === "NOT" ? "b" : "a b";
        const expected = combined(operation, operation === "NOT" ? [sources[1]] : sources);
        for (const target of ["new", "new", "b"]) {
          const length = server.run(`BITOP ${operation} ${target} ${names}`);
          assertEquals(length, expected.length, `${operation} ${size} ${other}`);
          assert(holds(server, target, expected), `${operation} ${size} ${other} ${target}`);
        }
      }
    }
  }
});
Deno.test("BITOP replaces a large string in its own memory, and its deadline goes", () => {
  const server = new TestServer();
  server.call("SET", "a", bytesOf(300_000, 7));
  server.call("SET", "b", bytesOf(250_000, 9));
  server.run("COPY a target");
  server.run("PEXPIRE target 100000");
  const contentOf = (key: string): unknown => {
    const { entries, databases } = server.engine.keyspace;
    let found: unknown = null;
    databases[0].forEach((ref) => {
      entries.open(ref);
      const name = entries.keyBytes.slice(entries.keyStart, entries.keyEnd);
      if (new TextDecoder().decode(name) === key) found = entries.object();
    });
    return found;
  };
  const before = contentOf("target");
  assertEquals(server.run("BITOP OR target b"), 250_000);
  assertEquals([server.run("STRLEN target"), server.run("TTL target")], [250_000, -1]);
  assert(holds(server, "target", bytesOf(250_000, 9)));
  assertEquals(contentOf("target") === before, true);
  // A result of less than half the length must not keep all of that memory.
  server.call("SET", "c", bytesOf(100_000, 3));
  server.run("BITOP OR target c");
  assert(holds(server, "target", bytesOf(100_000, 3)));
  assertEquals(contentOf("target") === before, false);
  server.engine.keyspace.verify();
});
Deno.test("BITOP stores its result raw, whatever it replaces", () => {
  const server = new TestServer();
  server.run("SET n 123");
  server.run("SET expiring v EX 100");
  server.run("RPUSH list 1");
  for (const target of ["new", "expiring", "list", "n"]) {
    assertEquals(server.run(`BITOP OR ${target} n`), 3);
    assertEquals(server.run(`OBJECT ENCODING ${target}`), "raw");
    assertEquals([server.run(`GET ${target}`), server.run(`TTL ${target}`)], ["123", -1]);
  }
});
