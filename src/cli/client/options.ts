/** The command line of `respite cli`: redis-cli's options, as a table. */
import { binaryOf, splitWords } from "../../config/words.ts";
import { type Address, parseUri } from "./address.ts";
import type { Format } from "./print_reply.ts";

/** What runs instead of a command. */
export type Mode =
  | "command"
  | "help"
  | "version"
  | "scan"
  | "big-keys"
  | "mem-keys"
  | "hot-keys"
  | "stat"
  | "latency"
  | "latency-history"
  | "latency-dist"
  | "lru-test"
  | "intrinsic-latency"
  | "replica"
  | "rdb"
  | "functions-rdb"
  | "pipe";

export interface Options {
  host: string;
  port: number;
  path: string;
  isTls: boolean;
  authorities: string[];
  certificate: string;
  key: string;
  serverName: string;
  user: string;
  /** Null: none was given. Both are binary. */
  password: string | null;
  isPasswordShown: boolean;
  asksPassword: boolean;
  warnsOfPassword: boolean;
  db: number;
  /** 0: the protocol is not chosen. */
  resp: 0 | 2 | 3;
  /** Null: raw unless standard output is a terminal. */
  format: Format | null;
  /** Between the values of a raw reply, and behind each reply; binary. */
  between: string;
  behind: string;
  isQuoted: boolean;
  /** "": standard input is no argument; "last": it is the last one; else "tag" of -X is in `tag`. */
  standardInput: "" | "last" | "tag";
  tag: string;
  repeat: number;
  intervalMs: number;
  failsOnError: boolean;
  /** Null: pushes are shown at a terminal. */
  showsPushes: boolean | null;
  script: string;
  mode: Mode;
  pattern: string;
  count: number | null;
  samples: number;
  file: string;
  pipeTimeoutSeconds: number;
  /** Keys of --lru-test, seconds of --intrinsic-latency. */
  amount: number;
  /** To be said on standard error, without ending. */
  readonly remarks: string[];
  /** The command, one word each; binary. */
  words: string[];
}

/** Ends the program: what is wrong with the command line. */
export class UsageError extends Error {}

/** A refusal of what Deno's TLS can't do. */
const CANNOT: Readonly<Record<string, string>> = {
  "--insecure": "--insecure is not supported: Deno can't skip the check of certificates for one " +
    "connection. Name the server's authority with --cacert, or start Deno itself with " +
    "--unsafely-ignore-certificate-errors.",
  "--tls-ciphers": "--tls-ciphers is not supported: Deno chooses the ciphers.",
  "--tls-ciphersuites": "--tls-ciphersuites is not supported: Deno chooses the ciphers.",
  "--ldb": "--ldb is not supported: the server has no script debugger.",
  "--ldb-sync-mode": "--ldb-sync-mode is not supported: the server has no script debugger.",
  "--cluster": "--cluster is not supported: the server has no cluster mode.",
};

type Apply = (options: Options, value: string) => void;

function mode(name: Mode): Apply {
  return (options) => {
    options.mode = name;
  };
}

/** Options without a value. */
const SWITCHES: Readonly<Record<string, Apply>> = {
  "--help": mode("help"),
  "-v": mode("version"),
  "--version": mode("version"),
  "-x": (options) => setInput(options, "last", ""),
  "-2": (options) => setProtocol(options, 2),
  "-3": (options) => setProtocol(options, 3),
  "-e": (options) => (options.failsOnError = true),
  // Redirections of a cluster: a server that is none sends none.
  "-c": () => {},
  "--verbose": () => {},
  "--raw": (options) => (options.format = "raw"),
  "--no-raw": (options) => (options.format = "standard"),
  "--csv": (options) => (options.format = "csv"),
  "--json": (options) => (options.format = "json"),
  "--quoted-json": (options) => (options.format = "quoted-json"),
  "--quoted-input": (options) => (options.isQuoted = true),
  "--no-auth-warning": (options) => (options.warnsOfPassword = false),
  "--askpass": (options) => (options.asksPassword = true),
  "--tls": (options) => (options.isTls = true),
  "--scan": mode("scan"),
  "--bigkeys": mode("big-keys"),
  "--memkeys": mode("mem-keys"),
  "--hotkeys": mode("hot-keys"),
  "--stat": mode("stat"),
  "--latency": mode("latency"),
  "--latency-history": mode("latency-history"),
  "--latency-dist": mode("latency-dist"),
  "--replica": mode("replica"),
  "--slave": mode("replica"),
  "--pipe": mode("pipe"),
};

/** Options with a value. */
const VALUED: Readonly<Record<string, Apply>> = {
  "-h": (options, value) => (options.host = value),
  "-p": (options, value) => (options.port = portOf(value)),
  "-s": (options, value) => (options.path = value),
  "-n": (options, value) => (options.db = integerOf(value)),
  "-a": setPassword,
  "--pass": setPassword,
  "--user": (options, value) => (options.user = binaryOf(value)),
  "-u": setUri,
  "-r": (options, value) => (options.repeat = integerOf(value)),
  "-i": (options, value) => (options.intervalMs = 1000 * numberOf(value)),
  "-d": (options, value) => (options.between = binaryOf(value)),
  "-D": (options, value) => (options.behind = binaryOf(value)),
  "-X": (options, value) => setInput(options, "tag", binaryOf(value)),
  "--show-pushes": setPushes,
  "--eval": (options, value) => (options.script = value),
  "--sni": (options, value) => (options.serverName = value),
  "--cacert": (options, value) => options.authorities.push(value),
  "--cacertdir": (options, value) => options.authorities.push(...filesIn(value)),
  "--cert": (options, value) => (options.certificate = value),
  "--key": (options, value) => (options.key = value),
  "--pattern": (options, value) => (options.pattern = binaryOf(value)),
  "--quoted-pattern": (options, value) => {
    options.pattern = unquoted(binaryOf(value)) ??
      fail("Invalid quoted string specified for --quoted-pattern");
  },
  "--count": (options, value) => (options.count = integerOf(value)),
  "--memkeys-samples": (options, value) => {
    options.mode = "mem-keys";
    options.samples = integerOf(value);
  },
  "--lru-test": (options, value) => setAmount(options, "lru-test", value),
  "--intrinsic-latency": (options, value) => setAmount(options, "intrinsic-latency", value),
  "--rdb": (options, value) => setFile(options, "rdb", value),
  "--functions-rdb": (options, value) => setFile(options, "functions-rdb", value),
  "--pipe-timeout": (options, value) => (options.pipeTimeoutSeconds = integerOf(value)),
};

/** Reads the arguments behind `respite cli`. `password` is that of the environment. Throws a UsageError. */
export function parseOptions(argv: readonly string[], password: string | null): Options {
  const options = defaults(password);
  let at = 0;
  for (; at < argv.length && argv[at].startsWith("-"); at++) {
    const name = argv[at];
    if (name === "--") {
      at++;
      break;
    }
    if (name in CANNOT) fail(CANNOT[name]);
    if (name in SWITCHES) SWITCHES[name](options, "");
    else if (name === "-h" && at === argv.length - 1) options.mode = "help";
    else if (name in VALUED && at + 1 < argv.length) VALUED[name](options, argv[++at]);
    else fail(`Unrecognized option or bad number of args for: '${name}'`);
  }
  options.words = argv.slice(at).map(binaryOf);
  check(options);
  return options;
}

/** What options together can't be. */
function check(options: Options): void {
  if ((options.certificate === "") !== (options.key === "")) {
    fail("--cert and --key need each other");
  }
  if (options.certificate !== "" && options.serverName !== "") {
    fail("--sni with --cert is not supported: Deno can't send a certificate there.");
  }
}

/** The address that the options name. */
export function addressOf(options: Options): Address {
  const { host, port, path, isTls, authorities, certificate, key, serverName } = options;
  return { host, port, path, tls: isTls ? { authorities, certificate, key, serverName } : null };
}

/** The word that a quoted text stands for; null if the quotes don't match. */
export function unquoted(binary: string): string | null {
  const words = splitWords(binary);
  return words?.length === 1 ? words[0] : null;
}

function defaults(password: string | null): Options {
  return {
    host: "127.0.0.1",
    port: 6379,
    path: "",
    isTls: false,
    authorities: [],
    certificate: "",
    key: "",
    serverName: "",
    user: "",
    password,
    isPasswordShown: false,
    asksPassword: false,
    warnsOfPassword: true,
    db: 0,
    resp: 0,
    format: null,
    between: "\n",
    behind: "\n",
    isQuoted: false,
    standardInput: "",
    tag: "",
    repeat: 1,
    intervalMs: 0,
    failsOnError: false,
    showsPushes: null,
    script: "",
    mode: "command",
    pattern: "",
    count: null,
    samples: 0,
    file: "",
    pipeTimeoutSeconds: 30,
    amount: 0,
    remarks: [],
    words: [],
  };
}

function setProtocol(options: Options, resp: 2 | 3): void {
  if (options.resp !== 0 && options.resp !== resp) {
    fail("Options -2 and -3 are mutually exclusive.");
  }
  options.resp = resp;
}

function setInput(options: Options, what: "last" | "tag", tag: string): void {
  if (options.standardInput !== "" && options.standardInput !== what) {
    fail("Options -x and -X are mutually exclusive.");
  }
  options.standardInput = what;
  options.tag = tag;
}

function setPassword(options: Options, value: string): void {
  options.password = binaryOf(value);
  options.isPasswordShown = true;
}

function setUri(options: Options, value: string): void {
  const uri = parseUri(value);
  if (typeof uri === "string") return fail(uri);
  if (uri.isTls) options.isTls = true;
  if (uri.user !== undefined) options.user = binaryOf(uri.user);
  if (uri.password !== undefined) setPassword(options, uri.password);
  options.host = uri.host ?? options.host;
  options.port = uri.port ?? options.port;
  options.db = uri.db ?? options.db;
}

function setPushes(options: Options, value: string): void {
  if (/^n/i.test(value)) options.showsPushes = false;
  else if (/^y/i.test(value)) options.showsPushes = true;
  else {
    options.remarks.push(
      `Unknown --show-pushes value '${value}' (valid: '[y]es', '[n]o')`,
    );
  }
}

function setAmount(options: Options, name: Mode, value: string): void {
  options.mode = name;
  options.amount = integerOf(value);
}

function setFile(options: Options, name: Mode, value: string): void {
  options.mode = name;
  options.file = value;
}

function filesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].filter((entry) => entry.isFile)
    .map((entry) => `${directory}/${entry.name}`);
}

/** The number at the beginning of a text, 0 without one, as C reads it. */
function integerOf(value: string): number {
  return Number.parseInt(value) || 0;
}

function numberOf(value: string): number {
  return Number.parseFloat(value) || 0;
}

function portOf(value: string): number {
  const port = integerOf(value);
  if (port < 0 || port > 65535) fail("Invalid server port.");
  return port;
}

function fail(message: string): never {
  throw new UsageError(message);
}
