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
const DIRECTIVES: Readonly<Record<string, string>> = { loadmodule: Missing.modules };

/** Why a directive that is no parameter is refused; undefined if it is unknown. */
export function refusedDirective(name: string): string | undefined {
  return Object.hasOwn(DIRECTIVES, name) ? DIRECTIVES[name] : undefined;
}
