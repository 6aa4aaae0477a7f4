/** Chooses the face: the server, or a word about it. */
import { startServer } from "./src/app/startup.ts";
import { REDIS_VERSION, RESPITE_VERSION } from "./src/app/version.ts";

const HELP = `Usage: respite [redis.conf | -] [--directive value ...]
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
} else startServer(Deno.args);

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
