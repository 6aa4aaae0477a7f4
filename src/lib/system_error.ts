/** What the operating system says of a failure. */

/** The system's own words, as Redis shows them: without the number and the path that the runtime adds. */
export function systemText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^(.+?) \(os error \d+\)/.exec(message)?.[1] ?? message;
}
