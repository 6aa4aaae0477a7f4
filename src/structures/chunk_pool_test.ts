import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { CHUNK_BYTES, ChunkPool } from "./chunk_pool.ts";

const TEN_SECONDS = 100;

function age(pool: ChunkPool, times: number): void {
  for (let i = 0; i < times; i++) pool.age();
}

Deno.test("a chunk that was given back is used again", () => {
  const pool = new ChunkPool();
  const chunk = pool.take();
  chunk.bytes[7] = 1;
  pool.give(chunk);
  assertEquals(pool.spareBytes, CHUNK_BYTES);
  assertStrictEquals(pool.take(), chunk);
  assertEquals([chunk.bytes[7], pool.spareBytes], [1, 0]);
});

Deno.test("chunks that nobody has needed go to the system one by one", () => {
  const pool = new ChunkPool();
  const chunks = [pool.take(), pool.take(), pool.take()];
  for (const chunk of chunks) pool.give(chunk);
  age(pool, TEN_SECONDS - 1);
  assertEquals(pool.spareBytes, 3 * CHUNK_BYTES);
  age(pool, TEN_SECONDS);
  assertEquals(pool.spareBytes, 3 * CHUNK_BYTES, "they may have come just now");
  age(pool, 3);
  assertEquals(pool.spareBytes, CHUNK_BYTES);
  age(pool, 1);
  assertEquals(pool.spareBytes, 0);
  assert(chunks.every((chunk) => chunk.bytes.length === 0));
});

Deno.test("chunks that come and go are kept", () => {
  const pool = new ChunkPool();
  pool.give(pool.take());
  for (let i = 0; i < 5 * TEN_SECONDS; i++) {
    if (i % 50 === 0) pool.give(pool.take());
    pool.age();
  }
  assertEquals(pool.spareBytes, CHUNK_BYTES);
  pool.release();
  assertEquals(pool.spareBytes, 0);
});
