/** A reply as people read it, as scripts read it, as CSV and as JSON: byte for byte what redis-cli prints. */
import type { Output } from "./output.ts";
import { ASCII_JSON_QUOTED, type Escapes, JSON_QUOTED, QUOTED, writeQuoted } from "./quoting.ts";
import {
  type Group,
  isGroup,
  isTrue,
  type Place,
  type Reply,
  type Scalar,
  textOf,
  type Visitor,
  walk,
} from "../../protocol/reply.ts";

export type Format = "standard" | "raw" | "csv" | "json" | "quoted-json";

/** Prints a reply. `between` stands between the values of a raw reply. */
export function printReply(output: Output, reply: Reply, format: Format, between: string): void {
  walk(reply, printerOf(output, format, between));
}

function printerOf(output: Output, format: Format, between: string): Visitor {
  switch (format) {
    case "standard":
      return new StandardPrinter(output);
    case "raw":
      return new RawPrinter(output, between);
    case "csv":
      return new CsvPrinter(output);
    case "json":
      return new JsonPrinter(output, JSON_QUOTED);
    case "quoted-json":
      return new JsonPrinter(output, ASCII_JSON_QUOTED);
  }
}

const EMPTY: Readonly<Record<Group["kind"], string>> = {
  array: "(empty array)",
  map: "(empty hash)",
  set: "(empty set)",
  push: "(empty push)",
};
/** What follows an item's number. */
const MARKS: Readonly<Record<Group["kind"], string>> = {
  array: ")",
  map: "#",
  set: "~",
  push: ")",
};

/** Numbered lines; what is nested is moved to the right. */
class StandardPrinter implements Visitor {
  /** What a further line of the group begins with, by depth. */
  readonly #indents: string[] = [];

  constructor(readonly output: Output) {}

  scalar(reply: Scalar, place: Place | null): void {
    this.#begin(place, false);
    writeStandard(this.output, reply);
  }

  open(group: Group, place: Place | null): void {
    this.#begin(place, isLong(group));
    const outer = this.#indents.at(-1) ?? "";
    this.#indents.push(place === null ? "" : outer + " ".repeat(widthOf(place.group) + 2));
    if (group.items.length === 0) this.output.text(EMPTY[group.kind]);
  }

  close(): void {
    this.#indents.pop();
  }

  /** Writes what stands before an item. */
  #begin(place: Place | null, takesLines: boolean): void {
    if (place === null) return;
    const { group, index } = place;
    const indent = this.#indents.at(-1) ?? "";
    const width = widthOf(group);
    if (isValue(place)) {
      return this.output.text(takesLines ? ` => \n${indent}${" ".repeat(width + 2)}` : " => ");
    }
    const number = group.kind === "map" ? index / 2 + 1 : index + 1;
    if (index > 0) this.output.text(`\n${indent}`);
    this.output.text(`${String(number).padStart(width)}${MARKS[group.kind]} `);
  }
}

/** How many digits the numbers of a group's items have. */
function widthOf({ kind, items }: Group): number {
  return String(kind === "map" ? items.length / 2 : items.length).length;
}

/** Whether a value of a map begins a line of its own: it has several items, or the one that it has does. */
function isLong(group: Group): boolean {
  for (
    let one: Reply | undefined = group;
    one !== undefined && isGroup(one);
    one = one.items.at(-1)
  ) {
    if (one.items.length > (one.kind === "map" ? 2 : 1)) return true;
  }
  return false;
}

/** Whether a place is a value of a map. */
function isValue({ group, index }: Place): boolean {
  return group.kind === "map" && index % 2 === 1;
}

function writeStandard(output: Output, reply: Scalar): void {
  switch (reply.kind) {
    case "string":
      return writeQuoted(output, reply.bytes, QUOTED);
    case "boolean":
      return output.text(isTrue(reply) ? "(true)" : "(false)");
    case "nil":
      return output.text("(nil)");
    case "status":
    case "verbatim":
      return output.bytes(reply.bytes);
    default:
      output.text(`(${reply.kind}) `);
      return output.bytes(reply.bytes);
  }
}

/** The values alone, as they are. */
class RawPrinter implements Visitor {
  constructor(readonly output: Output, readonly between: string) {}

  scalar(reply: Scalar, place: Place | null): void {
    this.#begin(place);
    if (reply.kind === "boolean") return writeStandard(this.output, reply);
    this.output.bytes(reply.bytes);
    if (reply.kind === "error") this.output.text("\n");
  }

  open(_group: Group, place: Place | null): void {
    this.#begin(place);
  }

  close(): void {}

  #begin(place: Place | null): void {
    if (place === null || place.index === 0) return;
    this.output.text(isValue(place) ? " " : this.between);
  }
}

class CsvPrinter implements Visitor {
  constructor(readonly output: Output) {}

  scalar(reply: Scalar, place: Place | null): void {
    this.#begin(place);
    if (reply.kind === "error") this.output.text("ERROR,");
    if (isString(reply)) writeQuoted(this.output, reply.bytes, QUOTED);
    else this.output.text(reply.kind === "nil" ? "NULL" : bareText(reply));
  }

  open(_group: Group, place: Place | null): void {
    this.#begin(place);
  }

  close(): void {}

  #begin(place: Place | null): void {
    if (place !== null && place.index > 0) this.output.text(",");
  }
}

/** A value that needs no quotes: a number or a boolean. */
function bareText(reply: Scalar): string {
  return reply.kind === "boolean" ? String(isTrue(reply)) : textOf(reply);
}

class JsonPrinter implements Visitor {
  constructor(readonly output: Output, readonly escapes: Escapes) {}

  scalar(reply: Scalar, place: Place | null): void {
    this.#begin(place);
    if (reply.kind === "error") this.output.text("error:");
    if (isString(reply)) return writeQuoted(this.output, reply.bytes, this.escapes);
    const text = reply.kind === "nil" ? "null" : bareText(reply);
    // The keys of an object are strings, whatever they were.
    this.output.text(place !== null && isKey(place) ? `"${text}"` : text);
  }

  open(group: Group, place: Place | null): void {
    this.#begin(place);
    if (place !== null && isKey(place)) this.output.text('"');
    this.output.text(group.kind === "map" ? "{" : "[");
  }

  close(group: Group, place: Place | null): void {
    this.output.text(group.kind === "map" ? "}" : "]");
    if (place !== null && isKey(place)) this.output.text('"');
  }

  #begin(place: Place | null): void {
    if (place === null || place.index === 0) return;
    this.output.text(isValue(place) ? ":" : ",");
  }
}

/** Whether a place is a key of a map. */
function isKey({ group, index }: Place): boolean {
  return group.kind === "map" && index % 2 === 0;
}

function isString({ kind }: Scalar): boolean {
  return kind === "status" || kind === "string" || kind === "verbatim" || kind === "error";
}
