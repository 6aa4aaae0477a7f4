/** Commands whose replies are texts for people, and commands that say how a session goes on. */

/** By the first word: printed as they are, whichever second word they have. */
const WHOLE = ["info", "lolwut"];
const PAIRS = [
  "debug htstats",
  "debug htstats-key",
  "debug client-eviction",
  "memory malloc-stats",
  "memory doctor",
  "cluster nodes",
  "cluster info",
  "client list",
  "client info",
  "latency graph",
  "latency doctor",
  "proxy info",
];

/** Whether the reply to a command is printed raw in any format. */
export function isProse(words: readonly string[]): boolean {
  const first = words[0]?.toLowerCase() ?? "";
  if (WHOLE.includes(first)) return true;
  return words.length > 1 && PAIRS.includes(`${first} ${words[1].toLowerCase()}`);
}

/** Commands after which messages come. */
export function isSubscribing(name: string): boolean {
  return /^[ps]?subscribe$/i.test(name);
}

/** Commands that take subscriptions back. */
export function isUnsubscribing(name: string): boolean {
  return /^[ps]?unsubscribe$/i.test(name);
}
