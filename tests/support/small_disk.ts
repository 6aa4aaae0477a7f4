/** A small file system, for tests of full disks. */

/** Mounts it and returns its directory; null if that is not permitted. */
export function makeSmallDisk(sizeBytes: number): string | null {
  const path = Deno.makeTempDirSync();
  try {
    const { success } = new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "none", path],
      stderr: "null",
    }).outputSync();
    if (success) return path;
  } catch {
    // There is no such program.
  }
  Deno.removeSync(path);
  return null;
}

/** Unmounts it even while somebody has files on it, such as a server of a test that has failed. */
export function removeSmallDisk(path: string | null): void {
  if (path === null) return;
  new Deno.Command("umount", { args: ["--lazy", path] }).outputSync();
  Deno.removeSync(path);
}

/** Leaves no byte. */
export function fillDisk(path: string): void {
  const file = Deno.openSync(`${path}/filling`, { write: true, create: true });
  try {
    const block = new Uint8Array(4096);
    for (;;) file.writeSync(block);
  } catch {
    file.close();
  }
}
