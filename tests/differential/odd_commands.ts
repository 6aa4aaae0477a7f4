/**
 * Odd commands, from a seed: what tests/differential/odd_test.ts sends to two servers.
 *
 * A command is a sentence of its row's usage line (docs/USAGE.md), so a new row is tried without a line here. Then
 * something is done to it: options change places, come twice or lose their argument; a number is at a boundary or none;
 * a key is of another type or missing; a word is blank or holds a NUL.
 */
import { type Command, CommandTable, Flag } from "../../src/engine/command.ts";
import { commandGroups } from "../../src/commands/table.ts";
import { parseUsage, type UsageNode } from "../../src/protocol/usage.ts";
import { generator } from "./commands.ts";

/** Some commands that are sent at once to two empty servers. */
export interface Episode {
  readonly setUp: readonly string[][];
  readonly commands: readonly string[][];
}

/**
 * Commands that are left out: they change the server or the connection, ask another server, or tell what no two servers
 * have alike. HELP has texts of our own.
 */
const LEFT_OUT = new Set([
  ...["bf.add", "bf.madd", "bf.exists", "bf.mexists", "bf.reserve", "bf.info", "bf.card", "bfadd"],
  ...[
    "bfexists",
    "zquery",
    "auth",
    "hello",
    "memory|malloc-stats",
    "quit",
    "exit",
    "reset",
    "debug",
    "migrate",
    "sync",
    "replconf",
    "save",
  ],
  ...[
    "bgsave",
    "bgrewriteaof",
    "lastsave",
    "shutdown",
    "monitor",
    "lolwut",
    "pfselftest",
    "pfdebug",
  ],
  ...[
    "multi",
    "exec",
    "discard",
    "randomkey",
    "time",
    "slowlog|get",
    "slowlog|len",
    "client|reply",
    "client|pause",
  ],
  // They have a test of their own: some tell secrets by chance, or lock everybody out.
  ...["acl|deluser", "acl|dryrun", "acl|genpass", "acl|getuser", "acl|list", "acl|load", "acl|log"],
  ...["acl|save", "acl|setuser", "acl|users"],
  ...["client|kill", "client|tracking", "config|rewrite", "config|resetstat", "script|debug"],
  // Each of their arguments is answered.
  ...["subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe"],
]);

const OWN_KEYS: Record<string, readonly string[]> = {
  string: ["s0", "s1", "s2", "s3"],
  bitmap: ["s1", "s2", "s0"],
  list: ["l0", "l1"],
  set: ["t0", "t1", "t2"],
  "sorted-set": ["z0", "z1"],
  hash: ["h0", "h1"],
  stream: ["x0", "x1"],
  hyperloglog: ["p0", "p1"],
  geo: ["g0"],
};
const ALL_KEYS = Object.values(OWN_KEYS).flat();

const SET_UP: readonly string[] = [
  ...["set s0 10", "set s1 hello", "set s2 9223372036854775800", "set s3 3.5", "pexpireat s3 E"],
  ...["rpush l0 a b c 1 a b 3.5", "rpush l1 x", "sadd t0 1 2 3 9007199254740993", "sadd t1 a b 1"],
  ...[
    "sadd t2 only",
    "zadd z0 1 a 2 b 3 c -inf d inf e",
    "zadd z1 0 a 0 b 0 c",
    "zadd y0 1 a 1 b 1 c 1 ba",
    "hset h0 a 1 b x",
  ],
  ...["hset h1 f 9223372036854775807 g 3.5", "xadd x0 1-1 a 1", "xadd x0 2-0 a 2 b 3"],
  ...["xadd x0 18446744073709551615-5 a 1", "xgroup create x0 group 0", "xadd x1 5-5 f v"],
  ...["xreadgroup group group ann count 2 streams x0 >", "xgroup create x1 band $"],
  ...["pfadd p0 a b c", "pfadd p1 a", "geoadd g0 13.361389 38.115556 a 15.087269 37.502669 b"],
];

/** What all episodes begin with: keys of all types. */
export const ODD_DATA = SET_UP.map((line) => line.replace(" E", " 4102444800123").split(" "));

/** Directives that decide which encoding a collection has, and values for all of them. */
const LIMITS = [
  ...["list-max-listpack-size", "hash-max-listpack-entries", "zset-max-listpack-entries"],
  ...["set-max-intset-entries", "set-max-listpack-entries", "stream-node-max-entries"],
];
const LIMITS_OF_ALL = ["1", "2", "4", "100"];

const SMALL = ["0", "1", "2", "3", "5", "-1", "-2", "10", "100"];
const WIDE = [
  ...["127", "-128", "255", "256", "65536", "2147483647", "2147483648", "-2147483648"],
  ...["-2147483649", "4294967295", "4294967296", "4294967287", "536870911", "536870912"],
  ...["9007199254740991", "9007199254740993", "-9007199254740993", "4611686018427387903"],
  ...["4611686018427387904", "-4611686018427387905", "9223372036854775", "9223372036854776"],
  ...["9223372036854775806", "9223372036854775807", "9223372036854775808"],
  ...["-9223372036854775807", "-9223372036854775808", "-9223372036854775809"],
  ...["18446744073709551615", "18446744073709551616", "100000000000000000000000"],
  ...["4102444800", "4102444800000", "9223372036854775000", "-9223372036854775"],
];
const NO_NUMBER = [
  ...["", " ", " 1", "1 ", "+1", "-0", "00", "01", "nan", "inf", "-inf", "1.0", "1e3", "0x10"],
  ...["1\0", "\0", "1\0" + "2", "abc", "-", "--1", "1a", "\t1", "1\n", "1_0", "٣"],
];
const DOUBLES = [
  ...[
    "0",
    "1",
    "-1",
    "2",
    "3",
    "0.5",
    "-0.5",
    "3.25",
    "90",
    "-180",
    "85.05112878",
    "86",
    "180.1",
    "180",
    "-90",
    "200.0078125",
  ],
];
const WIDE_DOUBLES = [
  ...["inf", "-inf", "+inf", "infinity", "-Infinity", "INF", "1e400", "-1e400", "1e-400", "1e308"],
  ...["1.7976931348623157e308", "5e-324", "0x1p3", "0x", "-0", "-0.0", "9007199254740993", "1e17"],
  ...["9223372036854775807", "1e18", "1e19", "123456789012345678901234567890", ".5", "5.", "1e-7"],
];
const NO_DOUBLE = [
  ...[
    "",
    " ",
    " 1",
    "1 ",
    "+1",
    "nan",
    "-nan",
    "NAN(1)",
    "1e",
    "e1",
    ".",
    "(1",
    "((1",
    "abc",
    "1\0",
  ],
  ...["\0", "1,5", "1.2.3", "++1", "- 1", "infx", "in", "\n1", "0x1g"],
];
const BOUNDS = [
  ...["-inf", "+inf", "inf", "(1", "(2", "(-inf", "(inf", "(", "((1", "( 1", "(1 ", "(1e400"],
  ...["(nan", "(\0", "-", "+", "[a", "(a", "[", "[b", "(c", "+a", "-a", "a", "[\0", "", " ", " 1"],
  ...["1 ", "nan", "1e400", "-1e400", "0x2", "(0x2", "(+1", "1\0", "(1\0"],
];
const IDS = [
  ...["1-1", "2-0", "0-0", "0", "1", "2", "5-5", "3-3", "18446744073709551615-5"],
  ...[
    "18446744073709551615-18446744073709551615",
    "18446744073709551615",
    "3-*",
    "-",
    "+",
    "$",
    ">",
  ],
  ...["(1-1", "(2", "(-", "(+", "((1", "(", "(18446744073709551615-18446744073709551615", "(0-0"],
];
const NO_ID = [
  ...[
    "",
    " ",
    "1-",
    "-1",
    "1-1-1",
    " 1-1",
    "1-1 ",
    "1 -1",
    "1- 1",
    "+1-1",
    "1-+1",
    "01-01",
    "a",
    "1-a",
  ],
  ...[
    "18446744073709551616",
    "1-18446744073709551616",
    "1-\0",
    "\0",
    "1-1\0",
    "*-1",
    "-*",
    "1-**",
    "0x1",
  ],
  ...["1--1", "--", "++", "$$", "9223372036854775808-9223372036854775808", "1-0x1", "*a"],
];
const CURSORS = [
  ...["0", "0", "0", "0", "1", "-1", "", " ", " 0", "0 ", "+0", "-0", "00", "abc", "0\0", "\0"],
  ...["9007199254740993", "18446744073709551615", "18446744073709551616", "9223372036854775808"],
  ...["99999999999999999999", "-9223372036854775808", "-18446744073709551615", "0x1", "1.5", "\t0"],
];
const TEXTS = ["a", "b", "c", "1", "only", "f", "ann"];
const ODD_TEXTS = [
  ...[
    "",
    " ",
    "\0",
    "a\0b",
    "a b",
    "\r\n",
    "\n",
    "x\r\ny",
    "-",
    "ÿ",
    "%s",
    '"',
    "'",
    "-0",
    "nan",
    "*",
  ],
  "9223372036854775807",
];
const PATTERNS = [
  "*",
  "**",
  "",
  "?",
  "a*",
  "[",
  "[a-",
  "[^a]",
  "[a-c]*",
  "\\",
  "\\*",
  "a",
  "*\0*",
  "[]",
];
const ODD_WORDS = [
  ...[
    "COUNT",
    "LIMIT",
    "NX",
    "XX",
    "GT",
    "GET",
    "EX",
    "WITHSCORES",
    "BYSCORE",
    "BYLEX",
    "REV",
    "ASC",
  ],
  ...[
    "STORE",
    "MATCH",
    "TYPE",
    "DB",
    "RANK",
    "MAXLEN",
    "~",
    "=",
    "WEIGHTS",
    "AGGREGATE",
    "STREAMS",
  ],
  ...[
    "KEEPTTL",
    "PERSIST",
    "LEFT",
    "RIGHT",
    "MIN",
    "MAX",
    "BIT",
    "BYTE",
    "JUSTID",
    "FORCE",
    "IDLE",
  ],
];
const FILTERS = /^(?:min|max|start|stop|end)$/;

/** Says sentences of the grammars of commands, some of them wrong. */
export class Speaker {
  readonly #usages = new Map<Command, readonly UsageNode[]>();
  /** How many keys the `numkeys` before them promised. */
  #promised = 0;

  constructor(readonly random: () => number) {}

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  isLikely(chance: number): boolean {
    return this.random() < chance;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  /** One sentence of the command's grammar, and perhaps something done to it. */
  sentence(command: Command): string[] {
    const name = command.fullName.split("|");
    const words = [...name, ...this.#sequence(this.#usage(command), command)];
    if (this.isLikely(0.35)) this.#spoil(words, name.length);
    if (this.isLikely(0.08)) this.#spoil(words, name.length);
    return words;
  }

  #usage(command: Command): readonly UsageNode[] {
    let usage = this.#usages.get(command);
    if (usage === undefined) {
      usage = parseUsage(command.spec.usage);
      this.#usages.set(command, usage);
    }
    return usage;
  }

  #sequence(nodes: readonly UsageNode[], command: Command): string[] {
    const chunks = nodes.map((node) => ({ node, words: this.#node(node, command) }));
    // Options that follow one another may come in any order.
    for (let i = 1; i < chunks.length; i++) {
      const mayMove = chunks[i].node.isOptional && chunks[i - 1].node.isOptional;
      if (mayMove && this.isLikely(0.4)) [chunks[i - 1], chunks[i]] = [chunks[i], chunks[i - 1]];
    }
    return chunks.flatMap(({ words }) => words);
  }

  #node(node: UsageNode, command: Command): string[] {
    if (node.isOptional && this.isLikely(0.55)) return [];
    let count = 1;
    if (node.isMultiple) {
      const isCounted = this.#promised > 0 && hasKey(node);
      count = isCounted ? this.#promised : 1 + this.below(this.isLikely(0.2) ? 6 : 3);
      if (isCounted) this.#promised = 0;
    } else if (node.isOptional && this.isLikely(0.06)) count = 2;
    const words: string[] = [];
    for (let i = 0; i < count; i++) {
      const isNamed = node.token !== null && node.type !== "pure-token";
      if (isNamed && (i === 0 || node.isMultipleToken || !node.isMultiple)) {
        words.push(this.#cased(node.token ?? ""));
      }
      words.push(...this.#value(node, command));
    }
    return words;
  }

  #value(node: UsageNode, command: Command): string[] {
    if (node.type === "pure-token") return [this.#cased(node.token ?? "")];
    if (node.type === "oneof") {
      return this.#node({ ...this.pick(node.children), isOptional: false }, command);
    }
    if (node.type === "block") return this.#sequence(node.children, command);
    return [this.#word(node, command)];
  }

  #word(node: UsageNode, command: Command): string {
    const { name, type } = node;
    if (type === "key") return this.#key(command.group);
    if (name === "numkeys") return this.#numkeys();
    if (name === "cursor") return this.pick(CURSORS);
    if (name === "pattern" || type === "pattern") return this.pick(PATTERNS);
    if (command.group === "stream" && isId(name, type)) return this.#mixed(IDS, NO_ID, ODD_TEXTS);
    if (command.group === "sorted-set" && FILTERS.test(name)) {
      return this.isLikely(0.5) ? this.pick(BOUNDS) : this.#mixed(SMALL, WIDE, NO_NUMBER);
    }
    if (name === "group") return this.#mixed(["group", "band"], ["none"], ODD_TEXTS);
    if (name === "consumer") return this.#mixed(["ann", "bob"], ["eve"], ODD_TEXTS);
    if (name === "encoding") return this.#encoding();
    if (name === "type") {
      return this.pick(["string", "list", "LIST", "stream", "none", "", "hash\0"]);
    }
    if (type === "integer" || type === "unix-time" || /idle|time|count/.test(name)) {
      return this.#mixed(SMALL, WIDE, NO_NUMBER);
    }
    if (type === "double") return this.#mixed(DOUBLES, WIDE_DOUBLES, NO_DOUBLE);
    if (/^(?:value|field|member|element|pivot|message)/.test(name) && this.isLikely(0.2)) {
      return this.pick([...WIDE, ...NO_NUMBER, ...WIDE_DOUBLES]);
    }
    return this.#mixed(TEXTS, TEXTS, ODD_TEXTS);
  }

  #mixed(usual: readonly string[], wide: readonly string[], none: readonly string[]): string {
    const dice = this.random();
    return this.pick(dice < 0.5 ? usual : dice < 0.8 ? wide : none);
  }

  #encoding(): string {
    return this.pick([
      ...[
        "u8",
        "i8",
        "u63",
        "i64",
        "u1",
        "i1",
        "u64",
        "i65",
        "u0",
        "i0",
        "u",
        "i",
        "",
        "x8",
        "u-1",
      ],
      ...["u08", "U8", "i 8", "u8\0", "i9223372036854775808", "u16", "i5"],
    ]);
  }

  #numkeys(): string {
    if (this.isLikely(0.75)) return `${this.#promised = 1 + this.below(3)}`;
    this.#promised = 0;
    return this.#mixed(SMALL, WIDE, NO_NUMBER);
  }

  #key(group: string): string {
    const dice = this.random();
    const own = OWN_KEYS[group] ?? ALL_KEYS;
    if (dice < 0.75) return this.pick(own);
    if (dice < 0.9) return this.pick(ALL_KEYS);
    return dice < 0.96 ? this.pick(["none", "none2"]) : this.pick(["", "k\0", "a b", "*"]);
  }

  #cased(token: string): string {
    return this.isLikely(0.7) ? token : this.isLikely(0.5) ? token.toLowerCase() : odd(token);
  }

  /** Does something to the words from `first` on. */
  #spoil(words: string[], first: number): void {
    const at = first + this.below(words.length - first + 1);
    const other = first + this.below(words.length - first + 1);
    switch (this.below(9)) {
      case 0:
        words.splice(at, 1);
        break;
      case 1:
        if (at < words.length && other < words.length) {
          [words[at], words[other]] = [words[other], words[at]];
        }
        break;
      case 2:
        if (at < words.length) words.splice(other, 0, words[at]);
        break;
      case 3:
        words.push(this.pick(ODD_WORDS));
        break;
      case 4:
        words.splice(at, 0, this.pick(ODD_WORDS));
        break;
      case 5:
        if (at < words.length) words[at] = this.pick([...NO_NUMBER, ...ODD_TEXTS]);
        break;
      case 6:
        words.splice(at);
        break;
      case 7:
        words.push(...words.slice(at));
        break;
      default:
        if (at < words.length) words[at] = this.pick([...WIDE, ...NO_DOUBLE, ...BOUNDS]);
    }
  }
}

function odd(token: string): string {
  return [...token].map((char, i) => i % 2 === 0 ? char.toLowerCase() : char).join("");
}

function hasKey(node: UsageNode): boolean {
  return node.type === "key" || node.children.some(hasKey);
}

function isId(name: string, type: string): boolean {
  return type === "string" &&
    /^(?:id|start|end|lastid|last-id|max-deleted-id|threshold|new-id|lastdeliveredid|id-selector)$/
      .test(name);
}

/** The rows that are tried, of those whose full names `isTried` lets through. */
function oddRows(isTried: (name: string) => boolean): readonly Command[] {
  return new CommandTable(commandGroups).all().filter(({ fullName, subcommands }) =>
    subcommands === null && !LEFT_OUT.has(fullName) && !fullName.endsWith("|help") &&
    isTried(fullName)
  );
}

/** Whether redis-server would make a reply of more elements than there is memory for. */
function isEndless([name, , count = ""]: readonly string[]): boolean {
  return /randmember|randfield/.test(name) && Number(count) < -100_000;
}

/** Where commands take a time that runs while others are sent: in such words a small time becomes one of hours. */
const RUNNING_TIMES: Record<string, number> = {
  ...{ setex: 2, psetex: 2, expire: 2, pexpire: 2, restore: 2, xclaim: 4, xautoclaim: 4 },
};

/** The words without times so short that the two servers' speed decides what they do. */
function withoutRaces(words: string[]): string[] {
  const timeAt = RUNNING_TIMES[words[0]] ?? -1;
  return words.map((word, i) => {
    const isTime = i === timeAt || /^(?:px|ex|idle)$/i.test(words[i - 1] ?? "");
    return isTime && /^[1-9]\d{0,5}$/.test(word) ? `${word}0000000` : word;
  });
}

/**
 * What must follow a command whose effect depends on chance: its key goes. A range by name of members with different
 * scores is not defined: it is asked of a set of its own, in which all scores are equal.
 */
function settled(words: string[]): string[][] {
  const isLex = /lex/i.test(words.join(" "));
  if (isLex) return [words.map((word) => /^z[01]$/.test(word) ? "y0" : word)];
  return words[0] === "spop" ? [words, ["del", words[1] ?? "none"]] : [words];
}

/** Never one that waits: inside MULTI no command does. */
function unblocked(command: Command, words: string[]): string[][] {
  return (command.flags & Flag.blocking) === 0 ? [words] : [["multi"], words, ["exec"]];
}

/** One value for all limits of small collections. */
export function limitsOf(speaker: Speaker): string[][] {
  const limit = speaker.pick(LIMITS_OF_ALL);
  return LIMITS.map((name) => ["config", "set", name, limit]);
}

/** An endless run of episodes of some `size` commands each, of the rows whose names `isTried` lets through. */
export function* oddEpisodes(
  seed: number,
  size: number,
  isTried: (name: string) => boolean,
): Generator<Episode> {
  const speaker = new Speaker(generator(seed));
  const rows = oddRows(isTried);
  for (;;) {
    const commands: string[][] = [];
    while (commands.length < size) {
      const command = speaker.pick(rows);
      const words = withoutRaces(speaker.sentence(command));
      if (isEndless(words)) continue;
      for (const each of settled(words)) commands.push(...unblocked(command, each));
    }
    yield {
      setUp: [...limitsOf(speaker), ["hello", speaker.pick(["2", "2", "3"])], ...ODD_DATA],
      commands,
    };
  }
}
