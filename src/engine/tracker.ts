/** What a client has asked of CLIENT TRACKING. */
import type { Args } from "../protocol/args.ts";
import type { Client } from "./client.ts";
import type { Command } from "./command.ts";
import type { Tracking } from "./tracking.ts";

/** The options of CLIENT TRACKING ON. */
export interface TrackingOptions {
  /** The id of the client that is told in its place; 0: it is told itself. */
  redirect: number;
  /** It is told of all keys with its prefixes, whether it has read them or not. */
  isBroadcast: boolean;
  /** Only keys of commands after CLIENT CACHING YES are remembered. */
  isOptIn: boolean;
  /** Keys of commands after CLIENT CACHING NO are not remembered. */
  isOptOut: boolean;
  /** It is not told of changes that it makes itself. */
  isNoLoop: boolean;
}

const OFF: Readonly<TrackingOptions> = {
  redirect: 0,
  isBroadcast: false,
  isOptIn: false,
  isOptOut: false,
  isNoLoop: false,
};

/** A prefix of keys, and those who want to hear of them. */
export class Prefix {
  readonly trackers = new Set<Tracker>();

  constructor(readonly bytes: Uint8Array) {}
}

/**
 * One client's part in client-side caching. It is made by the first CLIENT TRACKING ON and stays until the client goes,
 * as its keys are still remembered when it switches tracking off and on again.
 */
export class Tracker {
  isOn = false;
  options: Readonly<TrackingOptions> = OFF;
  /** The client that it redirects to had gone when it was to be told. */
  isRedirectBroken = false;
  /** CLIENT CACHING has been called for the command that comes next. */
  isCachingGiven = false;
  /** In the order of their bytes. */
  prefixes: Prefix[] = [];
  /** Memory of the prefixes, roughly. */
  bytes = 0;
  /** Whether the keys that are read now are remembered: follows from the others. */
  #isRemembering = false;

  /** `number` names it in the table of keys. */
  constructor(readonly tracking: Tracking, readonly client: Client, readonly number: number) {}

  /** CLIENT TRACKING ON. */
  start(options: Readonly<TrackingOptions>): void {
    this.isOn = true;
    this.options = options;
    this.isRedirectBroken = false;
    this.#update();
  }

  /** CLIENT TRACKING OFF. */
  stop(): void {
    this.isOn = this.isCachingGiven = this.isRedirectBroken = false;
    this.options = OFF;
    this.#update();
  }

  /** CLIENT CACHING, and the end of the command that it was for. */
  setCachingGiven(isGiven: boolean): void {
    this.isCachingGiven = isGiven;
    this.#update();
  }

  /** `command` has read its keys, for the client itself or in one of its scripts. */
  remember(args: Args, command: Command): void {
    if (this.#isRemembering) this.tracking.remember(this, args, command);
  }

  /** A command of the client is over. CLIENT CACHING is for one command, or one transaction. */
  commandOver(): void {
    if (!this.isCachingGiven || this.client.transaction.isOpen) return;
    if (this.client.call.command?.fullName.startsWith("client|") !== true) {
      this.setCachingGiven(false);
    }
  }

  #update(): void {
    const { isBroadcast, isOptIn, isOptOut } = this.options;
    const isWanted = isOptIn ? this.isCachingGiven : !(isOptOut && this.isCachingGiven);
    this.#isRemembering = this.isOn && !isBroadcast && isWanted;
  }
}

/** The id of the client that is told in this one's place; 0 if it is told itself, −1 if it does not track. */
export function redirectOf(tracker: Tracker | null): number {
  return tracker === null || !tracker.isOn ? -1 : tracker.options.redirect;
}
