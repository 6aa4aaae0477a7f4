// hot path
/** Books how long commands took: the slow log, the latency monitor and each command's histogram. */
import { LatencyHistogram } from "../observe/latency.ts";
import type { Client } from "./client.ts";
import { type Command, Flag } from "./command.ts";
import type { Engine } from "./engine.ts";
import { shortArguments } from "./shown_arguments.ts";

/** `count` calls of `command` took `microseconds` together. */
export function noteSlow(
  engine: Engine,
  client: Client,
  command: Command,
  microseconds: number,
  count: number,
): void {
  const { values } = engine.parameters;
  const each = microseconds / count;
  if (values.latencyTracking) {
    const stats = command.stats;
    stats.histogram ??= new LatencyHistogram();
    stats.histogram.record(each, count);
  }
  const { latency } = engine;
  if (latency.thresholdMs > 0 && each >= latency.thresholdMs * 1000) {
    const event = (command.flags & Flag.fast) !== 0 ? "fast-command" : "command";
    latency.note(event, each / 1000, engine.clock.nowMs());
  }
  const slowerThan = values.slowlogLogSlowerThan;
  if (slowerThan < 0 || each < slowerThan || (command.flags & Flag.skipSlowlog) !== 0) return;
  engine.slowlog.add({
    time: Math.floor(engine.clock.nowMs() / 1000),
    microseconds: Math.round(each),
    args: shortArguments(engine, client.call.args, command),
    address: client.transport.address,
    clientName: client.name,
  }, values.slowlogMaxLen);
}
