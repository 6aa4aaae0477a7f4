/**
 * Reasons to refuse commands that other rooms know (loading, a failed save): they set a gate, the evaluator looks at it.
 * A gate is the error reply for the commands that it refuses, or null while it is open.
 */
import type { ErrorReply } from "../protocol/errors.ts";

export class Gates {
  /** Commands without the flag `loading`: while a data set is being loaded. */
  loading: ErrorReply | null = null;
  /**
   * Commands without the flag `loading`: with `appendfsync always`, memory has changes that could not be made
   * durable, and nobody may see them.
   */
  notDurable: ErrorReply | null = null;
  /** Writes, and PING: the last snapshot or log write has failed. */
  misconf: ErrorReply | null = null;
  /** Writes: too few replicas. */
  noReplicas: ErrorReply | null = null;
  /** Writes of clients: this server is a replica. */
  readOnly: ErrorReply | null = null;
  /** Commands that may need memory: the arena is nearly full. */
  full: ErrorReply | null = null;
  /** Commands without the flag `stale`: the link to the primary is down. */
  stale: ErrorReply | null = null;

  /** Commands without the flag `allowBusy`: a script has been running for too long, and is suspended. */
  busy: ErrorReply | null = null;

  /** Whether any gate is closed: one test on the hot path. */
  get anyClosed(): boolean {
    return this.loading !== null || this.notDurable !== null || this.misconf !== null ||
      this.noReplicas !== null || this.readOnly !== null || this.full !== null ||
      this.stale !== null || this.busy !== null;
  }
}
