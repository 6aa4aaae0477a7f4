/** Copies parameters to the objects that keep their own copy of them (log level, thresholds), now and at each change. */
import { binaryOf, unicodeOf } from "../config/words.ts";
import type { Parameters } from "../config/parameters.ts";
import type { Engine } from "../engine/engine.ts";
import { systemText } from "../lib/system_error.ts";
import { type Level, LEVELS } from "../observe/log.ts";

const SLICE_US = 500;
/** With less for all clients, nobody could set it back. So it is in Redis. */
const CLIENTS_BYTES_MIN = 128 * 1024;

/** Applies the parameters in force, and every later change of them. */
export function carryChanges(engine: Engine): void {
  const { parameters, keyspace, latency, log, slowlog } = engine;
  const { values } = parameters;
  const carry = (name: string, apply: () => void): void => {
    apply();
    parameters.onChange(name, () => {
      apply();
      return null;
    });
  };
  carry("loglevel", () => log.level = levelOf(values.loglevel));
  carry("latency-monitor-threshold", () => latency.thresholdMs = values.latencyMonitorThreshold);
  carry("slowlog-max-len", () => slowlog.trim(values.slowlogMaxLen));
  carry("maxmemory-policy", () => {
    keyspace.frequencyPolicy = values.maxmemoryPolicy.endsWith("lfu");
    keyspace.recencyPolicy = values.maxmemoryPolicy.endsWith("lru");
    keyspace.victims.usePolicy(values.maxmemoryPolicy);
  });
  carry("maxmemory-samples", () => keyspace.victims.samples = values.maxmemorySamples);
  carry("maxmemory", () => engine.eviction.limitChanged());
  parameters.onChange("requirepass", () => {
    engine.acl.setDefaultPassword();
    return null;
  });
  carry("tracking-table-max-keys", () => forgetTrackedKeys(engine));
  for (const name of ["maxmemory", "maxmemory-clients"]) carry(name, () => limitClients(engine));
  carry("lfu-log-factor", () => keyspace.lfuLogFactor = values.lfuLogFactor);
  carry("lfu-decay-time", () => keyspace.lfuDecayMinutes = values.lfuDecayTime);
  carry(
    "notify-keyspace-events",
    () => engine.keyspaceEvents.tell(values.notifyKeyspaceEvents),
  );
  parameters.onSet(
    "dir",
    () => enterDirectory(parameters, (path) => engine.host.enterDirectory(path)),
  );
}

/** Sets what all clients together may take. Who is closed because it is less than before is so after the command. */
function limitClients({ parameters: { values }, clients, clientMemory }: Engine): void {
  const { maxmemory, maxmemoryClients } = values;
  // A percentage is negative; without `maxmemory` there is nothing that it is a part of.
  const share = maxmemory > 0 ? Math.floor(maxmemory * -maxmemoryClients / 100) : Infinity;
  const bytes = maxmemoryClients < 0 ? share : maxmemoryClients;
  clientMemory.limit(
    maxmemoryClients === 0 ? null : Math.max(bytes, CLIENTS_BYTES_MIN),
    clients.values(),
  );
}

/** Forgets as many keys beyond the new limit as there is time for; the timer forgets the others. */
function forgetTrackedKeys({ tracking, clock }: Engine): void {
  const end = clock.monotonicUs() + SLICE_US;
  tracking?.forgetSome(() => clock.monotonicUs() >= end);
}

/**
 * Enters the directory that `dir` names, and makes `dir` its whole path; returns why that failed, or null. `enter` is given the
 * path and returns the whole one. A relative path starts at the current directory; an empty one is refused.
 */
export function enterDirectory(
  { values }: Parameters,
  enter: (path: string) => string,
): string | null {
  try {
    if (values.dir === "") return "No such file or directory";
    values.dir = binaryOf(enter(unicodeOf(values.dir)));
    return null;
  } catch (error) {
    return systemText(error);
  }
}

function levelOf(text: string): Level {
  return LEVELS.find((level) => level === text) ?? "notice";
}
