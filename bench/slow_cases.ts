/**
 * What bench/slow_commands.ts runs: data that both servers hold, and every command that may take long on it.
 *
 * A case is a line as redis-cli reads it. `before` makes what the command is going to change, outside the
 * measurement. `N` in a line stands for the number of elements, `H` for half of it, `B` for the bytes of a string.
 */

/** How large everything is. */
export interface Sizes {
  readonly elements: number;
  readonly stringBytes: number;
}

export interface Case {
  readonly line: string;
  readonly before?: readonly string[];
}

export type Words = readonly string[];

/** Elements that one command adds. */
const BATCH = 100;

/** Everything that is loaded once: data that no case changes. */
export function* data({ elements, stringBytes }: Sizes): Iterable<Words> {
  yield ["SET", "s", text(stringBytes)];
  yield ["SET", "s2", text(stringBytes, 7)];
  yield ["SET", "near", `x${text(stringBytes)}`];
  yield ["SETRANGE", "zeros", `${stringBytes - 1}`, "\0"];
  yield ["SET", "ones", "\xff".repeat(stringBytes)];
  yield ["SET", "lcs1", text(2000, 3)];
  yield ["SET", "lcs2", text(2000, 5)];
  const member = (i: number): string => `member:${i}`;
  yield* batches("RPUSH", "l", elements, (i) => [`element:${i}`]);
  yield* batches("RPUSH", "ln", elements, (i) => [`${shuffled(i, elements)}`]);
  yield* batches("SADD", "t", elements, (i) => [member(i)]);
  yield* batches("SADD", "u", elements, (i) => [member(i + (elements >> 1))]);
  yield* batches("SADD", "ti", elements, (i) => [`${i * 3}`]);
  yield* batches("ZADD", "z", elements, (i) => [`${shuffled(i, elements)}.5`, member(i)]);
  yield* batches("ZADD", "y", elements, (i) => [`${i}`, member(i + (elements >> 1))]);
  yield* batches("ZADD", "zl", elements, (i) => ["0", member(i)]);
  yield* batches("HSET", "h", elements, (i) => [`field:${i}`, `value:${i}`]);
  yield* batches("GEOADD", "g", elements, (i) => [...place(i, elements), member(i)]);
  for (let i = 1; i <= elements; i++) yield ["XADD", "x", `${i}-1`, "name", member(i), "n", `${i}`];
  yield ["XGROUP", "CREATE", "x", "all", "0"];
  yield ["XREADGROUP", "GROUP", "all", "ann", "STREAMS", "x", ">"];
  for (const key of ["p", "q", "r"]) {
    yield* batches("PFADD", key, elements, (i) => [`${key}:${i}`]);
  }
  for (let i = 0; i < elements; i++) yield ["SET", `weight:${i}`, `${shuffled(i, elements)}`];
  yield ["SELECT", "1"];
  for (let i = 0; i < elements; i++) yield ["SET", `key:${i}`, `${i}`];
  yield ["SELECT", "0"];
}

function* batches(
  command: string,
  key: string,
  count: number,
  element: (i: number) => Words,
): Iterable<Words> {
  for (let first = 0; first < count; first += BATCH) {
    const words = [command, key];
    for (let i = first; i < Math.min(first + BATCH, count); i++) words.push(...element(i));
    yield words;
  }
}

/** Letters that do not compress to nothing, from a seed. */
function text(bytes: number, seed = 1): string {
  const parts: string[] = [];
  let state = seed;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1103515245) + 12345) | 0;
    parts.push(String.fromCharCode(97 + (state >>> 16) % 26));
  }
  return parts.join("");
}

/** A permutation of 0 to count − 1 where 7919 does not divide `count`. */
function shuffled(i: number, count: number): number {
  return (i * 7919) % count;
}

function place(i: number, count: number): Words {
  return [
    `${((i * 0.37) % 20).toFixed(5)}`,
    `${(30 + (shuffled(i, count) * 0.00021) % 20).toFixed(5)}`,
  ];
}

const copy = (from: string): Pick<Case, "before"> => ({ before: [`COPY ${from} tmp REPLACE`] });

/** As `names`, each run on its own. */
function plain(...lines: string[]): Case[] {
  return lines.map((line) => ({ line }));
}

/** Each on a copy of `from` under the key tmp. */
function onCopy(from: string, ...lines: string[]): Case[] {
  return lines.map((line) => ({ line, ...copy(from) }));
}

const strings: readonly Case[] = [
  ...plain("GET s", "STRLEN s", "GETRANGE s 1 -2", "SUBSTR s 1 -2", "MGET s s2", "GETEX s PERSIST"),
  ...plain("BITCOUNT s", "BITCOUNT s 1 -2", "BITCOUNT s 3 -3 BIT", "BITCOUNT zeros"),
  ...plain("BITPOS zeros 1", "BITPOS ones 0", "BITPOS zeros 1 1 -1", "BITPOS ones 0 3 -3 BIT"),
  ...plain("BITOP NOT tmp s", "BITOP AND tmp s s2", "BITOP OR tmp s s2", "BITOP XOR tmp s s2 ones"),
  ...plain("BITOP AND tmp s near", "BITOP NOT tmp near", "BITOP XOR tmp s lcs1"),
  ...plain("GETBIT s 100", "BITFIELD_RO s GET u8 #1000", "LCS lcs1 lcs2", "LCS lcs1 lcs2 LEN"),
  ...plain("LCS lcs1 lcs2 IDX", "DUMP s", "DUMP zeros", "OBJECT ENCODING s", "MEMORY USAGE s"),
  ...plain(
    "DEBUG DIGEST-VALUE s",
    "SETNX s x",
    "MSETNX s x",
    "INCR count",
    "INCRBYFLOAT float 1.5",
  ),
  ...plain(
    "APPEND grown x",
    "COPY s tmp REPLACE",
    "PFADD p one",
    "SETEX tmp 100 x",
    "GETSET tmp x",
  ),
  ...onCopy("s", "SETRANGE tmp 3 xyz", "SETRANGE tmp B xyz", "APPEND tmp xyz", "SETBIT tmp 7 1"),
  ...onCopy(
    "s",
    "GETDEL tmp",
    "BITFIELD tmp SET u8 #7 1",
    "RENAME tmp tmp2",
    "DEL tmp",
    "SET tmp x",
  ),
];

const lists: readonly Case[] = [
  ...plain(
    "LRANGE l 0 -1",
    "LLEN l",
    "LINDEX l H",
    "LINDEX l -1",
    "LPOS l element:H",
    "LPOS l none",
  ),
  ...plain(
    "LPOS l none RANK -1",
    "LPOS l none COUNT 0",
    "COPY l tmp REPLACE",
    "DUMP l",
    "SORT l ALPHA",
  ),
  ...plain(
    "SORT ln",
    "SORT ln DESC",
    "SORT ln LIMIT 0 10",
    "SORT ln STORE tmp",
    "SORT ln BY weight:*",
  ),
  ...plain("SORT ln BY weight:* GET weight:* GET #", "SORT ln BY nosort GET weight:* STORE tmp"),
  ...plain(
    "SORT l BY nosort",
    "SORT_RO ln ALPHA",
    "SORT l ALPHA LIMIT H 10",
    "SORT l ALPHA STORE tmp",
  ),
  ...plain("DEBUG DIGEST-VALUE l", "MEMORY USAGE l SAMPLES 0", "OBJECT ENCODING l"),
  ...onCopy("l", "LSET tmp H x", "LINSERT tmp BEFORE element:H x", "LINSERT tmp AFTER none x"),
  ...onCopy(
    "l",
    "LREM tmp 0 none",
    "LREM tmp -1 element:H",
    "LREM tmp 1 element:H",
    "LTRIM tmp 1 -2",
  ),
  ...onCopy(
    "l",
    "LTRIM tmp H -1",
    "LTRIM tmp 0 H",
    "LPOP tmp",
    "LPOP tmp N",
    "RPOP tmp H",
    "DEL tmp",
  ),
  ...onCopy(
    "l",
    "LPUSH tmp a b c",
    "RPUSH tmp a b c",
    "LPUSHX tmp a",
    "RPUSHX tmp a",
    "UNLINK tmp",
  ),
  ...onCopy("l", "LMOVE tmp tmp LEFT RIGHT", "RPOPLPUSH tmp tmp", "LMPOP 1 tmp LEFT COUNT H"),
  ...onCopy(
    "l",
    "BLPOP tmp 0",
    "BRPOP tmp 0",
    "BLMPOP 0 1 tmp RIGHT COUNT 10",
    "BLMOVE tmp tmp LEFT LEFT 0",
  ),
  ...onCopy("l", "BRPOPLPUSH tmp tmp 0", "RENAMENX tmp l"),
];

const sets: readonly Case[] = [
  ...plain(
    "SMEMBERS t",
    "SMEMBERS ti",
    "SCARD t",
    "SISMEMBER t member:H",
    "SMISMEMBER t a member:1",
  ),
  ...plain("SINTER t u", "SINTER ti ti", "SINTER t ti", "SUNION t u", "SDIFF t u", "SDIFF u t ti"),
  ...plain(
    "SINTERSTORE tmp t u",
    "SUNIONSTORE tmp t u",
    "SUNIONSTORE tmp ti",
    "SDIFFSTORE tmp t u",
  ),
  ...plain("SINTERCARD 2 t u", "SINTERCARD 2 t u LIMIT 10", "SRANDMEMBER t", "SRANDMEMBER t H"),
  ...plain(
    "SRANDMEMBER t -H",
    "SRANDMEMBER t N",
    "SSCAN t 0 COUNT N",
    "SSCAN t 0 MATCH none COUNT N",
  ),
  ...plain(
    "SORT t ALPHA",
    "SORT ti",
    "SORT ti BY nosort",
    "SORT ti STORE tmp",
    "COPY t tmp REPLACE",
  ),
  ...plain("DUMP t", "DUMP ti", "DEBUG DIGEST-VALUE t", "MEMORY USAGE t SAMPLES 0"),
  ...onCopy("t", "SADD tmp x y z", "SREM tmp member:1", "SPOP tmp", "SPOP tmp 10", "SPOP tmp H"),
  ...onCopy("t", "SPOP tmp N", "SMOVE tmp tmp2 member:7", "DEL tmp", "UNLINK tmp"),
];

const hashes: readonly Case[] = [
  ...plain(
    "HGETALL h",
    "HKEYS h",
    "HVALS h",
    "HLEN h",
    "HGET h field:H",
    "HMGET h field:1 field:2",
  ),
  ...plain("HEXISTS h field:1", "HSTRLEN h field:1", "HRANDFIELD h", "HRANDFIELD h H WITHVALUES"),
  ...plain(
    "HRANDFIELD h -H",
    "HRANDFIELD h N WITHVALUES",
    "HSCAN h 0 COUNT N",
    "HSCAN h 0 MATCH no COUNT N",
  ),
  ...plain("COPY h tmp REPLACE", "DUMP h", "DEBUG DIGEST-VALUE h", "MEMORY USAGE h SAMPLES 0"),
  ...onCopy("h", "HSET tmp a b", "HSETNX tmp a b", "HMSET tmp a b", "HDEL tmp field:1", "DEL tmp"),
  ...onCopy("h", "HINCRBY tmp new 1", "HINCRBYFLOAT tmp new 1.5", "UNLINK tmp"),
];

const sortedSets: readonly Case[] = [
  ...plain(
    "ZRANGE z 0 -1",
    "ZRANGE z 0 -1 WITHSCORES",
    "ZREVRANGE z 0 -1",
    "ZRANGEBYSCORE z -inf +inf",
  ),
  ...plain(
    "ZREVRANGEBYSCORE z +inf -inf",
    "ZRANGE z -inf +inf BYSCORE LIMIT H 10",
    "ZCOUNT z 10 H",
  ),
  ...plain("ZRANGEBYLEX zl - +", "ZREVRANGEBYLEX zl + -", "ZLEXCOUNT zl - +", "ZRANK z member:H"),
  ...plain(
    "ZREVRANK z member:H WITHSCORE",
    "ZSCORE z member:H",
    "ZMSCORE z member:1 member:2",
    "ZCARD z",
  ),
  ...plain(
    "ZRANGESTORE tmp z 0 -1",
    "ZRANGESTORE tmp z -inf +inf BYSCORE",
    "ZRANGESTORE tmp zl - + BYLEX",
  ),
  ...plain(
    "ZRANGESTORE tmp z 0 -1 REV",
    "ZUNION 2 z y WITHSCORES",
    "ZUNIONSTORE tmp 2 z y",
    "ZINTER 2 z y",
  ),
  ...plain(
    "ZUNIONSTORE tmp 2 t u WEIGHTS 2 3 AGGREGATE MAX",
    "ZINTERSTORE tmp 2 z y",
    "ZDIFF 2 z y",
  ),
  ...plain(
    "ZDIFFSTORE tmp 2 z y",
    "ZDIFFSTORE tmp 2 y t",
    "ZINTERSTORE tmp 2 z t",
    "ZINTERCARD 2 z y",
  ),
  ...plain("ZRANDMEMBER z", "ZRANDMEMBER z H WITHSCORES", "ZRANDMEMBER z -H", "ZSCAN z 0 COUNT N"),
  ...plain("ZSCAN z 0 MATCH none COUNT N", "COPY z tmp REPLACE", "DUMP z", "DEBUG DIGEST-VALUE z"),
  ...plain(
    "MEMORY USAGE z SAMPLES 0",
    "SORT z ALPHA",
    "SORT z BY nosort",
    "SORT z BY nosort DESC LIMIT H 10",
  ),
  ...onCopy("z", "ZADD tmp 1 a 2 b", "ZINCRBY tmp 1 member:1", "ZREM tmp member:1", "ZPOPMIN tmp"),
  ...onCopy(
    "z",
    "ZPOPMAX tmp H",
    "ZPOPMIN tmp N",
    "ZMPOP 1 tmp MIN COUNT H",
    "ZREMRANGEBYRANK tmp 1 -2",
  ),
  ...onCopy("z", "ZREMRANGEBYSCORE tmp -inf H", "ZREMRANGEBYRANK tmp 0 H", "DEL tmp", "UNLINK tmp"),
  ...onCopy("z", "BZPOPMIN tmp 0", "BZPOPMAX tmp 0", "BZMPOP 0 1 tmp MAX COUNT 10"),
  ...onCopy("zl", "ZREMRANGEBYLEX tmp - +", "ZREMRANGEBYLEX tmp [member:1 [member:3"),
];

const others: readonly Case[] = [
  ...plain(
    "GEOSEARCH g FROMLONLAT 10 40 BYRADIUS 5000 km ASC",
    "GEOSEARCH g FROMMEMBER member:1 BYBOX 900 900 km",
  ),
  ...plain(
    "GEOSEARCH g FROMLONLAT 10 40 BYRADIUS 500 km COUNT 10",
    "GEOPOS g member:1",
    "GEOHASH g member:1",
  ),
  ...plain(
    "GEOSEARCH g FROMLONLAT 10 40 BYRADIUS 5000 km WITHDIST WITHCOORD WITHHASH",
    "GEODIST g member:1 member:2",
  ),
  ...plain(
    "GEOSEARCHSTORE tmp g FROMLONLAT 10 40 BYRADIUS 5000 km",
    "GEORADIUS g 10 40 5000 km DESC",
  ),
  ...plain("GEOSEARCHSTORE tmp g FROMLONLAT 10 40 BYRADIUS 5000 km STOREDIST", "GEOADD tmpg 1 1 a"),
  ...plain(
    "GEORADIUSBYMEMBER g member:1 5000 km",
    "GEORADIUS_RO g 10 40 300 km",
    "GEORADIUSBYMEMBER_RO g member:1 300 km",
  ),
  ...plain(
    "XRANGE x - +",
    "XREVRANGE x + -",
    "XRANGE x H + COUNT 10",
    "XREVRANGE x H - COUNT 10",
    "XLEN x",
  ),
  ...plain(
    "XREAD STREAMS x 0",
    "XREAD COUNT 10 STREAMS x H",
    "XINFO STREAM x",
    "XINFO STREAM x FULL",
  ),
  ...plain(
    "XINFO STREAM x FULL COUNT 0",
    "XINFO GROUPS x",
    "XINFO CONSUMERS x all",
    "XPENDING x all",
  ),
  ...plain(
    "XPENDING x all - + N",
    "XPENDING x all IDLE 0 H + N ann",
    "COPY x tmp REPLACE",
    "DUMP x",
  ),
  ...plain("DEBUG DIGEST-VALUE x", "MEMORY USAGE x SAMPLES 0"),
  ...onCopy(
    "x",
    "XADD tmp N-2 a b",
    "XADD tmp MAXLEN H N-2 a b",
    "XTRIM tmp MAXLEN H",
    "XTRIM tmp MAXLEN ~ H",
  ),
  ...onCopy("x", "XTRIM tmp MINID H", "XDEL tmp H-1", "XSETID tmp N-9", "XGROUP CREATE tmp new 0"),
  ...onCopy(
    "x",
    "XREADGROUP GROUP all ann STREAMS tmp 0",
    "XACK tmp all 1-1",
    "XGROUP DESTROY tmp all",
  ),
  ...onCopy(
    "x",
    "XGROUP DELCONSUMER tmp all ann",
    "XGROUP SETID tmp all 0",
    "DEL tmp",
    "UNLINK tmp",
  ),
  ...onCopy("x", "XAUTOCLAIM tmp all bob 0 0 COUNT N", "XAUTOCLAIM tmp all bob 0 0 COUNT N JUSTID"),
  ...onCopy("x", "XCLAIM tmp all bob 0 1-1", "XGROUP CREATECONSUMER tmp all bob"),
  {
    line: "XREADGROUP GROUP new bob STREAMS tmp >",
    before: ["COPY x tmp REPLACE", "XGROUP CREATE tmp new 0"],
  },
  {
    line: "XREADGROUP GROUP new bob NOACK STREAMS tmp >",
    before: ["COPY x tmp REPLACE", "XGROUP CREATE tmp new 0"],
  },
  ...plain("PFCOUNT p", "PFCOUNT p q r", "PFMERGE tmp p q r", "PFDEBUG GETREG p"),
];

const ALL_KEYS = "SELECT 1";
const HOME = "SELECT 0";

/** Of keys and of the server. What needs another database goes there in `before` and comes back by itself. */
const keys: readonly Case[] = [
  { line: "KEYS *", before: [ALL_KEYS] },
  { line: "KEYS none*", before: [ALL_KEYS] },
  { line: "KEYS key:1", before: [ALL_KEYS] },
  { line: "SCAN 0 COUNT N", before: [ALL_KEYS] },
  { line: "SCAN 0 COUNT N MATCH none", before: [ALL_KEYS] },
  { line: "SCAN 0 COUNT N TYPE list", before: [ALL_KEYS] },
  { line: "RANDOMKEY", before: [ALL_KEYS] },
  { line: "DBSIZE", before: [ALL_KEYS] },
  { line: "FLUSHDB", before: ["SELECT 2", "SET a 1"] },
  { line: "FLUSHDB SYNC", before: ["SELECT 2", "SET a 1"] },
  { line: "FLUSHDB SYNC", before: ["SELECT 2", "DEBUG POPULATE N"] },
  { line: "FLUSHDB ASYNC", before: ["SELECT 2", "DEBUG POPULATE N"] },
  { line: "DEBUG POPULATE N", before: ["SELECT 2", "FLUSHDB"] },
  { line: "SWAPDB 0 1", before: ["SWAPDB 0 1"] },
  ...plain(
    "LATENCY HISTOGRAM",
    "LATENCY HISTOGRAM set",
    "LATENCY LATEST",
    "LATENCY DOCTOR",
    "COMMAND",
  ),
  ...plain(
    "COMMAND DOCS",
    "COMMAND LIST",
    "COMMAND COUNT",
    "COMMAND INFO",
    "INFO",
    "INFO everything",
    "MEMORY STATS",
  ),
  ...plain(
    "MEMORY DOCTOR",
    "CONFIG GET *",
    "CLIENT LIST",
    "SLOWLOG GET",
    "OBJECT FREQ none",
    "EXISTS s l z",
  ),
  ...plain(
    "TYPE z",
    "TOUCH s l z",
    "EXPIRE z 1000",
    "PERSIST z",
    "TTL z",
    "PTTL z",
    "EXPIRETIME z",
    "TIME",
  ),
  ...plain(
    "COMMAND GETKEYS MGET a b",
    "COMMAND GETKEYSANDFLAGS MGET a b",
    "LASTSAVE",
    "PING",
    "ECHO x",
  ),
  ...plain(
    "CLIENT ID",
    "CLIENT INFO",
    "CLIENT GETNAME",
    "LOLWUT",
    "CONFIG RESETSTAT",
    "LATENCY RESET",
  ),
  ...plain(
    "SLOWLOG RESET",
    "SLOWLOG LEN",
    "PEXPIRE z 100000",
    "PEXPIREAT z 99999999999999",
    "EXPIREAT z 99999999999",
  ),
  ...plain(
    "PEXPIRETIME z",
    "PERSIST z",
    "UNWATCH",
    "WATCH z",
    "OBJECT IDLETIME s",
    "OBJECT REFCOUNT s",
    "MEMORY MALLOC-STATS",
  ),
  ...plain("MEMORY PURGE", "CONFIG SET maxclients 1000", "CLIENT NO-TOUCH off"),
  { line: "MOVE tmp 3", before: ["COPY t tmp REPLACE", "SELECT 3", "FLUSHDB", HOME] },
  { line: "DEBUG DIGEST", before: [ALL_KEYS] },
  { line: "FLUSHALL", before: ["SELECT 2"] },
];

/** By group; the last empties the servers. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  strings,
  lists,
  sets,
  hashes,
  "sorted sets": sortedSets,
  others,
  keys,
};

/** Commands whose running time does not depend on the data, or that end, block or change the server. */
export const NOT_WALKED = new Set(
  ("acl asking auth bgrewriteaof bgsave client cluster config debug discard exec failover hello latency memory migrate " +
    "module monitor multi object pfselftest psync quit readonly readwrite replconf replicaof reset restore restore-asking " +
    "role save select shutdown slaveof slowlog sync xgroup xinfo command pfdebug psetex mset xsetid zquery " +
    "bf.add bf.exists bf.madd bf.mexists bf.reserve bf.info bf.card bf.insert bfadd bfexists exit decr incrby decrby msetnx " +
    "publish spublish pubsub subscribe ssubscribe psubscribe unsubscribe sunsubscribe punsubscribe " +
    "eval eval_ro evalsha evalsha_ro script fcall fcall_ro function")
    .split(" "),
);

/** The words of a line, with the sizes put in. */
export function wordsOf(line: string, { elements, stringBytes }: Sizes): Words {
  return line.split(" ").map((word) =>
    word.replace(/\bN\b/, `${elements}`).replace(/\bH\b/, `${elements >> 1}`).replace(
      /^B$/,
      `${stringBytes}`,
    )
  );
}
