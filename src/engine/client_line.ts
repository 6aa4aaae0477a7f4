/** What people are shown of a client: a line of CLIENT LIST, which the log shows, too. */
import { binaryOf } from "../config/words.ts";
import { cText } from "../lib/c_text.ts";
import type { Client } from "./client.ts";
import { countOf, Kind } from "./pubsub.ts";
import { redirectOf } from "./tracker.ts";

/** A client of Redis has no larger buffer of its own. */
const OWN_OUTPUT_MAX = 16_384;

/** One line of CLIENT LIST, one character a byte. */
export function describeClient(client: Client): string {
  const { transport, reply, transaction, args } = client;
  const now = client.engine.clock.nowMs();
  const seconds = (sinceMs: number): number => Math.floor((now - sinceMs) / 1000);
  const ownOutput = Math.min(reply.size, OWN_OUTPUT_MAX);
  const fields: [string, string | number][] = [
    ["id", client.id],
    ["addr", binaryOf(transport.address)],
    ["laddr", binaryOf(transport.localAddress)],
    ["fd", client.id + 7],
    ["name", client.name],
    ["age", seconds(client.createdMs)],
    ["idle", seconds(client.lastActiveMs)],
    ["flags", flagsOf(client)],
    ["db", client.database],
    ["sub", countOf(client, Kind.channel)],
    ["psub", countOf(client, Kind.pattern)],
    ["ssub", countOf(client, Kind.shard)],
    ["multi", transaction.isUnderWay ? transaction.count : -1],
    ["qbuf", transport.queryBytes],
    ["qbuf-free", transport.queryFreeBytes],
    ["argv-mem", args.size],
    ["multi-mem", transaction.bytes],
    // An idle client has no buffer: this is the size of the one that its next replies begin with.
    ["rbs", reply.firstBytes],
    ["rbp", reply.peakBytes],
    // As in Redis, obl is what waits in the client's own buffer, and omem all the rest.
    ["obl", ownOutput],
    ["oll", 0],
    ["omem", client.outputWaiting - ownOutput],
    ["tot-mem", client.memoryBytes],
    ["events", transport.inFlightBytes > 0 ? "rw" : "r"],
    ["cmd", transaction.running !== null ? "exec" : client.call.command?.fullName ?? "NULL"],
    ["user", client.user.name],
    ["redir", redirectOf(client.tracking)],
    ["resp", reply.resp],
    ["lib-name", client.libName],
    ["lib-ver", client.libVersion],
  ];
  // A zero byte ends what is shown of a name.
  return fields.map(([name, value]) => `${name}=${cText(String(value))}`).join(" ");
}

function flagsOf(client: Client): string {
  let flags = "";
  if (client.isMonitor) flags += "O";
  else if (client.isReplica) flags += "S";
  if (client.subscriptions !== null) flags += "P";
  if (client.transaction.isUnderWay) flags += "x";
  if (client.blocked !== null || client.isPostponed) flags += "b";
  const { tracking } = client;
  if (tracking !== null && tracking.isOn) {
    flags += "t";
    if (tracking.isRedirectBroken) flags += "R";
    if (tracking.options.isBroadcast) flags += "B";
  }
  if (client.transaction.isBroken) flags += "d";
  if (client.transport.isUnixSocket) flags += "U";
  if (client.noEvict) flags += "e";
  if (client.noTouch) flags += "T";
  return flags === "" ? "N" : flags;
}
