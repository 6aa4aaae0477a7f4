/** What scripts and functions declare about themselves, and what that makes of the flags of the command that runs them. */
import { Flag } from "./command.ts";

export const ScriptFlag = {
  noWrites: 1 << 0,
  allowOom: 1 << 1,
  allowStale: 1 << 2,
  noCluster: 1 << 3,
  allowCrossSlotKeys: 1 << 4,
  /** It declares nothing: what it may do follows from the command that runs it. */
  undeclared: 1 << 5,
} as const;

/** What scripts and functions call them. */
export const SCRIPT_FLAG_NAMES: ReadonlyMap<string, number> = new Map([
  ["no-writes", ScriptFlag.noWrites],
  ["allow-oom", ScriptFlag.allowOom],
  ["allow-stale", ScriptFlag.allowStale],
  ["no-cluster", ScriptFlag.noCluster],
  ["allow-cross-slot-keys", ScriptFlag.allowCrossSlotKeys],
]);

/** The flags of a command, `flags`, when it runs a script that declares `declared`. */
export function flagsOfScript(flags: number, declared: number): number {
  if ((declared & ScriptFlag.undeclared) !== 0) return flags;
  let result = flags & ~(Flag.write | Flag.mayReplicate | Flag.denyOom | Flag.stale);
  if ((declared & ScriptFlag.noWrites) === 0) {
    result |= Flag.write;
    if ((declared & ScriptFlag.allowOom) === 0) result |= Flag.denyOom;
  }
  if ((declared & ScriptFlag.allowStale) !== 0) result |= Flag.stale;
  return result;
}
