/** What commands may know of a process that is not the server's own. */
import type { Host } from "../../engine/engine.ts";
import { hexText } from "../../lib/hexadecimal.ts";
import { readAclFile, writeAclFile } from "../acl_file.ts";
import { REDIS_VERSION } from "../version.ts";

/** `shutdown` is called by the command of that name. */
export function libraryHost(shutdown: () => void): Host {
  return {
    pid: Deno.pid,
    runId: randomId(),
    randomId,
    executable: "respite",
    configFile: "",
    version: REDIS_VERSION,
    os: Deno.build.os,
    architecture: Deno.build.arch,
    residentBytes: () => Deno.memoryUsage().rss,
    systemBytes: () => 0,
    cpuSeconds: () => null,
    enterDirectory: (path) => Deno.realPathSync(path),
    readAclFile,
    writeAclFile,
    rewriteConfig: () => "The server is running without a config file",
    shutdown() {
      queueMicrotask(shutdown);
      return true;
    },
    abortShutdown: () => false,
  };
}

function randomId(): string {
  return hexText(crypto.getRandomValues(new Uint8Array(20)));
}
