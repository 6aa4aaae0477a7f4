/**
 * What connections share: the engine and its evaluator, limits, and the making and forgetting of
 * clients.
 */
import type { Parameters } from "../config/parameters.ts";
import { Client, type Transport } from "../engine/client.ts";
import type { Engine } from "../engine/engine.ts";
import type { Evaluator } from "../engine/evaluator.ts";
import type { ErrorReply } from "../protocol/errors.ts";
import type { RequestLimits } from "../protocol/request_decoder.ts";
import { Rounds } from "./rounds.ts";

/**
 * Microtasks to wait before replies are sent: the runtime wakes all readable connections of a turn
 * together, and each takes a few microtasks from there to its requests.
 */
const FLUSH_HOPS = 12;

/** Positions in a request's buffers are integers of 31 bits, with room for what stands behind an argument. */
const POSITION_MAX = 2 ** 31 - 64;

/** A transport whose replies are sent at the end of the turn: after other clients have been served, and after a commit. */
interface HeldTransport extends Transport {
  /** Calls of `flushSoon` that the end of a turn has not yet carried out. */
  pendingFlushes: number;
  /** Called when `pendingFlushes` is 0 again: the replies may go out. */
  released(): void;
}

export class Hub {
  readonly rounds = new Rounds();
  /** Connections that take a descriptor without being those of a client: TLS is being agreed on; last replies are being sent. */
  handshakes = 0;
  lingering = 0;
  /** A peer that has been cut off, or has sent its last request, and takes nothing of its replies for so long is given up. */
  lingerMs = 10_000;
  /** Connections with replies to send, in this turn of the event loop. */
  #unsent: HeldTransport[] = [];
  #hops = 0;
  #isEnding = false;

  constructor(readonly engine: Engine, readonly evaluator: Evaluator) {}

  /** Whether there are as many connections as `maxclients` lets. */
  get isFull(): boolean {
    return this.room <= 0;
  }

  /** How many more connections `maxclients` lets. */
  get room(): number {
    const { clients, parameters } = this.engine;
    return parameters.values.maxclients - clients.size - this.handshakes - this.lingering;
  }

  /** Whether connections have been served in this turn of the event loop whose replies are still to be sent. */
  get isInTurn(): boolean {
    return this.#isEnding;
  }

  /**
   * Has `transport` flushed after the other connections that this turn of the event loop woke have been
   * served, so that a peer finds many replies at once. It gains little: see docs/MEASUREMENTS.md.
   */
  flushSoon(transport: HeldTransport): void {
    transport.pendingFlushes++;
    this.#unsent.push(transport);
    this.endTurnSoon();
  }

  /** Sends the client whose command runs nothing before `until` settles: its next step may rely on what the reply says. */
  holdReplies(until: Promise<unknown>): void {
    const transport = this.engine.actor?.transport as Partial<HeldTransport> | undefined;
    if (transport?.pendingFlushes === undefined) return;
    const held = transport as HeldTransport;
    held.pendingFlushes++;
    void until.finally(() => {
      if (--held.pendingFlushes === 0) held.released();
    });
  }

  /** Ends the turn as `flushSoon` does, without a reply to send: changes are propagated then. */
  endTurnSoon(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#hops = FLUSH_HOPS;
    queueMicrotask(this.#hop);
  }

  readonly #hop = (): void => {
    if (--this.#hops > 0) return queueMicrotask(this.#hop);
    this.#isEnding = false;
    const { engine } = this;
    // Expiry removes keys outside of commands, too.
    engine.propagation.endUnit();
    // If nothing has changed in this turn, its replies show nothing new, and go out even if the commit fails.
    const { mustCommit } = engine;
    const isCommitted = engine.commit() || !mustCommit;
    engine.mustCommit = false;
    // Other clients (MONITOR, served waiters) and replicas must not learn of changes that are not durable.
    if (isCommitted) engine.flushOthers();
    else this.#disconnectOthers();
    const unsent = this.#unsent;
    this.#unsent = [];
    for (let i = 0; i < unsent.length; i++) {
      const transport = unsent[i];
      // Its replies would confirm changes that are not durable: it is disconnected without them.
      if (!isCommitted) transport.kill();
      else if (--transport.pendingFlushes === 0) transport.released();
    }
    // What could be sent has been sent, and does not count any more.
    engine.evictClients();
  };

  /** Disconnects all who would receive this turn's changes, which are not durable; replicas synchronize again. */
  #disconnectOthers(): void {
    const { toFlush, clients } = this.engine;
    for (const client of toFlush) client.transport.kill();
    for (const client of clients.values()) if (client.isReplica) client.transport.kill();
    toFlush.clear();
  }

  /** Bytes of one unfinished request: client-query-buffer-limit. */
  get queryBufferLimit(): number {
    return Math.min(this.engine.parameters.values.clientQueryBufferLimit, POSITION_MAX);
  }

  newClient(transport: Transport): Client {
    const client = new Client(this.engine, this.engine.takeClientId(), transport);
    this.engine.addClient(client);
    return client;
  }

  /** A command of a client's batch has made its replies long: whether they may be so is asked before its next command. */
  outputGrew(client: Client): void {
    this.engine.limitOutput?.(client);
    this.memoryGrew(client);
  }

  /** Much has come from a client, or is to be sent: whether clients may have so much is asked before its next command. */
  memoryGrew(client: Client): void {
    this.engine.clientMemory.recount(client);
    this.engine.evictClients();
  }

  remove(client: Client): void {
    this.engine.removeClient(client);
  }

  limitsFor(client: Client): RequestLimits {
    return new ClientLimits(this.engine.parameters, client);
  }

  /** What a client has sent is no request: tells it so. */
  requestBroken(client: Client, failure: ErrorReply): void {
    client.reply.error(failure);
    this.engine.counters.countError(failure);
  }

  inputLimitReached(client: Client): void {
    this.engine.counters.clientQueryLimitDisconnections++;
    this.engine.log.warning(
      `Closing client that reached max query buffer length: id=${client.id} addr=${client.transport.address}`,
    );
  }

  connectionFailed(client: Client, error: unknown): void {
    if (client.isClosing || isDeparture(error)) return;
    const text = error instanceof Error ? error.message : String(error);
    this.engine.log.verbose(`Reading from client ${client.id}: ${text}`);
  }
}

/** Whether a socket's error only says that its peer has gone. */
export function isDeparture(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.UnexpectedEof || error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.NotConnected;
}

/** The bounds of one client's requests, read from the configuration at each use. */
class ClientLimits implements RequestLimits {
  readonly #parameters: Parameters;
  readonly #client: Client;

  constructor(parameters: Parameters, client: Client) {
    this.#parameters = parameters;
    this.#client = client;
  }

  get bulkMax(): number {
    return Math.min(this.#parameters.values.protoMaxBulkLen, POSITION_MAX);
  }

  get queryMax(): number {
    return Math.min(this.#parameters.values.clientQueryBufferLimit, POSITION_MAX);
  }

  get authenticated(): boolean {
    return this.#client.engine.acl.isAuthenticated(this.#client);
  }
}
