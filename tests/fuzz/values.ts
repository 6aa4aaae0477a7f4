/** Values of all types in all encodings, as payloads of DUMP and as files. */
import { damaged, payloadBodies } from "../support/damage.ts";
import { dumped, signed } from "../support/payload.ts";
import { Random } from "../support/random.ts";
import { TestServer } from "../support/harness.ts";
import { ODD_DATA } from "../differential/odd_commands.ts";

const FOOTER_BYTES = 10;
const VERSIONS = [9, 10, 10, 11, 11, 11, 12, 0, 255];

/** Values whose encodings are those of large ones, if the limits are small. */
const LARGE_DATA: readonly string[] = [
  `RPUSH l2 ${numbers(40)} ${"w".repeat(200)}`,
  `SADD t3 ${numbers(40)}`,
  `SADD t4 ${numbers(20, "m")}`,
  `ZADD z2 ${numbers(20, "1 m")} inf x -inf y`,
  `HSET h2 ${numbers(20, "1 f")} long ${"v".repeat(100)}`,
  ...Array.from({ length: 12 }, (_, i) => `XADD x2 ${i + 1}-1 f v${i} ${i % 3 === 0 ? "g h" : ""}`),
  "XDEL x2 3-1",
  "XGROUP CREATE x2 one 0",
  "XGROUP CREATE x2 two 0 ENTRIESREAD 3",
  "XREADGROUP GROUP one ann COUNT 5 STREAMS x2 >",
  "XREADGROUP GROUP one bob COUNT 2 STREAMS x2 >",
  "XREADGROUP GROUP two ann STREAMS x2 >",
  "XACK x2 two 4-1",
  "XGROUP CREATECONSUMER x2 two idle",
  "BF.ADD b0 item",
  `BF.MADD b1 ${numbers(150)}`,
  "SETRANGE s4 3000 x",
  `SET s5 ${"abcdefgh".repeat(500)}`,
  "EXPIRE h0 100000",
  "SELECT 3",
  "SET other database",
  "SELECT 0",
];
const SMALL_LIMITS = [
  ...["list-max-listpack-size", "hash-max-listpack-entries", "zset-max-listpack-entries"],
  ...["set-max-intset-entries", "set-max-listpack-entries", "stream-node-max-entries"],
].map((name) => `CONFIG SET ${name} 4`);

function numbers(count: number, prefix = ""): string {
  return Array.from({ length: count }, (_, i) => `${prefix}${i * 70_001}`).join(" ");
}

/** A server with values of all types; the small ones, or those that are stored as large ones are. */
function filled(isLarge: boolean, dir: string): TestServer {
  const server = new TestServer({ directives: { dir } });
  if (isLarge) { for (const line of SMALL_LIMITS) server.run(line); }
  for (const words of ODD_DATA) server.call(...words);
  for (const line of LARGE_DATA) server.run(line);
  return server;
}

/** What is damaged: made once. */
export class Samples {
  /** Payloads without version and checksum. */
  readonly bodies: readonly number[][];
  /** RDB files. */
  readonly files: readonly number[][];

  constructor(dir: string) {
    const bodies = payloadBodies();
    const files: number[][] = [];
    for (const isLarge of [false, true]) {
      const server = filled(isLarge, dir);
      for (const key of server.run("KEYS *") as string[]) {
        bodies.push([...dumped(server, key).slice(0, -FOOTER_BYTES)]);
      }
      for (const line of ["CONFIG SET rdbcompression yes", "CONFIG SET rdbcompression no"]) {
        server.run(line);
        server.run("SAVE");
        files.push([...Deno.readFileSync(`${dir}/dump.rdb`)]);
      }
      server[Symbol.dispose]();
    }
    this.bodies = bodies.filter(({ length }) => length < 20_000);
    this.files = files;
  }

  /** A payload that is damaged under the right checksum, nearly always. */
  payload(random: Random): Uint8Array {
    const body = damaged(random.of(this.bodies), this.bodies, random);
    const bytes = Uint8Array.from([...body, random.of(VERSIONS), 0, ...new Uint8Array(8)]);
    return random.isLikely(0.98) ? signed(bytes) : bytes;
  }

  /** A damaged RDB file. */
  file(random: Random): Uint8Array {
    let bytes = random.of(this.files);
    for (let left = 1 + random.below(3); left > 0; left--) {
      bytes = damaged(bytes, random.isLikely(0.5) ? this.files : this.bodies, random);
    }
    if (random.isLikely(0.1)) bytes = bytes.slice(0, random.below(bytes.length + 1));
    const file = Uint8Array.from(bytes);
    return bytes.length > 8 && random.isLikely(0.95) ? signed(file) : file;
  }
}
