/** What commands may know of a process, whether it is the server's own or a program that has a server in it. */
import { hexText } from "../lib/hexadecimal.ts";
import { readAclFile, writeAclFile } from "./acl_file.ts";
import { REDIS_VERSION } from "./version.ts";

export const NO_CONFIG_FILE = "The server is running without a config file";

export abstract class BasicHost {
  readonly pid = Deno.pid;
  readonly runId = this.randomId();
  readonly version = REDIS_VERSION;
  readonly os = Deno.build.os;
  readonly architecture = Deno.build.arch;
  readonly readAclFile = readAclFile;
  readonly writeAclFile = writeAclFile;

  randomId(): string {
    return hexText(crypto.getRandomValues(new Uint8Array(20)));
  }

  residentBytes(): number {
    return Deno.memoryUsage().rss;
  }

  /** Nothing makes a shutdown wait, so there never is one to undo. */
  abortShutdown(): boolean {
    return false;
  }
}
