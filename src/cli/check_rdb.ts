/** `respite check-rdb FILE`: reads a whole RDB file, values and all, and says what is in it or where it breaks. */
import { Keyspace } from "../keyspace/keyspace.ts";
import { Clock } from "../lib/clock.ts";
import { systemText } from "../lib/system_error.ts";
import { CorruptData } from "../persistence/byte_source.ts";
import { FileSource } from "../persistence/file_source.ts";
import { RdbLoader } from "../persistence/rdb_loader.ts";
import { Hasher } from "../lib/hash.ts";

/** The file's server may have been configured with up to this many databases. */
const DATABASES = 1024;
const USAGE = "Usage: respite check-rdb <rdb-file-name>";

type Print = (line: string) => void;

/** Returns the exit code. */
export function checkRdbCommand(args: readonly string[], print: Print): number {
  if (args.length !== 1) {
    print(USAGE);
    return 1;
  }
  try {
    return checkRdb(args[0], print) < 0 ? 1 : 0;
  } catch (error) {
    print(`Cannot open file: ${args[0]}: ${systemText(error)}`);
    return 1;
  }
}

/** Checks the RDB at the beginning of a file; returns the offset of its end, −1 if it is broken. */
export function checkRdb(path: string, print: Print): number {
  const keyspace = new Keyspace(new Clock(), new Hasher(0, 2), DATABASES);
  keyspace.isLoading = true;
  const file = Deno.openSync(path, { read: true });
  const source = new FileSource(file, true);
  const losses = new Set<string>();
  let libraries = 0;
  print(`[offset 0] Checking RDB file ${path}`);
  try {
    const loader = new RdbLoader(source, keyspace, {
      dropsExpired: false,
      checksCrc: true,
      onLoss: (what) => losses.add(what),
      onLibrary: () => {
        libraries++;
        return null;
      },
      discards: true,
    });
    while (loader.next()) keyspace.lazyFree.freeSome(() => false);
    for (const [name, value] of loader.aux) print(`[info] AUX FIELD ${name} = '${value}'`);
    print(`[offset ${source.offset}] Checksum OK`);
    print(`[offset ${source.offset}] \\o/ RDB looks OK! \\o/`);
    print(`[info] ${loader.keysLoaded} keys read`);
    print(`[info] ${loader.keysWithDeadline} expires`);
    print(`[info] ${loader.keysExpired} already expired`);
    if (libraries > 0) print(`[info] ${libraries} function libraries`);
    for (const what of losses) print(`[info] would not be loaded: ${what}`);
    return source.offset;
  } catch (error) {
    if (!(error instanceof CorruptData)) throw error;
    print(`--- RDB ERROR DETECTED ---`);
    print(`[offset ${error.offset}] ${error.message}`);
    return -1;
  } finally {
    file.close();
  }
}
