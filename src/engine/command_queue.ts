// hot path
/**
 * The commands of a MULTI block, in order. Their arguments are packed into chunks that grow up to
 * 64 KiB: a queue of 50,000 commands is a few dozen objects, and what is queued never moves when more is added.
 *
 *     layout, by command:  chunk · number of arguments · (start, end) of each in the chunk
 *
 * A command with a large argument, which has a buffer of its own, keeps that buffer: its `Args` are stored separately.
 */
import { copyIn } from "../lib/copy.ts";
import { Args } from "../protocol/args.ts";
import type { Command } from "./command.ts";

const CHUNK_BYTES_MIN = 512;
const CHUNK_BYTES_MAX = 64 * 1024;
const LAYOUT_ROOM = 64;
/** Stands in the layout for a command whose arguments are stored separately. */
const APART = -1;

class Chunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  filled = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }
}

export class CommandQueue {
  /** Bytes of the arguments. */
  argumentBytes = 0;
  /** The flags of all commands together. */
  flags = 0;
  readonly #commands: Command[] = [];
  readonly #chunks: Chunk[] = [];
  readonly #apart: Args[] = [];
  #layout = new Int32Array(LAYOUT_ROOM);
  #layoutEnd = 0;

  get length(): number {
    return this.#commands.length;
  }

  /** Adds a command, with a copy of its arguments; their large buffers become the queue's. */
  add(command: Command, args: Args): void {
    this.#commands.push(command);
    this.flags |= command.flags;
    const size = args.size;
    this.argumentBytes += size;
    if (args.hasBuffers) {
      this.#apart.push(args.copy());
      return this.#note(APART);
    }
    const chunk = this.#chunkFor(size);
    this.#note(this.#chunks.length - 1);
    this.#note(args.count);
    for (let i = 0; i < args.count; i++) {
      const at = chunk.filled;
      const end = at + args.length(i);
      const from = args.start(i);
      copyIn(args.bytesOf(i), args.viewOf(i), from, args.end(i), chunk.bytes, chunk.view, at);
      this.#note(at);
      this.#note(end);
      chunk.filled = end;
    }
  }

  /** Visits the commands in order; their arguments are valid during the call only. */
  forEach(visit: (command: Command, args: Args) => void): void {
    const layout = this.#layout;
    const packed = new Args();
    let at = 0;
    let apart = 0;
    for (const command of this.#commands) {
      const place = layout[at++];
      if (place === APART) {
        visit(command, this.#apart[apart++]);
        continue;
      }
      const chunk = this.#chunks[place];
      const end = at + 1 + 2 * layout[at];
      packed.clear();
      packed.use(chunk.bytes, chunk.view);
      for (at++; at < end; at += 2) packed.push(layout[at], layout[at + 1]);
      visit(command, packed);
    }
  }

  /** Frees the large buffers that no command has taken over; afterwards the queue must not be used. */
  free(): void {
    for (const args of this.#apart) args.clear();
  }

  #chunkFor(size: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.filled + size <= last.bytes.length) return last;
    const usual = last === undefined ? CHUNK_BYTES_MIN : 2 * last.bytes.length;
    const chunk = new Chunk(Math.max(size, Math.min(usual, CHUNK_BYTES_MAX)));
    this.#chunks.push(chunk);
    return chunk;
  }

  #note(value: number): void {
    if (this.#layoutEnd === this.#layout.length) {
      const grown = new Int32Array(2 * this.#layout.length);
      grown.set(this.#layout);
      this.#layout = grown;
    }
    this.#layout[this.#layoutEnd++] = value;
  }
}
