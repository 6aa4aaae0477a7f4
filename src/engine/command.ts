/** Stand-in. */
import type { Args } from "../protocol/args.ts";
import type { LatencyHistogram } from "../observe/latency.ts";
import type { Call } from "./call.ts";

export const Flag = { write: 1, readonly: 2, denyOom: 4, fast: 8, loading: 16, stale: 32, noAuth: 64, noMulti: 128, skipMonitor: 256, skipSlowlog: 512, mayReplicate: 1024, unqueued: 2048, admin: 4096 } as const;
export interface CommandSpec { readonly name: string; readonly arity?: number; readonly flags: number; readonly run: (call: Call) => void }
export class CommandStats { calls = 0; microseconds = 0; rejected = 0; failed = 0; histogram: LatencyHistogram | null = null; }
export class Command {
  readonly name: string; readonly fullName: string; readonly arity: number; readonly flags: number; readonly run: (call: Call) => void;
  readonly subcommands: Map<string, Command> | null = null;
  readonly stats = new CommandStats();
  constructor(spec: CommandSpec) { this.name = this.fullName = spec.name; this.arity = spec.arity ?? -1; this.flags = spec.flags; this.run = spec.run; }
  subcommand(_args: Args): Command | null { return null; }
}
export class CommandTable {
  readonly #m = new Map<number, Command>();
  constructor(specs: CommandSpec[]) { for (const s of specs) { this.#m.set(key(new TextEncoder().encode(s.name), 0, s.name.length), new Command(s)); } }
  find(args: Args): Command | null { return this.#m.get(key(args.bytes, args.start(0), args.end(0))) ?? null; }
}
function key(b: Uint8Array, s: number, e: number): number { let h = 0; for (let i = s; i < e; i++) h = Math.imul(h, 31) + (b[i] | 0x20) | 0; return h & 0x3fffffff; }
