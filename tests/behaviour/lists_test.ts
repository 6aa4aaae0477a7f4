import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ReplyError, TestServer } from "../support/harness.ts";
import { Type } from "../../src/keyspace/entry.ts";
import { ListValue } from "../../src/keyspace/list_value.ts";
import { Quicklist } from "../../src/structures/quicklist.ts";

/** Throws unless every large list of the server is whole. */
function verifyLists(server: TestServer): void {
  const db = server.engine.keyspace.databases[0];
  const { entries } = db.keyspace;
  db.forEach((ref) => {
    if (entries.typeOf(ref) !== Type.list) return;
    const list = new ListValue();
    list.cursor.openEntry(db, ref);
    if (list.cursor.encoding === 3 && list.cursor.object instanceof Quicklist) {
      (list.cursor.object as Quicklist).verify();
    } else list.pack.verify();
  });
}

const text = fc.oneof(
  fc.integer({ min: 0, max: 5 }).map(String),
  fc.constantFrom("a", "b", "", "x".repeat(100), "y".repeat(3000), "z".repeat(9000)),
  fc.constant("w".repeat(80_000)),
);
const step = fc.tuple(fc.integer({ min: 0, max: 12 }), text, fc.integer({ min: -12, max: 12 }));

/** Does to `list` what the command of that number does, and returns its reply. */
function model(list: string[], [what, value, n]: [number, string, number]): unknown {
  const index = n < 0 ? list.length + n : n;
  switch (what) {
    case 0:
      return list.unshift(value);
    case 1:
      return list.push(value);
    case 2:
      return list.shift() ?? null;
    case 3:
      return list.pop() ?? null;
    case 4:
      return list[index] ?? null;
    case 5:
      if (list.length === 0) return "none";
      if (index < 0 || index >= list.length) return "range";
      list[index] = value;
      return "OK";
    case 6: {
      if (list.length === 0) return 0;
      const at = list.indexOf(value);
      if (at < 0) return -1;
      list.splice(n < 0 ? at : at + 1, 0, "inserted");
      return list.length;
    }
    case 7: {
      let removed = 0;
      const order = n < 0 ? list.toReversed() : list.slice();
      const kept = order.filter((one) => {
        if (one !== value || (n !== 0 && removed === Math.abs(n))) return true;
        removed++;
        return false;
      });
      list.splice(0, list.length, ...(n < 0 ? kept.toReversed() : kept));
      return removed;
    }
    case 8: {
      const from = Math.max(index, 0);
      list.splice(0, list.length, ...list.slice(from, from + 20));
      return "OK";
    }
    case 9: {
      const last = list.pop();
      if (last !== undefined) list.unshift(last);
      return last ?? null;
    }
    case 10:
      return list.flatMap((one, i) => one === value ? [i] : []);
    default: {
      const isLmpop = what === 12;
      const count = isLmpop ? Math.abs(n) + 1 : Math.abs(n);
      if (list.length === 0) return null;
      if (isLmpop) return ["l", n < 0 ? list.splice(-count).toReversed() : list.splice(0, count)];
      return n < 0 ? list.splice(-count).toReversed() : list.splice(0, count);
    }
  }
}

function line([what, value, n]: [number, string, number]): string[] {
  const forms = [
    ["LPUSH", "l", value],
    ["RPUSH", "l", value],
    ["LPOP", "l"],
    ["RPOP", "l"],
    ["LINDEX", "l", String(n)],
    ["LSET", "l", String(n), value],
    ["LINSERT", "l", n < 0 ? "BEFORE" : "AFTER", value, "inserted"],
    ["LREM", "l", String(n), value],
    ["LTRIM", "l", String(n), String(n < 0 ? -1 : n + 19)],
    ["RPOPLPUSH", "l", "l"],
    ["LPOS", "l", value, "COUNT", "0"],
    [n < 0 ? "RPOP" : "LPOP", "l", String(Math.abs(n))],
    ["LMPOP", "1", "l", n < 0 ? "RIGHT" : "LEFT", "COUNT", String(Math.abs(n) + 1)],
  ];
  return forms[what];
}

Deno.test("a list does what an array would, in every encoding", () => {
  const fills = fc.constantFrom("-2", "-1", "-5", "3", "1", "128");
  fc.assert(
    fc.property(fc.array(step, { maxLength: 70 }), fills, (steps, fill) => {
      const server = new TestServer();
      server.run(`CONFIG SET list-max-listpack-size ${fill}`);
      const list: string[] = [];
      for (const one of steps) {
        if (one[0] === 8 && one[2] < 0) one[2] = -Math.min(-one[2], 20);
        const expected = model(list, one);
        const reply = server.call(...line(one));
        if (expected === "none") assertEquals(reply, new ReplyError("ERR no such key"));
        else if (expected === "range") {
          assertEquals(reply, new ReplyError("ERR index out of range"));
        } else assertEquals(reply, expected as typeof reply, line(one).join(" ").slice(0, 60));
        assertEquals(server.run("LLEN l"), list.length);
        verifyLists(server);
      }
      assertEquals(server.run("LRANGE l 0 -1"), list);
      server.run("COPY l copy");
      server.run("DEL l");
      assertEquals(server.run("LRANGE copy 0 -1"), list);
    }),
    { numRuns: 150 },
  );
});

Deno.test("a list is a listpack while it is short, and again when it has shrunk", () => {
  const server = new TestServer();
  server.run(`RPUSH l ${"x".repeat(8000)}`);
  assertEquals(server.run("OBJECT ENCODING l"), "listpack");
  server.run(`RPUSH l ${"x".repeat(200)}`);
  assertEquals(server.run("OBJECT ENCODING l"), "quicklist");
  server.run("LPOP l");
  assertEquals(server.run("OBJECT ENCODING l"), "listpack");
  server.run("CONFIG SET list-max-ziplist-size 4");
  server.run("RPUSH m 1 2 3 4");
  assertEquals(server.run("OBJECT ENCODING m"), "listpack");
  server.run("RPUSH m 5");
  assertEquals(server.run("OBJECT ENCODING m"), "quicklist");
});

Deno.test("LMOVE and LMPOP take from one end and answer null where nothing is", () => {
  const server = new TestServer();
  server.run("RPUSH a 1 2 3");
  assertEquals(server.run("LMOVE a b RIGHT LEFT"), "3");
  assertEquals(server.run("LMOVE a a LEFT RIGHT"), "1");
  assertEquals(server.run("LRANGE a 0 -1"), ["2", "1"]);
  assertEquals(server.run("LMOVE none b LEFT LEFT"), null);
  assertEquals(server.run("LMOVE a b LEFT UP"), new ReplyError("ERR syntax error"));
  assertEquals(server.run("LMPOP 2 none a RIGHT COUNT 5"), ["a", ["1", "2"]]);
  assertEquals(server.run("EXISTS a"), 0);
  assertEquals(server.run("LMPOP 1 a LEFT"), null);
  assertEquals(
    server.run("LMPOP 0 a LEFT"),
    new ReplyError("ERR numkeys should be greater than 0"),
  );
  assertEquals(
    server.run("LMPOP 1 a LEFT COUNT 0"),
    new ReplyError("ERR count should be greater than 0"),
  );
});

Deno.test("LPOS begins at a rank, from either end, and looks at so many elements", () => {
  const server = new TestServer();
  server.run("RPUSH l a b c a b c a");
  assertEquals(server.run("LPOS l a"), 0);
  assertEquals(server.run("LPOS l a RANK 2"), 3);
  assertEquals(server.run("LPOS l a RANK -1 COUNT 2"), [6, 3]);
  assertEquals(server.run("LPOS l a COUNT 0 MAXLEN 4"), [0, 3]);
  assertEquals(server.run("LPOS l x"), null);
  assertEquals(server.run("LPOS none x COUNT 1"), []);
});

Deno.test("a long list is freed in slices and its memory comes back", () => {
  const server = new TestServer();
  const before = server.engine.keyspace.usedBytes;
  for (let i = 0; i < 200; i++) server.run(`RPUSH l ${"v".repeat(8000)}`);
  server.run("UNLINK l");
  assertEquals(server.engine.keyspace.lazyFree.pending, 1);
  while (server.engine.keyspace.lazyFree.freeSome(() => true));
  assertEquals(server.engine.keyspace.usedBytes, before);
});
