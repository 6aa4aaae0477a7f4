/**
 * The append-only file as a whole: a directory with a base, files of what has changed since, and the manifest that
 * names them. A crash at any moment leaves a manifest whose files are whole.
 */
import { assert } from "../lib/assert.ts";
import { type AofFile, AofManifest, InvalidManifest, manifestName } from "./aof_manifest.ts";
import { AofLog, type AofLogOwner } from "./aof_log.ts";
import {
  exists,
  holds,
  removeFile,
  replaceFileSync,
  sizeOf,
  tryToRemove,
  writeFileWhole,
} from "./files.ts";

/** Where the files lie and how they are called. */
export interface AofPlace {
  /** `dir` */
  readonly parent: string;
  /** `appenddirname` */
  readonly directoryName: string;
  /** `appendfilename` */
  readonly prefix: string;
}

/** A rewrite that is under way, which writes a new base. */
export interface Rewrite {
  /** The file in which the base is written, and the base's name when it is complete. */
  readonly temporary: string;
  readonly baseName: string;
  /** The first incremental file that is read after it. */
  readonly firstSequence: number;
  /** The new incremental file, if the manifest will name it only together with the base; null if it names it already. */
  readonly unlisted: AofFile | null;
}

export class AppendOnlyFile {
  manifest: AofManifest;
  /** Null while nothing is appended. */
  log: AofLog | null = null;
  /** Bytes at the start or after the last rewrite. auto-aof-rewrite-percentage refers to it. */
  baseSize = 0;
  readonly #place: AofPlace;

  constructor(place: AofPlace) {
    this.#place = place;
    this.manifest = new AofManifest(place.prefix);
  }

  get directory(): string {
    return `${this.#place.parent}/${this.#place.directoryName}`;
  }

  pathOf({ name }: { readonly name: string }): string {
    assert(name !== "", "a file has a name");
    assert(!name.includes("/"), "a file lies in the directory itself");
    return `${this.directory}/${name}`;
  }

  get #manifestPath(): string {
    return `${this.directory}/${manifestName(this.#place.prefix)}`;
  }

  /** Bytes of all files that are read. */
  get size(): number {
    const files = this.manifest.files();
    const last = files.at(-1);
    let sum = 0;
    for (const file of files) {
      sum += file === last && this.log !== null
        ? this.log.size
        : Math.max(sizeOf(this.pathOf(file)), 0);
    }
    return sum;
  }

  #readManifest(): AofManifest {
    const path = this.#manifestPath;
    const bytes = Deno.readFileSync(path);
    assert(this.log === null, "the manifest of a log that is open is in memory");
    try {
      return AofManifest.parse(this.#place.prefix, bytes);
    } catch (error) {
      if (!(error instanceof InvalidManifest)) throw error;
      throw new Error(
        `${path}: ${error.message}. Correct the file by hand, or restore it from a backup; without it the server would` +
          " not know which files hold the data.",
      );
    }
  }

  /**
   * Reads the manifest; one single file of a server before 7.0 becomes the base. Returns whether there is
   * anything to load.
   */
  read(): boolean {
    assert(this.log === null, "the manifest is read before anything is appended");
    const { parent, prefix } = this.#place;
    Deno.mkdirSync(this.directory, { recursive: true });
    if (exists(this.#manifestPath)) {
      this.manifest = this.#readManifest();
      this.#completeUpgrade();
      return this.manifest.files().length > 0;
    }
    const single = `${parent}/${prefix}`;
    this.manifest = new AofManifest(prefix);
    if (!exists(single)) return false;
    this.manifest.base = { name: prefix, sequence: 1, type: "b" };
    this.manifest.baseSequence = 1;
    this.#persist(this.manifest);
    this.#completeUpgrade();
    return true;
  }

  /** Moves the single file of a server before 7.0 to where the manifest names it, unless that has been done. */
  #completeUpgrade(): void {
    const { base } = this.manifest;
    const { parent, prefix } = this.#place;
    if (base?.name !== prefix || exists(this.pathOf(base)) || !exists(`${parent}/${prefix}`)) {
      return;
    }
    replaceFileSync(`${parent}/${prefix}`, this.pathOf(base));
  }

  #persist(manifest: AofManifest): void {
    const bytes = manifest.format();
    assert(bytes.length > 0, "a manifest names something");
    try {
      writeFileWhole(this.#manifestPath, bytes);
    } catch (error) {
      // If only the directory's sync has failed, the file is there and names what it names.
      if (holds(this.#manifestPath, bytes)) this.manifest = manifest;
      throw error;
    }
    this.manifest = manifest;
  }

  /** Removes a file that was made for a rewrite, unless the manifest names it. */
  #removeUnlisted(file: { readonly name: string }): void {
    if (this.manifest.files().some(({ name }) => name === file.name)) return;
    tryToRemove(this.pathOf(file));
  }

  /** Appends from now on to the last incremental file, or to a first one. */
  open(owner: AofLogOwner): AofLog {
    assert(this.log === null, "one file is appended to at a time");
    assert(this.manifest.files().length > 0, "what is appended to follows something");
    let last = this.manifest.incremental.at(-1);
    if (last === undefined) {
      const manifest = this.manifest.copy();
      last = manifest.addIncremental();
      // A file of that name is left from a rewrite that failed before any manifest named it.
      removeFile(this.pathOf(last));
      this.log = new AofLog(this.pathOf(last), owner);
      this.#persist(manifest);
    } else this.log = new AofLog(this.pathOf(last), owner);
    assert(this.manifest.incremental.at(-1)?.name === last.name, "the last file is appended to");
    this.baseSize = this.size;
    assert(this.baseSize >= this.log.size, "a log is one of the files");
    return this.log;
  }

  close(): void {
    this.log?.close();
    this.log = null;
  }

  /** Removes the files that a rewrite has replaced. */
  removeHistory(): void {
    const { history } = this.manifest;
    if (history.length === 0) return;
    const manifest = this.manifest.copy();
    manifest.history = [];
    this.#persist(manifest);
    assert(this.manifest.history.length === 0, "a file is removed when no manifest names it");
    for (const file of history) this.#removeUnlisted(file);
  }

  /**
   * Begins a rewrite: changes from now on go to a new incremental file, which is read after the base that the caller is
   * about to write to `temporaryName`. If appending begins only now (`begins` is its owner), the manifest names the new
   * file only together with its base: without the base, loading the file would give the changes without the data.
   */
  beginRewrite(isRdb: boolean, begins: AofLogOwner | null, temporaryName: string): Rewrite {
    assert(this.log === null || begins === null, "what is appended to does not begin");
    const manifest = this.manifest.copy();
    const baseName = manifest.nextBaseName(isRdb);
    const temporary = `${this.directory}/${temporaryName}`;
    assert(temporaryName !== baseName, "an unfinished file has another name");
    assert(this.manifest.base?.name !== baseName, "the base in use is not written to");
    if (this.log === null && begins === null) {
      const firstSequence = manifest.incrementalSequence + 1;
      return { temporary, baseName, firstSequence, unlisted: null };
    }
    const file = manifest.addIncremental();
    const firstSequence = file.sequence;
    assert(firstSequence > this.manifest.incrementalSequence, "a new file follows all others");
    // A file of that name is left from an earlier attempt.
    removeFile(this.pathOf(file));
    if (this.log !== null) {
      // The order matters: the file is created, then named in the manifest, and only then written to.
      try {
        this.log.rotate(this.pathOf(file), () => this.#persist(manifest));
      } catch (error) {
        this.#removeUnlisted(file);
        throw error;
      }
      assert(this.manifest.incremental.at(-1) === file, "the log goes to the last file listed");
      return { temporary, baseName, firstSequence, unlisted: null };
    }
    if (begins !== null) this.log = new AofLog(this.pathOf(file), begins);
    return { temporary, baseName, firstSequence, unlisted: file };
  }

  /** The path of the complete base of a rewrite. */
  basePathOf({ baseName }: Rewrite): string {
    return this.pathOf({ name: baseName });
  }

  /** Called when the base of a rewrite is complete and in its place: the manifest names it from now on. */
  completeRewrite({ baseName, firstSequence, unlisted }: Rewrite): void {
    assert(exists(this.pathOf({ name: baseName })), "no manifest names a base that isn't there");
    assert(firstSequence > 0, "sequences begin at 1");
    const manifest = this.manifest.copy();
    if (unlisted !== null) {
      assert(unlisted.sequence === firstSequence, "what began with a base is read after it");
      manifest.incremental.push(unlisted);
      manifest.incrementalSequence = unlisted.sequence;
    }
    manifest.replaceBase(baseName, firstSequence);
    const [, next] = manifest.files();
    assert(
      next === undefined || next.sequence >= firstSequence,
      "nothing is read that the base has",
    );
    this.#persist(manifest);
    assert(this.manifest.base?.name === baseName, "the manifest names the base from now on");
    this.baseSize = this.size;
  }

  /**
   * Called when a rewrite has failed. Its base is useless unless the manifest names it, and so is an incremental file
   * that was to be named together with the base.
   */
  abandonRewrite({ baseName, unlisted }: Rewrite): void {
    this.#removeUnlisted({ name: baseName });
    if (unlisted === null) return;
    this.close();
    this.#removeUnlisted(unlisted);
  }
}
