/**
 * What all commands share: the keyspace, the parameters, the clients and the counters. The app builds
 * one; nothing in it knows of sockets or files.
 */
import type { Parameters } from "../config/parameters.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { Cause } from "../keyspace/change_hooks.ts";
import { assert } from "../lib/assert.ts";
import type { Clock } from "../lib/clock.ts";
import { storyOf } from "../lib/error_story.ts";
import type { Hasher } from "../lib/hash.ts";
import { Counters } from "../observe/counters.ts";
import { LatencyMonitor } from "../observe/latency.ts";
import type { Log } from "../observe/log.ts";
import { BufferPool } from "../protocol/buffer_pool.ts";
import { RecentCommands } from "../observe/recent_commands.ts";
import { Slowlog } from "../observe/slowlog.ts";
import { Acl } from "./acl.ts";
import { Blocking } from "./blocking.ts";
import type { Client } from "./client.ts";
import { describeClient } from "./client_line.ts";
import { ClientMemory } from "./client_memory.ts";
import { ClientTable } from "./client_table.ts";
import type { CommandTable } from "./command.ts";
import { Deadlines } from "./deadlines.ts";
import type { Evaluator } from "./evaluator.ts";
import { Eviction } from "./eviction.ts";
import type { FunctionCalls } from "./function_calls.ts";
import { Gates } from "./gates.ts";
import { KeptLinks } from "./kept_links.ts";
import { KeyspaceEvents } from "./keyspace_events.ts";
import type { PersistenceCalls } from "./persistence_calls.ts";
import { Pause, type PauseKind } from "./pause.ts";
import { LoginGuard } from "./login_guard.ts";
import { PubSub } from "./pubsub.ts";
import { Pushes } from "./pushes.ts";
import { Propagation } from "./propagation.ts";
import { ReplyBuffers } from "./reply_buffers.ts";
import type { Tracker, TrackingOptions } from "./tracker.ts";
import { Tracking } from "./tracking.ts";
import type { ScriptCalls } from "./script_calls.ts";
import { Suspension } from "./suspension.ts";
import { WatchedKeys } from "./transaction.ts";

/** What commands need of the process, which only the app can give. */
export interface Host {
  readonly pid: number;
  readonly runId: string;
  /** 40 random hexadecimal digits. */
  randomId(): string;
  readonly executable: string;
  readonly configFile: string;
  readonly version: string;
  /** The operating system and architecture, as INFO shows them. */
  readonly os: string;
  readonly architecture: string;
  /** Resident set size of the process in bytes. */
  residentBytes(): number;
  /** Total memory of the machine in bytes, 0 if unknown. */
  systemBytes(): number;
  /** CPU seconds of the process, user and system; null where unknown. */
  cpuSeconds(): { user: number; system: number } | null;
  /** Makes `path` the directory of the process; returns its absolute name. Throws the system's error. */
  enterDirectory(path: string): string;
  /** Rewrites the configuration file, with all defaults if asked; returns an error text or null. */
  rewriteConfig(withDefaults: boolean): string | null;
  /** The text of the ACL file, one character a byte. Throws the system's error, as `writeAclFile` does. */
  readAclFile(path: string): string;
  writeAclFile(path: string, text: string): void;
  /**
   * Ends the process when the replies so far are sent; `now` skips what could take time. Returns false, and the server
   * goes on, if saving fails, unless `force`.
   */
  shutdown(options: { now: boolean; force: boolean; save: boolean | null }): boolean;
  /** Undoes a shutdown that is waiting; returns whether there was one. */
  abortShutdown(): boolean;
}

export interface EngineParts {
  readonly parameters: Parameters;
  readonly commands: CommandTable;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: Host;
  readonly hasher: Hasher;
}

export class Engine {
  readonly parameters: Parameters;
  readonly commands: CommandTable;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: Host;
  readonly keyspace: Keyspace;
  readonly counters = new Counters();
  readonly recentCommands = new RecentCommands();
  readonly slowlog = new Slowlog();
  readonly latency = new LatencyMonitor();
  readonly gates = new Gates();
  readonly pause = new Pause();
  /** Users and their rights. */
  readonly acl: Acl;
  readonly watchedKeys: WatchedKeys;
  readonly deadlines: Deadlines;
  readonly blocking: Blocking;
  readonly suspension = new Suspension(this);
  readonly eviction = new Eviction(this);
  /** In order of connection. */
  readonly clients = new ClientTable<Client>();
  readonly clientMemory = new ClientMemory<Client>();
  readonly monitors = new Set<Client>();
  /** Clients to whose output another client's command has added in this batch: they are flushed at its end. */
  readonly toFlush = new Set<Client>();
  readonly pushes = new Pushes(this.toFlush);
  readonly pubsub: PubSub;
  /** Client-side caching; null while no client has called CLIENT TRACKING ON. */
  tracking: Tracking | null = null;
  /** The client whose command changes data now; null while the server does so itself. */
  actor: Client | null = null;
  readonly keyspaceEvents: KeyspaceEvents;
  readonly propagation = new Propagation();
  /** Buffers for replies. */
  readonly buffers = new BufferPool();
  readonly replyBuffers = new ReplyBuffers();
  readonly keptLinks = new KeptLinks();
  readonly logins: LoginGuard;
  /** Set by the evaluator's constructor: EXEC runs commands through it. */
  evaluator!: Evaluator;
  /** Closes a client whose output is over its limit; the app sets it. */
  limitOutput: ((client: Client) => void) | null = null;
  /** Whether `bytes` of replies may wait for a client; the app sets it. */
  mayOutput: ((client: Client, bytes: number) => boolean) | null = null;
  /** Called when a batch of requests is over; the app's timer looks whether a deadline has come nearer. */
  afterBatch: (() => void) | null = null;
  /** Has `flushOthers` called at the end of this turn of the event loop: what several batches send a client goes out at once. */
  flushSoon: () => void = () => this.flushOthers();
  readonly startedMs: number;
  /** Bytes of the empty keyspace's tables. */
  readonly startupBytes: number;
  /** What saves and loads; the app sets it, and tests may do without. */
  persistence: PersistenceCalls | null = null;
  /** What runs scripts; the app sets it, and tests of the engine may do without. */
  scripts: ScriptCalls | null = null;
  /** The libraries of functions; the app sets it. */
  functions: FunctionCalls | null = null;
  /** There are changes that must be written to the log before any reply is sent: `commit` does that. */
  mustCommit = false;
  /** Hands the changes to the log and the replicas; returns whether replies may be sent. */
  commit: () => boolean = () => true;
  /** DEBUG SET-ACTIVE-EXPIRE. */
  activeExpiry = true;
  /** DEBUG SET-DISABLE-DENY-SCRIPTS: scripts run commands with the flag noScript, too. */
  scriptsRunAll = false;
  /** DEBUG PAUSE-CRON. */
  pausesCron = false;
  /** The id of this server's data, which replicas know them by. */
  replicationId: string;
  /** DEBUG SET-SKIP-CHECKSUM-VALIDATION: RESTORE accepts payloads whose checksum is wrong. */
  skipsChecksums = false;
  #nextClientId = 1;
  /** Handle of the deadline at which the pause ends; 0 without one. */
  #pauseEnd = 0;

  constructor(parts: EngineParts) {
    this.parameters = parts.parameters;
    this.commands = parts.commands;
    this.clock = parts.clock;
    this.log = parts.log;
    this.host = parts.host;
    this.replicationId = parts.host.randomId();
    this.logins = new LoginGuard(parts.clock, parts.log);
    const { values } = this.parameters;
    this.keyspace = new Keyspace(parts.clock, parts.hasher, values.databases, values);
    this.acl = new Acl(this);
    this.watchedKeys = new WatchedKeys(parts.hasher);
    this.blocking = new Blocking(this);
    this.pubsub = new PubSub(this);
    this.keyspaceEvents = new KeyspaceEvents(this.keyspace, this.pubsub);
    this.startupBytes = this.keyspace.usedBytes;
    this.deadlines = new Deadlines(parts.clock);
    this.startedMs = parts.clock.nowMs();
    this.keyspace.hooks.listen({
      keyChanged: (database, bytes, start, end, cause) => {
        if (this.watchedKeys.size > 0) {
          this.watchedKeys.changed(database, bytes, start, end, cause !== Cause.command);
        }
        if (this.blocking.keyCount > 0) this.blocking.changed(database, bytes, start, end);
        if (cause !== Cause.command && this.propagation.hasTakers) {
          this.#propagateRemoval(database, bytes, start, end, cause === Cause.expiry);
        }
      },
      contentsChange: (database, other) => {
        const { databases } = this.keyspace;
        this.eviction.countSoon();
        for (const one of database < 0 ? databases : [databases[database]]) {
          this.watchedKeys.databaseChanges(one, databases[other] ?? null);
          this.blocking.databaseChanged(one.index);
        }
      },
    });
  }

  /** Expiry and eviction are propagated as DEL, because replicas' clocks differ. */
  #propagateRemoval(
    database: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    isExpiry: boolean,
  ): void {
    const { lazyfreeLazyExpire, lazyfreeLazyEviction } = this.parameters.values;
    const isLazy = isExpiry ? lazyfreeLazyExpire : lazyfreeLazyEviction;
    this.propagation.removal(database, isLazy ? "UNLINK" : "DEL", bytes, start, end);
  }

  /** The id of the next client; ids ascend and are never used again. */
  takeClientId(): number {
    return this.#nextClientId++;
  }

  /** Bytes of all that grows with what clients do: used_memory. Visits all clients. */
  get usedBytes(): number {
    for (const client of this.clients.values()) this.clientMemory.recount(client);
    return this.usedBytesNow + this.uncomparedBytes;
  }

  /**
   * Bytes of `usedBytes` that are not compared with maxmemory: what waits for replicas and for the log, since to remove keys makes more
   * of it.
   */
  get uncomparedBytes(): number {
    return this.clientMemory.replicaBytes + this.logBytes;
  }

  /** What is compared with maxmemory, in O(1), for `client` to know whether it may have more: see ClientMemory. */
  usedBytesFor(client: Client): number {
    this.clientMemory.recount(client);
    return this.usedBytesNow;
  }

  /** As `usedBytesFor`, each client as it was when it was last counted. */
  get usedBytesNow(): number {
    return this.keyspace.usedBytes + this.clientMemory.normalBytes + this.#commonBytes;
  }

  /** Bytes of what belongs neither to a database nor to one client. */
  get #commonBytes(): number {
    let bytes = this.trackingBytes + this.pubsub.bytes;
    if (this.scripts !== null) bytes += this.scripts.bytes;
    if (this.functions !== null) bytes += this.functions.bytes + this.functions.machineBytes;
    return bytes;
  }

  /** Bytes of changes that wait to be written to the log. */
  get logBytes(): number {
    return this.persistence === null ? 0 : this.persistence.logBytes;
  }

  /** Bytes that it takes to know which clients have read which keys. */
  get trackingBytes(): number {
    return this.tracking === null ? 0 : this.tracking.bytes;
  }

  /** Bytes of `usedBytes`, asked for before, that are used for other things than data: tables, clients and the like. */
  get overheadBytes(): number {
    let bytes = this.clientMemory.bytes + this.#commonBytes + this.logBytes;
    for (const db of this.keyspace.databases) bytes += db.tableBytes;
    return bytes;
  }

  addClient(client: Client): void {
    this.clients.add(client);
    this.clientMemory.add(client);
    this.counters.connections++;
  }

  /** CLIENT PAUSE: requests wait until `endMs`; keys neither expire nor are evicted meanwhile. */
  pauseClients(kind: PauseKind, endMs: number): void {
    this.pause.begin(kind, endMs, this.clock.nowMs());
    this.keyspace.keepExpired = true;
    if (this.#pauseEnd !== 0) this.deadlines.cancel(this.#pauseEnd);
    this.#pauseEnd = this.deadlines.at(this.pause.endMs, () => {
      this.#pauseEnd = 0;
      this.unpauseClients();
    });
  }

  /** Ends a pause: the requests that waited run, in order of connection. */
  unpauseClients(): void {
    if (this.#pauseEnd !== 0) this.deadlines.cancel(this.#pauseEnd);
    this.#pauseEnd = 0;
    this.pause.end();
    this.keyspace.keepExpired = false;
    if (this.blocking.hasReady) this.blocking.serve();
    for (const client of this.clients.values()) {
      if (client.isPostponed) client.transport.resume();
    }
  }

  /**
   * Closes clients, the largest first, until the others take no more than `maxmemory-clients`. Called between commands:
   * it may close the one whose batch this is.
   */
  evictClients(): void {
    while (this.clientMemory.isOver) {
      const victim = this.clientMemory.buckets?.largest ?? null;
      // The rest of it is of clients that must not be closed.
      if (victim === null) return;
      this.log.notice(`Evicting client: ${describeClient(victim)}`);
      this.counters.evictedClients++;
      victim.transport.kill();
      assert(victim.countedBytes < 0, "who is closed is not counted any more");
    }
  }

  /** A client begins to receive all changes. */
  becomesReplica(client: Client): void {
    this.clientMemory.remove(client);
    client.isReplica = true;
    this.clientMemory.add(client);
    this.clientMemory.recount(client);
  }

  /** Flushes the clients to whose output other clients' commands have added. */
  flushOthers(): void {
    this.tracking?.flush();
    if (this.toFlush.size === 0) return;
    for (const client of this.toFlush) {
      this.clientMemory.recount(client);
      client.transport.flush();
      this.limitOutput?.(client);
    }
    this.toFlush.clear();
  }

  /** CLIENT TRACKING ON: see Tracking.start. */
  startTracking(
    client: Client,
    options: Readonly<TrackingOptions>,
    prefixes: readonly Uint8Array[],
  ): void {
    this.tracking ??= new Tracking(this);
    this.tracking.start(client, options, prefixes);
  }

  #removeTracker(tracker: Tracker): void {
    if (!tracker.tracking.remove(tracker)) return;
    this.tracking?.close();
    this.tracking = null;
  }

  /** Logs that something has failed which is a bug of ours, with the commands before it. */
  logFailure(what: string, error: unknown): void {
    this.log.warning(
      `${what} failed: ${storyOf(error)}\nCommands before it: ${this.recentCommands}`,
    );
  }

  /** Forgets a client that has gone. */
  removeClient(client: Client): void {
    client.isClosing = true;
    this.clients.delete(client);
    this.clientMemory.remove(client);
    this.monitors.delete(client);
    this.pubsub.removeClient(client);
    if (client.tracking !== null) this.#removeTracker(client.tracking);
    this.toFlush.delete(client);
    this.watchedKeys.unwatch(client.transaction);
    client.transaction.reset();
    this.blocking.removeClient(client);
  }
}
