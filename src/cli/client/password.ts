/** Asks for a password at the terminal, showing a star for each character. */
import { binaryOf } from "../../protocol/reply.ts";
import { LineReader } from "./lines.ts";
import type { Output } from "./output.ts";
import type { Surroundings } from "./surroundings.ts";

const ENTER = /[\r\n]/;
const ERASE = /[\x7f\b]/;
const INTERRUPT = "\x03";

export async function askPassword(surroundings: Surroundings, output: Output): Promise<string> {
  const { stdin, isInputTerminal } = surroundings;
  if (!isInputTerminal) return await new LineReader(stdin).next() ?? "";
  output.text("Please input password: ");
  output.flush();
  stdin.setRaw(true);
  try {
    return await typed(surroundings, output);
  } finally {
    stdin.setRaw(false);
    output.text("\n");
    output.flush();
  }
}

async function typed({ stdin }: Surroundings, output: Output): Promise<string> {
  const buffer = new Uint8Array(256);
  let password = "";
  for (;;) {
    const count = await stdin.read(buffer);
    if (count === null) return password;
    for (const char of binaryOf(buffer.subarray(0, count))) {
      if (ENTER.test(char)) return password;
      if (char === INTERRUPT) Deno.exit(130);
      if (!ERASE.test(char)) {
        password += char;
        output.text("*");
      } else if (password !== "") {
        password = password.slice(0, -1);
        output.text("\b \b");
      }
    }
    output.flush();
  }
}
