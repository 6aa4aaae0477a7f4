/** What the log tells of an error of ours: its stack, and those of what caused it. */
export function storyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\nCaused by ${storyOf(error.cause)}`;
  return (error.stack ?? error.message) + cause;
}
