/** Files that are whole or not there: written beside, made durable, renamed. And one server a directory. */

/** Renames `from` to `to` and makes that durable. */
export async function replaceFile(from: string, to: string): Promise<void> {
  await Deno.rename(from, to);
  const directory = await Deno.open(directoryOf(to), { read: true });
  try {
    await directory.sync();
  } finally {
    directory.close();
  }
}

/** As `replaceFile`, at once. */
export function replaceFileSync(from: string, to: string): void {
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
  const file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
  try {
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    file.syncSync();
  } finally {
    file.close();
  }
  replaceFileSync(temporary, path);
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
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

/** Removes a file, if it is there. */
export function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

const LOCK_NAME = "respite.lock";

/** Held by the one server that writes in a directory. The system gives it back when the process ends. */
export class DirectoryLock {
  #file: Deno.FsFile | null = null;
  #path = "";

  /** Takes the lock of `directory`, giving back another; returns whether it is ours now. */
  take(directory: string): boolean {
    const path = `${directory}/${LOCK_NAME}`;
    if (this.#file !== null && this.#path === path) return true;
    const file = Deno.openSync(path, { write: true, create: true });
    if (!file.tryLockSync(true)) {
      file.close();
      return false;
    }
    this.#file?.close();
    this.#file = file;
    this.#path = path;
    return true;
  }

  release(): void {
    this.#file?.close();
    this.#file = null;
  }
}
