/** The section "persistence" of INFO. */
import { assert } from "../lib/assert.ts";
import type { Jobs } from "./jobs.ts";
import type { LogRewriter } from "./log_rewriter.ts";
import type { Restorer } from "./restorer.ts";
import type { Saver } from "./saver.ts";

type Field = [name: string, value: string | number];

/** The objects whose figures are shown. */
export interface PersistenceFigures {
  readonly jobs: Jobs;
  readonly saver: Saver;
  readonly rewriter: LogRewriter;
  readonly restorer: Restorer;
  /** Why the last write to the log failed; null if it did not. */
  readonly logFailure: string | null;
  readonly delayedSyncs: number;
  nowMs(): number;
}

export function persistenceFields(figures: PersistenceFigures): Field[] {
  return [
    ...loadingFields(figures),
    ...saveFields(figures),
    ...rewriteFields(figures),
    ...logSizeFields(figures),
  ];
}

function loadingFields({ jobs, restorer, nowMs }: PersistenceFigures): Field[] {
  const { progress } = restorer;
  const snapshot = jobs.current?.writer.snapshot;
  assert(!progress.isOn || jobs.current === null, "nothing is saved of what is half loaded");
  return [
    ["loading", progress.isOn ? 1 : 0],
    ["async_loading", 0],
    ...progress.isOn ? progressFields(progress, nowMs()) : [],
    ["current_cow_peak", 0],
    ["current_cow_size", 0],
    ["current_cow_size_age", 0],
    ["current_fork_perc", "0.00"],
    ["current_save_keys_processed", snapshot?.written ?? 0],
    ["current_save_keys_total", snapshot?.total ?? 0],
  ];
}

function progressFields(progress: Restorer["progress"], nowMs: number): Field[] {
  const { startedMs, totalBytes, loadedBytes } = progress;
  assert(progress.isOn, "only what is under way has progress");
  assert(loadedBytes >= 0, "a sum of sizes is not negative");
  const share = totalBytes === 0 ? 100 : 100 * loadedBytes / totalBytes;
  return [
    ["loading_start_time", Math.floor(startedMs / 1000)],
    ["loading_total_bytes", totalBytes],
    ["loading_rdb_used_mem", 0],
    ["loading_loaded_bytes", loadedBytes],
    ["loading_loaded_perc", share.toFixed(2)],
    ["loading_eta_seconds", progress.etaSeconds(nowMs)],
  ];
}

function saveFields({ jobs, saver, restorer }: PersistenceFigures): Field[] {
  const { outcome } = saver;
  assert(!(jobs.has("save") && jobs.has("rewrite")), "one job is under way at a time");
  return [
    ["rdb_changes_since_last_save", saver.changes],
    ["rdb_bgsave_in_progress", jobs.has("save") ? 1 : 0],
    ["rdb_last_save_time", Math.floor(saver.lastSaveMs / 1000)],
    ["rdb_last_bgsave_status", outcome.isFine ? "ok" : "err"],
    ["rdb_last_bgsave_time_sec", outcome.seconds],
    ["rdb_current_bgsave_time_sec", jobs.secondsOf("save")],
    ["rdb_saves", outcome.count],
    ["rdb_last_cow_size", 0],
    ["rdb_last_load_keys_expired", restorer.keysExpired],
    ["rdb_last_load_keys_loaded", restorer.keysLoaded],
  ];
}

function rewriteFields({ jobs, rewriter, logFailure }: PersistenceFigures): Field[] {
  const { outcome } = rewriter;
  assert(!rewriter.isWaiting || rewriter.aof !== null, "a log that is to begin has its files");
  assert(logFailure !== "", "a failure says why");
  return [
    ["aof_enabled", rewriter.aof === null ? 0 : 1],
    ["aof_rewrite_in_progress", jobs.has("rewrite") ? 1 : 0],
    ["aof_rewrite_scheduled", rewriter.isScheduled ? 1 : 0],
    ["aof_last_rewrite_time_sec", outcome.seconds],
    ["aof_current_rewrite_time_sec", jobs.secondsOf("rewrite")],
    ["aof_last_bgrewrite_status", outcome.isFine ? "ok" : "err"],
    ["aof_rewrites", outcome.count],
    ["aof_rewrites_consecutive_failures", outcome.failures],
    ["aof_last_write_status", logFailure === null ? "ok" : "err"],
    ["aof_last_cow_size", 0],
    ["module_fork_in_progress", 0],
    ["module_fork_last_cow_size", 0],
  ];
}

function logSizeFields({ rewriter, delayedSyncs }: PersistenceFigures): Field[] {
  const { aof } = rewriter;
  if (aof === null) return [];
  assert(delayedSyncs >= 0, "syncs are counted upwards");
  return [
    ["aof_current_size", aof.size],
    ["aof_base_size", aof.baseSize],
    ["aof_pending_rewrite", rewriter.isWaiting ? 1 : 0],
    ["aof_buffer_length", aof.log?.pendingBytes ?? 0],
    ["aof_pending_bio_fsync", aof.log?.pendingSyncs ?? 0],
    ["aof_delayed_fsync", delayedSyncs],
  ];
}
