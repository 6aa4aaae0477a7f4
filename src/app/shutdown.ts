/** The end of the server: by SIGINT, SIGTERM or SHUTDOWN; a second signal ends it at once. */
import { unicodeOf } from "../config/words.ts";
import type { Server } from "./server.ts";

/** A client that does not take its replies is given so long. */
const GRACE_MS = 5000;

export class Shutdown {
  readonly #server: Server;
  #hasBegun = false;

  constructor(server: Server) {
    this.#server = server;
  }

  listenToSignals(): void {
    const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
    for (const signal of signals) {
      Deno.addSignalListener(signal, () => {
        if (this.#hasBegun) Deno.exit(1);
        this.begin(`Received ${signal} scheduling shutdown...`);
      });
    }
  }

  /** Stops accepting, lets replies go out, ends the process with 0. */
  begin(reason: string): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const { log, parameters } = this.#server.engine;
    log.warning(reason);
    const last = setTimeout(() => Deno.exit(0), GRACE_MS);
    void this.#server.stop().then(() => {
      clearTimeout(last);
      removePidFile(unicodeOf(parameters.values.pidfile));
      log.warning("Respite is now ready to exit, bye bye...");
      Deno.exit(0);
    });
  }
}

function removePidFile(path: string): void {
  try {
    if (path !== "") Deno.removeSync(path);
  } catch {
    // It was never written, or somebody has removed it.
  }
}
