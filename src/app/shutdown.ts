/** Ends the server: by SIGINT, SIGTERM or SHUTDOWN. A shutdown that was refused can be tried again, and saves again. */
import { unicodeOf } from "../config/words.ts";
import type { Server } from "./server.ts";

/** How long the end of the server waits for clients that do not read their replies. */
const GRACE_MS = 5000;

export class Shutdown {
  /** Whether the pid file is ours to remove: another process's, or a device in its place, is left alone. */
  removesPidFile = false;
  readonly #server: Server;
  #hasBegun = false;

  constructor(server: Server) {
    this.#server = server;
  }

  listenToSignals(): void {
    const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
    // By default SIGHUP, sent when the terminal closes, would end the server without saving.
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", () => {});
    for (const signal of signals) {
      Deno.addSignalListener(signal, () => {
        if (!this.#hasBegun) return this.#bySignal(signal);
        // The data are saved already. A second Ctrl+C means: don't wait for clients that do not read their replies.
        if (signal === "SIGINT") Deno.exit(1);
      });
    }
  }

  /** `shutdown-on-sigint` and `shutdown-on-sigterm` say what is saved. */
  #bySignal(signal: Deno.Signal): void {
    const { log, parameters } = this.#server.engine;
    const { shutdownOnSigint, shutdownOnSigterm } = parameters.values;
    const words = (signal === "SIGINT" ? shutdownOnSigint : shutdownOnSigterm).split(" ");
    const save = words.includes("save") ? true : words.includes("nosave") ? false : null;
    const reason = `Received ${signal} scheduling shutdown...`;
    if (this.begin(reason, save, words.includes("force"))) return;
    log.warning(
      `${signal} received but errors trying to shut down the server, check the logs for more information`,
    );
  }

  /**
   * Saves if that is wanted (null: if there are save points), stops accepting, lets replies go out, ends the
   * process with 0. Returns false, going on, if what had to be saved could not be, unless forced.
   */
  begin(reason: string, save: boolean | null, isForced: boolean): boolean {
    if (this.#hasBegun) return true;
    const { log, parameters } = this.#server.engine;
    log.warning(reason);
    if (!this.#server.persistence.shutdown(save, isForced)) return false;
    this.#hasBegun = true;
    const last = setTimeout(() => Deno.exit(0), GRACE_MS);
    void this.#server.stop().then(() => {
      clearTimeout(last);
      if (this.removesPidFile) removePidFile(unicodeOf(parameters.values.pidfile));
      log.warning("Respite is now ready to exit, bye bye...");
      Deno.exit(0);
    });
    return true;
  }
}

function removePidFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It has been removed already.
  }
}
