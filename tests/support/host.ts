/** What commands may know of the process, in tests. */
import { readAclFile, writeAclFile } from "../../src/app/acl_file.ts";
import type { Host } from "../../src/engine/engine.ts";

export const testHost: Host = {
  pid: 1,
  runId: "0".repeat(40),
  randomId: () => crypto.randomUUID().replaceAll("-", "").padEnd(40, "0"),
  executable: "respite",
  configFile: "",
  version: "7.2.6",
  os: "linux",
  architecture: "x86_64",
  residentBytes: () => 1,
  systemBytes: () => 1,
  cpuSeconds: () => null,
  // The directory of the process is that of all tests: it stays.
  enterDirectory(path) {
    if (!Deno.statSync(path).isDirectory) throw new Deno.errors.NotADirectory("Not a directory");
    return Deno.realPathSync(path);
  },
  rewriteConfig: () => "The server is running without a config file",
  readAclFile,
  writeAclFile,
  shutdown: () => true,
  abortShutdown: () => false,
};
