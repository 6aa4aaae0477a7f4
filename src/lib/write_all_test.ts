import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { writeAll, writeAllSync } from "./write_all.ts";

/** Takes at most three bytes a call. */
class SlowWriter {
  readonly taken: number[][] = [];

  writeSync(bytes: Uint8Array): number {
    this.taken.push([...bytes.subarray(0, 3)]);
    return Math.min(bytes.length, 3);
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(this.writeSync(bytes));
  }
}

Deno.test("writeAll() and writeAllSync() go on until all bytes are written", async () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7).subarray(1);
  const [now, later] = [new SlowWriter(), new SlowWriter()];
  writeAllSync(now, bytes);
  await writeAll(later, bytes);
  assertEquals([now.taken, later.taken], [[[2, 3, 4], [5, 6, 7]], [[2, 3, 4], [5, 6, 7]]]);
});

Deno.test("nothing is written of no bytes", async () => {
  const writer = new SlowWriter();
  writeAllSync(writer, new Uint8Array(0));
  await writeAll(writer, new Uint8Array(0));
  assertEquals(writer.taken, []);
});

Deno.test("a writer that takes nothing, or more than it is given, is an error", async () => {
  const bytes = new Uint8Array(2);
  for (const count of [0, 3]) {
    assertThrows(() => writeAllSync({ writeSync: () => count }, bytes), Error, "a write takes");
    const writer = { write: () => Promise.resolve(count) };
    await assertRejects(() => writeAll(writer, bytes), Error, "a write takes");
  }
});
