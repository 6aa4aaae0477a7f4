/** Requests that mean harm, from a seed: sentences of all commands' grammars with arguments that nobody should send. */
import { commandGroups } from "../../src/commands/table.ts";
import { Parameters } from "../../src/config/parameters.ts";
import { CommandTable } from "../../src/engine/command.ts";
import { generator } from "../differential/commands.ts";
import { Speaker } from "../differential/odd_commands.ts";
import { Random } from "../support/random.ts";

/**
 * Commands that are left out: they connect to other servers, wait for the disk without which an episode goes on, take long, or end
 * the server.
 */
const LEFT_OUT =
  /^(?:migrate|sync|psync|shutdown|debug|config\|set|bgrewriteaof|replconf|pfselftest)$/;
/** Rows that are tried seldom, because they make others do nothing or take long. */
const SELDOM =
  /^(?:client\|pause|client\|kill|client\|reply|flushall|flushdb|auth|quit|reset|save|bgsave|acl\|.*|keys|lolwut)$/;
/** Directives that would open ports, write elsewhere, or keep all clients out. */
const UNTOUCHED =
  /^(?:port|bind|unixsocket.*|dir|dbfilename|logfile|pidfile|requirepass|appendonly|save|databases|tls-.*|maxclients|appendfsync|rdb-key-save-delay|key-load-delay|timeout)$/;

/** Neighbours of the numbers at which something ends. */
export const BOUNDARIES: readonly string[] = [7, 8, 15, 16, 31, 32, 53, 62, 63, 64].flatMap(
  (bits) => {
    const power = 2n ** BigInt(bits);
    return [power - 1n, power, power + 1n].flatMap((number) => [`${number}`, `-${number}`]);
  },
);
const WORDS: readonly string[] = [
  ...[
    "",
    "\0",
    "\0\0\0",
    "a\0b",
    "\r\n",
    "+OK\r\n",
    "nan",
    "-nan",
    "inf",
    "-inf",
    "1e308",
    "1e-320",
  ],
  ...["0x7fffffffffffffff", "1.7976931348623157e309", "\xff\xfe", "%s%n%n", "*".repeat(30)],
  ...["[".repeat(20), "a*".repeat(12) + "b", "0-0", "18446744073709551615-18446744073709551615"],
];
/** Lengths at which encodings change, and long ones. */
const LENGTHS = [63, 64, 65, 253, 254, 255, 256, 4095, 4096, 8192, 16383, 16384, 32767, 32768];
const LONG_LENGTHS = [65_535, 65_536, 70_000, 200_000, 1_048_575];
const REPEATS = [10, 100, 300, 2000];

export class Hostile {
  readonly random: Random;
  readonly #speaker: Speaker;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.#speaker = new Speaker(generator(seed ^ 0x5bd1e995));
  }

  /** The words of one request; characters stand for one byte each. */
  request(): string[] {
    const { random } = this;
    const dice = random.below(100);
    if (dice === 0) return this.#configSet();
    if (dice === 1) return this.#debug();
    if (dice < 5) {
      return random.of(["multi", "exec", "exec", "discard", "watch k s0", "unwatch"]).split(" ");
    }
    let command = random.of(ROWS);
    while (SELDOM.test(command.fullName) && !random.isLikely(0.05)) command = random.of(ROWS);
    const words = this.#speaker.sentence(command);
    if (random.isLikely(0.15)) this.#twist(words);
    return words;
  }

  /** A word that nobody should send. */
  word(): string {
    const { random } = this;
    const dice = random.below(100);
    if (dice < 45) return random.of(BOUNDARIES);
    if (dice < 80) return random.of(WORDS);
    const fill = random.of(["a", "\0", "9", "\xff", "*", " "]);
    return fill.repeat(random.of(dice < 99 || random.isLikely(0.9) ? LENGTHS : LONG_LENGTHS));
  }

  /** Does something to one argument. */
  #twist(words: string[]): void {
    const { random } = this;
    if (words.length < 2) return;
    const at = 1 + random.below(words.length - 1);
    if (!random.isLikely(0.05)) words[at] = this.word();
    else {
      const count = random.of(REPEATS);
      words.splice(at, 0, ...Array.from({ length: count }, (_, i) => `${words[at]}${i % 7}`));
    }
  }

  #configSet(): string[] {
    const { random } = this;
    const name = random.of(DIRECTIVES);
    const value = random.of([
      ...["0", "1", "-1", "2", "yes", "no", "1mb", "1gb", "100", "allkeys-lru", "KEA"],
      this.word(),
    ]);
    // So little memory that nothing runs any more is no news.
    if (name.startsWith("maxmemory") && random.isLikely(0.8)) return ["config", "get", name];
    return ["config", "set", name, value];
  }

  #debug(): string[] {
    const { random } = this;
    const key = random.of(["s0", "l0", "t0", "z0", "h0", "x0", "none"]);
    return random.of([
      ["debug", random.of(["object", "listpack", "quicklist", "sdslen", "htstats-key"]), key],
      ["debug", "digest-value", key, "none"],
      ["debug", "quicklist-packed-threshold", random.of(["0", "1", "10", "1b", this.word()])],
      ["debug", "set-active-expire", random.of(["0", "1"])],
      ["debug", "populate", random.of(["0", "10", "-1", "x"]), "p", random.of(["0", "3", "-1"])],
      ["debug", "protocol", random.of(["attrib", "push", "map", "bignum", this.word()])],
      ["debug", "htstats", random.of(["0", "15", "16", this.word()])],
      ["debug", "error", this.word().slice(0, 100)],
      ["debug", "digest"],
      random.isLikely(0.1) ? ["debug", "reload"] : ["debug", "replybuffer", "resizing", "0"],
    ]);
  }
}

const ROWS = new CommandTable(commandGroups).all().filter(({ fullName, subcommands }) =>
  subcommands === null && !LEFT_OUT.test(fullName)
);
const DIRECTIVES = new Parameters().names().filter((name) => !UNTOUCHED.test(name));
