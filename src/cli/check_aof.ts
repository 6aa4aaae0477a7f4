/**
 * `respite check-aof [--fix | --truncate-to-timestamp SECONDS] FILE`: looks whether an append-only file, or all that
 * its manifest names, is whole, and cuts off what is not.
 */
import { failureText, systemText } from "../lib/system_error.ts";
import { beginsAsRdb } from "../persistence/aof_loader.ts";
import { AofManifest } from "../persistence/aof_manifest.ts";
import { AofReader } from "../persistence/aof_reader.ts";
import { CorruptData } from "../persistence/byte_source.ts";
import { FileSource } from "../persistence/file_source.ts";
import { checkRdb } from "./check_rdb.ts";

const USAGE =
  "Usage: respite check-aof [--fix | --truncate-to-timestamp <seconds>] <file.manifest|file.aof>";
const STAR = 0x2a;
const HASH = 0x23;
const TIMESTAMP = "#TS:";

type Print = (line: string) => void;

interface Options {
  readonly fixes: boolean;
  /** Unix seconds; −1: nothing is cut off by time. */
  readonly timestamp: number;
  readonly print: Print;
  /** Asks the user a question; returns whether the answer is yes. */
  readonly confirm: (question: string) => boolean;
}

/** Ends the check; the reason has been printed already. */
class Refusal extends Error {}

/** Returns the exit code. */
export function checkAofCommand(
  args: readonly string[],
  print: Print,
  confirm: Options["confirm"],
): number {
  const path = args.at(-1);
  const [option, value] = args;
  const fixes = option === "--fix" && args.length === 2;
  const truncates = option === "--truncate-to-timestamp" && args.length === 3;
  if (path === undefined || (args.length > 1 && !fixes && !truncates)) {
    print(USAGE);
    return 1;
  }
  const timestamp = truncates ? Number(value) : -1;
  if (!Number.isInteger(timestamp)) {
    print("Invalid timestamp, aborting...");
    return 1;
  }
  try {
    checkAny(path, { fixes, timestamp, print, confirm });
    return 0;
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    print(isMissing ? `Cannot open file: ${path}: ${systemText(error)}` : failureText(error));
    return 1;
  }
}

function checkAny(path: string, options: Options): void {
  const { print } = options;
  const kind = kindOf(path);
  if (kind !== "manifest") {
    print("Start checking Old-Style AOF");
    if (checkFile(path, true, options)) print(`AOF ${path} is valid`);
    return;
  }
  const slash = path.lastIndexOf("/");
  const directory = slash < 0 ? "." : path.slice(0, slash);
  print("Start checking Multi Part AOF");
  const manifest = AofManifest.parse("", Deno.readFileSync(path));
  const last = manifest.files().at(-1);
  const { base, incremental } = manifest;
  if (base !== null) {
    const basePath = `${directory}/${base.name}`;
    const format = kindOf(basePath) === "rdb" ? "RDB" : "RESP";
    print(`Start to check BASE AOF (${format} format).`);
    if (checkFile(basePath, base === last, options)) print(`BASE AOF ${base.name} is valid`);
  }
  if (incremental.length > 0) print("Start to check INCR files.");
  for (const file of incremental) {
    const isValid = checkFile(`${directory}/${file.name}`, file === last, options);
    if (isValid) print(`INCR AOF ${file.name} is valid`);
  }
  print("All AOF files and manifest are valid");
}

function kindOf(path: string): "rdb" | "commands" | "manifest" {
  const file = Deno.openSync(path, { read: true });
  const isRdb = beginsAsRdb(file);
  const head = new Uint8Array(1);
  const isEmpty = file.readSync(head) === null;
  file.close();
  if (isRdb) return "rdb";
  return isEmpty || head[0] === STAR || head[0] === HASH ? "commands" : "manifest";
}

/** How far a file is whole. */
interface Extent {
  readonly size: number;
  validTo: number;
  /** Lines up to there, counted from 1. */
  validLines: number;
  /** What is wrong behind that point; "" if nothing follows. */
  failure: string;
  /** Offset of the first timestamp later than the wanted one; −1 if there is none. */
  cut: number;
}

/** Checks one file and cuts it off if asked to; returns whether it was valid as it is. */
function checkFile(path: string, isLast: boolean, options: Options): boolean {
  const { print, fixes, timestamp, confirm } = options;
  const extent = measure(path, options);
  const { size, validTo, validLines, failure, cut } = extent;
  if (timestamp >= 0 && failure === "" && cut >= 0) {
    truncateToTimestamp(path, isLast, cut, options);
    return false;
  }
  if (failure !== "") print(failure);
  print(
    `AOF analyzed: filename=${path}, size=${size}, ok_up_to=${validTo}, ` +
      `ok_up_to_line=${validLines}, diff=${size - validTo}`,
  );
  if (validTo === size) return true;
  if (!fixes) {
    throw new Refusal(`AOF ${path} is not valid. Use the --fix option to try fixing it.`);
  }
  if (!isLast) throw new Refusal(`Failed to truncate AOF ${path} because it is not the last file`);
  print(
    `This will shrink the AOF ${path} from ${size} bytes, with ${size - validTo} bytes, ` +
      `to ${validTo} bytes`,
  );
  if (!confirm("Continue? [y/N]: ")) throw new Refusal("Aborting...");
  Deno.truncateSync(path, validTo);
  print(`Successfully truncated AOF ${path}`);
  return false;
}

function truncateToTimestamp(path: string, isLast: boolean, cut: number, options: Options): void {
  const { print, timestamp } = options;
  if (cut === 0) {
    throw new Refusal(`AOF ${path} has nothing before timestamp ${timestamp}, aborting...`);
  }
  if (!isLast) {
    throw new Refusal(
      `Failed to truncate AOF ${path} to timestamp ${timestamp} to offset ${cut} ` +
        `because it is not the last file`,
    );
  }
  Deno.truncateSync(path, cut);
  print(`Successfully truncated AOF ${path} to timestamp ${timestamp}`);
}

function measure(path: string, { print, timestamp }: Options): Extent {
  const extent: Extent = {
    size: Deno.statSync(path).size,
    validTo: 0,
    validLines: 1,
    failure: "",
    cut: -1,
  };
  if (kindOf(path) === "rdb") {
    const end = checkRdb(path, print);
    if (end < 0) throw new Refusal("RDB preamble of AOF file is not sane, aborting.");
    print("RDB preamble is OK, proceeding with AOF tail...");
    extent.validTo = end;
  }
  const file = Deno.openSync(path, { read: true });
  file.seekSync(extent.validTo, Deno.SeekMode.Start);
  const reader = new AofReader(new FileSource(file, false));
  let lines = extent.validLines;
  reader.onComment = (text, offset) => {
    lines++;
    const isLater = text.startsWith(TIMESTAMP) && parseInt(text.slice(4)) > timestamp;
    if (timestamp >= 0 && isLater && extent.cut < 0) extent.cut = offset;
  };
  try {
    readCommands(reader, extent, () => lines, (count) => lines += 1 + 2 * count);
  } catch (error) {
    if (!(error instanceof CorruptData)) throw error;
    extent.failure = `0x${error.offset.toString(16)}: ${error.message}`;
  } finally {
    file.close();
  }
  return extent;
}

/** Reads to the end. A transaction without its EXEC is not valid. */
function readCommands(
  reader: AofReader,
  extent: Extent,
  lines: () => number,
  addLines: (args: number) => void,
): void {
  let isInTransaction = false;
  while (reader.next()) {
    const { args } = reader;
    addLines(args.count);
    if (args.is(0, "MULTI")) {
      if (isInTransaction) throw new CorruptData("Unexpected MULTI in AOF", reader.commandOffset);
      isInTransaction = true;
    } else if (args.is(0, "EXEC")) {
      if (!isInTransaction) throw new CorruptData("Unexpected EXEC in AOF", reader.commandOffset);
      isInTransaction = false;
    }
    if (isInTransaction) continue;
    extent.validTo = reader.endOffset;
    extent.validLines = lines();
  }
  if (isInTransaction) {
    extent.failure = "Reached EOF before reading EXEC for MULTI";
  } else extent.validTo = extent.size;
}
