/**
 * Commands that wait for another server (MIGRATE), and so take several turns of the event loop. All clients are paused
 * meanwhile, so that no key changes.
 */
import { Errors } from "../protocol/errors.ts";
import type { Client } from "./client.ts";
import type { Engine } from "./engine.ts";

/**
 * Does `work`, for `timeoutMs` at most, while all clients are paused. The function that `work` returns is then called in
 * place of the rest of the command: it changes keys and answers the client.
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
    client.isRunning = true;
    engine.actor = client;
    end();
    engine.actor = null;
    engine.pushes.end(client);
    engine.propagation.endUnit();
    client.blocked = null;
    engine.toFlush.add(client);
    engine.flushOthers();
    client.transport.resume();
    engine.unpauseClients();
  });
}
