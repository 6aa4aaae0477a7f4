/** Ends the server: by SIGINT, SIGTERM or SHUTDOWN. A shutdown that was refused can be tried again, and saves again. */
import { unicodeOf } from "../config/words.ts";
import type { Server } from "./server.ts";

/** How long the end of the server waits for clients that do not read their replies. */
const GRACE_MS = 5000;
/** One Ctrl+C can arrive twice: from the terminal, and passed on by `deno task` or npx. That is no second one. */
const SAME_KEY_MS = 500;

export class Shutdown {
  /** Whether the pid file is ours to remove: another process's, or a device in its place, is left alone. */
  removesPidFile = false;
  readonly #server: Server;
  #hasBegun = false;
  /** When it began, on the clock of `performance`. */
  #begunMs = 0;

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
        if (signal === "SIGINT" && performance.now() - this.#begunMs > SAME_KEY_MS) this.#end(1);
      });
    }
  }

  /** `shutdown-on-sigint` and `shutdown-on-sigterm` say what is saved. */
  #bySignal(signal: Deno.Signal): void {
    const { log, parameters, keyspace } = this.#server.engine;
    // While a script is suspended the data are half changed. Its end is awaited.
    if (keyspace.hooks.isForbidden) {
      void keyspace.hooks.allowed().then(() => this.#bySignal(signal));
      return;
    }
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
    const { log } = this.#server.engine;
    log.warning(reason);
    if (!this.#server.persistence.shutdown(save, isForced)) return false;
    this.#hasBegun = true;
    this.#begunMs = performance.now();
    const last = setTimeout(() => this.#end(0), GRACE_MS);
    void this.#server.stop().then(() => {
      clearTimeout(last);
      this.#end(0);
    });
    return true;
  }

  #end(code: number): never {
    const { log, parameters } = this.#server.engine;
    if (this.removesPidFile) removePidFile(unicodeOf(parameters.values.pidfile));
    this.#server.persistence.close();
    log.warning("Respite is now ready to exit, bye bye...");
    Deno.exit(code);
  }
}

function removePidFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It has been removed already.
  }
}
