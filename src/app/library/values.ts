/** Replies as values of JavaScript. */
import {
  doubleOf,
  isGroup,
  isTrue,
  type Reply,
  type Scalar,
  textOf,
} from "../../protocol/reply.ts";

/**
 * What a command answers: strings as text, integers as numbers, or as BigInts where a number would not be exact, doubles as numbers,
 * nothing as null; arrays and sets as arrays, maps as Maps. Errors within an array are values, too.
 */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | CommandError
  | readonly Value[]
  | ReadonlyMap<Value, Value>;

/** An error reply: "ERR unknown command …". */
export class CommandError extends Error {
  /** What tells it from other errors. */
  override readonly name = "CommandError";
}

const decoder = new TextDecoder();

export function valueOf(reply: Reply): Value {
  if (!isGroup(reply)) return scalarOf(reply);
  const values = reply.items.map(valueOf);
  if (reply.kind !== "map") return values;
  const map = new Map<Value, Value>();
  for (let i = 0; i < values.length; i += 2) map.set(values[i], values[i + 1]);
  return map;
}

function scalarOf(scalar: Scalar): Value {
  switch (scalar.kind) {
    case "nil":
      return null;
    case "integer":
    case "bignum":
      return wholeNumber(textOf(scalar));
    case "double":
      return doubleOf(scalar);
    case "boolean":
      return isTrue(scalar);
    case "error":
      return new CommandError(decoder.decode(scalar.bytes));
    default:
      return decoder.decode(scalar.bytes);
  }
}

function wholeNumber(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}
