/**
 * Refusals that depend on rooms above the engine: those rooms set a gate, the evaluator asks it.
 * Each holds the reply for a command that the gate refuses, or null while it is open.
 */
import type { ErrorReply } from "../protocol/errors.ts";

export class Gates {
  /** Commands without the flag `loading`: while a data set is being loaded. */
  loading: ErrorReply | null = null;
  /**
   * Commands without the flag `loading`: with `appendfsync always` there is something in memory that could not be made
   * durable, and nobody may see it.
   */
  notDurable: ErrorReply | null = null;
  /** Writes, and PING: the last snapshot or log write has failed. */
  misconf: ErrorReply | null = null;
  /** Writes: too few replicas. */
  noReplicas: ErrorReply | null = null;
  /** Writes of clients: this server is a replica. */
  readOnly: ErrorReply | null = null;
  /** Commands that may need memory: the arena has hardly any left to give. */
  full: ErrorReply | null = null;
  /** Commands without the flag `stale`: the link to the primary is down. */
  stale: ErrorReply | null = null;

  /** Whether any gate is closed: one test on the hot path. */
  get anyClosed(): boolean {
    return this.loading !== null || this.notDurable !== null || this.misconf !== null ||
      this.noReplicas !== null || this.readOnly !== null || this.full !== null ||
      this.stale !== null;
  }
}
