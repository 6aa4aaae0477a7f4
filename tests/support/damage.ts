/** Serialised values of all types and encodings, and ways to damage them. */
import { TestServer } from "./harness.ts";
import { dumped } from "./payload.ts";
import type { Random } from "./random.ts";

/** Bytes that begin an encoding or end something. */
const ODD = [
  0,
  1,
  2,
  0x3f,
  0x40,
  0x7f,
  0x80,
  0x81,
  0xc0,
  0xc3,
  0xdf,
  0xe0,
  0xf0,
  0xf1,
  0xf4,
  0xf5,
  0xfe,
  0xff,
];
const FOOTER_BYTES = 10;

/** Values of all types and encodings, which are small, so that damage hits something. */
const VALUES: readonly string[] = [
  "SET k hello",
  "SET k 1234",
  `SET k ${"abcdefgh".repeat(20)}`,
  `RPUSH k a 1 -5 300 70000 9999999999 ${"v".repeat(70)}`,
  `RPUSH k ${"element ".repeat(300)}`,
  "SADD k 1 2 70000",
  "SADD k a b 5",
  "ZADD k 1 a 2.5 b -inf c",
  `ZADD k 1 ${"m".repeat(70)} 2 b`,
  "HSET k a 1 b 22 c ddd",
  `HSET k a ${"v".repeat(70)}`,
  "PFADD k a b c",
  "XADD k 1-1 f v g w",
  "XADD k 1-1 f v | XADD k 1-2 f v | XADD k 7-1 x y z t | XDEL k 1-2 | XGROUP CREATE k g 0" +
  " | XREADGROUP GROUP g c COUNT 1 STREAMS k > | XGROUP CREATECONSUMER k g d",
  "XGROUP CREATE k g $ MKSTREAM",
];

/** Formats that only older servers write: a list, set, hash and sorted set element by element, a zipmap, ziplists. */
const OLD: readonly (readonly number[])[] = [
  [1, 2, 1, 97, 2, 98, 98],
  [2, 2, 1, 97, 2, 98, 98],
  [4, 1, 1, 97, 2, 98, 98],
  [3, 2, 1, 97, 1, 49, 1, 98, 3, 50, 46, 53],
  [9, 13, 2, 1, 97, 1, 0, 49, 1, 98, 1, 0, 50, 255],
  ...[10, 12, 13].map((type) => [type, ...ziplist()]),
  [14, 2, ...ziplist(), ...ziplist()],
  [18, 2, 1, 1, 97, 1, 1, 98],
];

/** A ziplist of "a" and 1 as a string. */
function ziplist(): number[] {
  return [16, 16, 0, 0, 0, 13, 0, 0, 0, 2, 0, 0, 1, 97, 3, 0xf2, 0xff];
}

/** The bodies of whole payloads: without version and checksum. */
export function payloadBodies(): number[][] {
  const written = VALUES.map((lines) => {
    const server = new TestServer();
    for (const line of lines.split(" | ")) server.run(line);
    return [...dumped(server, "k").slice(0, -FOOTER_BYTES)];
  });
  return [...written, ...OLD.map((bytes) => [...bytes])];
}

export function damaged(
  body: readonly number[],
  others: readonly (readonly number[])[],
  random: Random,
): number[] {
  const bytes = [...body];
  for (let left = 1 + random.below(2); left > 0; left--) {
    const at = random.below(random.below(4) === 0 ? Math.min(12, bytes.length) : bytes.length);
    const other = random.of(others);
    const from = random.below(other.length);
    random.of([
      () => bytes[at] = random.of(ODD),
      () => bytes[at] = random.below(256),
      () => bytes[at] ^= 1 << random.below(8),
      () => bytes[at] = (bytes[at] + 1) & 255,
      () => bytes.splice(at, 1 + random.below(3)),
      () => bytes.splice(at, 0, random.of(ODD)),
      () => bytes.splice(at, 0, ...bytes.slice(at, at + 1 + random.below(6))),
      () => bytes.splice(at, random.below(4), ...other.slice(from, from + 1 + random.below(8))),
    ])();
    if (bytes.length === 0) bytes.push(0);
  }
  return bytes;
}
