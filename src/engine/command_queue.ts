// hot path
/**
 * The commands of a MULTI block, in order. Their arguments are packed into chunks that grow up to
 * 64 KiB: a queue of 50,000 commands is a few dozen objects, and what is queued never moves when more is added.
 *
 *     layout, by command:  chunk · number of arguments · (start, end) of each in the chunk
 *
 * A command with a large argument, which has a buffer of its own, keeps that buffer: its `Args` are stored separately.
 *
 * EXEC takes the commands as a connection takes those of a pipeline: up to sixteen are announced before the first runs.
 */
import { copyIn } from "../lib/copy.ts";
import { scratch } from "../lib/scratch.ts";
import { Args, ROOM_COUNT } from "../protocol/args.ts";
import { ANNOUNCED_MIN, Pipeline, PIPELINE_ROOM } from "../protocol/pipeline.ts";
import type { Command } from "./command.ts";

const CHUNK_BYTES_MIN = 512;
const CHUNK_BYTES_MAX = 64 * 1024;
const LAYOUT_ROOM = 64;
/** Stands in the layout for a command whose arguments are stored separately. */
const APART = -1;

// scratch: lives for one call
const pipeline = scratch(new Pipeline());

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
  /** How many commands have been visited, where the layout of the next one begins, and how many of them were stored separately. */
  #visited = 0;
  #visitedEnd = 0;
  #visitedApart = 0;

  get length(): number {
    return this.#commands.length;
  }

  /** Adds a command, whose flags are `flags`, with a copy of its arguments; their large buffers become the queue's. */
  add(command: Command, args: Args, flags = command.flags): void {
    this.#commands.push(command);
    this.flags |= flags;
    const size = args.size;
    this.argumentBytes += size;
    const { count } = args;
    this.#reserve(2 + 2 * count);
    const layout = this.#layout;
    if (args.hasBuffers) {
      this.#apart.push(args.copy());
      layout[this.#layoutEnd++] = APART;
      return;
    }
    const chunk = this.#chunkFor(size);
    let next = this.#layoutEnd;
    layout[next++] = this.#chunks.length - 1;
    layout[next++] = count;
    for (let i = 0; i < count; i++) {
      const at = chunk.filled;
      const end = at + args.length(i);
      const from = args.start(i);
      copyIn(args.bytesOf(i), args.viewOf(i), from, args.end(i), chunk.bytes, chunk.view, at);
      layout[next++] = at;
      layout[next++] = end;
      chunk.filled = end;
    }
    this.#layoutEnd = next;
  }

  /**
   * Visits the commands that have not been visited yet, in order, until a visit returns false; their arguments are
   * valid during the call only. `announce` is called with several commands that follow, so that memory they need can be read
   * ahead. Returns whether all have been visited.
   */
  forEach(
    announce: (pipeline: Pipeline) => void,
    visit: (command: Command, args: Args) => boolean,
  ): boolean {
    const commands = this.#commands;
    const packed = new Args();
    let goesOn = true;
    while (goesOn && this.#visited < commands.length) {
      if (this.#layout[this.#visitedEnd] === APART) {
        this.#visitedEnd++;
        goesOn = visit(commands[this.#visited++], this.#apart[this.#visitedApart++]);
        continue;
      }
      if (this.#readAhead(this.#visitedEnd) === 0) {
        this.#visitedEnd = this.#readLong(this.#visitedEnd, packed);
        goesOn = visit(commands[this.#visited++], packed);
        continue;
      }
      if (pipeline.count >= ANNOUNCED_MIN) announce(pipeline);
      while (goesOn && pipeline.hasNext(this)) {
        this.#visitedEnd = pipeline.take(packed);
        goesOn = visit(commands[this.#visited++], packed);
      }
    }
    pipeline.forget();
    return this.#visited === commands.length;
  }

  /** Puts the commands at `at` of the layout into `pipeline`, as far as they lie in one chunk; returns how many. */
  #readAhead(at: number): number {
    const layout = this.#layout;
    const place = layout[at];
    const chunk = this.#chunks[place];
    pipeline.begin(this, chunk.bytes, chunk.view);
    while (pipeline.count < PIPELINE_ROOM && at < this.#layoutEnd && layout[at] === place) {
      const count = layout[at + 1];
      if (count > ROOM_COUNT) break;
      const bounds = pipeline.bounds[pipeline.count];
      at += 2;
      for (let i = 0; i < 2 * count; i++) bounds[i] = layout[at++];
      pipeline.push(count, at);
    }
    return pipeline.count;
  }

  /** Puts a command of many arguments, which lies at `at` of the layout, into `args`; returns where the next one lies. */
  #readLong(at: number, args: Args): number {
    const layout = this.#layout;
    const chunk = this.#chunks[layout[at++]];
    const end = at + 1 + 2 * layout[at];
    args.clear();
    args.use(chunk.bytes, chunk.view);
    for (at++; at < end; at += 2) args.push(layout[at], layout[at + 1]);
    return at;
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

  /** Makes room for `count` more numbers in the layout. */
  #reserve(count: number): void {
    const needed = this.#layoutEnd + count;
    if (needed <= this.#layout.length) return;
    const grown = new Int32Array(Math.max(needed, 2 * this.#layout.length));
    grown.set(this.#layout);
    this.#layout = grown;
  }
}
