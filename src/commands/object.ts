/** OBJECT and its subcommands: how a value is stored and used. */
import type { Call } from "../engine/call.ts";
import { encodingName } from "../keyspace/values.ts";
import { Errors } from "../protocol/errors.ts";
import type { Ref } from "../structures/arena.ts";
import { replyHelp } from "./help.ts";

/** The entry at argument 2, opened; 0 after answering null. Looking leaves no trace. */
function lookAt({ args, reply, db }: Call): Ref {
  const ref = db.find(args, 2);
  if (ref === 0) reply.nullBulk();
  else db.keyspace.entries.open(ref);
  return ref;
}

export function objectEncoding(call: Call): void {
  if (lookAt(call) !== 0) call.reply.bulkText(encodingName(call.db.keyspace.entries));
}

export function objectRefcount(call: Call): void {
  if (lookAt(call) !== 0) call.reply.integer(1);
}

export function objectIdletime(call: Call): void {
  const ref = lookAt(call);
  if (ref === 0) return;
  const { keyspace } = call.db;
  if (keyspace.frequencyPolicy) return call.reply.error(Errors.idleUnderLfu);
  call.reply.integer(keyspace.idleSeconds(keyspace.entries.access(ref)));
}

export function objectFreq(call: Call): void {
  const ref = lookAt(call);
  if (ref === 0) return;
  const { keyspace } = call.db;
  if (!keyspace.frequencyPolicy) return call.reply.error(Errors.frequencyUnderLru);
  call.reply.integer(keyspace.frequency(keyspace.entries.access(ref)));
}

export function objectHelp({ reply }: Call): void {
  replyHelp(reply, "OBJECT", [
    ["ENCODING <key>", "How the value is stored."],
    ["FREQ <key>", "The logarithmic counter of accesses (LFU policies only)."],
    ["IDLETIME <key>", "Seconds since the last access (not with LFU policies)."],
    ["REFCOUNT <key>", "References to the value: always 1."],
  ]);
}
