/** MIGRATE: moves keys to another server. */
import { goAside } from "../engine/aside.ts";
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag, oneKey } from "../engine/command.ts";
import type { KeptLinks, Link } from "../engine/kept_links.ts";
import { keysAfter, type KeyVisitor } from "../engine/key_spec.ts";
import { Int64, int64ToBigInt } from "../lib/decimal.ts";
import { BufferSink } from "../persistence/byte_sink.ts";
import { PayloadWriter } from "../persistence/payload.ts";
import { type Args, argsOf } from "../protocol/args.ts";
import { errorReply, Errors } from "../protocol/errors.ts";
import { requestOf } from "../protocol/request.ts";
import { LinkError, PeerLink } from "../replication/peer_link.ts";

const TIMEOUT_DEFAULT_MS = 1000;
/** The pause of this server's clients lasts so much longer than the timeout of the link. */
const PAUSE_EXTRA_MS = 1000;

/** What the arguments ask for. */
interface Request {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly timeoutMs: number;
  copies: boolean;
  replaces: boolean;
  /** Words of the AUTH command; none without it. */
  auth: Uint8Array[];
  /** Indexes of the first key and behind the last. */
  firstKey: number;
  endOfKeys: number;
}

function readRequest(args: Args): Request {
  const timeoutMs = args.integer(5);
  const request: Request = {
    host: args.text(1),
    port: args.integer(2),
    database: args.integer(4),
    timeoutMs: timeoutMs > 0 ? timeoutMs : TIMEOUT_DEFAULT_MS,
    copies: false,
    replaces: false,
    auth: [],
    firstKey: 3,
    endOfKeys: 4,
  };
  for (let at = 6; at < args.count && args.error === null; at++) {
    const left = args.count - at - 1;
    if (args.is(at, "COPY")) request.copies = true;
    else if (args.is(at, "REPLACE")) request.replaces = true;
    else if (args.is(at, "AUTH") && left > 0) request.auth = wordsOf(args, ++at, 1);
    else if (args.is(at, "AUTH2") && left > 1) {
      request.auth = wordsOf(args, at + 1, 2);
      at += 2;
    } else if (args.is(at, "KEYS")) {
      if (args.length(3) !== 0) args.fail(Errors.migrateKeys);
      request.firstKey = at + 1;
      request.endOfKeys = args.count;
      break;
    } else args.fail(Errors.syntax);
  }
  return request;
}

function wordsOf(args: Args, first: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => args.copyOf(first + i));
}

function migrate(call: Call): void {
  const { args, reply, client, engine } = call;
  const request = readRequest(args);
  if (args.error !== null) return reply.error(args.error);
  if (engine.blocking.denied > 0) return reply.error(Errors.migrateInMulti);
  const keys = presentKeys(call, request);
  if (keys.length === 0) return reply.simple("NOKEY");
  const requests = keys.map((key) => restoreRequest(call, key, request));
  call.rewriteToNothing();
  goAside(engine, client, request.timeoutMs + PAUSE_EXTRA_MS, async () => {
    const outcome = await transfer(request, requests, engine.keptLinks);
    return () => finish(call, request, keys, outcome);
  });
}

/** The keys that are there, each as arguments of its own. */
function presentKeys({ args, db }: Call, { firstKey, endOfKeys }: Request): Args[] {
  const keys: Args[] = [];
  for (let i = firstKey; i < endOfKeys; i++) {
    if (db.read(args, i) !== 0) keys.push(argsOf(args.copyOf(i)));
  }
  return keys;
}

// scratch: lives for one call
const deadline = new Int64();

/** RESTORE of one key. */
function restoreRequest({ db, nowMs }: Call, key: Args, { replaces }: Request): Uint8Array {
  const { entries } = db.keyspace;
  const ref = db.find(key, 0);
  let ttl = 0n;
  if (db.deadlines.read(ref, deadline)) {
    ttl = int64ToBigInt(deadline) - BigInt(nowMs);
    if (ttl < 1n) ttl = 1n;
  }
  const payload = new BufferSink();
  entries.open(ref);
  new PayloadWriter(payload, PAYLOAD_VERSION, true, Infinity).write(entries);
  const words = [
    "RESTORE",
    key.bytesOf(0).subarray(key.start(0), key.end(0)),
    String(ttl),
    payload.bytes.subarray(0, payload.at),
  ];
  return requestOf(replaces ? [...words, "REPLACE"] : words);
}

/** Every server since Redis 7.0 reads it. */
const PAYLOAD_VERSION = 10;

/** The keys that the other server has taken over, and its first error. */
interface Outcome {
  readonly taken: readonly boolean[];
  readonly failure: string | null;
}

async function transfer(
  request: Request,
  requests: readonly Uint8Array[],
  links: KeptLinks,
): Promise<Outcome> {
  const { host, port, timeoutMs } = request;
  const name = `${host}:${port}`;
  let link = links.get(name);
  const wasKept = link !== undefined;
  try {
    link ??= await PeerLink.connect(host, port, timeoutMs);
  } catch {
    return { taken: [], failure: "IOERR error or timeout connecting to the client" };
  }
  links.set(name, link);
  link.lastUsedMs = Date.now();
  const taken: boolean[] = [];
  try {
    return await exchange(link, request, requests, taken);
  } catch (error) {
    link.close();
    links.delete(name);
    if (!(error instanceof LinkError)) throw error;
    // The other server may have closed the kept link meanwhile: try once more with a new one.
    if (wasKept && taken.length === 0) return await transfer(request, requests, links);
    return { taken, failure: "IOERR error or timeout reading to target instance" };
  }
}

async function exchange(
  link: Link,
  { database, auth, timeoutMs }: Request,
  requests: readonly Uint8Array[],
  taken: boolean[],
): Promise<Outcome> {
  let failure: string | null = null;
  const note = (line: string): boolean => {
    if (line.startsWith("-")) {
      failure ??= `ERR Target instance replied with error: ${line.slice(1)}`;
    }
    return !line.startsWith("-");
  };
  const before: Uint8Array[] = [];
  if (auth.length > 0) before.push(requestOf(["AUTH", ...auth]));
  if (link.database !== database) {
    before.push(requestOf(["SELECT", String(database)]));
  }
  for (const bytes of [...before, ...requests]) await link.send(bytes, timeoutMs);
  let isSelected = true;
  for (let i = 0; i < before.length; i++) isSelected = note(await link.readLine(timeoutMs));
  link.database = isSelected ? database : -1;
  for (let i = 0; i < requests.length; i++) {
    // If SELECT has failed, the key went to another database: it does not count as taken over.
    const isTaken = note(await link.readLine(timeoutMs));
    taken.push(isTaken && isSelected);
  }
  return { taken, failure };
}

/** Removes what the other server has now, and answers. */
function finish(call: Call, request: Request, keys: readonly Args[], outcome: Outcome): void {
  const { reply, db, engine } = call;
  const gone = keys.filter((_, i) => outcome.taken[i] === true);
  if (!request.copies && gone.length > 0) {
    for (const key of gone) db.remove(key, 0);
    const stream = call.rewrite(1 + gone.length)?.word("DEL");
    for (const key of gone) stream?.argument(key, 0);
  }
  if (outcome.failure === null) return reply.ok();
  const error = errorReply(outcome.failure);
  engine.counters.countError(error);
  reply.error(error);
}

/** Visits the key, or those behind KEYS if it is empty. There is no telling if both are given. */
function migrateKeys(args: Args, visitor: KeyVisitor): void {
  for (let at = 6; at + 1 < args.count; at++) {
    if (args.is(at, "AUTH")) at++;
    else if (args.is(at, "AUTH2")) at += 2;
    else if (args.is(at, "KEYS")) {
      if (args.length(3) !== 0) return;
      for (let i = at + 1; i < args.count; i++) visitor(i, MIGRATED_KEY);
      return;
    }
  }
  visitor(3, MIGRATED_KEY);
}

const MIGRATED_KEY = oneKey("RW access delete", 3);

/** Rows of the table: see engine/command.ts. */
export const migrateCommands: readonly CommandSpec[] = [
  {
    name: "migrate",
    usage:
      "host port:integer key-selector=(key | empty-string='') destination-db:integer timeout:integer [COPY]@3.0.0 [REPLACE]@3.0.0 [authentication=(AUTH auth<password>@4.0.7 | AUTH2 auth2=(username password)@6.0.0)] [KEYS {keys:key<key>}*]@3.0.6",
    summary: "Moves keys to another server.",
    since: "2.6.0",
    complexity: "Depends on the subcommand",
    flags: Flag.write,
    keys: [
      MIGRATED_KEY,
      keysAfter("RW access delete incomplete", "KEYS", -2, { last: -1 }),
    ],
    acl: ["dangerous"],
    tips: ["nondeterministic_output"],
    history: [
      ["3.0.0", "COPY and REPLACE."],
      ["3.0.6", "KEYS."],
      ["4.0.7", "AUTH."],
      ["6.0.0", "AUTH2."],
    ],
    keysOf: migrateKeys,
    run: migrate,
  },
];
