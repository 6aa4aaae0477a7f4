/** DEBUG: what Redis's own tests and its users' tests ask of a server. */
import { binaryOf, parseMemory } from "../config/words.ts";
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { PEAK_RESET_MS } from "../engine/reply_buffers.ts";
import { Encoding, type Entries, Type } from "../keyspace/entry.ts";
import { HashValue } from "../keyspace/hash_value.ts";
import { ListValue } from "../keyspace/list_value.ts";
import { SetValue } from "../keyspace/set_value.ts";
import { ZsetValue } from "../keyspace/zset_value.ts";
import { encodingName, entryBytes, StringValue } from "../keyspace/values.ts";
import { writeDecimal } from "../lib/decimal.ts";
import { Args } from "../protocol/args.ts";
import { type ErrorReply, errorReply, Errors, unknownOrArity } from "../protocol/errors.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { digest, digestValue } from "./digest.ts";
import { replyHelp } from "./help.ts";

/** DEBUG SLEEP stops the server, but not for ever. */
const SLEEP_MAX_SECONDS = 3600;

const COLON = 0x3a;
/** Of an integer. */
const DIGITS_MAX = 20;

type Run = (call: Call) => void;

/** Subcommands by name, with the number of arguments that each takes at least, and at most. */
const SUBCOMMANDS: Record<string, readonly [least: number, run: Run, most?: number]> = {
  "AOF-FLUSH-SLEEP": [3, aofFlushSleep],
  "CHANGE-REPL-ID": [2, changeReplId, 2],
  "CLIENT-EVICTION": [2, clientEviction, 2],
  "CONFIG-REWRITE-FORCE-ALL": [2, configRewriteForceAll],
  "DIGEST": [2, digest],
  "DIGEST-VALUE": [3, digestValue],
  "ERROR": [3, ({ args, reply }) => reply.error(errorReply(args.binary(2)))],
  "HELP": [2, help],
  "HTSTATS": [3, htstats],
  "HTSTATS-KEY": [3, htstatsKey],
  "LISTPACK": [3, listpack, 3],
  "LOADAOF": [2, loadaof],
  "LOG": [3, log],
  "OBJECT": [3, object],
  "PAUSE-CRON": [3, pauseCron, 3],
  "POPULATE": [3, populate],
  "PROTOCOL": [3, protocol],
  "RELOAD": [2, reload],
  "REPLYBUFFER": [4, replyBuffer, 4],
  "SET-ACTIVE-EXPIRE": [3, setActiveExpire],
  "QUICKLIST": [3, quicklist, 4],
  "QUICKLIST-PACKED-THRESHOLD": [3, quicklistPackedThreshold],
  "SDSLEN": [3, sdslen, 3],
  "SET-DISABLE-DENY-SCRIPTS": [3, setDisableDenyScripts, 3],
  "SET-SKIP-CHECKSUM-VALIDATION": [3, skipChecksumValidation],
  "SLEEP": [3, sleep],
};

const NOT_FOUND = [Infinity, () => {}] as const;

function debug(call: Call): void {
  const { args, reply, engine, client } = call;
  if (!client.isAllowed(engine.parameters.values.enableDebugCommand)) {
    return reply.error(Errors.debugNotAllowed);
  }
  const name = args.binary(1).toUpperCase();
  const found = SUBCOMMANDS[name];
  const [least, run, most = Infinity] = found ?? NOT_FOUND;
  if (args.count < least || args.count > most) {
    return reply.error(unknownOrArity(args));
  }
  // DEBUG itself is not propagated: a subcommand that changes data propagates other commands.
  call.rewriteToNothing();
  run(call);
}

/** Elements of so many bytes or more get a node of their own: nodes are not longer than that. 0 is without limit. */
function quicklistPackedThreshold({ args, reply, db }: Call): void {
  const bytes = parseMemory(args.binary(2));
  if (bytes === null) return reply.error(Errors.notAnInteger);
  db.keyspace.listNodeMaxBytes = bytes === 0n ? Infinity : Number(bytes);
  reply.ok();
}

function sleep({ args, reply, engine }: Call): void {
  const seconds = Math.min(Number(args.binary(2)), SLEEP_MAX_SECONDS);
  if (!(seconds >= 0)) return reply.ok();
  engine.clock.sleep(seconds * 1000);
  reply.ok();
}

function setActiveExpire({ args, reply, engine }: Call): void {
  engine.activeExpiry = args.binary(2) !== "0";
  reply.ok();
}

/** Shows the buckets of `maxmemory-clients`. */
function clientEviction({ reply, engine }: Call): void {
  const { buckets } = engine.clientMemory;
  if (buckets === null) return reply.error(Errors.noClientEviction);
  const all = [...buckets.all()];
  const lines = all.map(({ start, clients }, i) => {
    const bytes = clients.reduce((sum, { countedBytes }) => sum + countedBytes, 0);
    const end = i + 1 < all.length ? ` - ${wide(all[i + 1].start - 1)}` : "+".padEnd(13);
    return `bucket ${wide(start)}${end}: tot-mem: ${wide(bytes)}, clients: ${clients.length}\n`;
  });
  reply.verbatim("txt", lines.join(""));
}

function wide(figure: number): string {
  return String(figure).padStart(10);
}

function configRewriteForceAll({ reply, engine }: Call): void {
  const error = engine.host.rewriteConfig(true);
  if (error !== null) {
    return reply.error(errorReply(binaryOf(`ERR CONFIG-REWRITE-FORCE-ALL failed: ${error}`)));
  }
  reply.ok();
}

function log({ args, reply, engine }: Call): void {
  engine.log.warning(`DEBUG LOG: ${args.text(2)}`);
  reply.ok();
}

/** RELOAD [NOSAVE] [NOFLUSH] [MERGE] */
function reload({ args, reply, engine }: Call): void {
  const options = { saves: true, flushes: true, merges: false };
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, "NOSAVE")) options.saves = false;
    else if (args.is(i, "NOFLUSH")) options.flushes = false;
    // For keys it changes nothing: one that is in the file and in memory is replaced in any case.
    else if (args.is(i, "MERGE")) options.merges = true;
    else return reply.error(Errors.debugReload);
  }
  const error = engine.persistence?.reload(options) ?? null;
  if (error === null) reply.ok();
  else reply.error(error);
}

function aofFlushSleep({ args, reply, engine }: Call): void {
  const microseconds = args.integer(2);
  if (args.error !== null) return reply.error(args.error);
  if (engine.persistence !== null) engine.persistence.flushSleepUs = microseconds;
  reply.ok();
}

function skipChecksumValidation({ args, reply, engine }: Call): void {
  engine.skipsChecksums = args.binary(2) !== "0";
  reply.ok();
}

function setDisableDenyScripts({ args, reply, engine }: Call): void {
  engine.scriptsRunAll = args.binary(2) !== "0";
  reply.ok();
}

function loadaof(call: Call): void {
  const { reply, engine } = call;
  const error = engine.persistence?.reloadLog() ?? null;
  // Said again, because running the log's commands has undone it: LOADAOF itself is not propagated.
  call.rewriteToNothing();
  if (error === null) reply.ok();
  else reply.error(error);
}

/** POPULATE count [prefix] [size]: keys "prefix:0" …, which hold "value:0" … or that in `size` bytes. */
function populate(call: Call): void {
  const { args, reply, db } = call;
  const count = args.integer(2);
  const size = args.count > 4 ? args.integer(4) : 0;
  if (args.error !== null) return reply.error(args.error);
  if (count < 0 || size < 0) return reply.error(Errors.outOfRange);
  const prefix = args.count > 3 ? args.copyOf(3) : encoder.encode("key");
  const keys = new NumberedName(prefix, 0);
  const values = new NumberedName(encoder.encode("value"), size);
  const key = new Args();
  key.use(keys.bytes, keys.view);
  for (let i = 0; i < count; i++) {
    key.clear();
    key.push(0, keys.write(i));
    const textEnd = values.write(i);
    if (db.exists(key, 0)) continue;
    const end = size > 0 ? size : textEnd;
    db.strings.set(key, 0, values.bytes, values.view, 0, end, false, Events.set);
    const stream = call.rewrite(3)?.word("SET").argument(key, 0);
    stream?.bytes(values.bytes, 0, end);
  }
  reply.ok();
}

const encoder = new TextEncoder();

/** "name:0", "name:1" …, one after the other in the same bytes, with zeros behind: the numbers only get longer. */
class NumberedName {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #digits: number;

  /** There are `size` bytes at least. */
  constructor(name: Uint8Array, size: number) {
    this.#digits = name.length + 1;
    this.bytes = new Uint8Array(Math.max(size, this.#digits + DIGITS_MAX));
    this.view = new DataView(this.bytes.buffer);
    this.bytes.set(name);
    this.bytes[name.length] = COLON;
  }

  /** Returns where the text ends. */
  write(number: number): number {
    return writeDecimal(number, this.bytes, this.#digits);
  }
}

function object(call: Call): void {
  const { args, reply, db } = call;
  const ref = db.find(args, 2);
  if (ref === 0) return reply.error(Errors.noSuchKey);
  const { keyspace } = db;
  const { entries } = keyspace;
  entries.open(ref);
  const length = serializedLength(entries);
  const access = entries.access(ref);
  reply.simple(
    `Value at:0x${ref.toString(16).padStart(12, "0")} refcount:1 encoding:${
      encodingName(entries)
    }` +
      ` serializedlength:${length} lru:${access}` +
      ` lru_seconds_idle:${keyspace.frequencyPolicy ? 0 : keyspace.idleSeconds(access)}`,
  );
}

/** About what the value takes in a file: exact for strings. */
function serializedLength(entries: Entries): number {
  if (entries.type !== Type.string) return entryBytes(entries);
  const value = new StringValue();
  value.read(entries);
  return value.length + 1;
}

/** SDSLEN key: bytes of the key and of its string, room behind it, and memory. Key and string lie in one block. */
function sdslen(call: Call): void {
  const { entries } = call.db.keyspace;
  if (!openKey(call)) return;
  if (entries.type !== Type.string || entries.encoding === Encoding.int) {
    return call.reply.error(Errors.notSds);
  }
  const value = new StringValue();
  value.read(entries);
  const isLarge = entries.encoding === Encoding.object;
  const room = isLarge
    ? value.bytes.length - value.end
    : entries.at + entries.arena.blockSize(entries.ref) - value.end;
  const keyLength = entries.keyEnd - entries.keyStart;
  call.reply.simple(
    `key_sds_len:${keyLength}, key_sds_avail:0, key_zmalloc: ${keyLength}, ` +
      `val_sds_len:${value.length}, val_sds_avail:${room}, ` +
      `val_zmalloc: ${entryBytes(entries) - keyLength}`,
  );
}

function htstats({ args, reply, engine }: Call): void {
  const db = engine.keyspace.databases[args.integer(2)];
  if (args.error !== null) return reply.error(args.error);
  if (db === undefined) return reply.error(Errors.outOfRangeDatabase);
  reply.verbatim(
    "txt",
    `[Dictionary HT]\nDash table: ${db.size} keys in ${db.tableBytes} bytes\n` +
      `[Expires HT]\nDeadline heap: ${db.deadlines.count} keys\n`,
  );
}

/** HTSTATS-KEY key: the same for the table of a hash, a set or a sorted set. */
function htstatsKey(call: Call): void {
  const { entries } = call.db.keyspace;
  if (!openKey(call)) return;
  if (!["hashtable", "skiplist"].includes(encodingName(entries))) {
    return call.reply.error(Errors.notHashTable);
  }
  const count = elementCount(call);
  call.reply.verbatim("txt", `Member table: ${count} members in ${entryBytes(entries)} bytes\n`);
}

/** Opens the entry at argument 2; false, after an error, if there is none. */
function openKey({ args, reply, db }: Call): boolean {
  const ref = db.find(args, 2);
  if (ref === 0) reply.error(Errors.noSuchKey);
  else db.keyspace.entries.open(ref);
  return ref !== 0;
}

function elementCount({ args, db }: Call): number {
  const { type } = db.keyspace.entries;
  const value = type === Type.hash
    ? new HashValue()
    : type === Type.set
    ? new SetValue()
    : type === Type.list
    ? new ListValue()
    : new ZsetValue();
  value.cursor.read(db, args, 2);
  return value.count;
}

function listpack(call: Call): void {
  describe(call, "Listpack", Errors.notListpack);
}

function quicklist(call: Call): void {
  describe(call, "Quicklist", Errors.notQuicklist);
}

/** As in Redis, the log (there: stdout) says how the value is stored, and the reply is where to look. */
function describe(call: Call, what: string, refusal: ErrorReply): void {
  const { args, reply, db, engine } = call;
  const { entries } = db.keyspace;
  if (!openKey(call)) return;
  if (encodingName(entries) !== what.toLowerCase()) return reply.error(refusal);
  const bytes = entryBytes(entries);
  engine.log.warning(
    `${what} of ${args.text(2)}: ${elementCount(call)} elements in ${bytes} bytes`,
  );
  reply.simple(`${what} structure printed on stdout`);
}

/** While it is paused, nothing is done in turn: no key vanishes unless it is accessed, no save point is looked at. */
function pauseCron({ args, reply, engine }: Call): void {
  engine.pausesCron = args.binary(2) !== "0";
  reply.ok();
}

function changeReplId({ reply, engine }: Call): void {
  engine.replicationId = engine.host.randomId();
  reply.ok();
}

/** PEAK-RESET-TIME NEVER|RESET|milliseconds, or RESIZING 0|1. */
function replyBuffer({ args, reply, engine: { replyBuffers } }: Call): void {
  if (args.is(2, "PEAK-RESET-TIME")) {
    const ms = args.is(3, "NEVER")
      ? Infinity
      : args.is(3, "RESET")
      ? PEAK_RESET_MS
      : args.integer(3);
    if (args.error !== null) return reply.error(args.error);
    replyBuffers.peakResetMs = ms < 0 ? Infinity : ms;
  } else if (args.is(2, "RESIZING")) replyBuffers.isResizing = args.binary(3) !== "0";
  else return reply.error(unknownOrArity(args));
  reply.ok();
}

/** What each RESP type looks like on the wire. */
const PROTOCOL_SAMPLES = new Map<string, Run>(Object.entries({
  string: ({ reply }) => reply.bulkText("Hello World"),
  integer: ({ reply }) => reply.integer(12345),
  double: ({ reply }) => reply.double(3.141),
  null: ({ reply }) => reply.nullBulk(),
  array: ({ reply }) => {
    reply.array(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  set: ({ reply }) => {
    reply.set(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  map: ({ reply }) => {
    reply.map(3);
    for (let i = 0; i < 3; i++) {
      reply.integer(i);
      reply.bool(i === 1);
    }
  },
  attrib: ({ reply }) => {
    if (reply.resp > 2) {
      reply.attribute(1);
      reply.bulkText("key-popularity");
      reply.array(2);
      reply.bulkText("key:123");
      reply.integer(90);
    }
    reply.bulkText("Some real reply following the attribute");
  },
  push: ({ reply }) => {
    reply.push(2);
    reply.bulkText("server-cpu-usage");
    reply.integer(42);
  },
  verbatim: ({ reply }) => reply.verbatim("txt", "This is a verbatim\nstring"),
  true: ({ reply }) => reply.bool(true),
  false: ({ reply }) => reply.bool(false),
  bignum: ({ reply }) => reply.bigNumber("1234567999999999999999999999999999999"),
}));

function protocol(call: Call): void {
  const sample = PROTOCOL_SAMPLES.get(call.args.binary(2).toLowerCase());
  if (sample === undefined) return call.reply.error(Errors.debugProtocol);
  sample(call);
}

function help(call: Call): void {
  replyHelp(call, [
    ["AOF-FLUSH-SLEEP <microsec>", "Waits before the append-only file is written."],
    ["CLIENT-EVICTION", "How many clients take how much memory, if maxmemory-clients limits it."],
    ["CHANGE-REPL-ID", "Gives the server another id of replication."],
    ["CONFIG-REWRITE-FORCE-ALL", "CONFIG REWRITE that writes defaults, too."],
    ["DIGEST", "A sum over all data; equal data have equal sums."],
    ["DIGEST-VALUE <key> [<key> ...]", "The same of single values."],
    ["ERROR <string>", "Answers that error."],
    ["HTSTATS <dbid>", "Figures of a database's table."],
    ["HTSTATS-KEY <key>", "Figures of a value's table."],
    ["LISTPACK <key>", "Logs how a listpack is stored."],
    ["LOADAOF", "Empties the server and loads the append-only file."],
    ["LOG <message>", "Writes a line to the log."],
    ["OBJECT <key>", "How a value is stored."],
    ["PAUSE-CRON <0|1>", "Whether nothing is done in turn."],
    ["POPULATE <count> [<prefix>] [<size>]", "Makes keys that are missing."],
    ["PROTOCOL <type>", "A reply of that RESP type."],
    [
      "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
      "Saves, empties the server and loads what was saved.",
    ],
    ["QUICKLIST <key>", "Logs how a quicklist is stored."],
    [
      "QUICKLIST-PACKED-THRESHOLD <size>",
      "Gives longer elements of lists nodes of their own (0: as configured).",
    ],
    [
      "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|milliseconds>",
      "When the longest reply to a client is forgotten.",
    ],
    ["REPLYBUFFER RESIZING <0|1>", "Whether the buffer of a client follows its longest reply."],
    ["SDSLEN <key>", "Bytes of a key and of its string, and room for more."],
    ["SET-ACTIVE-EXPIRE <0|1>", "Whether keys vanish without being accessed."],
    [
      "SET-DISABLE-DENY-SCRIPTS <0|1>",
      "Whether scripts may run the commands that they may not run.",
    ],
    ["SET-SKIP-CHECKSUM-VALIDATION <0|1>", "Whether RESTORE takes any sum."],
    ["SLEEP <seconds>", "Stops the server for that long."],
  ]);
}

/** Rows of the table: see engine/command.ts. */
export const debugCommands: readonly CommandSpec[] = [
  {
    name: "debug",
    usage: "subcommand [{argument}*]",
    summary: "Commands for testing the server.",
    since: "1.0.0",
    complexity: "Depends on the subcommand",
    flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
    isInternal: true,
    run: debug,
  },
];
