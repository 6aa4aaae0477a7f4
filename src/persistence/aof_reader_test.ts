import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { requestOf } from "../../tests/support/requests.ts";
import { binaryBytes } from "../protocol/args.ts";
import { AofReader, TruncatedData } from "./aof_reader.ts";
import { BufferSource, CorruptData } from "./byte_source.ts";

function readerOf(text: string): AofReader {
  const bytes = binaryBytes(text);
  const source = new BufferSource();
  source.use(bytes, new DataView(bytes.buffer), 0, bytes.length);
  return new AofReader(source);
}

const word = fc.string({ maxLength: 12, unit: "binary-ascii" });
const commands = fc.array(fc.array(word, { minLength: 1, maxLength: 5 }), { maxLength: 8 });

Deno.test("AofReader reads commands, whatever bytes their words hold, and skips what # begins", () => {
  fc.assert(fc.property(commands, fc.boolean(), (commands, hasTimes) => {
    const text = commands.map((words) => `${hasTimes ? "#TS:12\r\n" : ""}${requestOf(words)}`);
    const reader = readerOf(text.join(""));
    for (const words of commands) {
      assert(reader.next(), "one more command");
      const { args } = reader;
      assertEquals(words.map((_, i) => args.binary(i)), words);
      assertEquals(args.count, words.length);
    }
    assertEquals(reader.next(), false);
  }));
});
Deno.test("AofReader tells where a command began that the file's end cuts off", () => {
  const first = requestOf(["set", "k", "v"]);
  const second = requestOf(["set", "key", "value"]);
  for (let cut = 1; cut < second.length; cut++) {
    const reader = readerOf(first + second.slice(0, cut));
    assert(reader.next(), "the first is whole");
    const error = assertThrows(() => reader.next(), TruncatedData);
    assertEquals(error.offset, first.length);
  }
});
Deno.test("AofReader refuses what is no command, and tells where", () => {
  const first = requestOf(["set", "k", "v"]);
  for (
    const wrong of [
      "set k v\r\n",
      "*0\r\n",
      "*x\r\n",
      "*1\r\n+OK\r\n",
      "*1\r\n$1\r\nabc\r\n",
      "*1\r\n$-1\r\n",
      "*99999999999999999999999\r\n",
    ]
  ) {
    const reader = readerOf(first + wrong + requestOf(["ping"]));
    assert(reader.next(), "the first is whole");
    const error = assertThrows(() => reader.next(), CorruptData);
    assertEquals(error.offset, first.length, wrong);
  }
});
