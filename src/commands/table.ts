/** All commands, joined from the files that hold them. */
import { type CommandGroup, CommandTable } from "../engine/command.ts";
import { stringCommands } from "./string.ts";
import { stringEditCommands } from "./string_edit.ts";
import { lcsCommands } from "./lcs.ts";
import { bitmapCommands } from "./bitmap.ts";
import { bitfieldCommands } from "./bitfield.ts";
import { hashCommands } from "./hash.ts";
import { listCommands } from "./list.ts";
import { listMoveCommands } from "./list_move.ts";
import { listBlockingCommands } from "./list_blocking.ts";
import { sortedSetPopCommands } from "./sorted_set_pop.ts";
import { setCommands } from "./set.ts";
import { setAlgebraCommands } from "./set_algebra.ts";
import { sortedSetCommands } from "./sorted_set.ts";
import { sortedSetRangeCommands } from "./sorted_set_range.ts";
import { sortedSetStoreCommands } from "./sorted_set_store.ts";
import { geoCommands } from "./geo.ts";
import { geoSearchCommands } from "./geo_search.ts";
import { hyperloglogCommands } from "./hyperloglog.ts";
import { bloomCommands } from "./bloom.ts";
import { streamCommands } from "./stream.ts";
import { streamReadCommands } from "./stream_read.ts";
import { streamGroupCommands } from "./stream_group.ts";
import { streamPendingCommands } from "./stream_pending.ts";
import { streamInfoCommands } from "./stream_info.ts";
import { keyCommands } from "./keys.ts";
import { expireCommands } from "./expire.ts";
import { scanCommands } from "./scan.ts";
import { dumpCommands } from "./dump.ts";
import { savingCommands } from "./saving.ts";
import { migrateCommands } from "./migrate.ts";
import { replicationCommands } from "./replication.ts";
import { sortCommands } from "./sort.ts";
import { objectCommands } from "./object.ts";
import { connectionCommands } from "./connection.ts";
import { aclCommands } from "./acl.ts";
import { clientCommands } from "./client.ts";
import { pubsubCommands } from "./pubsub.ts";
import { transactionCommands } from "./transaction.ts";
import { functionCommands } from "./functions.ts";
import { scriptingCommands } from "./scripting.ts";
import { serverCommands } from "./server.ts";
import { configCommands } from "./config.ts";
import { commandCommands } from "./command.ts";
import { debugCommands } from "./debug.ts";
import { infoCommands } from "./info.ts";
import { latencyCommands } from "./latency.ts";
import { memoryCommands } from "./memory.ts";
import { slowlogCommands } from "./slowlog.ts";
import { moduleCommands } from "./module.ts";

/** In the order in which the documentation shows groups. */
export const commandGroups: readonly CommandGroup[] = [
  { group: "string", commands: [...stringCommands, ...stringEditCommands, ...lcsCommands] },
  { group: "bitmap", commands: [...bitmapCommands, ...bitfieldCommands] },
  { group: "list", commands: [...listCommands, ...listMoveCommands, ...listBlockingCommands] },
  { group: "set", commands: [...setCommands, ...setAlgebraCommands] },
  {
    group: "sorted-set",
    commands: [
      ...sortedSetCommands,
      ...sortedSetRangeCommands,
      ...sortedSetStoreCommands,
      ...sortedSetPopCommands,
    ],
  },
  { group: "geo", commands: [...geoCommands, ...geoSearchCommands] },
  { group: "hash", commands: hashCommands },
  { group: "hyperloglog", commands: hyperloglogCommands },
  { group: "bloom", commands: bloomCommands },
  {
    group: "stream",
    commands: [
      ...streamCommands,
      ...streamReadCommands,
      ...streamGroupCommands,
      ...streamPendingCommands,
      ...streamInfoCommands,
    ],
  },
  {
    group: "generic",
    commands: [
      ...keyCommands,
      ...expireCommands,
      ...scanCommands,
      ...objectCommands,
      ...sortCommands,
      ...dumpCommands,
      ...migrateCommands,
    ],
  },
  { group: "connection", commands: [...connectionCommands, ...clientCommands] },
  { group: "pubsub", commands: pubsubCommands },
  { group: "transactions", commands: [...transactionCommands] },
  { group: "scripting", commands: [...scriptingCommands, ...functionCommands] },
  {
    group: "server",
    commands: [
      ...serverCommands,
      ...savingCommands,
      ...replicationCommands,
      ...configCommands,
      ...aclCommands,
      ...commandCommands,
      ...debugCommands,
      ...infoCommands,
      ...latencyCommands,
      ...memoryCommands,
      ...slowlogCommands,
      ...moduleCommands,
    ],
  },
];

/** A table of its own for each server: the statistics of a command are part of it. */
export function commandTable(): CommandTable {
  return new CommandTable(commandGroups);
}
