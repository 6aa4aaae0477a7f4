/** Commands that a person may not want to have run on a server that others use. */

const DANGERS: Readonly<Record<string, string>> = {
  "keys": "goes through all keys while every client waits",
  "flushall": "removes all keys of all databases",
  "flushdb": "removes all keys of the database",
  "shutdown": "ends the server",
  "swapdb": "exchanges two databases for all clients",
  "failover": "makes a replica the master",
  "save": "makes every client wait until all is written",
  "debug sleep": "makes every client wait",
  "debug segfault": "ends the server",
  "debug panic": "ends the server",
  "debug restart": "ends the server",
  "debug crash-and-recover": "ends the server",
  "debug reload": "makes every client wait",
  "debug oom": "ends the server",
  "script flush": "removes the scripts of all clients",
  "function flush": "removes the functions of all clients",
  "config set": "changes the server for all clients",
};

/** What a command does to others; null if nothing is known against it. */
export function dangerOf(words: readonly string[]): string | null {
  const [first, second = ""] = words.map((word) => word.toLowerCase());
  for (const name of [first, `${first} ${second}`]) {
    if (Object.hasOwn(DANGERS, name)) return DANGERS[name];
  }
  return null;
}
