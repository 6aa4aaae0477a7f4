/** Loads files: in slices while the server starts, or at once. */
import { assert } from "../lib/assert.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log.ts";

/** How long a slice takes; then the event loop gets a turn. */
const SLICE_US = 50_000;
/** How often the log shows the progress. */
const PROGRESS_EVERY_MS = 2000;

/** Keys or commands that are loaded between two readings of the clock. */
const KEYS_A_LOOK = 32;

/** A file that is being loaded. */
export interface FileLoading {
  readonly path: string;
  /** Bytes read so far, and bytes of the file. */
  readonly offset: number;
  readonly size: number;
  /** Whether nothing more can be loaded before the interpreter of scripts is ready. */
  readonly isWaiting: boolean;
  /** Loads a key or a command; returns false at the end of the file. */
  next(): boolean;
  /** Loads until `isOver` returns true, or until it must wait; returns whether something is left. */
  slice(isOver: () => boolean): boolean;
  close(): void;
}

/** `slice` of a file. */
export function loadSome(file: FileLoading, isOver: () => boolean): boolean {
  assert(file.offset <= file.size, "nothing is read beyond the end");
  for (;;) {
    for (let i = 0; i < KEYS_A_LOOK; i++) {
      if (!file.next()) return false;
      if (file.isWaiting) return true;
    }
    if (isOver()) return true;
  }
}

/** The progress of loading, as INFO shows it. */
export class LoadProgress {
  isOn = false;
  startedMs = 0;
  totalBytes = 0;
  /** Bytes of the files before the present one. */
  #doneBytes = 0;
  #file: FileLoading | null = null;

  begin(nowMs: number, totalBytes: number): void {
    assert(!this.isOn && this.#file === null, "one load is under way at a time");
    assert(totalBytes >= 0, "a size is not negative");
    this.isOn = true;
    this.startedMs = nowMs;
    this.totalBytes = totalBytes;
    this.#doneBytes = 0;
  }

  enter(file: FileLoading): void {
    assert(this.isOn && this.#file === null, "one file is loaded at a time");
    assert(file.offset >= 0, "a position in a file is not negative");
    assert(file.offset <= file.size, "nothing is read beyond the end");
    this.#file = file;
  }

  leave(file: FileLoading): void {
    assert(this.#file === file, "the file that is left was entered");
    assert(file.offset <= file.size, "nothing is read beyond the end");
    this.#doneBytes += file.size;
    this.#file = null;
  }

  end(): void {
    assert(this.isOn, "what ends has begun");
    assert(this.#file === null, "a file that was entered has been left");
    this.isOn = false;
  }

  get loadedBytes(): number {
    assert(this.#doneBytes >= 0, "a sum of sizes is not negative");
    return this.#doneBytes + (this.#file?.offset ?? 0);
  }

  /** Remaining seconds at the speed so far. */
  etaSeconds(nowMs: number): number {
    assert(this.isOn, "only what is under way has time left");
    const elapsed = Math.floor((nowMs - this.startedMs) / 1000);
    const loaded = this.loadedBytes;
    if (elapsed === 0 || loaded === 0) return 1;
    return Math.floor(elapsed * (this.totalBytes - loaded) / loaded);
  }
}

/** Loads a file at once. */
export function loadNow(file: FileLoading, progress: LoadProgress): void {
  progress.enter(file);
  try {
    const isLeft = file.slice(() => false);
    if (file.isWaiting) {
      throw new Error(`${file.path} needs Lua, which is loaded by the first script`);
    }
    assert(!isLeft, "a file that nothing stops is read to its end");
  } finally {
    progress.leave(file);
    file.close();
  }
}

/** What loading in slices needs beside the file. */
interface LoadPace {
  readonly clock: Clock;
  readonly log: Log;
  /** key-load-delay: how long each key takes at least, for tests. */
  readonly keyDelayUs: () => number;
  /** Loads the interpreter of scripts. */
  readonly prepareScripts: () => Promise<void>;
}

/** Loads a file in slices. */
export async function loadInSlices(
  file: FileLoading,
  progress: LoadProgress,
  { clock, log, keyDelayUs, prepareScripts }: LoadPace,
): Promise<void> {
  progress.enter(file);
  let loggedMs = performance.now();
  try {
    for (;;) {
      const end = clock.monotonicUs() + SLICE_US;
      const isSlow = keyDelayUs() > 0;
      if (!file.slice(() => isSlow || clock.monotonicUs() >= end)) break;
      if (file.isWaiting) await prepareScripts();
      if (performance.now() - loggedMs > PROGRESS_EVERY_MS) {
        loggedMs = performance.now();
        const { loadedBytes, totalBytes } = progress;
        log.notice(`Loading ${file.path}: ${percent(loadedBytes, totalBytes)}% of all data`);
      }
      const pauseMs = isSlow ? keyDelayUs() * KEYS_A_LOOK / 1000 : 0;
      assert(pauseMs >= 0, "a pause is not negative");
      assert(progress.isOn, "what is loaded in slices is still being loaded");
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  } finally {
    progress.leave(file);
    file.close();
  }
}

function percent(part: number, whole: number): string {
  assert(part >= 0, "a part is not negative");
  return whole === 0 ? "100.00" : (100 * part / whole).toFixed(2);
}
