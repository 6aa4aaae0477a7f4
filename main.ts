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

/** What the executable can do besides being a server: each returns the exit code. */
const SUBCOMMANDS: Readonly<Record<string, (args: readonly string[]) => number>> = {
  "check-rdb": (args) => checkRdbCommand(args, printLine),
  "check-aof": (args) => checkAofCommand(args, printLine, confirmed),
};

const [first] = Deno.args;
if (first === "-h" || first === "--help") print(HELP);
else if (first === "-v" || first === "--version") {
  print(`Respite ${RESPITE_VERSION} (compatible with Redis ${REDIS_VERSION})\n`);
} else if (first !== undefined && Object.hasOwn(SUBCOMMANDS, first)) {
  Deno.exit(SUBCOMMANDS[first](Deno.args.slice(1)));
} else startServer(Deno.args, Object.keys(SUBCOMMANDS));

/** Asks a person, or whoever is at the other end of standard input. */
function confirmed(question: string): boolean {
  print(question);
  const answer = new Uint8Array(16);
  const count = Deno.stdin.readSync(answer) ?? 0;
  return count > 0 && (answer[0] === 0x79 || answer[0] === 0x59);
}

function printLine(line: string): void {
  print(`${line}\n`);
}

function print(text: string): void {
  writeQuietly(Deno.stdout, text);
}
