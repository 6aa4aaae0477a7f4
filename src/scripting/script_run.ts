/** The running script: what it may do, and what it has done so far. */
import type { Call } from "../engine/call.ts";
import { Reader } from "../engine/propagation.ts";
import { ScriptFlag } from "../engine/script_flags.ts";

export class ScriptRun {
  hasWritten = false;
  /** It has called commands, which are being timed. */
  hasCalled = false;
  /** SCRIPT KILL or FUNCTION KILL. */
  isKilled = false;
  /** It has run for longer than `busy-reply-threshold`. */
  isBusy = false;
  /** When it began, in µs. */
  startedUs = 0;
  /** When the hook looks further: at the threshold at first, then at the end of each slice; µs. */
  nextPauseUs = Infinity;
  /** Its code is over soon in any case: see straight_code.ts. */
  isStraight = false;
  /** Who gets its commands: redis.set_repl. */
  readers: number = Reader.all;

  constructor(
    /** The command that runs it. */
    readonly call: Call,
    /** What errors name: its SHA-1, or a function's name. */
    readonly name: string,
    readonly flags: number,
    readonly isReadOnly: boolean,
    /** Memory was short when it began. Later it is not asked again: half of a script is worse than too much memory. */
    readonly wasOutOfMemory: boolean,
    /** It was called by FCALL. */
    readonly isFunction = false,
  ) {}

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** Whether its commands may use memory although there is none. */
  get allowsOom(): boolean {
    return this.has(ScriptFlag.allowOom);
  }
}
