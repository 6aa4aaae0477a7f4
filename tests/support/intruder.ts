/**
 * The server, started as main.ts starts it, and then code beside it that means harm: what an attacker would run who has
 * found a way into the process. Prints one line of JSON: by the name of an attempt, how it ended.
 *
 * Its `dir` is the directory `inner` beside files `secret` and `secret.json`, a socket `socket` and an empty directory `outer`.
 */
import "../../main.ts";

/** How an attempt ended that the runtime has not refused. */
const DONE = "done";

type Attempt = () => unknown;

const dir = Deno.cwd();
const beside = dir.replace(/[^/]*$/, "");
const secret = `${beside}secret`;

const PROGRAMS: Readonly<Record<string, Attempt>> = {
  "run a program": () => new Deno.Command("true").outputSync(),
  "run one through node:child_process": async () =>
    (await import("node:child_process")).execFileSync("true"),
  "replace itself": () => new Deno.Command(Deno.execPath(), { args: ["eval", "1"] }).spawn(),
  "kill another process": () => Deno.kill(1, "SIGCONT"),
  "load a library": () => Deno.dlopen("libc.so.6", {}),
  "load one as an addon of Node": async () =>
    (await import("node:process")).default.dlopen({ exports: {} }, `${dir}/x.node`),
  "import code from another host": () => import(`https://deno.land${"/x/none.ts"}`),
  "run one in a worker": async () => {
    const code = "try { new Deno.Command('true').outputSync(); postMessage(''); } " +
      "catch (error) { postMessage(String(error)); }";
    const worker = new Worker(`data:text/javascript,${code}`, { type: "module" });
    const error = await new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
    });
    worker.terminate();
    if (error !== "") throw new Error(String(error));
  },
};

const ENVIRONMENT: Readonly<Record<string, Attempt>> = {
  "read a variable": () => Deno.env.get("HOME"),
  "read one through Node's process": async () => (await import("node:process")).default.env.HOME,
  "list all variables": () => Deno.env.toObject(),
  "read them in /proc": () => Deno.readTextFileSync("/proc/self/environ"),
  "set a variable": () => Deno.env.set("HOME", "/"),
  "ask for the host's name": () => Deno.hostname(),
  "ask for the user": () => Deno.uid(),
  "ask for the network's addresses": () => Deno.networkInterfaces(),
};

const FILES: Readonly<Record<string, Attempt>> = {
  "read a file": () => Deno.readTextFileSync(secret),
  "read a file of the system": () => Deno.readTextFileSync("/etc/passwd"),
  "read one through ..": () => Deno.readTextFileSync(`${dir}/../secret`),
  "read one through .. of the current directory": () => Deno.readTextFileSync("../secret"),
  "read one through node:fs": async () => (await import("node:fs")).readFileSync(secret),
  "import a file": () => import(`file://${secret}`, { with: { type: "text" } }),
  "import a file as bytes": () => import(`file://${secret}`, { with: { type: "bytes" } }),
  "import a JSON file": () => import(`file://${beside}secret.json`, { with: { type: "json" } }),
  "fetch a file": () => fetch(`file://${secret}`),
  "read memory": () => Deno.openSync("/proc/self/mem", { read: true, write: true }),
  "list a directory": () => [...Deno.readDirSync("/etc")],
  "look at a file": () => Deno.statSync(secret),
  "write a file": () => Deno.writeTextFileSync(`${beside}new`, "x"),
  "write one through ..": () => Deno.writeTextFileSync(`${dir}/../outer/new`, "x"),
  "write one whose path only begins like dir": () => Deno.writeTextFileSync(`${dir}2`, "x"),
  "append to a file": () => Deno.writeTextFileSync(secret, "x", { append: true }),
  "write a temporary file": () => Deno.makeTempFileSync(),
  "make a directory": () => Deno.mkdirSync(`${beside}made`),
  "remove a file": () => Deno.removeSync(secret),
  "change a file's mode": () => Deno.chmodSync(secret, 0o777),
  "rename a file into dir": () => Deno.renameSync(secret, `${dir}/taken`),
  "rename a file out of dir": () => Deno.renameSync(`${dir}/own`, `${beside}own`),
  "copy a file into dir": () => Deno.copyFileSync(secret, `${dir}/copied`),
  "make a symbolic link out of dir": () => Deno.symlinkSync(secret, `${dir}/symlink`),
  "make a hard link out of dir": () => Deno.linkSync(secret, `${dir}/link`),
  "leave dir": () => Deno.chdir(".."),
  "listen on a socket": () => Deno.listen({ transport: "unix", path: `${beside}listening` }),
  "connect to a socket": () => Deno.connect({ transport: "unix", path: `${beside}socket` }),
  "ask for the permission back": () => {
    const { state } = Deno.permissions.requestSync({ name: "read", path: secret });
    if (state !== "granted") throw new Deno.errors.NotCapable();
  },
};

/** What must go on working: otherwise that all else is refused would prove little. */
const ALLOWED: Readonly<Record<string, Attempt>> = {
  "write and rename in dir": () => {
    Deno.writeTextFileSync(`${dir}/one`, "x");
    Deno.renameSync(`${dir}/one`, `${dir}/other`);
    Deno.mkdirSync(`${dir}/deep/deeper`, { recursive: true });
    Deno.removeSync(`${dir}/other`);
  },
  "connect to other hosts, as MIGRATE does": () =>
    Deno.connect({ hostname: "127.0.0.1", port: 9 }).catch((error) => {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }),
};

async function ending(attempt: Attempt): Promise<string> {
  try {
    await attempt();
    return DONE;
  } catch (error) {
    // An import fails with a TypeError that tells of the refusal; the executable knows no import but those in it.
    const text = String(error);
    return /NotCapable|Module not found|not a valid module type|Requires (?:\w+ )?access|unscoped/
        .test(text)
      ? "refused"
      : text;
  }
}

const groups = { programs: PROGRAMS, environment: ENVIRONMENT, files: FILES, allowed: ALLOWED };
const report: Record<string, Record<string, string>> = {};
for (const [group, attempts] of Object.entries(groups)) {
  const endings: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(attempts)) endings[name] = await ending(attempt);
  report[group] = endings;
}
Deno.stdout.writeSync(new TextEncoder().encode(`\n${JSON.stringify(report)}\n`));
