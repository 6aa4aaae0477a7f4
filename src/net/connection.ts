// hot path
/**
 * One client's socket: reads requests, has them evaluated, writes the replies.
 *
 * One loop: read, evaluate everything that arrived, start one write, read on. A write in flight keeps its
 * buffer until it settles; further replies gather in another buffer and are written next. A
 * client that is slow to read makes its own loop wait (`DRAIN_ABOVE_BYTES`), never anybody else's.
 */
import type { Client, Transport } from "../engine/client.ts";
import { memoryOf, NO_BUFFER, type ReplyBuffer } from "../protocol/buffer_pool.ts";
import type { Pipeline, PipelineListener } from "../protocol/pipeline.ts";
import { Decoded, RequestDecoder } from "../protocol/request_decoder.ts";
import type { SharedBytes } from "../protocol/shared_bytes.ts";
import type { Hub } from "./hub.ts";
import { addressText, closeQuietly, type Socket, waitsForPeer } from "./socket.ts";

/** Bytes of one write, at most: a larger one would delay `close` and pin memory. */
const WRITE_MAX_BYTES = 256 * 1024;
/** When more than this of an incomplete request has arrived, other clients are served before its next part is read. */
const LARGE_REQUEST_BYTES = 64 * 1024;
/** Of more than this that has arrived, maxmemory-clients is checked before any of it runs. */
const LARGE_INPUT_BYTES = 16 * 1024;
/** Of more than this, client-output-buffer-limit is checked after each command: so much a client of Redis may always have. */
const FREE_OUTPUT_BYTES = 16 * 1024;
/**
 * Where a request takes longer than this, a peer with many clients has nothing to do but wait for the replies. It falls asleep
 * between two of them unless they come together, and to wake it costs us 5 µs and more.
 */
const LONG_BATCH_US = 10;
/** With more than this unsent, requests of the client wait. */
const DRAIN_ABOVE_BYTES = 1024 * 1024;

export class Connection implements Transport, PipelineListener {
  readonly client: Client;
  readonly #socket: Socket;
  readonly #hub: Hub;
  readonly #path: string | null;
  readonly #decoder: RequestDecoder;
  pendingFlushes = 0;
  #sending: ReplyBuffer = NO_BUFFER;
  /** Not null while what is being sent lies in bytes that other clients are sent, too. */
  #sharing: SharedBytes | null = null;
  #sent = 0;
  #sendEnd = 0;
  /** The number of the last read, counted over all connections, and how many others read since the one before it. */
  #read: number;
  #othersRead = 0;
  /** Whether it may read now because it waited for its turn. */
  #hasTurn = false;
  #isWriting = false;
  #isProcessing = false;
  /** A block or a pause has ended since the last requests were evaluated. */
  #isResumed = false;
  #isClosing = false;
  #isClosed = false;
  /** It is closed, but its socket can't be yet. */
  #isLingering = false;
  /** Wakes the loop when the output has drained, or a pause or a block has ended. */
  #wake: (() => void) | null = null;

  /** `path` is the Unix socket that it came over; null for TCP. */
  constructor(socket: Socket, hub: Hub, path: string | null) {
    this.#socket = socket;
    this.#hub = hub;
    this.#path = path;
    this.#read = hub.rounds.reads;
    this.client = hub.newClient(this);
    this.#decoder = new RequestDecoder(hub.limitsFor(this.client), this);
  }

  // Address texts are made on demand: ten thousand idle clients would keep them in memory for nothing.

  get address(): string {
    return this.#path === null ? addressText(this.#socket.remoteAddr) : `${this.#path}:0`;
  }

  get localAddress(): string {
    return this.#path === null ? addressText(this.#socket.localAddr) : `${this.#path}:0`;
  }

  get isUnixSocket(): boolean {
    return this.#path !== null;
  }

  get inFlightBytes(): number {
    return this.#sendEnd - this.#sent;
  }

  get sendingBytes(): number {
    return memoryOf(this.#sending, this.#sendEnd);
  }

  get queryBytes(): number {
    return this.#decoder.pendingBytes;
  }

  get queryFreeBytes(): number {
    return this.#decoder.freeBytes;
  }

  /** Serves the client until it goes or is closed. Never rejects. */
  async run(): Promise<void> {
    const { rounds } = this.#hub;
    try {
      let reading: Promise<number | null> | null = null;
      while (!this.#isClosing) {
        reading ??= this.#socket.read(this.#decoder.space(this.client.args));
        // A blocked client is read on, so that its departure is seen.
        if (this.client.blocked === null || !await this.#isReleasedBefore(reading)) {
          const count = await reading;
          reading = null;
          if (count === null) break;
          this.#received(count);
        }
        this.#process(false);
        while (this.#mustWait()) await this.#waiting();
        if (reading === null && this.#mustLetOthersRead()) {
          await rounds.turn();
          this.#hasTurn = true;
          // A block that has ended meanwhile found nobody to wake: what was sent behind it has not been evaluated.
          if (this.#isResumed) this.#process(false);
          while (this.#mustWait()) await this.#waiting();
        }
      }
    } catch (error) {
      this.#hub.connectionFailed(this.client, error);
    }
    await this.#finish();
  }

  flush(): void {
    if (this.#isClosed) return;
    const writer = this.client.reply;
    // Of the reply to EXEC nothing is sent before all is there. A script that is suspended may be in it.
    if (writer.size === 0 || this.client.transaction.running !== null) return;
    // The rest of replies that were longer than it may have.
    if (writer.isOver) return this.#hub.engine.limitOutput?.(this.client);
    // This comes before the check for a write under way: these replies must wait for the commit in any case.
    if (this.#hub.engine.mustCommit) return this.#hub.flushSoon(this);
    if (this.#isWriting || this.pendingFlushes > 0) return;
    this.#isWriting = true;
    this.#sharing = writer.shared;
    if (this.#sharing === null) {
      this.#sendEnd = writer.size;
      this.#sent = 0;
      this.#sending = writer.release();
    } else {
      this.#sent = writer.sharedStart;
      this.#sendEnd = this.#sent + writer.size;
      writer.releaseShared();
    }
    this.#writeOn();
  }

  released(): void {
    this.flush();
    if (!this.#isIdle || !this.#isClosing) return;
    this.#close();
    this.#wakeUp();
  }

  /** Whether nothing is being sent or waits to be sent. */
  get #isIdle(): boolean {
    return !this.#isWriting && this.pendingFlushes === 0;
  }

  closeAfterReply(): void {
    this.#isClosing = true;
    this.#wakeUp();
    // While its own command runs, the loop looks at `#isClosing` next. Otherwise the loop is waiting in read(),
    // which only closing the socket ends.
    if (!this.#isProcessing && this.#isIdle) this.#close();
  }

  kill(): void {
    this.#isClosing = true;
    this.#hub.remove(this.client);
    this.#close();
    this.#wakeUp();
  }

  resume(): void {
    this.#isResumed = true;
    this.#wakeUp();
  }

  /** Waits until the client's block or `reading` ends; returns whether it was the block. */
  async #isReleasedBefore(reading: Promise<unknown>): Promise<boolean> {
    const released = new Promise<boolean>((resolve) => (this.#wake = () => resolve(true)));
    const isReleased = await Promise.race([released, reading.then(() => false)]);
    this.#wake = null;
    return isReleased;
  }

  #received(count: number): void {
    const read = this.#hub.rounds.countRead(this.#hasTurn);
    this.#hasTurn = false;
    this.#othersRead = read - this.#read - 1;
    this.#read = read;
    this.#decoder.received(count);
    this.#hub.engine.counters.inputBytes += count;
    this.#hub.engine.counters.reads++;
  }

  onReadAhead(pipeline: Pipeline): void {
    this.#hub.evaluator.prefetch(this.client, pipeline);
  }

  /** Evaluates what has arrived; `again` runs the request that was postponed first. */
  #process(again: boolean): void {
    const { client } = this;
    const { evaluator } = this.#hub;
    let requests = 0;
    this.#isProcessing = true;
    this.#isResumed = false;
    if (this.#decoder.pendingBytes > LARGE_INPUT_BYTES) this.#hub.memoryGrew(client);
    evaluator.beginBatch(client, this.#hub.isInTurn);
    if (again) evaluator.execute(client);
    while (this.#mayEvaluate()) {
      const found = this.#decoder.next(client.args);
      if (found === Decoded.request) {
        evaluator.execute(client);
        if (client.reply.size > FREE_OUTPUT_BYTES) this.#hub.outputGrew(client);
        requests++;
      } else {
        if (found === Decoded.broken) this.#breakOff();
        else if (found === Decoded.tooMuch) this.#tooMuchInput();
        break;
      }
    }
    // It is read on, and what it sends waits to be decoded.
    const { counters } = this.#hub.engine;
    if (requests > counters.mostRequests) counters.mostRequests = requests;
    if (client.blocked !== null && this.#decoder.pendingBytes > this.#hub.queryBufferLimit) {
      this.#tooMuchInput();
    }
    const tookUs = evaluator.endBatch();
    this.#isProcessing = false;
    // A lone request is answered at once: its client waits for nothing else.
    if (requests > 1 || tookUs > LONG_BATCH_US) this.#hub.flushSoon(this);
    else this.flush();
  }

  #mayEvaluate(): boolean {
    const { client } = this;
    return !client.isPostponed && client.blocked === null && !this.#isClosing &&
      client.reply.size < DRAIN_ABOVE_BYTES;
  }

  #breakOff(): void {
    this.#hub.requestBroken(this.client, this.#decoder.failure);
    this.#isClosing = true;
  }

  #tooMuchInput(): void {
    this.#hub.inputLimitReached(this.client);
    this.#isClosing = true;
  }

  #mustLetOthersRead(): boolean {
    // More of a large request is ready at once. To read on would keep all others waiting until it is complete.
    return this.#decoder.pendingBytes > LARGE_REQUEST_BYTES ||
      this.#hub.rounds.isCrowded(this.#othersRead);
  }

  #mustWait(): boolean {
    if (this.#isClosing) return false;
    if (this.client.isPostponed) return true;
    return this.client.reply.size + this.inFlightBytes > DRAIN_ABOVE_BYTES;
  }

  /** Sleeps until something has changed, then goes on with the requests at hand. */
  async #waiting(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#isClosing) return;
    const again = this.client.isPostponed;
    this.client.isPostponed = false;
    if (again || this.client.reply.size < DRAIN_ABOVE_BYTES) this.#process(again);
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #writeOn(): void {
    const end = Math.min(this.#sendEnd, this.#sent + WRITE_MAX_BYTES);
    const part = this.#sharing?.part(this.#sent, end) ??
      new Uint8Array(this.#sending.bytes.buffer, this.#sent, end - this.#sent);
    this.#hub.engine.clientMemory.recount(this.client);
    this.#socket.write(part).then(this.#written, this.#writeFailed);
  }

  readonly #written = (count: number): void => {
    this.#sent += count;
    this.#hub.engine.counters.outputBytes += count;
    this.#hub.engine.counters.writes++;
    if (this.#sent < this.#sendEnd && !this.#isClosed) return this.#writeOn();
    this.#giveBack();
    this.flush();
    if (this.#isClosing && this.#isIdle) this.#close();
    if (this.#wake !== null && (!this.#isWriting || this.#isClosing)) {
      if (!this.client.isPostponed) this.#wakeUp();
    }
  };

  /** The write is over: gives its buffer back. */
  #giveBack(): void {
    this.#sent = this.#sendEnd = 0;
    this.#sharing?.release();
    this.#sharing = null;
    this.#hub.engine.buffers.give(this.#sending);
    this.#sending = NO_BUFFER;
    this.#isWriting = false;
    this.#hub.engine.clientMemory.recount(this.client);
  }

  readonly #writeFailed = (): void => {
    this.#giveBack();
    this.kill();
  };

  /** Sends the last replies, then closes the socket: closing it during a write would lose them. */
  async #finish(): Promise<void> {
    this.#hub.remove(this.client);
    this.#decoder.close(this.client.args);
    this.flush();
    if (!this.#isIdle && !this.#isClosed) await this.#finishSending();
    this.#close();
  }

  /** Waits until the last replies are sent, but no longer than the peer takes some of them. Meanwhile it counts as a connection. */
  async #finishSending(): Promise<void> {
    let left = Infinity;
    const watch = setInterval(() => {
      const before = left;
      left = this.client.reply.size + this.inFlightBytes;
      if (left < before) return;
      this.#close();
      this.#wakeUp();
    }, this.#hub.lingerMs);
    this.#hub.lingering++;
    while (!this.#isIdle && !this.#isClosed) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    this.#hub.lingering--;
    clearInterval(watch);
  }

  #close(): void {
    if (this.#isClosed) return this.#endLingering();
    this.#isClosed = true;
    // Replies that were not sent are dropped.
    this.client.reply.drop();
    if (this.#isWriting && this.#socket.abort !== undefined) this.#socket.abort();
    else if (this.#isWriting && waitsForPeer(this.#socket)) {
      this.#isLingering = true;
      this.#hub.lingering++;
    } else closeQuietly(this.#socket);
  }

  /** Closes at last, if it was killed while something was being sent: now its peer has taken that, or has gone. */
  #endLingering(): void {
    if (!this.#isLingering || this.#isWriting) return;
    this.#isLingering = false;
    this.#hub.lingering--;
    closeQuietly(this.#socket);
  }
}
