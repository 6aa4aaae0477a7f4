// hot path
/**
 * The file to which changes are appended: written once a turn of the event loop, and synced as `appendfsync` says.
 *
 * always    written and synced before `take` returns, so before any reply is sent
 * everysec  written at once, synced by a second descriptor beside the event loop once a second; while a sync is
 *           under way writes wait for it, two seconds at most
 * no        written at once
 *
 * If a write fails, the changes stay in memory and the write is tried again; a part that was written is cut off. If a
 * sync fails with `always`, what it should have synced is cut off and written again as well: a kernel that has failed
 * to write a page may treat it as clean from then on, so that a second sync would succeed without writing it.
 *
 * Invariant: the file up to `size` is whole units, and `pending` is what follows them.
 */

import { assert } from "../lib/assert.ts";
import { sleep } from "../lib/clock.ts";
import { systemText } from "../lib/system_error.ts";
import { writeAllSync } from "../lib/write_all.ts";
import { BufferSink } from "./byte_sink.ts";

export type SyncPolicy = "always" | "everysec" | "no";

const SYNC_EVERY_MS = 1000;
/** How long a write waits for a sync, at most. */
const POSTPONE_MAX_MS = 2000;
const LF = 0x0a;
const KEPT_BYTES = 1024 * 1024;

/** What the log asks of its owner. */
export interface AofLogOwner {
  readonly policy: SyncPolicy;
  /** Whether syncs are skipped now: no-appendfsync-on-rewrite, while a file is written in the background. */
  readonly skipsSyncs: boolean;
  /** aof-timestamp-enabled: whether lines with the time are written. */
  readonly writesTimestamps: boolean;
  /** DEBUG AOF-FLUSH-SLEEP: how long to sleep before each write, in µs. */
  readonly flushSleepUs: number;
  nowMs(): number;
  /** Called with the error when writing fails, and with null when it works again. */
  statusChanged(failure: string | null): void;
  /** Called when a sync takes so long that a write no longer waits for it. */
  syncDelayed(): void;
}

/** Takes the stream of changes: see engine/propagation.ts. */
export class AofLog {
  /** Bytes of the file that are whole units. */
  size = 0;
  /** Why the last write failed; null if it did not. */
  failure: string | null = null;
  readonly #owner: AofLogOwner;
  #file: Deno.FsFile;
  #syncFile: Deno.FsFile;
  readonly #pending = new BufferSink(64 * 1024);
  /** Under `everysec` or `no`: something was written since the last sync began. */
  #isDirty = false;
  /** A failed write may have left bytes behind `size`: they must be cut off before the next write. */
  #isTorn = false;
  #isSyncing = false;
  #lastSyncMs: number;
  /** When a write began to wait for a sync; 0 if none does. */
  #postponedMs = 0;
  #lastSecond = 0;

  /** Opens the file at `path` to append to it; creates it if it is missing. */
  constructor(path: string, owner: AofLogOwner) {
    this.#owner = owner;
    this.#file = openToAppend(path);
    this.#syncFile = openToAppend(path);
    this.size = this.#file.statSync().size;
    assert(this.size >= 0, "a size is not negative");
    this.#lastSyncMs = owner.nowMs();
  }

  /** Bytes that are not in the file yet. */
  get pendingBytes(): number {
    assert(this.#pending.at <= this.#pending.bytes.length, "what is pending lies in its buffer");
    return this.#pending.at;
  }

  /** Syncs under way. */
  get pendingSyncs(): number {
    return this.#isSyncing ? 1 : 0;
  }

  /** Takes `bytes[0, end)`, whole commands. */
  take(bytes: Uint8Array, end: number): void {
    assert(end > 0, "there is something to take");
    assert(end <= bytes.length, "what is taken lies in its bytes");
    assert(bytes[end - 1] === LF, "whole commands are taken");
    if (this.#owner.writesTimestamps) this.#writeTimestamp();
    this.#pending.write(bytes, 0, end);
    if (this.failure === null || this.#owner.policy === "always") this.#writeOut();
  }

  /** Called when `appendfsync` has changed: if it is `always` now, everything is made durable at once. */
  policyChanged(): void {
    const isBehind = this.#pending.at > 0 || this.#isDirty || this.#isSyncing;
    if (this.#owner.policy !== "always" || !isBehind) return;
    if (this.#write()) this.#syncNow();
  }

  #writeTimestamp(): void {
    const second = Math.floor(this.#owner.nowMs() / 1000);
    if (second === this.#lastSecond) return;
    this.#lastSecond = second;
    this.#pending.text(timestampLine(this.#owner.nowMs()));
  }

  /** Whether replies may be sent: with `always` only if everything is written and synced. */
  get isCommitted(): boolean {
    return this.#owner.policy !== "always" || (this.#pending.at === 0 && this.failure === null);
  }

  #writeOut(): void {
    const { policy } = this.#owner;
    assert(this.#pending.at > 0, "there is something to write");
    if (policy === "everysec" && this.#isSyncing && this.#mayPostpone()) return;
    this.#postponedMs = 0;
    this.#write();
  }

  /** Whether a write may wait for the sync that is under way. */
  #mayPostpone(): boolean {
    assert(this.#isSyncing, "a write waits for nothing but a sync");
    const now = this.#owner.nowMs();
    if (this.#postponedMs === 0) this.#postponedMs = now;
    if (now - this.#postponedMs < POSTPONE_MAX_MS) return true;
    this.#owner.syncDelayed();
    return false;
  }

  /** Writes what is pending, and with `always` syncs it; returns whether that worked. */
  #write(): boolean {
    const { bytes, at: end } = this.#pending;
    if (end === 0) return true;
    assert(end <= bytes.length, "what is pending lies in its buffer");
    if (this.#owner.flushSleepUs > 0) sleep(this.#owner.flushSleepUs / 1000);
    const isAlways = this.#owner.policy === "always";
    try {
      this.#takeBack();
      this.#isTorn = true;
      writeAllSync(this.#file, new Uint8Array(bytes.buffer, 0, end));
      if (isAlways) this.#file.syncDataSync();
      this.#isTorn = false;
    } catch (error) {
      this.#failed(error);
      this.#tryToTakeBack();
      return false;
    }
    assert(this.#pending.at === end, "nothing comes while it is written");
    assert(!this.#isTorn, "what was written is whole");
    this.size += end;
    this.#isDirty ||= !isAlways;
    if (isAlways) this.#lastSyncMs = this.#owner.nowMs();
    this.#pending.clear(KEPT_BYTES);
    assert(this.#pending.at === 0, "what is in the file is not written again");
    this.#succeeded();
    return true;
  }

  /** Cuts off what a failed write has left in the file, so that it ends with a whole unit. */
  #takeBack(): void {
    if (!this.#isTorn) return;
    assert(this.#pending.at > 0, "what is cut off is still pending");
    assert(this.size >= 0, "a size is not negative");
    this.#file.truncateSync(this.size);
    this.#isTorn = false;
  }

  #tryToTakeBack(): void {
    try {
      this.#takeBack();
    } catch {
      // It is tried again before the next write. If there is no next write, loading cuts the rest off.
    }
  }

  #syncNow(): void {
    assert(this.#pending.at === 0, "what is synced is written");
    assert(!this.#isTorn, "what is synced is whole");
    try {
      this.#file.syncDataSync();
      this.#isDirty = false;
      this.#lastSyncMs = this.#owner.nowMs();
      this.#succeeded();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    // The system's text, as in Redis; Deno adds the error's number.
    const text = systemText(error);
    assert(text !== "", "a failure says why");
    if (text === this.failure) return;
    this.failure = text;
    this.#owner.statusChanged(text);
  }

  #succeeded(): void {
    assert(!this.#isTorn, "what works has left no torn file");
    if (this.failure === null) return;
    this.failure = null;
    this.#owner.statusChanged(null);
  }

  /** Called ten times a second: repeats a failed write, writes what waited for a sync, syncs once a second. */
  tick(): void {
    if (this.#pending.at > 0) this.#writeOut();
    else if (this.failure !== null) this.#syncNow();
    const isDue = this.#owner.nowMs() - this.#lastSyncMs >= SYNC_EVERY_MS;
    if (this.#owner.policy !== "everysec" || !this.#isDirty || this.#isSyncing || !isDue) return;
    if (!this.#owner.skipsSyncs) void this.#sync();
  }

  async #sync(): Promise<void> {
    assert(!this.#isSyncing, "one sync is under way at a time");
    assert(this.#isDirty, "there is something to sync");
    this.#isSyncing = true;
    this.#isDirty = false;
    this.#lastSyncMs = this.#owner.nowMs();
    try {
      await this.#syncFile.syncData();
    } catch (error) {
      this.#isDirty = true;
      this.#failed(error);
    }
    assert(this.#isSyncing, "a sync ends once");
    this.#isSyncing = false;
  }

  /** Writes what is pending, whatever the policy; returns whether nothing is left. */
  catchUp(): boolean {
    return this.#write();
  }

  /**
   * Continues with a new file at `path`. The old file is synced first, and `list` adds the new one to the manifest before
   * anything is written to it. Nothing may be pending.
   */
  rotate(path: string, list: () => void): void {
    assert(this.#pending.at === 0, "what is pending belongs to the file before");
    assert(!this.#isTorn, "a file that is left is whole");
    const file = openToAppend(path);
    const syncFile = openToAppend(path);
    try {
      list();
    } catch (error) {
      file.close();
      syncFile.close();
      throw error;
    }
    assert(this.#pending.at === 0, "nothing is appended while a file is listed");
    const [old, oldSync] = [this.#file, this.#syncFile];
    void oldSync.syncData().catch((error) => this.#failed(error)).finally(() => {
      old.close();
      oldSync.close();
    });
    this.#file = file;
    this.#syncFile = syncFile;
    this.size = file.statSync().size;
    assert(this.size === 0, "a log goes over to a new file");
    this.#lastSecond = 0;
  }

  /** Writes and syncs what is left, at once; returns whether that worked. */
  finish(): boolean {
    if (!this.#write()) return false;
    this.#syncNow();
    assert(this.#pending.at === 0, "what was finished has nothing left");
    return this.failure === null;
  }

  close(): void {
    this.#file.close();
    this.#syncFile.close();
  }
}

/** A comment line with the time in seconds, which loading skips. */
export function timestampLine(nowMs: number): string {
  assert(nowMs >= 0, "a time is not negative");
  return `#TS:${Math.floor(nowMs / 1000)}\r\n`;
}

function openToAppend(path: string): Deno.FsFile {
  return Deno.openSync(path, { append: true, create: true });
}
