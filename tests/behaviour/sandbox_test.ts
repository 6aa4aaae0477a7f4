/** The sandbox (src/app/sandbox.ts): what code in the process of the server can do, and what the server itself still can. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { compileOptions, START_OPTIONS } from "../../scripts/run.ts";
import { Child } from "../support/child.ts";
import { freePort } from "../support/live.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const INTRUDER = "tests/support/intruder.ts";

const options = { sanitizeOps: false, sanitizeResources: false };

/** By group and name, how the attempts of intruder.ts ended in the process that `program` starts. */
async function attemptsOf(program: string, args: readonly string[]): Promise<Endings> {
  const place = await Deno.makeTempDir();
  await Deno.mkdir(`${place}/inner`);
  await Deno.mkdir(`${place}/outer`);
  await Deno.writeTextFile(`${place}/inner/own`, "own");
  await Deno.writeTextFile(`${place}/secret`, "secret");
  await Deno.writeTextFile(`${place}/secret.json`, "{}");
  using socket = Deno.listen({ transport: "unix", path: `${place}/socket` });
  void socket.accept().catch(() => {});
  const child = new Deno.Command(program, {
    args: [...args, "--port", `${freePort()}`, "--dir", `${place}/inner`, "--save", ""],
    cwd: ROOT,
    env: { RESPITE_SECRET: "secret" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  let text = "";
  let hasReported = false;
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (hasReported || !/^\{.*\}$/m.test(text)) continue;
    hasReported = true;
    child.kill("SIGTERM");
  }
  const report = /^\{.*\}$/m.exec(text)?.[0];
  if (report === undefined) throw new Error(`no report: ${text}${await stderr}`);
  assertEquals(await Deno.readTextFile(`${place}/secret`), "secret");
  assertEquals(await namesIn(place), ["inner", "outer", "secret", "secret.json", "socket"]);
  assertEquals(await namesIn(`${place}/outer`), []);
  return JSON.parse(report);
}

async function namesIn(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).sort();
}

type Endings = Record<string, Record<string, string>>;

function assertHeld({ allowed, ...refused }: Endings): void {
  assertEquals(Object.keys(refused), ["programs", "environment", "files"]);
  for (const endings of Object.values(refused)) {
    for (const [name, ending] of Object.entries(endings)) {
      assertEquals([name, ending], [name, "refused"]);
    }
  }
  for (const [name, ending] of Object.entries(allowed)) {
    assertEquals([name, ending], [name, "done"]);
  }
}

Deno.test({
  name:
    "code in the server can't run programs, load libraries, read the environment or touch other files",
  ...options,
  fn: async () => {
    assertHeld(await attemptsOf(Deno.execPath(), [...START_OPTIONS, INTRUDER]));
  },
});
Deno.test({
  name: "nor can code in the compiled executable",
  ...options,
  // Its base can't be fetched everywhere. .ci/run names one.
  ignore: Deno.env.get("DENORT_BIN") === undefined,
  fn: async () => {
    const path = `${await Deno.makeTempDir()}/respite`;
    const args = ["compile", ...compileOptions(path), INTRUDER];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT })
      .output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const endings = await attemptsOf(path, []);
    // Its loader asks for no permission (docs/SECURITY.md).
    delete endings.files["import a JSON file"];
    assertHeld(endings);
  },
});
Deno.test({
  name: "the server still uses each file that its configuration names, wherever it is",
  ...options,
  fn: async () => {
    const place = await Deno.makeTempDir();
    const dir = `${place}/data`;
    await Deno.mkdir(dir);
    for (const name of ["acl", "conf", "log", "run", "sockets"]) {
      await Deno.mkdir(`${place}/${name}`);
    }
    const conf = `${place}/conf/respite.conf`;
    await Deno.writeTextFile(conf, "hz 11\nappendonly yes\n");
    await Deno.chmod(conf, 0o600);
    await Deno.writeTextFile(`${place}/acl/users.acl`, "user default on nopass ~* &* +@all\n");
    const named = {
      aclfile: `${place}/acl/users.acl`,
      logfile: `${place}/log/respite.log`,
      pidfile: `${place}/run/respite.pid`,
      unixsocket: `${place}/sockets/respite.sock`,
    };
    const directives = Object.entries(named).flatMap(([name, path]) => [`--${name}`, path]);
    const child = Child.spawn(freePort(), dir, conf, ...directives, "--unixsocketperm", "700");
    const wire = await child.started();
    const { mode } = await Deno.stat(named.unixsocket);
    assertEquals(Number(mode) & 0o777, 0o700);
    assertEquals((await Deno.readTextFile(named.pidfile)).trim(), `${child.pid}`);
    assertEquals(await wire.roundTrip("config set hz 12"), "+OK\r\n");
    assertEquals(await wire.roundTrip("config rewrite"), "+OK\r\n");
    assertStringIncludes(await Deno.readTextFile(conf), "hz 12\n");
    assertEquals(Number((await Deno.stat(conf)).mode) & 0o777, 0o600);
    assertEquals(await namesIn(`${place}/conf`), ["respite.conf"]);
    assertEquals(await wire.roundTrip("acl setuser ann"), "+OK\r\n");
    assertEquals(await wire.roundTrip("acl save"), "+OK\r\n");
    assertEquals(await wire.roundTrip("acl load"), "+OK\r\n");
    assertStringIncludes(await Deno.readTextFile(named.aclfile), "user ann off ");
    assertEquals(await namesIn(`${place}/acl`), ["users.acl"]);
    await Deno.rename(named.logfile, `${named.logfile}.1`);
    assertEquals(await wire.roundTrip("eval 'return 7' 0"), ":7\r\n");
    assertEquals(await wire.roundTrip("set key value"), "+OK\r\n");
    assertEquals(await wire.roundTrip("save"), "+OK\r\n");
    wire.close();
    child.kill("SIGTERM");
    assertEquals(await child.ended(), { code: 0, text: "" });
    assertMatch(await Deno.readTextFile(named.logfile), /bye bye/);
    assertEquals(await namesIn(dir), ["appendonlydir", "dump.rdb"]);
    assertEquals(await namesIn(`${place}/run`), []);
    assertEquals(await namesIn(`${place}/sockets`), []);
  },
});
Deno.test({
  name: "CONFIG SET dir enters directories in dir, and says why it enters no other",
  ...options,
  fn: async () => {
    const place = await Deno.makeTempDir();
    await Deno.mkdir(`${place}/inner/deeper`, { recursive: true });
    const child = Child.spawn(freePort(), `${place}/inner`, "--enable-protected-configs", "yes");
    const wire = await child.started();
    assertEquals(await wire.roundTrip("config set dir deeper"), "+OK\r\n");
    assertEquals(await wire.roundTrip("config set dir .."), "+OK\r\n");
    for (const path of ["..", place, "/", "/nonexistent"]) {
      const refusal = await wire.roundTrip(`config set dir ${path}`);
      assertMatch(refusal, /^-ERR CONFIG SET failed .*'dir'\) - .*: restart it with this dir\r\n$/);
    }
    const reply = await wire.roundTrip("config get dir");
    assertStringIncludes(reply, `\r\n${place}/inner\r\n`);
    wire.close();
    await child.stop("SIGTERM");
  },
});
Deno.test({
  name: "the log says why the sandbox does not hold, where it can't",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    const cases: [permissions: string[], dir: string, told: RegExp | null][] = [
      [["-A"], dir, /# The server may use all files, .*`deno task start`/],
      [["--allow-net", "--allow-read", "--allow-write=/", "--allow-env"], dir, /# The server may/],
      [["--allow-net", "--allow-read=/", "--allow-write=/", "--allow-env"], "/", /# dir is \/: /],
      [["--allow-net", `--allow-read=${dir}`, `--allow-write=${dir}`, "--allow-env"], dir, null],
    ];
    for (const [permissions, path, told] of cases) {
      const args = ["run", "--no-prompt", ...permissions, "main.ts", "--bind", "", "--dir", path];
      const { stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
      const text = new TextDecoder().decode(stdout);
      assertStringIncludes(text, "Configured to not listen anywhere");
      if (told === null) assertEquals(text.includes("may use all files"), false, text);
      else assertMatch(text, told);
    }
  },
});
