import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Slice } from "../lib/slice.ts";
import { walkZiplist, walkZipmap } from "./old_encodings.ts";

type Walk = typeof walkZiplist;

/** The elements that a walk shows, or null if it fails. */
function elementsOf(walk: Walk, bytes: Uint8Array): string[] | null {
  const of = new Slice();
  const into = new Slice();
  of.set(bytes, new DataView(bytes.buffer), 0, bytes.length);
  const found: string[] = [];
  const isWhole = walk(of, into, () => {
    found.push(String.fromCharCode(...into.bytes.slice(into.start, into.end)));
    return true;
  });
  return isWhole ? found : null;
}

/** "a", 12, −3, 300, 70000, −2^31, 2^40, 100,000 (24 bits): each integer's encoding once. */
const ZIPLIST = ziplist([
  [0x01, 0x61],
  [0xfd],
  [0xfe, 0xfd],
  [0xc0, 0x2c, 0x01],
  [0xf0, 0x70, 0x11, 0x01],
  [0xd0, 0x00, 0x00, 0x00, 0x80],
  [0xe0, 0, 0, 0, 0, 0, 1, 0, 0],
]);

/** A ziplist of elements given with their encodings. */
function ziplist(elements: number[][]): Uint8Array {
  const content: number[] = [];
  let previous = 0;
  let tail = 10;
  for (const element of elements) {
    tail = 10 + content.length;
    content.push(previous, ...element);
    previous = element.length + 1;
  }
  const size = 10 + content.length + 1;
  return Uint8Array.from([size, 0, 0, 0, tail, 0, 0, 0, elements.length, 0, ...content, 0xff]);
}

const ZIPMAP = Uint8Array.from([
  ...[2, 1, 0x61, 1, 0, 0x31],
  ...[2, 0x62, 0x62, 2, 1, 0x32, 0x32, 0xee],
  0xff,
]);

Deno.test("walkZiplist() shows strings and integers of every width", () => {
  const expected = ["a", "12", "-3", "300", "70000", "-2147483648", "1099511627776"];
  assertEquals(elementsOf(walkZiplist, ZIPLIST), expected);
});
Deno.test("walkZipmap() shows keys and values, and skips what is free behind them", () => {
  assertEquals(elementsOf(walkZipmap, ZIPMAP), ["a", "1", "bb", "22"]);
});
Deno.test("ziplists and zipmaps that were damaged are refused or read, never read beyond", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<[Walk, Uint8Array]>([walkZiplist, ZIPLIST], [walkZipmap, ZIPMAP]),
      fc.nat(),
      fc.nat(255),
      fc.nat(40),
      ([walk, whole], at, byte, cut) => {
        const broken = whole.slice(0, Math.max(whole.length - (cut > 20 ? 0 : cut), 1));
        broken[at % broken.length] = byte;
        const found = elementsOf(walk, broken) ?? [];
        assert(found.join("").length < 200, "what is shown lies within the bytes");
      },
    ),
    { numRuns: 2000 },
  );
});
