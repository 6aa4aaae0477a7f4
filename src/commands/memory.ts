/** MEMORY and its subcommands. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { entryBytes } from "../keyspace/values.ts";
import { Errors } from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { replyHelp } from "./help.ts";
import { type Excess, memoryRatios } from "./memory_ratios.ts";

function memoryUsage({ args, reply, db }: Call): void {
  for (let i = 3; i < args.count; i += 2) {
    if (!args.is(i, "SAMPLES") || i + 1 === args.count) args.fail(Errors.syntax);
    else if (args.integer(i + 1) < 0) args.fail(Errors.syntax);
  }
  if (args.error !== null) return reply.error(args.error);
  const ref = db.find(args, 2);
  if (ref === 0) return reply.nullBulk();
  const { entries } = db.keyspace;
  entries.open(ref);
  reply.integer(entryBytes(entries));
}

type NamedExcess = [name: string, ratioName: string, excess: Excess];

function replyExcesses(reply: ReplyWriter, excesses: readonly NamedExcess[]): void {
  for (const [name, ratioName, { ratio, bytes }] of excesses) {
    reply.bulkText(ratioName);
    reply.double(ratio);
    reply.bulkText(`${name}.bytes`);
    reply.integer(bytes);
  }
}

function memoryStats({ reply, engine }: Call): void {
  const { keyspace, counters, host, clientMemory } = engine;
  const used = engine.usedBytes;
  const peak = Math.max(counters.peakMemoryBytes, used);
  const databases = keyspace.databases.filter((db) => db.size > 0);
  const resident = host.residentBytes();
  const ratios = memoryRatios(engine, used, resident);
  const overhead = engine.overheadBytes;
  const dataset = Math.max(used - overhead, 0);
  const numbers: [string, number][] = [
    ["peak.allocated", peak],
    ["total.allocated", used],
    ["startup.allocated", engine.startupBytes],
    ["replication.backlog", 0],
    ["clients.slaves", clientMemory.replicaBytes],
    ["clients.normal", clientMemory.normalBytes],
    ["cluster.links", 0],
    ["aof.buffer", engine.logBytes],
    ["lua.caches", engine.scripts?.figures.scriptBytes ?? 0],
    ["functions.caches", engine.functions?.bytes ?? 0],
  ];
  const further: [string, number][] = [
    ["overhead.total", overhead],
    ["keys.count", keyspace.keyCount],
    ["keys.bytes-per-key", Math.floor(dataset / Math.max(keyspace.keyCount, 1))],
    ["dataset.bytes", dataset],
  ];
  const percentages: [string, number][] = [
    ["dataset.percentage", dataset / Math.max(used, 1) * 100],
    ["peak.percentage", used / Math.max(peak, 1) * 100],
  ];
  const allocator: [string, number][] = [
    ["allocator.allocated", used],
    ["allocator.active", ratios.active],
    ["allocator.resident", resident],
  ];
  const excesses: NamedExcess[] = [
    ["allocator-fragmentation", "allocator-fragmentation.ratio", ratios.fragmentation],
    ["allocator-rss", "allocator-rss.ratio", ratios.resident],
    ["rss-overhead", "rss-overhead.ratio", ratios.overhead],
    ["fragmentation", "fragmentation", ratios.total],
  ];
  const lists = [numbers, databases, further, percentages, allocator, excesses, excesses];
  reply.map(lists.reduce((sum, { length }) => sum + length, 0));
  for (const [name, value] of numbers) {
    reply.bulkText(name);
    reply.integer(value);
  }
  for (const db of databases) {
    reply.bulkText(`db.${db.index}`);
    reply.map(2);
    reply.bulkText("overhead.hashtable.main");
    reply.integer(db.tableBytes);
    reply.bulkText("overhead.hashtable.expires");
    reply.integer(db.heapBytes);
  }
  for (const [name, value] of further) {
    reply.bulkText(name);
    reply.integer(value);
  }
  for (const [name, value] of percentages) {
    reply.bulkText(name);
    reply.double(value);
  }
  for (const [name, value] of allocator) {
    reply.bulkText(name);
    reply.integer(value);
  }
  replyExcesses(reply, excesses);
}

function memoryDoctor({ reply, engine }: Call): void {
  const used = engine.usedBytes;
  const resident = engine.host.residentBytes();
  const peak = Math.max(engine.counters.peakMemoryBytes, used);
  if (used < 5 * 1024 * 1024) {
    return reply.verbatim(
      "txt",
      "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used" +
        " in these conditions. Please, leave for your mission on Earth and fill it with some data.\n",
    );
  }
  const findings: string[] = [];
  if (peak / used > 1.5) {
    findings.push(
      ` * Peak memory: the peak was ${
        (peak / used).toFixed(1)
      } times what is used now. The arena gives` +
        " empty chunks back; MEMORY PURGE asks it to look again.",
    );
  }
  if (resident / used > 2 && resident - used > 256 * 1024 * 1024) {
    findings.push(
      ` * Resident memory: ${
        (resident / used).toFixed(1)
      } times what is used. Many keys have been removed,` +
        " or clients have large buffers (see CLIENT LIST, tot-mem).",
    );
  }
  if (findings.length === 0) {
    return reply.verbatim("txt", "Hi Sam, I can't find any memory issue in your instance.\n");
  }
  reply.verbatim(
    "txt",
    `Sam, I detected a few issues in this instance:\n\n${findings.join("\n")}\n`,
  );
}

function memoryMallocStats({ reply, engine }: Call): void {
  const { arena, objects } = engine.keyspace.entries;
  const lines = [
    `reserved: ${arena.reservedBytes}`,
    `spare: ${engine.keyspace.chunks.spareBytes}`,
    `used: ${arena.usedBytes}`,
    `outside values: ${objects.size}, ${engine.keyspace.entries.outsideBytes} bytes`,
  ];
  reply.verbatim("txt", `Arena\n${lines.join("\n")}\n`);
}

function memoryPurge({ reply, engine }: Call): void {
  engine.keyspace.entries.arena.trim();
  engine.buffers.release();
  reply.ok();
}

function memoryHelp(call: Call): void {
  replyHelp(call, [
    ["DOCTOR", "A report for people."],
    ["MALLOC-STATS", "Figures of the arena."],
    ["PURGE", "Gives free memory back to the operating system."],
    ["STATS", "How memory is used."],
    ["USAGE <key> [SAMPLES <count>]", "Bytes that a key and its value take."],
  ]);
}

/** Rows of the table: see engine/command.ts. */
export const memoryCommands: readonly CommandSpec[] = [
  {
    name: "memory",
    usage: "",
    summary: "Tells how memory is used.",
    since: "4.0.0",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      {
        name: "doctor",
        usage: "",
        summary: "Returns a report on memory for people.",
        since: "4.0.0",
        complexity: "O(1)",
        flags: 0,
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        run: memoryDoctor,
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "4.0.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: memoryHelp,
      },
      {
        name: "malloc-stats",
        usage: "",
        summary: "Returns the arena's own statistics.",
        since: "4.0.0",
        complexity: "Depends on the subcommand",
        flags: 0,
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        run: memoryMallocStats,
      },
      {
        name: "purge",
        usage: "",
        summary: "Gives free memory back to the operating system.",
        since: "4.0.0",
        complexity: "Depends on the subcommand",
        flags: 0,
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        run: memoryPurge,
      },
      {
        name: "stats",
        usage: "",
        summary: "Returns how memory is used.",
        since: "4.0.0",
        complexity: "O(1)",
        flags: 0,
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        run: memoryStats,
      },
      {
        name: "usage",
        usage: "key [SAMPLES count:integer]",
        summary: "Returns the memory that a key takes.",
        since: "4.0.0",
        complexity: "O(N)",
        flags: Flag.readonly,
        keys: [oneKey("RO", 2)],
        run: memoryUsage,
      },
    ],
  },
];
