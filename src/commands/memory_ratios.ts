/** How the figures of memory relate to each other, for INFO and MEMORY STATS. */
import type { Engine } from "../engine/engine.ts";

/** How many times `to` a figure is, and how much more. */
export interface Excess {
  readonly ratio: number;
  readonly bytes: number;
}

export interface MemoryRatios {
  /** Bytes that the arena, values outside it and clients hold, in use or not. */
  readonly active: number;
  /** What they hold, compared with what is in use. */
  readonly fragmentation: Excess;
  /** What the process has in memory, compared with what they hold. V8 and the runtime are in it. */
  readonly resident: Excess;
  /** Always 1 and 0: Redis compares its process with its allocator here, and the process is all that can be asked for. */
  readonly overhead: Excess;
  /** What the process has in memory, compared with what is in use. */
  readonly total: Excess;
}

/**
 * `used` is what is in use, and `resident` what the process has in memory: asked again they may be other figures than those
 * beside these, and each visits all clients, or asks the system.
 */
export function memoryRatios(
  { keyspace: { entries: { arena } } }: Engine,
  used: number,
  resident: number,
): MemoryRatios {
  const active = used + arena.reservedBytes - arena.usedBytes;
  return {
    active,
    fragmentation: excess(active, used),
    resident: excess(resident, active),
    overhead: excess(resident, resident),
    total: excess(resident, used),
  };
}

function excess(bytes: number, over: number): Excess {
  return { ratio: bytes / Math.max(over, 1), bytes: bytes - over };
}
