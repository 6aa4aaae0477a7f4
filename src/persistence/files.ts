/** Files that are complete or absent: written under another name, synced, renamed. And the lock of a directory. */
import { assert } from "../lib/assert.ts";
import { writeAllSync } from "../lib/write_all.ts";

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

/**
 * Makes what was created and removed in a directory durable. Directories of other files than those of the data may not be opened
 * (app/sandbox.ts): there, a failure of the power may bring back the file that was replaced.
 */
function syncDirectorySync(path: string): void {
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return;
  const directory = Deno.openSync(path, { read: true });
  try {
    directory.syncSync();
  } finally {
    directory.close();
  }
}

/** Where `writeFileWhole` writes what is to become the file at `path`. */
export function temporaryOf(path: string): string {
  const temporary = `${directoryOf(path)}/temp-${baseOf(path)}`;
  assert(temporary !== path, "an unfinished file has another name");
  return temporary;
}

/** The permissions of a file; `otherwise` if there is none, or it can't be looked at. */
export function modeOf(path: string, otherwise: number): number {
  assert(otherwise <= 0o777, "permissions are nine bits");
  try {
    return (Deno.statSync(path).mode ?? otherwise) & 0o777;
  } catch {
    return otherwise;
  }
}

/** Writes a small file, whole or not at all, with the permissions `mode`. */
export function writeFileWhole(path: string, bytes: Uint8Array, mode = 0o666): void {
  const temporary = temporaryOf(path);
  assert(mode > 0, "somebody may use the file");
  const file = Deno.openSync(temporary, { write: true, create: true, truncate: true, mode });
  try {
    try {
      writeAllSync(file, bytes);
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

interface Lock {
  readonly file: Deno.FsFile;
  /** Nobody else may hold it; otherwise others may share it. */
  isExclusive: boolean;
}

/**
 * The locks of directories that a server uses: an exclusive one where it may write, a shared one where it only reads. The
 * system releases them when the process ends.
 */
export class DirectoryLock {
  readonly #locks = new Map<string, Lock>();

  /** Whether there is a lock of `directory`, of either kind. */
  holds(directory: string): boolean {
    return this.#locks.has(directory);
  }

  /** Takes the lock of `directory`, or makes a shared one exclusive; returns whether it is ours now. Other locks stay. */
  take(directory: string, isExclusive: boolean): boolean {
    const held = this.#locks.get(directory);
    if (held !== undefined && (held.isExclusive || !isExclusive)) return true;
    if (held !== undefined) return this.#upgrade(directory, held);
    assert(!directory.endsWith(`/${LOCK_NAME}`), "a lock is that of a directory");
    const path = lockPath(directory);
    for (;;) {
      const file = Deno.openSync(path, { write: true, create: true });
      if (!file.tryLockSync(isExclusive)) {
        file.close();
        return false;
      }
      // Whoever had the lock may have removed the file after it was opened here. Others would lock another file then.
      if (isAt(file, path)) {
        this.#locks.set(directory, { file, isExclusive });
        return true;
      }
      file.close();
    }
  }

  #upgrade(directory: string, lock: Lock): boolean {
    lock.isExclusive = lock.file.tryLockSync(true);
    // The attempt has given up the shared lock, and another server may have taken it.
    if (!lock.isExclusive) this.#share(directory, lock);
    return lock.isExclusive;
  }

  /**
   * Does `work` if no other server has a lock of `directory`, which is locked here; returns whether it still is. It is not
   * if another server that writes has come in between.
   */
  ifAlone(directory: string, work: () => void): boolean {
    const lock = this.#locks.get(directory);
    if (lock === undefined) return false;
    const wasShared = !lock.isExclusive;
    assert(exists(directory), "a directory that is locked is there");
    if (wasShared && !this.#upgrade(directory, lock)) return this.holds(directory);
    try {
      work();
    } finally {
      if (wasShared) this.#share(directory, lock);
    }
    return this.holds(directory);
  }

  /** Makes an exclusive lock one that others may share. */
  #share(directory: string, lock: Lock): void {
    lock.isExclusive = false;
    assert(this.#locks.get(directory) === lock, "the lock is one of ours");
    if (lock.file.tryLockSync(false)) return;
    lock.file.close();
    this.#locks.delete(directory);
  }

  /** Releases all locks but that of `directory`. */
  releaseOthers(directory: string): void {
    for (const [held, lock] of this.#locks) {
      if (held === directory) continue;
      release(held, lock);
      this.#locks.delete(held);
    }
    assert(this.#locks.size <= 1, "one directory's lock is left at most");
  }

  release(): void {
    for (const [directory, lock] of this.#locks) release(directory, lock);
    this.#locks.clear();
  }
}

/** Removes the file, too, unless others share it. */
function release(directory: string, { file }: Lock): void {
  try {
    if (file.tryLockSync(true)) Deno.removeSync(lockPath(directory));
  } catch {
    // The file stays, which does no harm: what counts is the lock.
  }
  file.close();
}

function lockPath(directory: string): string {
  return `${directory}/${LOCK_NAME}`;
}

/** Whether `path` still leads to the open file. */
function isAt(file: Deno.FsFile, path: string): boolean {
  const own = file.statSync();
  try {
    const { dev, ino } = Deno.statSync(path);
    return own.dev === dev && own.ino === ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
