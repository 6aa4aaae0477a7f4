import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  ageChunks,
  CHUNK_BYTES,
  giveChunk,
  releaseSpareChunks,
  spareChunkBytes,
  takeChunk,
} from "./chunk_pool.ts";

const TEN_SECONDS = 100;

function age(times: number): void {
  for (let i = 0; i < times; i++) ageChunks();
}

Deno.test("a chunk that was given back is used again", () => {
  releaseSpareChunks();
  const chunk = takeChunk();
  chunk.bytes[7] = 1;
  giveChunk(chunk);
  assertEquals(spareChunkBytes(), CHUNK_BYTES);
  assertStrictEquals(takeChunk(), chunk);
  assertEquals([chunk.bytes[7], spareChunkBytes()], [1, 0]);
});

Deno.test("chunks that nobody has needed go to the system one by one", () => {
  releaseSpareChunks();
  const chunks = [takeChunk(), takeChunk(), takeChunk()];
  for (const chunk of chunks) giveChunk(chunk);
  age(TEN_SECONDS - 1);
  assertEquals(spareChunkBytes(), 3 * CHUNK_BYTES);
  age(TEN_SECONDS);
  assertEquals(spareChunkBytes(), 3 * CHUNK_BYTES, "they may have come just now");
  age(3);
  assertEquals(spareChunkBytes(), CHUNK_BYTES);
  age(1);
  assertEquals(spareChunkBytes(), 0);
  assert(chunks.every((chunk) => chunk.bytes.length === 0));
});

Deno.test("chunks that come and go are kept", () => {
  releaseSpareChunks();
  giveChunk(takeChunk());
  for (let i = 0; i < 5 * TEN_SECONDS; i++) {
    if (i % 50 === 0) giveChunk(takeChunk());
    ageChunks();
  }
  assertEquals(spareChunkBytes(), CHUNK_BYTES);
  releaseSpareChunks();
  assertEquals(spareChunkBytes(), 0);
});
