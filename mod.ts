/**
 * Respite in your own process, for tests.
 *
 * ```ts ignore
 * import { startRespite } from "./mod.ts";
 *
 * await using server = await startRespite();
 * await server.call("SET", "greeting", "hello", "EX", 60);
 * server.advance(61_000);
 * console.log(await server.call("GET", "greeting")); // null
 * ```
 */
export {
  type RespiteOptions,
  RespiteServer,
  type SavedKey,
  type Snapshot,
  startRespite,
} from "./src/app/library/library.ts";
export type { Fault, FaultKind, FaultOptions } from "./src/app/library/faults.ts";
export type { Word } from "./src/app/library/local_caller.ts";
export { CommandError, type Value } from "./src/app/library/values.ts";
