/** Reads and writes the ACL file. Texts are binary, one character a byte. Failures are the system's errors. */
import { unicodeOf } from "../config/words.ts";
import { modeOf, writeFileWhole } from "../persistence/files.ts";
import { binaryBytes, binaryText } from "../protocol/args.ts";

/** It holds what passwords can be guessed by: only its owner may read it, unless it exists and says otherwise. */
const MODE = 0o600;

export function readAclFile(path: string): string {
  const bytes = Deno.readFileSync(unicodeOf(path));
  return binaryText(bytes, 0, bytes.length);
}

/** Replaces the file as a whole: a crash leaves the old one or the new one. */
export function writeAclFile(path: string, text: string): void {
  const name = unicodeOf(path);
  writeFileWhole(name, binaryBytes(text), modeOf(name, MODE));
}
