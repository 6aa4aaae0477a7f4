/** What the operating system says of a failure. */

/** The system's own words, as Redis shows them: without the number and the path that the runtime adds. */
export function systemText(error: unknown): string {
  const message = plainText(error);
  return /^(.+?) \(os error \d+\)/.exec(message)?.[1] ?? message;
}

/** As `systemText`, but with what could not be done, and the path: "Permission denied: open '/x/dump.rdb'". */
export function failureText(error: unknown): string {
  return plainText(error).replace(/ \(os error \d+\)/, "");
}

function plainText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The runtime's text ends with flags to run it with, which those who start the executable can't give.
  if (error.name === "NotCapable") return `This server may not use ${pathIn(error.message)}`;
  return error.message;
}

function pathIn(message: string): string {
  return /access to "([^"]*)"/.exec(message)?.[1] ?? "it";
}
