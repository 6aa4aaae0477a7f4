/** A server's reply as a value: for clients, and for translators into other protocols. */
import { binaryText } from "./args.ts";

export type ScalarKind =
  | "status"
  | "error"
  | "string"
  | "verbatim"
  | "integer"
  | "double"
  | "bignum"
  | "boolean"
  | "nil";
export type GroupKind = "array" | "map" | "set" | "push";

/** One value. Numbers stay as the server wrote them, so that none is rounded; a boolean is "t" or "f". */
export interface Scalar {
  readonly kind: ScalarKind;
  readonly bytes: Uint8Array;
}

/** Several values. The items of a map are key, value, key, value. */
export interface Group {
  readonly kind: GroupKind;
  readonly items: readonly Reply[];
}

export type Reply = Scalar | Group;

export function isGroup(reply: Reply): reply is Group {
  return "items" in reply;
}

/** The bytes of a scalar, one character a byte; "" for a group. */
export function textOf(reply: Reply | undefined): string {
  return reply === undefined || isGroup(reply) ? "" : binaryOf(reply.bytes);
}

/** The items of a group; none for a scalar. */
export function itemsOf(reply: Reply | undefined): readonly Reply[] {
  return reply !== undefined && isGroup(reply) ? reply.items : [];
}

/** Whether a boolean is true. */
export function isTrue({ bytes }: Scalar): boolean {
  return bytes[0] === LETTER_T;
}

const LETTER_T = 0x74;

/** The number that a double is; infinite ones are written "inf" and "-inf". */
export function doubleOf(double: Scalar): number {
  return Number(textOf(double).replace("inf", "Infinity"));
}

/** All of `bytes` as a text, one character a byte. */
export function binaryOf(bytes: Uint8Array): string {
  return binaryText(bytes, 0, bytes.length);
}

/** A place in the walk: which item of which group, inside how many others. */
export interface Place {
  readonly group: Group;
  index: number;
}

/** What a printer of replies does at each place. `place` is null for the outermost reply. */
export interface Visitor {
  scalar(reply: Scalar, place: Place | null): void;
  /** Before the items of a group. */
  open(group: Group, place: Place | null): void;
  /** After the items of a group. */
  close(group: Group, place: Place | null): void;
}

/** Visits a reply and all that it holds, in order. It keeps a list of its own, since replies may nest deeply. */
export function walk(reply: Reply, visitor: Visitor): void {
  const places: Place[] = [];
  visit(reply, null);
  while (places.length > 0) {
    const place = places[places.length - 1];
    if (++place.index < place.group.items.length) {
      visit(place.group.items[place.index], place);
      continue;
    }
    places.pop();
    visitor.close(place.group, places.at(-1) ?? null);
  }

  function visit(one: Reply, place: Place | null): void {
    if (!isGroup(one)) return visitor.scalar(one, place);
    visitor.open(one, place);
    places.push({ group: one, index: -1 });
  }
}
