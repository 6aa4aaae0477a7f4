/**
 * A client: who it is, which database it has selected, what it has queued, the request being read and
 * the replies being written. It knows nothing of sockets; `transport` does.
 */
import { Args } from "../protocol/args.ts";
import { type ReplyOwner, ReplyWriter } from "../protocol/reply_writer.ts";
import type { AclUser } from "./acl_user.ts";
import { Call } from "./call.ts";
import type { Engine } from "./engine.ts";
import type { SnapshotContents } from "./persistence_calls.ts";
import type { Subscriptions } from "./pubsub.ts";
import type { Tracker } from "./tracker.ts";
import { Transaction } from "./transaction.ts";

/** What a client needs of the connection that carries it. */
export interface Transport {
  /** Sends the replies in the writer, unless a write is under way: then they follow it by themselves. */
  flush(): void;
  /** Sends what is waiting, then closes. */
  closeAfterReply(): void;
  /** Closes at once. */
  kill(): void;
  /** Continues with the requests that waited for a pause or a block to end. */
  resume(): void;
  /** Bytes handed to the operating system and not yet taken. */
  readonly inFlightBytes: number;
  /** Memory of the buffer that they lie in, unless other clients are sent bytes of it, too. */
  readonly sendingBytes: number;
  /** Memory of the read buffer, and its parts used and free. */
  readonly queryBytes: number;
  readonly queryFreeBytes: number;
  /** "127.0.0.1:50000", "[::1]:50000" or "/path:0". */
  readonly address: string;
  readonly localAddress: string;
  readonly isUnixSocket: boolean;
}

/** That of a client without a connection. */
export const NOWHERE: Transport = {
  flush() {},
  closeAfterReply() {},
  kill() {},
  resume() {},
  inFlightBytes: 0,
  sendingBytes: 0,
  queryBytes: 0,
  queryFreeBytes: 0,
  address: "",
  localAddress: "",
  isUnixSocket: false,
};

/** Memory of a connected client without its buffers: our objects and those of the runtime, measured. */
const OWN_BYTES = 11_000;

const WHOLE_SNAPSHOT: SnapshotContents = { keys: true, functions: true };

/** CLIENT REPLY's modes; `skip` ends after one command. */
export type ReplyMode = "on" | "off" | "skip";

export class Client implements ReplyOwner {
  readonly args = new Args();
  readonly reply: ReplyWriter;
  readonly call: Call;
  readonly transaction = new Transaction();
  name = "";
  libName = "";
  libVersion = "";
  user: AclUser;
  /** It has logged in, or needed not to when it came. */
  authenticated = false;
  /** Nothing that it asks is refused to its user, so that nothing must be asked about it: see Acl.admit. */
  isUnrestricted = false;
  readonly createdMs: number;
  lastActiveMs: number;
  replyMode: ReplyMode = "on";
  /** One of its commands is being run: what is no reply to it waits in these two (see Pushes). */
  isRunning = false;
  heldPushes: ReplyWriter | null = null;
  heldKeys: ReplyWriter | null = null;
  /** What it listens to; null while there is nothing, which is nearly always. */
  subscriptions: Subscriptions | null = null;
  /** Its part in client-side caching; null until it calls CLIENT TRACKING ON. */
  tracking: Tracker | null = null;
  isMonitor = false;
  /** It receives all changes, as a replica does. */
  isReplica = false;
  /** REPLCONF rdb-only: it wants a snapshot, and no changes after it. */
  wantsSnapshotOnly = false;
  /** What the snapshot of its SYNC has: REPLCONF RDB-FILTER-ONLY. */
  snapshotContents: SnapshotContents = WHOLE_SNAPSHOT;
  noEvict = false;
  /** Its commands come from the append-only file: they have been accepted once, and nothing may refuse them. */
  isReplay = false;
  /** It runs the commands of scripts. */
  isScript = false;
  noTouch = false;
  /** Its request waits for CLIENT PAUSE to end; the connection runs it again then. */
  isPostponed = false;
  /** No more of its requests are executed or answered. */
  isClosing = false;
  /** What `ClientMemory` has counted of it; −1 before it is added and after it has gone. */
  countedBytes = -1;
  /** Its place among clients of that size: see ClientBuckets. */
  bucket = -1;
  bucketPrevious: Client | null = null;
  bucketNext: Client | null = null;
  /** Not null while a blocking command waits; `unblock` ends the wait with a reply. */
  blocked: { unblock(reason: "timeout" | "error"): void } | null = null;

  constructor(readonly engine: Engine, readonly id: number, readonly transport: Transport) {
    this.createdMs = this.lastActiveMs = engine.clock.nowMs();
    this.user = engine.acl.defaultUser;
    engine.acl.leave(this);
    this.reply = new ReplyWriter(engine.buffers, this);
    this.call = new Call(engine, this, this.args, this.reply);
  }

  get database(): number {
    return this.call.db.index;
  }

  select(index: number): void {
    this.call.db = this.engine.keyspace.databases[index];
  }

  /** A subscriber of RESP2, which can't tell messages from replies, may send few commands. */
  get isLimitedToPubSub(): boolean {
    return this.subscriptions !== null && this.reply.resp === 2;
  }

  /** Whether it comes from this machine, to which more may be allowed. */
  get isLocal(): boolean {
    return this.transport.isUnixSocket || /^(127\.|\[::1\])/.test(this.transport.address);
  }

  /** Whether a directive such as `enable-debug-command` lets it do what "yes", "no" or "local" is about. */
  isAllowed(permission: string): boolean {
    return permission === "yes" || (permission === "local" && this.isLocal);
  }

  /** What CLIENT KILL TYPE and the limits of the output call it. */
  get type(): "normal" | "replica" | "pubsub" {
    if (this.isReplica) return "replica";
    return this.subscriptions === null ? "normal" : "pubsub";
  }

  mayHold(bytes: number): boolean {
    // What CLIENT REPLY OFF drops counts for nothing, nor does what a script's command answers.
    if (this.replyMode !== "on" || this.countedBytes < 0) return true;
    return this.engine.mayOutput?.(this, bytes) ?? true;
  }

  /** Bytes of replies that the operating system has not taken yet. */
  get outputWaiting(): number {
    return this.reply.size + this.transport.inFlightBytes;
  }

  /** Bytes of memory that it takes: tot-mem of CLIENT LIST. */
  get memoryBytes(): number {
    const { transport, transaction, args } = this;
    return OWN_BYTES + transport.queryBytes + transport.queryFreeBytes +
      this.reply.memoryBytes + transport.sendingBytes + transaction.bytes + transaction.watchBytes +
      args.ownBytes + (this.heldPushes?.memoryBytes ?? 0) +
      (this.heldKeys?.memoryBytes ?? 0) +
      (this.tracking?.bytes ?? 0) + (this.subscriptions?.bytes ?? 0) +
      this.name.length + this.libName.length + this.libVersion.length;
  }
}
