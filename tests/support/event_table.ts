/** Reads tests/differential/keyspace_events.txt, which says which keyspace events each command causes. */

/** A command and its events, as "set k", "set 1:k" in database 1. */
export interface EventLine {
  readonly line: string;
  readonly events: string;
}

/** Lines that one client sends to an empty server. */
export interface EventCase {
  /** Redis 7.0 does otherwise. */
  readonly isOf72: boolean;
  /** Redis does not have the commands. */
  readonly isOurs: boolean;
  readonly lines: readonly EventLine[];
}

/** A heading, and the cases below it. */
export interface EventSection {
  readonly title: string;
  readonly cases: readonly EventCase[];
}

const PATH = new URL("../differential/keyspace_events.txt", import.meta.url);
/** The letters of all events: A with those that are not part of it. */
export const ALL_EVENTS = "AKEnm";

export function eventSections(): readonly EventSection[] {
  const [, ...parts] = Deno.readTextFileSync(PATH).split(/^## /m);
  return parts.map((part) => {
    const title = part.slice(0, part.indexOf("\n"));
    const cases = part.slice(title.length).trim().split("\n\n").map(caseOf);
    return { title, cases };
  });
}

function caseOf(text: string): EventCase {
  const all = text.split("\n");
  const lines = all.filter((line) => !line.startsWith("#")).map((line) => {
    const [, command, events] = /^(.*?) =>(?: (.*))?$/.exec(line) ?? ["", line, ""];
    return { line: command, events: events ?? "" };
  });
  return { isOf72: all.includes("# 7.2"), isOurs: all.includes("# ours"), lines };
}

/** An event as the table shows it; the key has one character a byte. */
function eventText(database: string, key: string, event: string): string {
  const shown = JSON.stringify(key).slice(1, -1).replaceAll(
    /[\x7f-\xff]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16)}`,
  );
  return `${event} ${database === "0" ? "" : `${database}:`}${shown === "" ? '""' : shown}`;
}

/** The event that a message on a channel of keyspace events tells; null on another channel. */
export function eventOf(channel: string, message: string): [text: string, isOfKey: boolean] | null {
  const [, kind, database, rest] = /^__key(space|event)@(\d+)__:([^]*)$/.exec(channel) ?? [];
  if (kind === undefined) return null;
  const isOfKey = kind === "space";
  return [
    isOfKey ? eventText(database, rest, message) : eventText(database, message, rest),
    isOfKey,
  ];
}
