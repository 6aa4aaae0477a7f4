/** CLIENT TRACKING and its kin: https://redis.io/docs/latest/develop/reference/client-side-caching/ */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { redirectOf, type Tracker, type TrackingOptions } from "../engine/tracker.ts";
import { beginsWith } from "../lib/slice.ts";
import { binaryText } from "../protocol/args.ts";
import { type ErrorReply, Errors, overlappingPrefix } from "../protocol/errors.ts";

/** CLIENT TRACKING's options as they were given. */
interface Given extends TrackingOptions {
  readonly prefixes: Uint8Array[];
}

function tracking(call: Call): void {
  const { args, reply, client, engine } = call;
  const given = readOptions(call);
  if (args.error !== null) return reply.error(args.error);
  if (args.is(2, "OFF")) {
    if (client.tracking !== null) client.tracking.tracking.stop(client.tracking);
    return reply.ok();
  }
  if (!args.is(2, "ON")) return reply.error(Errors.syntax);
  const error = conflict(given, client.tracking);
  if (error !== null) return reply.error(error);
  engine.startTracking(client, given, given.prefixes);
  reply.ok();
}

function readOptions({ args, engine }: Call): Given {
  const given: Given = {
    redirect: 0,
    isBroadcast: false,
    isOptIn: false,
    isOptOut: false,
    isNoLoop: false,
    prefixes: [],
  };
  for (let i = 3; i < args.count && args.error === null; i++) {
    const hasNext = i + 1 < args.count;
    if (args.is(i, "REDIRECT") && hasNext) {
      if (given.redirect !== 0) args.fail(Errors.redirectTwice);
      given.redirect = args.integer(++i);
      if (engine.clients.get(given.redirect) === undefined) args.fail(Errors.redirectMissing);
    } else if (args.is(i, "BCAST")) given.isBroadcast = true;
    else if (args.is(i, "OPTIN")) given.isOptIn = true;
    else if (args.is(i, "OPTOUT")) given.isOptOut = true;
    else if (args.is(i, "NOLOOP")) given.isNoLoop = true;
    else if (args.is(i, "PREFIX") && hasNext) {
      i++;
      given.prefixes.push(args.copyOf(i));
    } else args.fail(Errors.syntax);
  }
  return given;
}

/** Why these options do not go together, or not with what the client has asked for before; null if they do. */
function conflict(given: Given, before: Tracker | null): ErrorReply | null {
  const { isBroadcast, isOptIn, isOptOut, prefixes } = given;
  if (prefixes.length > 0 && !isBroadcast) return Errors.prefixWithoutBroadcast;
  if (before !== null && before.isOn && before.options.isBroadcast !== isBroadcast) {
    return Errors.switchBroadcast;
  }
  if (isBroadcast && (isOptIn || isOptOut)) return Errors.broadcastWithOpt;
  if (isOptIn && isOptOut) return Errors.bothOpt;
  const had = before?.options;
  if ((isOptIn && had?.isOptOut === true) || (isOptOut && had?.isOptIn === true)) {
    return Errors.switchOpt;
  }
  return overlap(prefixes, before?.prefixes.map((prefix) => prefix.bytes) ?? []);
}

/** The first overlap of a new prefix with one that the client has, or with a later new one. */
function overlap(
  given: readonly Uint8Array[],
  existing: readonly Uint8Array[],
): ErrorReply | null {
  const text = (bytes: Uint8Array): string => binaryText(bytes, 0, bytes.length);
  for (const [i, prefix] of given.entries()) {
    const isMet = (other: Uint8Array): boolean => overlaps(prefix, other);
    const old = existing.find(isMet);
    if (old !== undefined) return overlappingPrefix(text(prefix), text(old), true);
    const other = given.slice(i + 1).find(isMet);
    if (other !== undefined) return overlappingPrefix(text(prefix), text(other), false);
  }
  return null;
}

/** Whether one begins with the other. */
function overlaps(a: Uint8Array, b: Uint8Array): boolean {
  return beginsWith(a, 0, a.length, b) || beginsWith(b, 0, b.length, a);
}

function caching({ args, reply, client }: Call): void {
  const { tracking } = client;
  if (tracking === null || !tracking.isOn) return reply.error(Errors.cachingWithoutOpt);
  const { isOptIn, isOptOut } = tracking.options;
  const isYes = args.is(2, "YES");
  if (!isYes && !args.is(2, "NO")) return reply.error(Errors.syntax);
  if (isYes && !isOptIn) return reply.error(Errors.cachingYes);
  if (!isYes && !isOptOut) return reply.error(Errors.cachingNo);
  tracking.setCachingGiven(true);
  reply.ok();
}

function getredir({ reply, client }: Call): void {
  reply.integer(redirectOf(client.tracking));
}

function trackinginfo({ reply, client }: Call): void {
  const { tracking } = client;
  const prefixes = tracking?.prefixes ?? [];
  reply.map(3);
  reply.bulkText("flags");
  const words = wordsFor(tracking);
  reply.set(words.length);
  for (const word of words) reply.bulkText(word);
  reply.bulkText("redirect");
  reply.integer(redirectOf(tracking));
  reply.bulkText("prefixes");
  reply.array(prefixes.length);
  for (const { bytes } of prefixes) reply.bulk(bytes, 0, bytes.length);
}

function wordsFor(tracker: Tracker | null): string[] {
  if (tracker === null || !tracker.isOn) return ["off"];
  const { options, isCachingGiven, isRedirectBroken } = tracker;
  const words = ["on"];
  if (options.isBroadcast) words.push("bcast");
  if (options.isOptIn) words.push("optin", ...isCachingGiven ? ["caching-yes"] : []);
  if (options.isOptOut) words.push("optout", ...isCachingGiven ? ["caching-no"] : []);
  if (options.isNoLoop) words.push("noloop");
  if (isRedirectBroken) words.push("broken_redirect");
  return words;
}

/** Subcommands of CLIENT: see engine/command.ts. */
export const trackingSubcommands: readonly CommandSpec[] = [
  {
    name: "caching",
    usage: "mode=(YES | NO)",
    summary: "Says whether the keys of the next command are cached.",
    since: "6.0.0",
    complexity: "O(1)",
    flags: Flag.noScript | Flag.loading | Flag.stale,
    run: caching,
  },
  {
    name: "getredir",
    usage: "",
    summary: "Returns the id of the client that is told of changed keys in this one's place.",
    since: "6.0.0",
    complexity: "O(1)",
    flags: Flag.noScript | Flag.loading | Flag.stale,
    run: getredir,
  },
  {
    name: "tracking",
    usage:
      "status=(ON | OFF) [REDIRECT client-id:integer] [{PREFIX prefix}*] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
    summary: "Switches the messages about changes of cached keys on or off.",
    since: "6.0.0",
    complexity: "O(1). Some options may introduce additional complexity.",
    flags: Flag.noScript | Flag.loading | Flag.stale,
    run: tracking,
  },
  {
    name: "trackinginfo",
    usage: "",
    summary: "Returns what the connection has asked of CLIENT TRACKING.",
    since: "6.2.0",
    complexity: "O(1)",
    flags: Flag.noScript | Flag.loading | Flag.stale,
    run: trackinginfo,
  },
];
