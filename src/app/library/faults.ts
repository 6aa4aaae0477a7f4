/** Faults on demand: commands that fail, are late, or end their connection, for those who test how their clients take that. */
import type { Call } from "../../engine/call.ts";
import type { Client } from "../../engine/client.ts";
import type { Command, CommandTable } from "../../engine/command.ts";
import { globMatches } from "../../lib/glob.ts";
import { binaryBytes } from "../../protocol/args.ts";
import { errorReply } from "../../protocol/errors.ts";

/** `error`: an error reply; `delay`: the reply is late; `drop`: the connection is closed without one. */
export type FaultKind = "error" | "delay" | "drop";

/** How a fault shows. */
export interface FaultOptions {
  /** The text of the error; "ERR injected fault" unless it is given. */
  readonly message?: string;
  /** How late the reply is, in ms; 1000 unless it is given. The time is real, whatever the server's clock shows. */
  readonly ms?: number;
  /** How many times it happens; without end unless it is given. */
  readonly times?: number;
}

/** A fault in force; `stop`, or the end of a `using` block, ends it. */
export interface Fault extends Disposable {
  /** How often it has happened. */
  readonly count: number;
  /** Ends it. */
  stop(): void;
}

const encoder = new TextEncoder();

export class Faults {
  readonly #commands: CommandTable;
  readonly #active: ActiveFault[] = [];
  /** Commands that were given another `run`, with the true one. */
  readonly #replaced = new Map<Command, Command["run"]>();
  /** Clients whose request has been late already, and is let through. */
  readonly #late = new WeakSet<Client>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(commands: CommandTable) {
    this.#commands = commands;
  }

  /** `pattern`: a glob of names ("get", "h*", "config|*"), and after a blank one of the first argument ("set user:*"). */
  add(pattern: string, kind: FaultKind, options: FaultOptions): Fault {
    const [name, argument] = pattern.trim().split(/\s+/, 2);
    const fault = new ActiveFault(this.#active, kind, options, argument);
    this.#active.push(fault);
    for (const command of this.#commands.all()) {
      for (const one of [command, ...command.subcommands?.values() ?? []]) {
        if (!matches(name.toLowerCase(), one.fullName)) continue;
        fault.commands.add(one);
        this.#replace(one);
      }
    }
    if (fault.commands.size > 0) return fault;
    fault.stop();
    throw new TypeError(`No command is called ${name}`);
  }

  /** Ends all faults. */
  clear(): void {
    this.#active.length = 0;
    for (const [command, run] of this.#replaced) command.run = run;
    this.#replaced.clear();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #replace(command: Command): void {
    if (this.#replaced.has(command)) return;
    const { run } = command;
    this.#replaced.set(command, run);
    command.run = (call) => {
      const fault = this.#active.findLast((one) => one.isFor(command, call));
      if (fault === undefined || !this.#happens(fault, call)) run(call);
    };
  }

  /** Returns whether the command is not to run. */
  #happens(fault: ActiveFault, { client, reply }: Call): boolean {
    // What a script or EXEC runs can't be put off, or go without a reply.
    const isInside = client.isScript || client.transaction.running !== null;
    if (fault.kind === "error") reply.error(errorReply(fault.message));
    else if (isInside || this.#late.delete(client)) return false;
    else if (fault.kind === "delay") this.#putOff(client, fault.ms);
    else this.#drop(client);
    fault.happened();
    return true;
  }

  #putOff(client: Client, ms: number): void {
    client.isPostponed = true;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#late.add(client);
      client.transport.resume();
    }, ms);
    this.#timers.add(timer);
  }

  #drop(client: Client): void {
    // Nothing more of it is run or answered meanwhile.
    client.isPostponed = true;
    queueMicrotask(() => client.transport.kill());
  }
}

class ActiveFault implements Fault {
  count = 0;
  readonly commands = new Set<Command>();
  readonly message: string;
  readonly ms: number;
  readonly #times: number;
  readonly #all: ActiveFault[];

  constructor(
    all: ActiveFault[],
    readonly kind: FaultKind,
    { message = "ERR injected fault", ms = 1000, times = Infinity }: FaultOptions,
    readonly argument: string | undefined,
  ) {
    this.#all = all;
    this.message = message;
    this.ms = ms;
    this.#times = times;
  }

  isFor(command: Command, { args }: Call): boolean {
    if (!this.commands.has(command)) return false;
    if (this.argument === undefined) return true;
    const first = command.fullName.includes("|") ? 2 : 1;
    if (args.count <= first) return false;
    const bytes = args.copyOf(first);
    const pattern = encoder.encode(this.argument);
    return globMatches(pattern, 0, pattern.length, bytes, 0, bytes.length, false);
  }

  happened(): void {
    if (++this.count >= this.#times) this.stop();
  }

  stop(): void {
    const place = this.#all.indexOf(this);
    if (place >= 0) this.#all.splice(place, 1);
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

function matches(pattern: string, name: string): boolean {
  const bytes = binaryBytes(pattern);
  return globMatches(bytes, 0, bytes.length, binaryBytes(name), 0, name.length, false);
}
