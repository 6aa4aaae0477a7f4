/** The start: what is refused and how it is said, what is warned about, where the log goes, who may use a directory. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Child } from "../support/child.ts";
import { SERVER_PERMISSIONS } from "../../scripts/run.ts";
import { freePort, Wire } from "../support/live.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const STARTUP = new URL("../../src/app/startup.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

const options = { sanitizeOps: false, sanitizeResources: false };

/** Directives that must be refused, and a word of the reason. */
const REFUSED: [directives: string[], reason: string][] = [
  [["--tls-ciphers", "DEFAULT:-AES128"], "ciphers"],
  [["--replicaof", "127.0.0.1 6379"], "replication"],
  [["--slaveof", "127.0.0.1 6379"], "replication"],
  [["--cluster-enabled", "yes"], "cluster"],
  [["--min-replicas-to-write", "1"], "replication"],
  [["--min-slaves-to-write", "1"], "replication"],
  [["--daemonize", "yes"], "systemd"],
  [["--loadmodule", "x.so"], "modules"],
];

/** A module as `deno info --json` has it. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier: string };
    readonly isDynamic?: boolean;
  }[];
}

Deno.test({
  name: "what runs Lua is not loaded at the start",
  ...options,
  fn: async () => {
    const args = ["info", "--json", "--config", CONFIG, MAIN];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
    const modules: Module[] = JSON.parse(new TextDecoder().decode(stdout)).modules;
    const byName = new Map(modules.map((module) => [module.specifier, module]));
    // main.ts imports the face that is asked for when it knows which.
    const loaded = new Set([MAIN, STARTUP].map((path) => `file://${path}`));
    for (const name of loaded) {
      for (const { code, isDynamic } of byName.get(name)?.dependencies ?? []) {
        if (code !== undefined && isDynamic !== true) loaded.add(code.specifier);
      }
    }
    const names = [...loaded].map((name) => name.replace(/.*\/src\//, "")).sort();
    assertEquals(names.filter((name) => name.startsWith("scripting/")), [
      "scripting/function_engine.ts",
      "scripting/function_store.ts",
      "scripting/library_header.ts",
      "scripting/lua_constants.ts",
      "scripting/lua_host.ts",
      "scripting/script_cache.ts",
      "scripting/script_run.ts",
    ]);
  },
});
Deno.test({
  name: "directives that would do harm stop the start, with the reason",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    const ends = REFUSED.map(([directives]) => Child.spawn(freePort(), dir, ...directives).ended());
    for (const [i, { code, text }] of (await Promise.all(ends)).entries()) {
      const [directives, reason] = REFUSED[i];
      assertEquals(code, 1, `${directives}: ${text}`);
      const name = directives[0].slice(2).replace("slaves", "replicas").replace("slave", "replica");
      assertStringIncludes(text, name, text);
      assertStringIncludes(text, reason, text);
    }
  },
});
Deno.test({
  name: "directives without effect cause one warning at the start, and one a CONFIG SET",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    const directives = ["--io-threads", "4", "--supervised", "systemd", "--masterauth", "secret"];
    const child = Child.spawn(freePort(), dir, ...directives);
    const wire = await child.started();
    assertEquals(await wire.roundTrip("config set list-compress-depth 1 timeout 0"), "+OK\r\n");
    assertEquals(await wire.roundTrip("config set timeout 10"), "+OK\r\n");
    const refusal = await wire.roundTrip("config set timeout 20 tls-cluster yes");
    assertMatch(refusal, /^-ERR CONFIG SET failed .*'tls-cluster'\) - connections that this /);
    assertEquals(await wire.roundTrip("config get timeout"), "*2\r\n$7\r\ntimeout\r\n$2\r\n10\r\n");
    wire.close();
    const text = await child.stop("SIGTERM");
    const lines = text.split("\n").filter((line) => line.includes("without effect"));
    assertEquals(lines.length, 2, text);
    assertMatch(
      lines[0],
      / # .*: io-threads \(.*\), masterauth, supervised /,
    );
    assertEquals(lines[0].includes("secret"), false);
    assertMatch(lines[1], / # .*: list-compress-depth$/);
  },
});

Deno.test({
  name: "include reads all files that match a pattern, in the order of their names",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    await Deno.mkdir(`${dir}/parts`);
    await Deno.writeTextFile(`${dir}/parts/2.conf`, "hz 12\n");
    await Deno.writeTextFile(`${dir}/parts/1.conf`, "hz 11\ntimeout 7\n");
    await Deno.writeTextFile(`${dir}/parts/.3.conf`, "hz 13\n");
    await Deno.writeTextFile(`${dir}/parts/4.other`, "hz 14\n");
    const patterns = ["--include", `${dir}/part?/*.conf`, "--include", `${dir}/none*.conf`];
    const child = Child.spawn(freePort(), dir, ...patterns);
    const wire = await child.started();
    assertEquals(await wire.roundTrip("config get hz"), "*2\r\n$2\r\nhz\r\n$2\r\n12\r\n");
    assertEquals(await wire.roundTrip("config get timeout"), "*2\r\n$7\r\ntimeout\r\n$1\r\n7\r\n");
    wire.close();
    await child.stop("SIGTERM");
  },
});

/** What a server without a port would print, and its exit code: it ends by itself, whatever the arguments. */
async function startRefused(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; text: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...SERVER_PERMISSIONS, "--config", CONFIG, MAIN, ...args],
    env,
    cwd: await Deno.makeTempDir(),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // Read only if the arguments ask for it.
  await writer.write(new TextEncoder().encode("prot 1\n")).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Arguments that can't be right, and what the user is told, line by line. */
const MISTAKES: [args: string[], told: string[]][] = [
  [["--port", "0"], ["Configured to not listen anywhere, exiting."]],
  [["--bind", ""], ["Configured to not listen anywhere, exiting."]],
  [["-"], ["Reading standard input, at line 1", ">>> 'prot 1'"]],
  [["--dir", "/nonexistent"], [">>> 'dir \"/nonexistent\"'", "No such file or directory"]],
  [["--dir", ""], [">>> 'dir \"\"'", "No such file or directory"]],
  [["--logfile", "/nonexistent/log"], [
    "Reading the command line",
    ">>> 'logfile \"/nonexistent/log\"'",
    "Can't open the log file: No such file or directory",
  ]],
  [["--logfile", "/dev/tty"], ["Can't open the log file: This server may not use /dev/tty"]],
  [["--port", "0", "--unixsocket", "/nonexistent/socket"], ["bind: No such file or directory"]],
  [["--bind", "1.2.3.4"], [
    "Could not create server TCP listening socket 1.2.3.4:6379: bind: ",
    "Failed listening on port 6379 (tcp), aborting.",
  ]],
  [["--include", "none"], [
    ">>> 'include \"none\"'",
    "can't open config file 'none': No such file",
  ]],
  [["--tls-replication", "yes"], [
    "Reading the command line",
    ">>> 'tls-replication \"yes\"'",
    "tls-replication: connections that",
  ]],
  [["/nonexistent.conf"], [
    "Fatal error, can't open config file '/nonexistent.conf': No such file",
  ]],
  [["/tmp"], ["can't open config file '/tmp': Is a directory\n"]],
  [["check-rbd"], ["'check-rbd' is neither a file nor a subcommand: did you mean check-rdb?"]],
  [["start"], ["'start' is neither a file nor a subcommand: --help shows what there is"]],
  [["port", "7000"], ["did you mean --port?"]],
  [["/port:7000"], ["did you mean --port?"]],
  [["--port=7000"], ["Did you mean --port 7000?"]],
  [["--prot", "7000"], ["Bad directive or wrong number of arguments\nDid you mean --port?"]],
  [["-p", "7000"], ['>>> \'"-p" "7000"\'', "Options begin with two dashes: --port 7000"]],
];

Deno.test({
  name: "a mistake in the arguments is named, without words of the runtime",
  ...options,
  fn: async () => {
    const ends = MISTAKES.map(([args]) => startRefused(args));
    for (const [i, { code, text }] of (await Promise.all(ends)).entries()) {
      const [args, told] = MISTAKES[i];
      assertEquals(code, 1, `${args}: ${text}`);
      for (const line of told) assertStringIncludes(text, line, `${args}: ${text}`);
      assertEquals(/os error|--allow|\n +at /.test(text), false, text);
    }
  },
});
Deno.test({
  name: "a variable RESPITE_… that names no directive causes a warning, others a directive",
  ...options,
  fn: async () => {
    const env = { RESPITE_PORT: "0", RESPITE_PROT: "1", RESPITE_HUE: "2", PROT: "3" };
    const { code, text } = await startRefused([], env);
    const warnings = text.split("\n").filter((line) => line.includes("no directive"));
    assertEquals([code, warnings.length], [1, 2], text);
    assertMatch(
      warnings.join("\n"),
      /# RESPITE_PROT in .*, and has no effect: did you mean RESPITE_PORT\?/,
    );
    const unknown = await startRefused([], { RESPITE_DIR: "/nonexistent" });
    assertStringIncludes(
      unknown.text,
      "Reading the environment\n>>> 'RESPITE_DIR=/nonexistent'\nNo such file",
    );
    const included = await startRefused([], { RESPITE_INCLUDE: "/none" });
    assertStringIncludes(included.text, "can't open config file '/none'");
  },
});
Deno.test({
  name: "the log goes to a standard stream by its name, and a relative path starts in dir",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    for (const name of ["/dev/stdout", "/dev/stderr", "/proc/self/fd/1"]) {
      const { text } = await startRefused(["--port", "0", "--logfile", name]);
      assertStringIncludes(text, "# Configured to not listen anywhere");
    }
    await Deno.mkdir(`${dir}/inner`);
    await startRefused(["--logfile", "log", "--port", "0", "--dir", dir, "--dir", "inner"]);
    assertStringIncludes(await Deno.readTextFile(`${dir}/inner/log`), "# Configured to not listen");

    // It follows `dir` afterwards, too, and a file that was moved away is begun anew.
    const child = Child.spawn(
      freePort(),
      dir,
      "--logfile",
      "log",
      "--enable-protected-configs",
      "yes",
    );
    const wire = await child.started();
    await Deno.rename(`${dir}/log`, `${dir}/log.1`);
    assertEquals(await wire.roundTrip("config set list-compress-depth 1"), "+OK\r\n");
    assertMatch(await Deno.readTextFile(`${dir}/log`), /^.* # Set, but without effect.*\n$/);
    assertEquals(await wire.roundTrip("config set dir inner list-compress-depth 2"), "+OK\r\n");
    wire.close();
    await child.stop("SIGTERM");
    assertMatch(await Deno.readTextFile(`${dir}/inner/log`), /list-compress-depth[^]*bye bye/);
  },
});
Deno.test({
  name: "an optional address may be missing on this machine, but not be another server's",
  ...options,
  fn: async () => {
    const port = freePort();
    let other: Deno.Listener;
    try {
      other = Deno.listen({ hostname: "::1", port });
    } catch {
      return; // This machine has no IPv6.
    }
    const dir = await Deno.makeTempDir();
    const { code, text } = await Child.spawn(port, dir).ended();
    other.close();
    assertEquals(code, 1, text);
    assertStringIncludes(text, `::1:${port}: bind: Address already in use`);
    const child = Child.spawn(freePort(), dir, "--bind", "127.0.0.1", "-192.0.2.1");
    (await child.ready())?.close();
    assertStringIncludes(await child.stop("SIGTERM"), "Ready to accept connections");
  },
});

/** What two servers in one directory are started with, and whether the second one starts. */
const PAIRS: [first: string[], second: string[], starts: boolean][] = [
  [["--save", ""], ["--save", ""], true],
  [["--save", "60 1"], ["--save", ""], false],
  [["--save", ""], ["--save", "60 1"], false],
  [["--save", ""], ["--save", "", "--appendonly", "yes"], false],
];

Deno.test({
  name:
    "a second server refuses the directory if either may write there, and the lock goes with the last one",
  ...options,
  fn: async () => {
    for (const [firstWords, secondWords, starts] of PAIRS) {
      const dir = await Deno.makeTempDir();
      const first = Child.spawn(freePort(), dir, ...firstWords);
      const wire = await first.started();
      const second = Child.spawn(freePort(), dir, ...secondWords);
      const other = await second.ready();
      assertEquals(other !== null, starts, `${firstWords}, ${secondWords}`);
      if (other === null) {
        assertStringIncludes((await second.ended()).text, `Another server uses ${dir}`);
      } else {
        // Neither may begin to write.
        assertMatch(
          await other.roundTrip('config set save "60 1"'),
          /^-ERR .* Another server uses /,
        );
        assertMatch(await wire.roundTrip("save"), /^-ERR/);
        other.close();
        await second.stop("SIGTERM");
        assertEquals(await wire.roundTrip("save"), "+OK\r\n");
      }
      wire.close();
      assertEquals(await exists(`${dir}/respite.lock`), true);
      await first.stop("SIGTERM");
      assertEquals(await exists(`${dir}/respite.lock`), false);
    }
  },
});
Deno.test({
  name: "deno task start downloads nothing: it works without a registry",
  ...options,
  fn: async () => {
    const port = freePort();
    const dir = await Deno.makeTempDir();
    const child = new Deno.Command(Deno.execPath(), {
      args: ["task", "start", "--port", `${port}`, "--dir", dir],
      cwd: new URL("../..", import.meta.url).pathname,
      env: { DENO_DIR: `${dir}/deno`, NPM_CONFIG_REGISTRY: "http://127.0.0.1:9" },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const output = child.output();
    let wire: Wire | null = null;
    let hasEnded = false;
    void output.then(() => (hasEnded = true));
    while (wire === null && !hasEnded) {
      wire = await Wire.connect(port).catch(() => null);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const reply = await wire?.roundTrip("ping");
    wire?.close();
    if (!hasEnded) child.kill("SIGTERM");
    const { stdout, stderr } = await output;
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assertEquals(reply, "+PONG\r\n", text);
    assertEquals(text.includes("Download"), false, text);
    assertStringIncludes(text, "bye bye");
  },
});
async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
