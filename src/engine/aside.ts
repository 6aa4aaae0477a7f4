/**
 * A command that needs others than this server, and so takes turns of the event loop: its client waits, and everybody
 * else, too, so that no key changes meanwhile.
 */
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
  void work().then((end) => {
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
