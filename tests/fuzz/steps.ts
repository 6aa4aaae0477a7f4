/** What an episode consists of. */
import { binaryText } from "../../src/protocol/args.ts";
import type { Subject } from "./subject.ts";

export interface Step {
  /** How many inputs it counts as. */
  readonly inputs: number;
  perform(subject: Subject): void;
  /** What someone can do to see the same. */
  toString(): string;
}

const SHOWN_MAX = 4000;

/** Bytes as a client sends them. */
export class Sent implements Step {
  readonly inputs = 1;

  constructor(
    readonly slot: number,
    readonly bytes: Uint8Array,
    readonly cuts: readonly number[],
    readonly isRequest: boolean,
  ) {}

  perform(subject: Subject): void {
    subject.send(this.slot, this.bytes, this.cuts, this.isRequest);
  }

  toString(): string {
    const text = JSON.stringify(binaryText(this.bytes, 0, this.bytes.length));
    const cuts = this.cuts.length > 1 ? ` cut at ${this.cuts}` : "";
    return `client ${this.slot}: ${shortened(text)}${cuts}`;
  }
}

/** The clock moves on. */
export class Passes implements Step {
  readonly inputs = 0;

  constructor(readonly ms: number) {}

  perform(subject: Subject): void {
    subject.pass(this.ms);
  }

  toString(): string {
    return `${this.ms} ms pass`;
  }
}

/** All invariants are looked at. */
export class Audits implements Step {
  readonly inputs = 0;

  perform(subject: Subject): void {
    subject.audit();
  }

  toString(): string {
    return "an audit";
  }
}

/** Files in the server's directory, and the command that loads them. */
export class Loaded implements Step {
  readonly inputs = 1;

  constructor(
    readonly command: "DEBUG RELOAD NOSAVE" | "DEBUG LOADAOF",
    readonly files: ReadonlyMap<string, Uint8Array>,
  ) {}

  perform(subject: Subject): void {
    for (const [name, bytes] of this.files) Deno.writeFileSync(`${subject.dir}/${name}`, bytes);
    subject.ask(this.command);
    subject.audit();
  }

  toString(): string {
    const files = [...this.files].map(([name, bytes]) => `${name}: [${[...bytes].join()}]`);
    return shortened(`${this.command} of ${files.join(" ")}`);
  }
}

function shortened(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)} … ${text.length} characters` : text;
}
