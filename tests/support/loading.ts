/** Loads a file into a server of its own. */
import { assert } from "@std/assert";
import { Replay } from "../../src/engine/replay.ts";
import { AofFileLoader } from "../../src/persistence/aof_loader.ts";
import { RdbFileLoader } from "../../src/persistence/rdb_file.ts";
import { TestServer } from "./harness.ts";

export const LOAD = {
  dropsExpired: false,
  checksCrc: true,
  onLoss: (what: string) => assert(false, what),
  onLibrary: () => "nobody takes it",
};

/** A server with the contents of a file, an RDB or commands; the file is removed. */
export function load(path: string, isRdb: boolean): TestServer {
  const server = new TestServer();
  const { keyspace } = server.engine;
  keyspace.isLoading = true;
  const file = isRdb
    ? new RdbFileLoader(path, keyspace, LOAD)
    : new AofFileLoader(path, keyspace, new Replay(server.engine), LOAD);
  file.slice(() => false);
  file.close();
  keyspace.isLoading = false;
  Deno.removeSync(path);
  return server;
}
