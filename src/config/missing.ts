/**
 * Directives of features that are missing: why the server refuses those that would do harm, and the warning about those
 * that merely do nothing.
 */
export const Missing = {
  tlsOutgoing:
    "connections that this server opens itself are in plain text: it does not use this yet",
  tlsCiphers: "the runtime chooses the ciphers itself, among those that are safe today",
  tlsSessions: "how sessions are resumed is fixed: the runtime keeps the latest few hundred",
  tlsDhParams: "keys are agreed on by elliptic curves only: there is no use for this file",
  aclUsers: "ACL users are not there yet: whoever connects would have all rights of the default " +
    "user. Protect it by requirepass",
  replicas:
    "replication is not there yet: this server would not follow its primary, and would take " +
    "writes of its own",
  cluster:
    "cluster mode is not there yet: this server would take all keys, and tell no client of " +
    "other nodes",
  replicasToWrite: "replication is not there yet: what this server acknowledges would be nowhere " +
    "else, whatever min-replicas-to-write says",
  daemon: "this server can't put itself into the background. Start it as a service (in a systemd " +
    "unit, Type=simple), or by nohup with & at the end",
  modules: "modules can't be loaded",
} as const;

/** Refuses other ciphers than the default ones: a check of the word. */
export function ciphers(word: string): string | null {
  return ["", "DEFAULT"].includes(word) ? null : Missing.tlsCiphers;
}

/** Directives that are no parameters, and why they are refused. */
const DIRECTIVES: Readonly<Record<string, string>> = {
  user: Missing.aclUsers,
  loadmodule: Missing.modules,
};
/** The words of a `user` line for a default user without a password, as CONFIG REWRITE of Redis leaves it. */
const RIGHTS_OF_DEFAULT = [
  ...["on", "nopass", "sanitize-payload", "~*", "&*", "+@all"],
  ...["allkeys", "allchannels", "allcommands"],
];

/** Why a directive that is no parameter is refused; null if it changes nothing, undefined if it is unknown. */
export function refusedDirective(
  name: string,
  words: readonly string[],
): string | null | undefined {
  if (name === "user" && words[0] === "default") {
    if (words.slice(1).every((word) => RIGHTS_OF_DEFAULT.includes(word.toLowerCase()))) return null;
  }
  return Object.hasOwn(DIRECTIVES, name) ? DIRECTIVES[name] : undefined;
}
