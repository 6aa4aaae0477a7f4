import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type Chunk, CHUNK_BYTES, ChunkPool, SMALL_BYTES } from "./chunk_pool.ts";

/** After so many ticks a chunk that was not taken is released. */
const SECOND = 10;

function used(pool: ChunkPool, bytes = CHUNK_BYTES): Chunk {
  const chunk = pool.take();
  chunk.touch(bytes);
  return chunk;
}

/** Lets time pass; returns how many chunks were released. */
function age(pool: ChunkPool, ticks: number): number {
  let gone = 0;
  for (let i = 0; i < ticks; i++) {
    pool.age();
    for (let before = pool.spareBytes; pool.releaseNext() || pool.spareBytes < before; gone++) {
      before = pool.spareBytes;
    }
  }
  return gone;
}

Deno.test("a chunk that was given back is used again", () => {
  const pool = new ChunkPool();
  const chunk = used(pool);
  chunk.bytes[7] = 1;
  pool.give(chunk);
  assertEquals(pool.spareBytes, CHUNK_BYTES);
  assertStrictEquals(pool.take(), chunk);
  assertEquals([chunk.bytes[7], pool.spareBytes], [1, 0]);
});

Deno.test("chunks that were not used for a second go back to the system, one a call", () => {
  const pool = new ChunkPool();
  const chunks = [used(pool), used(pool), used(pool)];
  for (const chunk of chunks) pool.give(chunk);
  assertEquals(age(pool, SECOND - 1), 0);
  assertEquals(pool.spareBytes, 3 * CHUNK_BYTES);
  pool.age();
  assertEquals([pool.releaseNext(), pool.spareBytes], [true, 2 * CHUNK_BYTES]);
  assertEquals([pool.releaseNext(), pool.releaseNext(), pool.spareBytes], [true, false, 0]);
  assert(chunks.every((chunk) => chunk.bytes.length === 0));
});

Deno.test("chunks that come and go are kept", () => {
  const pool = new ChunkPool();
  pool.give(used(pool));
  for (let i = 0; i < 10; i++) {
    assertEquals(age(pool, SECOND - 1), 0);
    pool.give(used(pool));
  }
  assertEquals(pool.spareBytes, CHUNK_BYTES);
  pool.release();
  assertEquals(pool.spareBytes, 0);
});

Deno.test("one chunk of which little was touched stays", () => {
  const pool = new ChunkPool();
  const chunks = [used(pool, SMALL_BYTES), used(pool), used(pool, 1)];
  for (const chunk of chunks) pool.give(chunk);
  age(pool, 2 * SECOND);
  assertEquals(chunks.map((chunk) => chunk.bytes.length > 0), [true, false, false]);
  assertEquals([pool.spareBytes, pool.take() === chunks[0]], [SMALL_BYTES, true]);
});
