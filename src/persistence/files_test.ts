import { assert, assertEquals } from "@std/assert";
import { FileSink } from "./file_sink.ts";
import { FileSource } from "./file_source.ts";
import { DirectoryLock, exists, removeFile, sizeOf, writeFileWhole } from "./files.ts";

/** Runs `work` in a directory of its own. */
async function inDirectory(work: (dir: string) => Promise<void> | void): Promise<void> {
  const dir = await Deno.makeTempDir();
  await work(dir);
  await Deno.remove(dir, { recursive: true });
}

Deno.test("writeFileWhole() replaces a file and leaves nothing beside it", () =>
  inDirectory((dir) => {
    for (const text of ["first", "second, longer"]) {
      writeFileWhole(`${dir}/name`, new TextEncoder().encode(text));
      assertEquals(Deno.readTextFileSync(`${dir}/name`), text);
    }
    assertEquals([...Deno.readDirSync(dir)].length, 1);
    removeFile(`${dir}/name`);
    removeFile(`${dir}/name`);
    assertEquals([exists(`${dir}/name`), sizeOf(`${dir}/name`)], [false, -1]);
  }));
Deno.test("DirectoryLock is one owner's, and may go over to another directory", () =>
  inDirectory((dir) => {
    Deno.mkdirSync(`${dir}/other`);
    const one = new DirectoryLock();
    const other = new DirectoryLock();
    assert(one.take(dir, true) && one.take(dir, true), "one has it");
    assertEquals(other.take(dir, true), false);
    assert(one.take(`${dir}/other`, true), "one has both");
    assertEquals([other.take(dir, true), other.take(dir, false)], [false, false]);
    one.releaseOthers(`${dir}/other`);
    assert(other.take(dir, true), "the other has the first now");
    one.release();
    other.release();
    assertEquals([exists(`${dir}/respite.lock`), exists(`${dir}/other/respite.lock`)], [
      false,
      false,
    ]);
  }));
Deno.test("a shared DirectoryLock excludes only who wants it alone, and the last holder removes the file", () =>
  inDirectory((dir) => {
    const [one, other, writer] = [new DirectoryLock(), new DirectoryLock(), new DirectoryLock()];
    assert(one.take(dir, false) && other.take(dir, false), "both share it");
    assertEquals([writer.take(dir, true), one.take(dir, true)], [false, false]);
    other.release();
    assert(exists(`${dir}/respite.lock`), "one still has it");
    assertEquals(writer.take(dir, true), false);
    assert(one.take(dir, true), "nobody else has it");
    assertEquals(other.take(dir, false), false);
    one.release();
    assertEquals(exists(`${dir}/respite.lock`), false);
  }));
Deno.test("ifAlone() works where no other server is, and leaves the lock as it was", () =>
  inDirectory((dir) => {
    const [one, other] = [new DirectoryLock(), new DirectoryLock()];
    let count = 0;
    const work = (): void => {
      count++;
      assertEquals(other.take(dir, false), false);
    };
    assertEquals([one.ifAlone(dir, work), count], [false, 0]);
    assert(one.take(dir, false), "it is shared");
    assertEquals([one.ifAlone(dir, work), count], [true, 1]);
    assert(other.take(dir, false), "it is shared again");
    assertEquals([one.ifAlone(dir, work), count], [true, 1]);
    other.release();
    assert(one.take(dir, true), "it is exclusive");
    assertEquals([one.ifAlone(dir, work), count], [true, 2]);
    assertEquals(other.take(dir, false), false);
    one.release();
  }));
Deno.test("a DirectoryLock whose file is removed while it is taken is taken anew", () =>
  inDirectory((dir) => {
    const [one, other] = [new DirectoryLock(), new DirectoryLock()];
    const openSync = Deno.openSync;
    assert(one.take(dir, true), "one has it");
    try {
      Deno.openSync = (...args) => {
        const file = openSync(...args);
        Deno.openSync = openSync;
        one.release();
        return file;
      };
      assert(other.take(dir, true), "one has gone meanwhile");
    } finally {
      Deno.openSync = openSync;
    }
    assertEquals(one.take(dir, true), false);
    other.release();
  }));

for (const isSync of [true, false]) {
  Deno.test(`FileSource reads what FileSink wrote, with the same sum${isSync ? ", at once" : ""}`, () =>
    inDirectory(async (dir) => {
      const path = `${dir}/file`;
      const file = await Deno.open(path, { write: true, create: true });
      const sink = new FileSink(file, true, true);
      sink.isSync = isSync;
      const part = Uint8Array.from({ length: 100_003 }, (_, i) => i * 7);
      for (let i = 0; i < 30; i++) {
        sink.byte(i);
        sink.write(part, 0, part.length);
      }
      const size = 30 * (part.length + 1);
      assertEquals(sink.size, size);
      const { lo, hi } = sink.crc();
      if (isSync) sink.finishSync();
      else await sink.finish();
      file.close();
      assertEquals([sink.failure, sizeOf(path)], [null, size]);

      const reading = await Deno.open(path, { read: true });
      const source = new FileSource(reading, true);
      for (let i = 0; i < 30; i++) {
        assertEquals(source.byte(), i);
        source.need(part.length);
        assertEquals(source.bytes[source.at + 99_999], part[99_999]);
        source.at += part.length;
      }
      assertEquals([source.left, source.crc().lo, source.crc().hi], [0, lo, hi]);
      reading.close();
    }));
}
Deno.test("FileSink tells why it can't write, and takes what comes all the same", async () => {
  const path = await Deno.makeTempFile();
  const file = await Deno.open(path, { read: true });
  const sink = new FileSink(file, false, false);
  const bytes = new Uint8Array(64 * 1024);
  for (let i = 0; i < 20; i++) sink.write(bytes, 0, bytes.length);
  await sink.finish();
  file.close();
  await Deno.remove(path);
  assert(sink.failure !== null && sink.failure.message.length > 0, "the reason");
});
