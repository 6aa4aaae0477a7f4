/** OBJECT and its subcommands: how a value is stored and used. */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import { Encoding, Type } from "../keyspace/entry.ts";
import { encodingName } from "../keyspace/values.ts";
import { Errors } from "../protocol/errors.ts";
import type { Ref } from "../structures/arena.ts";
import { replyHelp } from "./help.ts";

/** The entry at argument 2, opened, without counting this as an access; 0 after answering null. */
function lookAt({ args, reply, db }: Call): Ref {
  const ref = db.find(args, 2);
  if (ref === 0) reply.nullBulk();
  else db.keyspace.entries.open(ref);
  return ref;
}

function objectEncoding(call: Call): void {
  if (lookAt(call) !== 0) call.reply.bulkText(encodingName(call.db.keyspace.entries));
}

/** Redis shares the integers below 10,000 and shows this count for them; clients look at it. */
const SHARED_REFERENCES = 2147483647;
const SHARED_INTEGERS = 10_000;

function objectRefcount(call: Call): void {
  if (lookAt(call) === 0) return;
  const { entries } = call.db.keyspace;
  const isInt = entries.type === Type.string && entries.encoding === Encoding.int;
  const { keyspace, parameters: { values } } = call.engine;
  // What is shared has no access time of its own, so Redis shares nothing when that decides what is evicted.
  const isTimed = values.maxmemory > 0 && (keyspace.recencyPolicy || keyspace.frequencyPolicy);
  const isShared = !isTimed && isInt && entries.view.getInt32(entries.valueStart + 4, true) === 0 &&
    entries.view.getUint32(entries.valueStart, true) < SHARED_INTEGERS;
  call.reply.integer(isShared ? SHARED_REFERENCES : 1);
}

function objectIdletime(call: Call): void {
  const ref = lookAt(call);
  if (ref === 0) return;
  const { keyspace } = call.db;
  if (keyspace.frequencyPolicy) return call.reply.error(Errors.idleUnderLfu);
  call.reply.integer(keyspace.idleSeconds(keyspace.entries.access(ref)));
}

function objectFreq(call: Call): void {
  const ref = lookAt(call);
  if (ref === 0) return;
  const { keyspace } = call.db;
  if (!keyspace.frequencyPolicy) return call.reply.error(Errors.frequencyUnderLru);
  call.reply.integer(keyspace.frequency(keyspace.entries.access(ref)));
}

function objectHelp(call: Call): void {
  replyHelp(call, [
    ["ENCODING <key>", "How the value is stored."],
    ["FREQ <key>", "The logarithmic counter of accesses (LFU policies only)."],
    ["IDLETIME <key>", "Seconds since the last access (not with LFU policies)."],
    ["REFCOUNT <key>", "References to the value: always 1."],
  ]);
}

/** Rows of the table: see engine/command.ts. */
export const objectCommands: readonly CommandSpec[] = [
  {
    name: "object",
    usage: "",
    summary: "Tells how a key's value is stored and used.",
    since: "2.2.3",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      {
        name: "encoding",
        usage: "key",
        summary: "Names the encoding of a key's value.",
        since: "2.2.3",
        complexity: "O(1)",
        flags: Flag.readonly,
        keys: [oneKey("RO", 2)],
        tips: ["nondeterministic_output"],
        run: objectEncoding,
      },
      {
        name: "freq",
        usage: "key",
        summary: "Returns the logarithmic access counter of a key.",
        since: "4.0.0",
        complexity: "O(1)",
        flags: Flag.readonly,
        keys: [oneKey("RO", 2)],
        tips: ["nondeterministic_output"],
        run: objectFreq,
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "6.2.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: objectHelp,
      },
      {
        name: "idletime",
        usage: "key",
        summary: "Returns the seconds since a key was last accessed.",
        since: "2.2.3",
        complexity: "O(1)",
        flags: Flag.readonly,
        keys: [oneKey("RO", 2)],
        tips: ["nondeterministic_output"],
        run: objectIdletime,
      },
      {
        name: "refcount",
        usage: "key",
        summary: "Returns the number of references to a key's value.",
        since: "2.2.3",
        complexity: "O(1)",
        flags: Flag.readonly,
        keys: [oneKey("RO", 2)],
        tips: ["nondeterministic_output"],
        run: objectRefcount,
      },
    ],
  },
];
