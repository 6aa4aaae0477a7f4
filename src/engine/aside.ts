/**
 * A command that needs others than this server, and so takes turns of the event loop: its client waits, and everybody
 * else, too, so that no key changes meanwhile.
 */
import { Errors } from "../protocol/errors.ts";
import type { Client } from "./client.ts";
import type { Engine } from "./engine.ts";

/**
 * Does `work`, for `timeoutMs` at most, while all clients wait. What it returns is called when it is over, as if it
 * were the command's own run, and answers the client.
 */
export function goAside(
  engine: Engine,
  client: Client,
  timeoutMs: number,
  work: () => Promise<() => void>,
): void {
  client.blocked = { unblock() {} };
  engine.pauseClients("all", engine.clock.nowMs() + timeoutMs);
  const failed = (error: unknown) => (): void => {
    engine.log.warning(`What client ${client.id} waited for failed: ${error}`);
    client.reply.error(Errors.internal);
  };
  void work().catch(failed).then((end) => {
    engine.clock.refresh();
    end();
    engine.propagation.endUnit();
    client.blocked = null;
    engine.toFlush.add(client);
    engine.flushOthers();
    client.transport.resume();
    engine.unpauseClients();
  });
}
