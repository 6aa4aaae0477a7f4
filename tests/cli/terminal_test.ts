/** The client in a real terminal, which tmux is: what a person types and sees. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { freePort, startRespite } from "../support/live.ts";
import { pause } from "../support/waiting.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const WAIT_MS = 20_000;
const LOOK_EVERY_MS = 50;

const hasTmux = await isThere("tmux");
const skips = hasTmux ? "" : " (skipped: tmux is not installed)";

async function isThere(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["-V"], stdout: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** A terminal of its own, which runs one program. */
class Tmux {
  readonly #socket = `respite-${freePort()}-${Deno.pid}`;

  constructor(readonly columns: number) {}

  async start(command: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const words = ["env", "-u", "NO_COLOR", ...variables, ...command];
    const script = `${words.map((word) => `'${word}'`).join(" ")}; echo ended with $?; sleep 60`;
    await this.#run("new-session", "-d", "-x", `${this.columns}`, "-y", "50", script);
  }

  /** Presses keys: names as tmux has them, and texts. */
  async press(...keys: string[]): Promise<void> {
    await this.#run("send-keys", ...keys);
  }

  /** What is on the screen, with colours if `isStyled`. */
  async screen(isStyled = false): Promise<string> {
    const text = await this.#run("capture-pane", "-p", ...isStyled ? ["-e"] : []);
    return text.trimEnd();
  }

  /** Waits until the screen shows what it is to show. */
  async shows(test: (screen: string) => boolean, isStyled = false): Promise<string> {
    const end = Date.now() + WAIT_MS;
    for (;;) {
      const screen = await this.screen(isStyled);
      if (test(screen)) return screen;
      if (Date.now() > end) throw new Error(`The screen shows:\n${screen}`);
      await pause(LOOK_EVERY_MS);
    }
  }

  async stop(): Promise<void> {
    await this.#run("kill-server");
  }

  async #run(...args: string[]): Promise<string> {
    const { stdout } = await new Deno.Command("tmux", { args: ["-L", this.#socket, ...args] })
      .output();
    return new TextDecoder().decode(stdout);
  }
}

function clientCommand(...args: string[]): string[] {
  const deno = [Deno.execPath(), "run", "--config", CONFIG, "--no-prompt", "--allow-net"];
  return [...deno, "--allow-read", "--allow-write", "--allow-env", MAIN, "cli", ...args];
}

Deno.test({
  name:
    `a person types commands, sees hints and colours, and finds them again in the history${skips}`,
  ignore: !hasTmux,
  fn: async () => {
    const server = startRespite();
    const home = await Deno.makeTempDir();
    const terminal = new Tmux(60);
    const prompt = `127.0.0.1:${server.port}> `;
    try {
      await terminal.start(clientCommand("-p", `${server.port}`), { HOME: home });
      await terminal.shows((screen) => screen === prompt.trimEnd());
      await terminal.press("set", "Space", "greeting");
      const hint = await terminal.shows((screen) => screen.includes("value"), true);
      assertStringIncludes(hint, "\x1b[1m\x1b[36mset");
      assertStringIncludes(hint, "\x1b[90m value [NX|XX]");
      await terminal.press("Space", "hello", "Enter");
      await terminal.shows((screen) => screen.endsWith(`OK\n${prompt.trimEnd()}`));
      await terminal.press("GETD", "Tab", "Space", "gr", "Tab", "Enter");
      await terminal.shows((screen) => screen.includes(`GETDEL greeting\n"hello"`));
      await terminal.press("select 2", "Enter", "multi", "Enter");
      await terminal.shows((screen) => screen.endsWith(`127.0.0.1:${server.port}[2](TX)>`));
      await terminal.press("discard", "Enter", "clear", "Enter");
      await terminal.shows((screen) => screen === `127.0.0.1:${server.port}[2]>`);
      // A line that is longer than the terminal is wide wraps, and shrinks again.
      await terminal.press("echo ", "x".repeat(100));
      await terminal.shows((screen) => screen.split("\n").length === 3);
      await terminal.press("C-u", "echo 漢字", "Left", "-", "Enter");
      await terminal.shows((screen) => screen.includes('"\\xe6\\xbc\\xa2-\\xe5\\xad\\x97"'));
      await terminal.press("C-r", "greet", "Enter");
      await terminal.shows((screen) => screen.includes("GETDEL greeting\n(nil)"));
      await terminal.press("auth secret", "Enter", "C-d");
      await terminal.shows((screen) => screen.endsWith("ended with 0"));
      const kept = await Deno.readTextFile(`${home}/.respite_history`);
      assertStringIncludes(kept, "set greeting hello\n");
      assertEquals(kept.includes("secret"), false);
    } finally {
      await terminal.stop();
      await server.stop();
      await Deno.remove(home, { recursive: true });
    }
  },
});

Deno.test({
  name:
    `messages come while nobody types, keys lead to the prompt, and a lost server is seen${skips}`,
  ignore: !hasTmux,
  fn: async () => {
    let server = startRespite();
    const port = `${server.port}`;
    const terminal = new Tmux(100);
    try {
      await terminal.start(clientCommand("-p", port), { REDISCLI_HISTFILE: "/dev/null" });
      await terminal.shows((screen) => screen.endsWith(`127.0.0.1:${port}>`));
      await terminal.press("subscribe news", "Enter");
      await terminal.shows((screen) => screen.includes("Reading messages..."));
      const other = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      await other.write(new TextEncoder().encode("PUBLISH news today\r\n"));
      await terminal.shows((screen) => screen.includes('3) "today"'));
      await terminal.press("p");
      await terminal.shows((screen) => screen.endsWith("(subscribed mode)> p"));
      await terminal.press("C-c");
      await terminal.press("unsubscribe", "Enter");
      await terminal.shows((screen) => screen.endsWith(`127.0.0.1:${port}>`));
      await terminal.press("monitor", "Enter");
      await terminal.shows((screen) => screen.endsWith("monitor\nOK"));
      await other.write(new TextEncoder().encode("PING seen\r\n"));
      await terminal.shows((screen) => screen.includes('"PING" "seen"'));
      other.close();
      await terminal.press("C-c");
      await terminal.shows((screen) => screen.endsWith(`127.0.0.1:${port}>`));
      await server.stop();
      await terminal.shows((screen) => screen.endsWith("not connected>"));
      await terminal.press("ping", "Enter");
      await terminal.shows((screen) => screen.includes("Could not connect to Redis"));
      server = startRespite({ port });
      await terminal.press("ping", "Enter");
      await terminal.shows((screen) => screen.includes(`PONG\n127.0.0.1:${port}>`));
    } finally {
      await terminal.stop();
      await server.stop();
    }
  },
});

Deno.test({
  name: `a command that harms others is asked about where the server is not local${skips}`,
  ignore: !hasTmux,
  fn: async () => {
    const server = startRespite({ bind: "*", "protected-mode": "no" });
    const terminal = new Tmux(100);
    // 0.0.0.0 is this machine under a name that does not say so.
    const args = ["-h", "0.0.0.0", "-p", `${server.port}`];
    try {
      await terminal.start(clientCommand(...args), { REDISCLI_HISTFILE: "/dev/null" });
      await terminal.shows((screen) => screen.endsWith(`0.0.0.0:${server.port}>`));
      await terminal.press("set k v", "Enter", "flushall", "Enter");
      await terminal.shows((screen) => screen.endsWith(`Run it on 0.0.0.0:${server.port}? [y/N]`));
      await terminal.press("n", "Enter", "dbsize", "Enter");
      await terminal.shows((screen) => screen.includes("(integer) 1"));
      await terminal.press("flushall", "Enter");
      await terminal.shows((screen) => /\[y\/N\]$/.test(screen));
      await terminal.press("y", "Enter", "dbsize", "Enter");
      await terminal.shows((screen) => screen.includes("(integer) 0"));
    } finally {
      await terminal.stop();
      await server.stop();
    }
  },
});
