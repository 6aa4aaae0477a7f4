/** Reads and writes the ACL file. Texts are binary, one character a byte. Failures are the system's errors. */
import { unicodeOf } from "../config/words.ts";
import { writeAllSync } from "../lib/write_all.ts";
import { binaryBytes, binaryText } from "../protocol/args.ts";
import { temporaryOf } from "./sandbox.ts";

/** It holds what passwords can be guessed by: only its owner may read it, unless it exists and says otherwise. */
const MODE = 0o600;

export function readAclFile(path: string): string {
  const bytes = Deno.readFileSync(unicodeOf(path));
  return binaryText(bytes, 0, bytes.length);
}

/** Replaces the file as a whole: a crash leaves the old one or the new one. */
export function writeAclFile(path: string, text: string): void {
  const name = unicodeOf(path);
  const temporary = temporaryOf(name);
  const file = Deno.openSync(temporary, {
    write: true,
    create: true,
    truncate: true,
    mode: modeOf(name),
  });
  try {
    try {
      writeAllSync(file, binaryBytes(text));
      file.syncSync();
    } finally {
      file.close();
    }
    Deno.renameSync(temporary, name);
  } catch (error) {
    Deno.removeSync(temporary);
    throw error;
  }
}

function modeOf(path: string): number {
  try {
    return (Deno.statSync(path).mode ?? MODE) & 0o777;
  } catch {
    // It is new, or its directory can't be read, which writing it will tell.
    return MODE;
  }
}
