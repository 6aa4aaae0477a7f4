/** Chooses the face: the server, the client, the checks of the server's files, or a word about them. */
import { writeQuietly } from "./src/app/output.ts";
import { REDIS_VERSION, RESPITE_VERSION } from "./src/app/version.ts";

const HELP = `Usage: respite [redis.conf | -] [--directive value ...]
       respite cli [options] [command [argument ...]]
       respite check-rdb <file.rdb>
       respite check-aof [--fix | --truncate-to-timestamp <seconds>] <file.manifest | file.aof>
       respite -v | --version
       respite -h | --help

Examples:
       respite
       respite --port 7777
       respite /etc/myrespite.conf --loglevel verbose
       echo 'maxclients 128' | respite -

"respite cli --help" is about the client. Directives are Redis's; each can also be set in the environment, as RESPITE_PORT=7777.
`;

/** What the executable can do besides being a server: each returns the exit code. Only what is asked for is loaded. */
const SUBCOMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  "cli": async (args) => (await import("./src/cli/client/main.ts")).runClient(args, VERSION),
  "check-rdb": async (args) => {
    return (await import("./src/cli/check_rdb.ts")).checkRdbCommand(args, printLine);
  },
  "check-aof": async (args) => {
    return (await import("./src/cli/check_aof.ts")).checkAofCommand(args, printLine, confirmed);
  },
};
const VERSION = `Respite ${RESPITE_VERSION} (compatible with Redis ${REDIS_VERSION})`;

const [first] = Deno.args;
if (first === "-h" || first === "--help") print(HELP);
else if (first === "-v" || first === "--version") print(`${VERSION}\n`);
else if (first !== undefined && Object.hasOwn(SUBCOMMANDS, first)) {
  Deno.exit(await SUBCOMMANDS[first](Deno.args.slice(1)));
} else {
  const { startServer } = await import("./src/app/startup.ts");
  startServer(Deno.args, Object.keys(SUBCOMMANDS));
}

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
