/** Lines that were entered, oldest first, and the file that keeps them from session to session. */

const LINES_MAX = 1000;
/** Lines that may hold a password: they are neither kept nor shown again. */
const SECRET_REGEXP =
  /^\s*(?:auth\b|hello\b.*\bauth\b|acl\s+(?:setuser|getuser|deluser)\b|migrate\b.*\bauth2?\b|config\s+set\b.*\b(?:masterauth|masteruser|requirepass|tls-(?:client-)?key-file-pass)\b)/i;

export class History {
  readonly lines: string[] = [];

  /** `path` is null if nothing is kept. */
  constructor(readonly path: string | null) {}

  /** Reads the file, if there is one. */
  load(): void {
    if (this.path === null) return;
    try {
      const lines = Deno.readTextFileSync(this.path).split("\n").filter((line) => line !== "");
      this.lines.push(...lines.slice(-LINES_MAX));
    } catch {
      // There is none yet, or it may not be read: then history begins with this session.
    }
  }

  /** Adds a line, unless it is the last one again or holds a password. */
  add(line: string): void {
    if (line.trim() === "" || line === this.lines.at(-1) || mayHoldPassword(line)) return;
    this.lines.push(line);
    if (this.lines.length > LINES_MAX) this.lines.shift();
    this.#save();
  }

  /** The index of the last line before `end` that contains `part`; −1 without one. */
  search(part: string, end: number): number {
    for (let at = Math.min(end, this.lines.length) - 1; at >= 0; at--) {
      if (this.lines[at].includes(part)) return at;
    }
    return -1;
  }

  /** Only its owner may read the file: arguments are data. */
  #save(): void {
    if (this.path === null) return;
    try {
      Deno.writeTextFileSync(this.path, `${this.lines.join("\n")}\n`, { mode: 0o600 });
    } catch {
      // Where nothing can be written, history ends with the session.
    }
  }
}

/** Whether a line is a command that takes a password. */
export function mayHoldPassword(line: string): boolean {
  return SECRET_REGEXP.test(line.replace(/^\s*\d+\s+/, ""));
}

/** Where history is kept: REDISCLI_HISTFILE, else a file in the home directory; null: nowhere. */
export function historyPath(env: (name: string) => string | null): string | null {
  const named = env("REDISCLI_HISTFILE");
  if (named !== null && named !== "") return named === "/dev/null" ? null : named;
  const home = env("HOME");
  return home === null || home === "" ? null : `${home}/.respite_history`;
}
