import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "../lib/alloc.ts";
import { Arena, ArenaFull, classSize, MAX_BLOCK, offsetOf } from "./arena.ts";
import { CHUNK_BYTES, ChunkPool } from "./chunk_pool.ts";
import { SideTable } from "./side_table.ts";

Deno.test("classSize() wastes at most a sixteenth, and 7 bytes up to 128", () => {
  for (let size = 1; size <= MAX_BLOCK; size++) {
    const rounded = classSize(size);
    const waste = rounded - size;
    assertEquals(rounded % 8, 0);
    assertEquals(waste >= 0 && waste < Math.max(8, size / 16), true, `${size} → ${rounded}`);
    assertEquals(classSize(rounded), rounded);
  }
  assertEquals([1, 8, 9, 128, 129, 257, 65_537].map(classSize), [
    8,
    8,
    16,
    128,
    136,
    272,
    MAX_BLOCK,
  ]);
});

Deno.test("Arena never hands out ref 0, and blocks keep what is written to them", () => {
  const arena = new Arena();
  const refs = [8, 56, 1000, MAX_BLOCK].map((size) => arena.alloc(size));
  assertEquals(refs.includes(0), false);
  refs.forEach((ref, i) => {
    const start = offsetOf(ref);
    arena.chunkOf(ref).bytes.fill(i + 1, start, start + arena.blockSize(ref));
  });
  refs.forEach((ref, i) => {
    const start = offsetOf(ref);
    const block = arena.chunkOf(ref).bytes.slice(start, start + arena.blockSize(ref));
    assertEquals(block.every((byte) => byte === i + 1), true);
  });
  assertEquals(arena.usedBytes, 8 + 56 + 1024 + MAX_BLOCK);
  arena.verify();
});

Deno.test("Arena.verify() notices a block that was freed twice", () => {
  const arena = new Arena();
  const [first, second] = [1, 2, 3, 4].map(() => arena.alloc(32));
  arena.free(first);
  arena.free(second);
  arena.verify();
  arena.free(first);
  assertThrows(() => arena.verify());
});

Deno.test("Arena.free() refuses what is no block in use", () => {
  const arena = new Arena();
  const ref = arena.alloc(32);
  arena.alloc(32);
  assertThrows(() => arena.free(0));
  assertThrows(() => arena.free(2 ** 31));
  arena.free(ref);
  assertThrows(() => arena.free(ref));
});

Deno.test("Arena gives its chunks back when everything is freed", () => {
  const pool = new ChunkPool();
  const arena = new Arena(pool);
  const refs = new Uint32Array(3000);
  for (let i = 0; i < refs.length; i++) refs[i] = arena.alloc(65_536);
  assertEquals(arena.reservedBytes >= 3 * 2 ** 26, true);
  const small = arena.alloc(8);
  const spareBefore = pool.spareBytes;
  for (const ref of refs) arena.free(ref);
  assertEquals(arena.reservedBytes <= 2 * 2 ** 26, true, "of each class an empty slab stays");
  assertEquals(pool.spareBytes > spareBefore, true);
  arena.free(small);
  assertEquals(arena.reservedBytes <= 2 ** 26, true);
  arena.verify();
  arena.trim();
  assertEquals([arena.stats().slabBytes, arena.reservedBytes, pool.spareBytes], [0, 0, 0]);
  arena.verify();
  assertEquals(arena.alloc(8), 1);
});

Deno.test("Arena.clear() frees all blocks and gives all chunks back", () => {
  const pool = new ChunkPool();
  const arena = new Arena(pool);
  while (arena.reservedBytes < 2 * 2 ** 26) arena.alloc(65_536);
  const [first, last] = [arena.chunks[0], arena.chunks[1]];
  arena.clear();
  arena.verify();
  assertEquals([pool.take() === last, pool.take() === first, arena.reservedBytes], [true, true, 0]);
});

Deno.test("Arena keeps refs of a high chunk valid while lower ones come and go", () => {
  const arena = new Arena();
  const refs: number[] = [];
  while (arena.reservedBytes < 4 * 2 ** 26) refs.push(arena.alloc(65_536));
  const last = refs[refs.length - 1];
  arena.chunkOf(last).words[offsetOf(last) / 4] = 0xcafe;
  for (const ref of refs) if (ref !== last) arena.free(ref);
  arena.trim();
  assertEquals(arena.reservedBytes, 2 ** 26);
  assertEquals(arena.chunkOf(last).words[offsetOf(last) / 4], 0xcafe);
  assertEquals(arena.alloc(8) >>> 23, 3, "an open chunk serves before a new one");
  arena.verify();
});

Deno.test("Arena throws ArenaFull beyond its limit and stays usable", () => {
  const arena = new Arena(new ChunkPool(), 1);
  const refs: number[] = [];
  assertThrows(() => {
    for (;;) refs.push(arena.alloc(MAX_BLOCK));
  }, ArenaFull);
  arena.verify();
  arena.free(refs[7]);
  assertEquals(arena.alloc(MAX_BLOCK), refs[7]);
  assertEquals(new ArenaFull() instanceof RangeError, true);
});

const steps = fc.array(
  fc.oneof(
    fc.record({ free: fc.nat(1000) }),
    fc.record({ take: fc.integer({ min: 1, max: 200 }) }),
    fc.record({ take: fc.integer({ min: 1, max: MAX_BLOCK }) }),
  ),
  { maxLength: 600, size: "max" },
);

Deno.test("Arena agrees with a model: blocks never overlap, bytes in use are their sum", () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const arena = new Arena();
      const live: { ref: number; size: number; mark: number }[] = [];
      let mark = 0;
      for (const step of steps) {
        if ("take" in step) {
          const ref = arena.alloc(step.take);
          const block = { ref, size: step.take, mark: ++mark & 255 };
          fill(arena, block);
          live.push(block);
        } else if (live.length > 0) {
          const [block] = live.splice(step.free % live.length, 1);
          assertEquals(isIntact(arena, block), true);
          arena.free(block.ref);
        }
      }
      for (const block of live) assertEquals(isIntact(arena, block), true);
      assertEquals(arena.usedBytes, live.reduce((sum, b) => sum + classSize(b.size), 0));
      arena.verify();
      for (const block of live) arena.free(block.ref);
      arena.verify();
      assertEquals(arena.usedBytes, 0);
    }),
    { numRuns: 30 },
  );
});

type Block = { ref: number; size: number; mark: number };

function fill(arena: Arena, block: Block): void {
  const start = offsetOf(block.ref);
  arena.chunkOf(block.ref).bytes.fill(block.mark, start, start + arena.blockSize(block.ref));
}

function isIntact(arena: Arena, block: Block): boolean {
  const { bytes } = arena.chunkOf(block.ref);
  const start = offsetOf(block.ref);
  for (let at = start; at < start + block.size; at++) if (bytes[at] !== block.mark) return false;
  return true;
}

Deno.test("Arena.alloc() and free() allocate nothing on the JS heap", () => {
  const arena = new Arena();
  const held = new Uint32Array(1000);
  let i = 0;
  const perCall = bytesPerCall(() => {
    i = (i + 1) % held.length;
    if (held[i] !== 0) arena.free(held[i]);
    held[i] = arena.alloc(i + 1);
  });
  assertEquals(perCall, 0);
});

Deno.test("SideTable agrees with a Map", () => {
  fc.assert(fc.property(fc.array(fc.nat(9)), (steps) => {
    const table = new SideTable<{ step: number }>();
    const model = new Map<number, { step: number }>();
    for (const step of steps) {
      const indexes = [...model.keys()];
      if (step < 6 || indexes.length === 0) {
        const value = { step };
        const index = table.add(value);
        assertEquals(index > 0 && !model.has(index), true);
        model.set(index, value);
      } else {
        const index = indexes[step % indexes.length];
        table.remove(index);
        model.delete(index);
      }
      table.verify();
      assertEquals(table.size, model.size);
      for (const [index, value] of model) assertEquals(table.get(index) === value, true);
    }
  }));
});

Deno.test("SideTable refuses an index that is not in use", () => {
  const table = new SideTable<object>();
  const index = table.add({});
  table.add({});
  table.remove(index);
  assertThrows(() => table.get(index));
  assertThrows(() => table.get(0));
  assertThrows(() => table.remove(index));
  assertThrows(() => table.remove(0));
});

Deno.test("an arena is nearly full when four chunks are not left", () => {
  const arena = new Arena(new ChunkPool(), 5);
  const refs: number[] = [];
  while (!arena.isNearlyFull) refs.push(arena.alloc(MAX_BLOCK));
  const used = refs.length * arena.blockSize(refs[0]);
  assert(used > 0.7 * CHUNK_BYTES && used <= CHUNK_BYTES + 2 ** 20, `${used} bytes in use`);
  for (const ref of refs.slice(0, 20)) arena.free(ref);
  assert(!arena.isNearlyFull);
});
