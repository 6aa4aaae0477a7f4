import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Slice } from "../lib/slice.ts";
import { Arena } from "./arena.ts";
import { FIRST_ID, LAST_ID, StreamId } from "./stream_id.ts";
import { type EntrySource, LogCursor, StreamLog, type TrimBound } from "./stream_log.ts";

const LIMITS = { streamNodeMaxBytes: 300, streamNodeMaxEntries: 5 };

/** An entry of the model: its id, and its fields with their values. */
type Entry = [number, string[]];

class Words implements EntrySource {
  constructor(readonly words: string[]) {}

  get count(): number {
    return this.words.length;
  }

  get size(): number {
    return new TextEncoder().encode(this.words.join("")).length;
  }

  read(index: number, into: Slice): void {
    const bytes = new TextEncoder().encode(this.words[index]);
    into.set(bytes, new DataView(bytes.buffer), 0, bytes.length);
  }
}

function idOf(number: number): StreamId {
  const id = new StreamId();
  // Sequence numbers fall where the time rises.
  id.setWords(0, number >>> 2, 0, 3 - (number >>> 2) % 2 * 3 + number % 4);
  return id;
}

function read(
  log: StreamLog,
  from: StreamId,
  to: StreamId,
  isReversed: boolean,
): [string, string[]][] {
  const cursor = new LogCursor();
  const field = new Slice();
  const value = new Slice();
  const text = (slice: Slice) =>
    new TextDecoder().decode(slice.bytes.subarray(slice.start, slice.end));
  const found: [string, string[]][] = [];
  cursor.seek(log, from, to, isReversed);
  while (cursor.next()) {
    const words: string[] = [];
    for (let i = 0; i < cursor.fieldCount; i++) {
      cursor.nextPair(field, value);
      words.push(text(field), text(value));
    }
    found.push([cursor.id.toString(), words]);
  }
  return found;
}

function shown(entries: Entry[]): [string, string[]][] {
  return entries.map(([id, words]) => [idOf(id).toString(), words]);
}

class Longest implements TrimBound {
  constructor(readonly length: number) {}
  takesNode(log: StreamLog, live: number): boolean {
    return log.count - live >= this.length;
  }
  takesEntry(log: StreamLog): boolean {
    return log.count > this.length;
  }
}

const words = fc.oneof(
  fc.constant(["a", "1", "b", "2"]),
  fc.array(fc.tuple(fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 })), {
    minLength: 1,
    maxLength: 3,
  }).map((pairs) => pairs.flat()),
  fc.constant(["long", "x".repeat(70_000)]),
);
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("add" as const), words, gap: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("remove" as const), id: fc.nat(120) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trim" as const), length: fc.nat(40) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("read" as const), from: fc.nat(120), to: fc.nat(120) }),
  },
);

Deno.test("a log holds what a plain list does, in the order of ids", () => {
  fc.assert(fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
    const arena = new Arena();
    const log = new StreamLog(arena);
    let model: Entry[] = [];
    let next = 1;
    for (const step of actions) {
      if (step.do === "add") {
        next += step.gap + 1;
        log.append(idOf(next), new Words(step.words), LIMITS);
        model.push([next, step.words]);
      } else if (step.do === "remove") {
        const was = model.some(([id]) => id === step.id);
        assertEquals(log.remove(idOf(step.id)), was);
        model = model.filter(([id]) => id !== step.id);
      } else if (step.do === "trim") {
        const gone = Math.max(model.length - step.length, 0);
        assertEquals(log.trim(new Longest(step.length), false, 0), gone);
        model = model.slice(gone);
      } else {
        const inside = model.filter(([id]) => id >= step.from && id <= step.to);
        const [from, to] = [idOf(step.from), idOf(step.to)];
        assertEquals(read(log, from, to, false), shown(inside));
        assertEquals(read(log, from, to, true), shown(inside.reverse()));
        const cursor = new LogCursor();
        cursor.seek(log, FIRST_ID, LAST_ID, false);
        // Ids that ascend, with gaps, and sometimes fall.
        const ids = Array.from({ length: 40 }, (_, i) => step.from + i * (step.to % 4) % 120);
        for (const id of ids) {
          const isThere = model.some(([own]) => own === id);
          assertEquals(cursor.advance(idOf(id)), isThere);
          if (isThere) assertEquals(cursor.id.toString(), idOf(id).toString());
        }
      }
      log.verify();
    }
    assertEquals(log.count, model.length);
    const twin = log.clone();
    twin.verify();
    assertEquals(read(twin, FIRST_ID, LAST_ID, false), shown(model));
    while (!log.release(3));
    assertEquals(read(twin, FIRST_ID, LAST_ID, false), shown(model));
    while (!twin.release(3));
    assertEquals(arena.usedBytes, 0);
  }));
});

Deno.test("a rough trim takes whole nodes, and not more entries than it may", () => {
  const log = new StreamLog(new Arena());
  for (let i = 1; i <= 23; i++) log.append(idOf(i), new Words(["a", `${i}`]), LIMITS);
  assertEquals(log.trim(new Longest(9), true, 0), 10);
  assertEquals(log.trim(new Longest(1), true, 4), 0);
  assertEquals(log.trim(new Longest(1), true, 5), 5);
  log.verify();
});

Deno.test("entries with the fields of the first are stored without their names", () => {
  const sizes = ["same", "other"].map((name) => {
    const log = new StreamLog(new Arena());
    const limits = { streamNodeMaxBytes: 0, streamNodeMaxEntries: 0 };
    log.append(idOf(1), new Words(["same", "1"]), limits);
    for (let i = 2; i < 100; i++) log.append(idOf(i), new Words([name, "1"]), limits);
    log.openNode(0, new StreamId());
    return log.pack.size;
  });
  // n · name, with their lengths: 2 + 6 or 7 bytes more.
  assertEquals(sizes[1] - sizes[0], 98 * 9);
});
