/** Chooses the face: the server, the checks of its files, or a word about them. */
import { startServer } from "./src/app/startup.ts";
import { checkAofCommand } from "./src/cli/check_aof.ts";
import { checkRdbCommand } from "./src/cli/check_rdb.ts";
import { writeQuietly } from "./src/app/output.ts";
import { REDIS_VERSION, RESPITE_VERSION } from "./src/app/version.ts";

const HELP = `Usage: respite [redis.conf | -] [--directive value ...]
       respite check-rdb <file.rdb>
       respite check-aof [--fix | --truncate-to-timestamp <seconds>] <file.manifest | file.aof>
       respite -v | --version
       respite -h | --help

Examples:
       respite
       respite --port 7777
       respite /etc/myrespite.conf --loglevel verbose
       echo 'maxclients 128' | respite -

Directives are Redis's; each can also be set in the environment, as RESPITE_PORT=7777.
`;

const [first] = Deno.args;
if (first === "-h" || first === "--help") print(HELP);
else if (first === "-v" || first === "--version") {
  print(`Respite ${RESPITE_VERSION} (compatible with Redis ${REDIS_VERSION})\n`);
} else if (first === "check-rdb") {
  Deno.exit(checkRdbCommand(Deno.args.slice(1), (line) => print(`${line}\n`)));
} else if (first === "check-aof") {
  Deno.exit(checkAofCommand(Deno.args.slice(1), (line) => print(`${line}\n`), confirmed));
} else startServer(Deno.args);

/** Asks a person, or whoever is at the other end of standard input. */
function confirmed(question: string): boolean {
  print(question);
  const answer = new Uint8Array(16);
  const count = Deno.stdin.readSync(answer) ?? 0;
  return count > 0 && (answer[0] === 0x79 || answer[0] === 0x59);
}

function print(text: string): void {
  writeQuietly(Deno.stdout, text);
}
