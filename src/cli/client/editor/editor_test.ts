import { assertEquals } from "@std/assert";
import { displayWidth } from "./display_width.ts";
import { type Adviser, type Background, Editor, END, KeyReader, type Terminal } from "./editor.ts";
import { History, historyPath, mayHoldPassword } from "./history.ts";
import { KeyDecoder } from "./keys.ts";
import { layOut } from "./screen.ts";

const NOTHING: Background = { arrival: () => null, handle: () => Promise.resolve() };

const adviser: Adviser = {
  paint: (text) => [{ text, style: "" }],
  hint: (text) => text === "get" ? " key" : "",
  complete: (text) => ["GET", "GETDEL", "GETEX"].filter((name) => name.startsWith(text)),
};

/** What is typed, all at once; what is written is kept. */
class FakeTerminal implements Terminal {
  written = "";
  isRaw = false;
  readonly #parts: string[];

  constructor(readonly width: number, ...parts: string[]) {
    this.#parts = parts;
  }

  read(): Promise<Uint8Array | null> {
    const part = this.#parts.shift();
    return Promise.resolve(part === undefined ? null : new TextEncoder().encode(part));
  }

  write(text: string): void {
    this.written += text;
  }

  columns(): number {
    return this.width;
  }

  setRaw(isRaw: boolean): void {
    this.isRaw = isRaw;
  }
}

function historyOf(...lines: string[]): History {
  const history = new History(null);
  for (const line of lines) history.add(line);
  return history;
}

/** The line that comes of what is typed. */
async function typed(keys: string, ...lines: string[]): Promise<string | typeof END> {
  const editor = new Editor(
    new KeyReader(new FakeTerminal(80, keys)),
    historyOf(...lines),
    adviser,
  );
  return await editor.readLine(() => "> ", NOTHING);
}

Deno.test("the editor's keys edit as in a shell", async () => {
  const rows: [string, string][] = [
    ["get a\r", "get a"],
    ["ac\x1b[Db\r", "abc"],
    ["bc\x01a\x05d\r", "abcd"],
    ["abc\x7f\r", "ab"],
    ["abc\x1b[H\x1b[3~\r", "bc"],
    ["abc\x02\x02\x04\r", "ac"],
    ["one two\x17three\r", "one three"],
    ["one two\x01\x0bx\r", "x"],
    ["one two\x1b[D\x1b[D\x15\r", "wo"],
    ["one two\x17\x01\x19\r", "twoone "],
    ["ab\x14\r", "ba"],
    ["abc\x02\x14\r", "acb"],
    ["one two three\x1bb\x1bbx\r", "one xtwo three"],
    ["one two\x01\x1bfx\r", "onex two"],
    ["one two\x01\x1bd\r", " two"],
    ["one two\x1b\x7f\r", "one "],
    ["e\u0301a\x7f\x7fx\r", "x"],
    ["👨‍👩‍👧é\x1b[D\x7fx\r", "xé"],
    ["a\x1b[99~b\x1b[1;9Qc\r", "abc"],
    ["\x1b[200~set a 1\r\nset b\x1b[201~ 2\r", "set a 1\nset b 2"],
  ];
  for (const [keys, line] of rows) assertEquals(await typed(keys), line, JSON.stringify(keys));
});

Deno.test("the editor goes through history and keeps the line that was begun", async () => {
  const lines = ["first", "second", "third"];
  assertEquals(await typed("\x1b[A\r", ...lines), "third");
  assertEquals(await typed("\x1b[A\x10\x1b[B\r", ...lines), "third");
  assertEquals(await typed("new\x1b[A\x1b[A\x1b[B\x0e\r", ...lines), "new");
  assertEquals(await typed("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\r", ...lines), "first");
});

Deno.test("Ctrl-R finds lines that contain what is typed, from the last one back", async () => {
  const lines = ["set a 1", "get a", "set b 2", "ping"];
  assertEquals(await typed("\x12set\r", ...lines), "set b 2");
  assertEquals(await typed("\x12set\x12\r", ...lines), "set a 1");
  assertEquals(await typed("\x12set a\x05x\r", ...lines), "set a 1x");
  assertEquals(await typed("old\x12set\x07\r", ...lines), "old");
  assertEquals(await typed("\x12getx\x7f\r", ...lines), "get a");
});

Deno.test("Tab goes through completions, Escape gives back what was typed", async () => {
  assertEquals(await typed("GETD\t\r"), "GETDEL");
  assertEquals(await typed("GE\t\t\r"), "GETDEL");
  assertEquals(await typed("GE\t\x1b[Z\r"), "GETEX");
  assertEquals(await typed("nothing\t\r"), "nothing");
  const terminal = new FakeTerminal(80, "GE\t\t", "\x1b", "\r");
  const editor = new Editor(new KeyReader(terminal), historyOf(), adviser);
  assertEquals(await editor.readLine(() => "> ", NOTHING), "GE");
});

Deno.test("Ctrl-C drops a line and leaves an empty one, as Ctrl-D and the end of the input do", async () => {
  assertEquals(await typed("abc\x03ping\r"), "ping");
  assertEquals(await typed("\x03"), END);
  assertEquals(await typed("\x04"), END);
  assertEquals(await typed("abc"), END);
});

Deno.test("keys that come together serve several lines, and the terminal is raw only meanwhile", async () => {
  const terminal = new FakeTerminal(80, "one\rtwo\r");
  const editor = new Editor(new KeyReader(terminal), historyOf(), adviser);
  assertEquals(await editor.readLine(() => "> ", NOTHING), "one");
  assertEquals(terminal.isRaw, false);
  const other = new Editor(editor.keys, historyOf(), adviser);
  assertEquals(await other.readLine(() => "> ", NOTHING), "two");
});

Deno.test("a hint is shown in grey behind the line, cut where the row ends, and not after Enter", async () => {
  const wide = new FakeTerminal(80, "get", "\r");
  await new Editor(new KeyReader(wide), historyOf(), adviser).readLine(() => "> ", NOTHING);
  assertEquals(wide.written.includes("get\x1b[90m key\x1b[0m"), true);
  assertEquals(wide.written.endsWith("\r\x1b[J> get\r\x1b[5C\r\n\x1b[?2004l"), true, wide.written);
  const narrow = new FakeTerminal(8, "get", "\r");
  await new Editor(new KeyReader(narrow), historyOf(), adviser).readLine(() => "> ", NOTHING);
  assertEquals(narrow.written.includes("get\x1b[90m …\x1b[0m"), true, narrow.written);
});

Deno.test("what comes meanwhile is printed in the line's place, and the line is drawn again", async () => {
  let isCome = false;
  let release = (): void => {};
  const background: Background = {
    arrival: () => isCome ? null : Promise.resolve(),
    handle: () => {
      isCome = true;
      terminal.write("news\n");
      release();
      return Promise.resolve();
    },
  };
  const terminal = new FakeTerminal(80);
  const come = new Promise<void>((resolve) => (release = resolve));
  terminal.read = async () => {
    await come;
    return new TextEncoder().encode("a\r");
  };
  const editor = new Editor(new KeyReader(terminal), historyOf(), adviser);
  assertEquals(await editor.readLine(() => "> ", background), "a");
  assertEquals(terminal.written.includes("\r\x1b[Jnews\n\r\x1b[J> "), true, terminal.written);
});

Deno.test("KeyDecoder finds the same keys wherever the bytes are cut", () => {
  const bytes = new TextEncoder().encode("aé漢\x1b[A\x1b[1;5C\x01\x1b[200~x\r\ny\x1b[201~\x1bb\r");
  const whole = new KeyDecoder().feed(bytes);
  const join = (keys: typeof whole): string =>
    keys.map((key) => key.kind === "key" ? `<${key.name}>` : key.text).join("");
  assertEquals(join(whole), "aé漢<up><alt-f><ctrl-a>x\ny<alt-b><enter>");
  for (let cut = 1; cut < bytes.length; cut++) {
    // An ESC that comes alone is the key: terminals send a sequence at once.
    if (bytes[cut - 1] === 0x1b) continue;
    const decoder = new KeyDecoder();
    const keys = [...decoder.feed(bytes.subarray(0, cut)), ...decoder.feed(bytes.subarray(cut))];
    assertEquals(join(keys), join(whole), `cut at ${cut}`);
  }
});

Deno.test("displayWidth counts columns", () => {
  const rows: [string, number][] = [
    ["abc", 3],
    ["é", 1],
    ["e\u0301", 1],
    ["漢字", 4],
    ["한글", 4],
    ["カナ", 4],
    ["ｶﾅ", 2],
    ["（", 2],
    ["👨‍👩‍👧", 2],
    ["❤️", 2],
    ["🇩🇪", 2],
    ["─", 1],
    ["", 0],
  ];
  for (const [text, width] of rows) assertEquals(displayWidth(text), width, text);
});

Deno.test("layOut ends rows where the terminal's end, and puts the cursor behind a full row into the next", () => {
  const pieces = (text: string) => [{ text: "> ", style: "" }, { text, style: "31" }];
  assertEquals(layOut({ pieces: pieces("abcd"), cursor: 4 }, 10), {
    rows: ["> \x1b[31mabcd\x1b[0m"],
    row: 0,
    column: 4,
  });
  assertEquals(layOut({ pieces: pieces("abcdefgh"), cursor: 10 }, 5), {
    rows: ["> \x1b[31mabc", "defgh\x1b[0m", ""],
    row: 2,
    column: 0,
  });
  // A wide character does not fit in the last column.
  assertEquals(layOut({ pieces: pieces("ab漢"), cursor: 5 }, 5).rows[1], "漢\x1b[0m");
  assertEquals(layOut({ pieces: pieces("ab漢"), cursor: 4 }, 5), {
    rows: ["> \x1b[31mab", "漢\x1b[0m"],
    row: 1,
    column: 0,
  });
  assertEquals(layOut({ pieces: pieces("a\nb\x01"), cursor: 2 }, 20).rows, [
    "> \x1b[31ma⏎b^A\x1b[0m",
  ]);
});

Deno.test("history keeps no passwords, and no line twice in a row", () => {
  const history = historyOf(
    "get a",
    "get a",
    "auth secret",
    "  AUTH user secret",
    "3 auth x",
    "get b",
  );
  assertEquals(history.lines, ["get a", "get b"]);
  const secret = [
    "hello 3 auth u p",
    "acl setuser u >p",
    "config set requirepass p",
    "config set maxmemory 0 masterauth p",
    "migrate h 1 k 0 1 auth p",
  ];
  assertEquals(secret.filter((line) => !mayHoldPassword(line)), []);
  const open = ["author a", "hello 3", "acl list", "config get requirepass", "set auth 1"];
  assertEquals(open.filter(mayHoldPassword), []);
});

Deno.test("history is kept in a file that only its owner reads", () => {
  const path = Deno.makeTempFileSync();
  Deno.removeSync(path);
  const history = new History(path);
  history.load();
  history.add("get a");
  history.add("set ü 1");
  const again = new History(path);
  again.load();
  assertEquals(again.lines, ["get a", "set ü 1"]);
  if (Deno.build.os !== "windows") assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  Deno.removeSync(path);
});

Deno.test("the history file is REDISCLI_HISTFILE, or lies in the home directory", () => {
  const env = (values: Record<string, string>) => (name: string): string | null =>
    values[name] ?? null;
  assertEquals(historyPath(env({ HOME: "/home/ann" })), "/home/ann/.respite_history");
  assertEquals(historyPath(env({ HOME: "/home/ann", REDISCLI_HISTFILE: "/x" })), "/x");
  assertEquals(historyPath(env({ HOME: "/home/ann", REDISCLI_HISTFILE: "/dev/null" })), null);
  assertEquals(historyPath(env({})), null);
});
