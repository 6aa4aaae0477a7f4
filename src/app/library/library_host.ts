/** What commands may know of a process that is not the server's own. */
import type { Host } from "../../engine/engine.ts";
import { BasicHost, NO_CONFIG_FILE } from "../basic_host.ts";

export class LibraryHost extends BasicHost implements Host {
  readonly executable = "respite";
  readonly configFile = "";
  readonly #shutdown: () => void;

  /** `shutdown` is called by the command of that name. */
  constructor(shutdown: () => void) {
    super();
    this.#shutdown = shutdown;
  }

  systemBytes(): number {
    return 0;
  }

  cpuSeconds(): null {
    return null;
  }

  /** The directory of the process is the program's: it stays. */
  enterDirectory(path: string): string {
    return Deno.realPathSync(path);
  }

  rewriteConfig(): string {
    return NO_CONFIG_FILE;
  }

  shutdown(): boolean {
    queueMicrotask(this.#shutdown);
    return true;
  }
}
