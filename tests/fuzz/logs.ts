/** Damaged append-only files: manifest, base and incremental files. */
import { binaryBytes } from "../../src/protocol/args.ts";
import { damaged } from "../support/damage.ts";
import { requestOf } from "../support/requests.ts";
import type { Hostile } from "./hostile.ts";
import type { Samples } from "./values.ts";

const FOLDER = "appendonlydir/appendonly.aof";
const MANIFESTS: readonly string[] = [
  "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n",
  "file appendonly.aof.1.incr.aof seq 1 type i\n",
  "file appendonly.aof.1.base.rdb seq 1 type b\n",
  "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n" +
  "file appendonly.aof.2.incr.aof seq 2 type i\n",
  "# comment\nfile appendonly.aof.1.incr.aof seq 1 type i extra word\n",
];
const ANNOTATIONS = ["#TS:1700000000\r\n", "#\r\n", "#TS:x\r\n", "#" + "a".repeat(200) + "\r\n"];
const NO_OTHERS: readonly (readonly number[])[] = [[42, 51, 13, 10, 36, 51, 13, 10]];

/** The files of one server, by their names. */
export function logOf(hostile: Hostile, samples: Samples): Map<string, Uint8Array> {
  const { random } = hostile;
  const manifest = binaryBytes(random.of(MANIFESTS));
  const files = new Map<string, Uint8Array>();
  files.set(
    `${FOLDER}.manifest`,
    random.isLikely(0.9) ? manifest : Uint8Array.from(damaged([...manifest], NO_OTHERS, random)),
  );
  const isWhole = random.isLikely(0.6);
  const base = isWhole ? Uint8Array.from(random.of(samples.files)) : samples.file(random);
  files.set(`${FOLDER}.1.base.rdb`, random.isLikely(0.2) ? commands(hostile) : base);
  files.set(`${FOLDER}.1.incr.aof`, commands(hostile));
  files.set(`${FOLDER}.2.incr.aof`, commands(hostile));
  return files;
}

function commands(hostile: Hostile): Uint8Array {
  const { random } = hostile;
  let text = "";
  for (let left = random.below(20); left > 0; left--) {
    if (random.isLikely(0.1)) text += random.of(ANNOTATIONS);
    text += requestOf(hostile.request());
  }
  if (random.isLikely(0.6)) return binaryBytes(text);
  if (random.isLikely(0.3)) return binaryBytes(text.slice(0, random.below(text.length + 1)));
  return text === ""
    ? new Uint8Array(0)
    : Uint8Array.from(damaged([...binaryBytes(text)], NO_OTHERS, random));
}
