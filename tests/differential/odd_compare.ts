/** What of two servers' replies must be alike, for commands whose replies depend on chance, order or time. */
import { replyOf, sortedText } from "../support/replies.ts";

/** Commands whose replies may come in any order. */
const UNORDERED =
  /^(?:smembers|sinter|sunion|sdiff|hkeys|hvals|hgetall|keys|sort|sort_ro|[shz]scan|scan|exec|georadius|georadius_ro|georadiusbymember|georadiusbymember_ro|geosearch)$/;
/** Commands that choose by chance: only an error, or a reply's shape, can be compared. */
const BY_CHANCE =
  /^(?:spop|[sz]randmember|hrandfield|dump|hello|info|memory|latency|config|client|command (?!getkeys).*)$/;
/** Commands whose replies hold times that differ by some ms. */
const TIMED =
  /^(?:exec|pttl|ttl|pexpiretime|expiretime|xpending|xinfo|object|xreadgroup|xclaim|xautoclaim|slowlog)$/;
const TOLERANCE = 5000n;
/** Ids and times of now. */
const NOW_REGEXP = /\b1[789]\d{11}(?:-\d+)?\b/g;
/** An index of another kind has other nodes. How long a consumer has been idle depends on the server's speed. */
const NODES_REGEXP = /((?:radix-tree-nodes|idle|inactive)\r\n):\d+/g;

/** Commands that Redis 7.2, whose replies we give, has anew, answers otherwise or checks in another order than the 7.0 of Debian. */
export const OTHER_IN_7_0 =
  /^(?:acl.*|bitcount|bitpos|getex|getrange|set|b[lrz].*|x(?:autoclaim|info.*|group.*|read.*)|client.*|command.*|object.*|z(?:rev)?rank)$/;

/** Both replies without what may differ. */
export function comparable(
  words: readonly string[],
  theirs: string,
  ours: string,
): [string, string] {
  const name = words[0].toLowerCase();
  if (BY_CHANCE.test(name === "command" ? words.join(" ") : name)) {
    return [shape(theirs), shape(ours)];
  }
  if (/scan$/.test(name) && isPartial(name, words, theirs + ours)) {
    return [theirs[0] === "-" ? theirs : "", ours[0] === "-" ? ours : ""];
  }
  let [one, other] = [theirs, ours].map((text) =>
    text.replaceAll(NOW_REGEXP, "NOW").replaceAll(NODES_REGEXP, "$1:0")
  );
  if (
    /^object idletime/i.test(words.join(" ")) && [one, other].every((text) => /^:\d\r/.test(text))
  ) return ["", ""];
  if (TIMED.test(name)) other = withTheirTimes(one, other);
  if (one !== other && UNORDERED.test(name)) {
    [one, other] = [one, other].map((text) => sortedText(replyOf(text)));
  }
  return [one, other];
}

/** Whether one of two replies of SCAN and its kin is not the whole collection: cursors are each server's own. */
function isPartial(name: string, words: readonly string[], replies: string): boolean {
  if (name === "scan" || /^\*2\r\n\$(?!1\r\n0)/m.test(replies)) return true;
  return !/^[+-]?0*(?:\0|$)/.test(words[2] ?? "");
}

function shape(text: string): string {
  if (text.startsWith("$")) return text === "$-1\r\n" ? text : "$";
  return "*%=~:".includes(text[0]) ? text[0] : text;
}

/** `ours` with those integers of `theirs` that are nearly the same. */
function withTheirTimes(theirs: string, ours: string): string {
  const expected = theirs.split("\r\n");
  return ours.split("\r\n").map((line, i) => {
    const wanted = expected[i] ?? "";
    if (!/^:-?\d+$/.test(line) || !/^:-?\d+$/.test(wanted)) return line;
    const distance = BigInt(line.slice(1)) - BigInt(wanted.slice(1));
    return BigInt(line.slice(1)) > 20n && distance < TOLERANCE && distance > -TOLERANCE
      ? wanted
      : line;
  }).join("\r\n");
}
