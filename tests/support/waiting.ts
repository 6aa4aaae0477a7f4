/** Waiting in tests: for some time, and for something to become true. */

/** Comes after so many milliseconds; without, when the event loop has turned. */
export function pause(ms = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Comes when `holds` answers true; it is asked every few milliseconds, for a minute at most. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!await holds()) {
    if (Date.now() > deadline) throw new Error(`it never came true: ${holds}`);
    await pause(5);
  }
}
