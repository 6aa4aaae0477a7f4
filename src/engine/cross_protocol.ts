/**
 * Cross-protocol requests: HTTP that a web page has its reader's browser send to a port of ours.
 *
 * A page may post a body of its choice to any address, also to 127.0.0.1. Each line of the body would be an inline
 * command. Every HTTP request has the word POST at its head or a line `Host:` before its body, so a client that sends
 * either is disconnected before anything of the body runs.
 */
import { LogThrottle } from "../observe/log_throttle.ts";
import type { Args } from "../protocol/args.ts";
import type { Client } from "./client.ts";
import type { Engine } from "./engine.ts";

/** At most one line is logged in this time: a page can repeat its attempts at will. */
const LOG_EVERY_MS = 60_000;

/** Whether a request is the beginning of an HTTP request, in any case of letters. */
export function isHttp(args: Args): boolean {
  return args.is(0, "POST") || args.is(0, "HOST:");
}

export class CrossProtocolGuard {
  readonly #engine: Engine;
  readonly #throttle = new LogThrottle(LOG_EVERY_MS);

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Closes the connection at once: later requests are not run, and replies that wait are not sent. */
  disconnect(client: Client): void {
    const { clock, log } = this.#engine;
    if (this.#throttle.take(clock.nowMs())) {
      log.warning(
        "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. " +
          "This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis " +
          `instance. Connection from ${client.transport.address} aborted.`,
      );
    }
    client.transport.kill();
  }
}
