/** Files that are complete or absent: written under another name, synced, renamed. And the lock of a directory. */
import { assert } from "../lib/assert.ts";

/** Renames `from` to `to` and makes that durable. */
export async function replaceFile(from: string, to: string): Promise<void> {
  assert(from !== to, "a file takes another's place");
  assert(directoryOf(from) === directoryOf(to), "the directory that is synced has both names");
  await Deno.rename(from, to);
  const directory = await Deno.open(directoryOf(to), { read: true });
  try {
    await directory.sync();
  } finally {
    directory.close();
  }
}

/** As `replaceFile`, synchronously. */
export function replaceFileSync(from: string, to: string): void {
  assert(from !== to, "a file takes another's place");
  Deno.renameSync(from, to);
  syncDirectorySync(directoryOf(to));
}

/** Makes what was created and removed in a directory durable. */
function syncDirectorySync(path: string): void {
  const directory = Deno.openSync(path, { read: true });
  try {
    directory.syncSync();
  } finally {
    directory.close();
  }
}

/** Writes a small file, whole or not at all. */
export function writeFileWhole(path: string, bytes: Uint8Array): void {
  const temporary = `${directoryOf(path)}/temp-${baseOf(path)}`;
  assert(temporary !== path, "an unfinished file has another name");
  const file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
  try {
    try {
      for (let at = 0; at < bytes.length;) {
        const count = file.writeSync(bytes.subarray(at));
        assert(count > 0, "a write takes some of what it is given");
        assert(count <= bytes.length - at, "a write takes no more than it is given");
        at += count;
      }
      file.syncSync();
    } finally {
      file.close();
    }
    replaceFileSync(temporary, path);
  } catch (error) {
    tryToRemove(temporary);
    throw error;
  }
}

function directoryOf(path: string): string {
  assert(path !== "", "a path is not empty");
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}

function baseOf(path: string): string {
  const base = path.slice(path.lastIndexOf("/") + 1);
  assert(base !== "", "a file has a name, and not only a directory");
  return base;
}

export function exists(path: string): boolean {
  return sizeOf(path) >= 0;
}

/** Bytes of a file, −1 if there is none. */
export function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return -1;
    throw error;
  }
}

/** Whether a file consists of `bytes`. */
export function holds(path: string, bytes: Uint8Array): boolean {
  try {
    const found = Deno.readFileSync(path);
    return found.length === bytes.length && found.every((byte, i) => byte === bytes[i]);
  } catch {
    return false;
  }
}

/** Removes a file, if it is there. */
export function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Removes a useless file; if that can't be done, it stays. */
export function tryToRemove(path: string): void {
  try {
    removeFile(path);
  } catch {
    // Whatever failed before is what the caller hears of.
  }
}

/** The name of an unfinished file: its process, and its number in that process. */
export function temporaryName(kind: string, pid: number, count: number): string {
  const name = `temp-${kind}-${pid}-${count}.${kind.startsWith("rewriteaof") ? "aof" : "rdb"}`;
  assert(pid > 0, "a process has an id");
  assert(count > 0, "unfinished files are counted from 1");
  assert(TEMPORARY_REGEXP.test(name), "the next start knows what to remove");
  return name;
}

const TEMPORARY_REGEXP = /^temp-(save|bgsave|sync|rewriteaof-bg)-\d+-\d+\.(rdb|aof)(\.part)?$/;

/** Removes files that a server was writing in `directory` when it was killed. */
export function removeTemporaryFiles(directory: string): void {
  if (!exists(directory)) return;
  for (const { name } of Deno.readDirSync(directory)) {
    if (TEMPORARY_REGEXP.test(name)) removeFile(`${directory}/${name}`);
  }
}

const LOCK_NAME = "respite.lock";

/** The lock of the one server that writes in a directory. The system releases it when the process ends. */
export class DirectoryLock {
  readonly #files = new Map<string, Deno.FsFile>();

  /** Takes the lock of `directory`, keeping other locks; returns whether it is ours now. */
  take(directory: string): boolean {
    if (this.#files.has(directory)) return true;
    assert(!directory.endsWith(`/${LOCK_NAME}`), "a lock is that of a directory");
    const file = Deno.openSync(`${directory}/${LOCK_NAME}`, { write: true, create: true });
    if (!file.tryLockSync(true)) {
      file.close();
      return false;
    }
    this.#files.set(directory, file);
    return true;
  }

  /** Releases all locks but that of `directory`. */
  releaseOthers(directory: string): void {
    for (const [held, file] of this.#files) {
      if (held === directory) continue;
      file.close();
      this.#files.delete(held);
    }
    assert(this.#files.size <= 1, "one directory's lock is left at most");
  }

  release(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }
}
