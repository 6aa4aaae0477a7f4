/** Random commands on few keys, from a seed: what tests/differential/random_test.ts sends to two servers. */

/** Mulberry32: small, seeded, good enough to choose commands, and moments. */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Names stand for random words: see `Words`. A word with a bar is one of several. */
const TEMPLATES: readonly string[] = [
  // keys
  ...[
    "del K",
    "unlink K K",
    "exists K K",
    "type K",
    "rename K K",
    "renamenx K K",
    "copy K K REPLACE",
  ],
  ...["copy K K", "expire K 1000", "persist K", "ttl none", "touch K K", "object refcount none"],
  // strings
  ...["set S V", "get S", "append S V", "incr S", "setrange S I V", "getrange S I I", "strlen S"],
  ...["bitcount S", "bitcount S I I", "bitcount S I I bit|byte", "bitpos S 0|1", "bitpos S 0|1 I"],
  ...["bitpos S 0|1 I I bit|byte", "bitop and|or|xor S S S", "bitop xor S S S S", "bitop not S S"],
  // lists
  ...["lpush L V V", "rpush L V", "rpush L V V V", "lpushx L V", "rpushx L V", "lpop L", "rpop L"],
  ...[
    "lpop L N",
    "rpop L N",
    "llen L",
    "lrange L I I",
    "lrange L 0 -1",
    "lindex L I",
    "lset L I V",
  ],
  ...["linsert L before|after V V", "lrem L I V", "ltrim L I I", "ltrim L 0 20", "lpos L V"],
  ...["lpos L V rank I count N", "lpos L V maxlen N", "lmove L L left|right left|right"],
  ...[
    "rpoplpush L L",
    "lmpop 2 L L left|right count N",
    "blpop L L 0.001",
    "blmove L L left right 0.001",
  ],
  ...[
    "sort L alpha desc",
    "sort L",
    "sort L limit I N alpha",
    "sort L store L",
    "sort L alpha limit I N store L",
    "sort L by s* desc get # get s*",
    "sort L by nosort limit I N get s*",
    "sort Z by nosort desc limit I N",
    "sort Z by nosort limit I N store L",
  ],
  // sets
  ...[
    "sadd T M M M",
    "sadd T M",
    "sadd T I I",
    "srem T M M",
    "srem T M",
    "scard T",
    "sismember T M",
  ],
  ...["smismember T M M I", "smembers T", "smove T T M", "sinter T T", "sunion T T T", "sdiff T T"],
  ...["sinterstore T T T", "sunionstore T T T", "sdiffstore T T T", "sintercard 2 T T limit N"],
  ...["spop none", "srandmember none 3", "sort T alpha", "sort T by nosort store L"],
  // sorted sets
  ...["zadd Z D M D M", "zadd Z D M", "zadd Z nx|xx|gt|lt ch D M D M", "zadd Z incr D M"],
  ...["zincrby Z D M", "zrem Z M M", "zcard Z", "zscore Z M", "zmscore Z M M", "zrank Z M"],
  ...["zrevrank Z M", "zrange Z I I withscores", "zrange Z I I rev", "zrevrange Z I I"],
  ...["zrangebyscore Z D D", "zrangebyscore Z (D +inf withscores limit I N", "zcount Z D D"],
  ...[
    "zrevrangebyscore Z D D limit I N",
    "zrange Z D D byscore",
    "zrange Z D D byscore rev limit I N",
  ],
  ...["zpopmin Z", "zpopmax Z N", "zmpop 2 Z Z min|max count N", "zremrangebyrank Z I I"],
  ...["zremrangebyscore Z D D", "zrangestore Z Z I I", "zunion 2 Z Z withscores", "zinter 2 Z Z"],
  ...[
    "zdiff 2 Z Z withscores",
    "zunionstore Z 2 Z T weights 1 -1 aggregate min",
    "zinterstore Z 2 Z Z aggregate max",
  ],
  ...[
    "zdiffstore Z 2 Z Z",
    "zintercard 2 Z Z",
    "bzpopmin Z Z 0.001",

    "sort Z alpha",
  ],
  // hashes
  ...["hset H F V F V", "hset H F V", "hsetnx H F V", "hget H F", "hmget H F F", "hdel H F F"],
  ...["hexists H F", "hstrlen H F", "hlen H", "hgetall H", "hkeys H", "hvals H", "hincrby H F I"],
  ...["hincrbyfloat H F D", "hrandfield none", "hmset H F V"],
  // geo
  ...["geoadd G D D M", "geodist G M M km", "geohash G M", "geopos G M", "zrange G 0 -1"],
  ...[
    "geosearch G fromlonlat D D byradius 900 km asc",
    "geosearchstore G G frommember M byradius 1 km",
  ],
  // streams: no reply tells a time
  ...["xadd X E F V", "xadd X E F V F V", "xadd X E fixed V other V", "xadd X N-* F V"],
  ...["xadd X 9-* fixed V other V", "xadd X 9-* fixed V other V", "xadd X 9-* F V"],
  ...["xadd X nomkstream E F V", "xadd X maxlen N E F V", "xadd X minid E 9-* F V"],
  ...["xadd X maxlen ~ N limit N 9-* F V", "xlen X", "xdel X E E", "xdel X E", "xrange X - +"],
  ...["xrange X E E", "xrange X (E + count N", "xrevrange X + -", "xrevrange X E (E count N"],
  ...["xtrim X maxlen N", "xtrim X maxlen ~ N", "xtrim X minid E", "xsetid X E", "xsetid X 9-9"],
  ...["xsetid X 9-9 entriesadded W maxdeletedid E", "xgroup setid X B E entriesread W"],
  ...["xclaim X B C 0 E E force retrycount W", "xclaim X B C 0 E retrycount W justid"],
  ...["xsetid X 9-9 entriesadded 40 maxdeletedid E", "xread count N streams X X E E"],
  ...[
    "xread streams X $",
    "xread streams X E",
    "xgroup create X B E",
    "xgroup create X B $ mkstream",
  ],
  ...[
    "xgroup create X B 0 entriesread N",
    "xgroup setid X B E entriesread N",
    "xgroup destroy X B",
  ],
  ...["xgroup createconsumer X B eve", "xgroup delconsumer X B C", "xack X B E E E"],
  ...["xreadgroup group B C streams X >", "xreadgroup group B C count N streams X >"],
  ...["xreadgroup group B C count N noack streams X >", "xreadgroup group B C streams X 0"],
  ...["xreadgroup group B C count 2 streams X E", "xpending X B", "xpending X B E + 3 C"],
  ...["xclaim X B C 0 E E E", "xclaim X B C 0 E E force retrycount N", "xclaim X B C 0 E justid"],
  ...["xclaim X B C 0 E lastid E", "xautoclaim X B C 0 E count 2", "xautoclaim X B C 0 0 justid"],
  ...["xinfo groups X", "xinfo stream X"],
  // HyperLogLogs, with the bytes that they are
  ...["pfadd P M M M", "pfadd P V V", "pfcount P", "pfcount P P", "pfmerge P P P", "get P"],
  // blocks of commands
  ...["multi", "exec", "discard"],
];

const LETTERS: Record<string, string> = {
  S: "s",
  L: "l",
  T: "t",
  Z: "z",
  H: "h",
  G: "g",
  X: "x",
  P: "p",
};

/** Numbers that a double does not hold, and their neighbours. */
const WIDE: readonly string[] = [
  ...["9007199254740991", "9007199254740993", "1000000000000000000", "4294967295"],
  ...["9223372036854775806", "9223372036854775807", "9223372036854775808"],
];

/** Chooses words. */
class Words {
  constructor(readonly random: () => number) {}

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  pick(choices: readonly string[]): string {
    return choices[this.below(choices.length)];
  }

  /** What stands for a word of a template. */
  of(word: string): string {
    if (word.includes("|")) return this.pick(word.split("|"));
    if (word === "(D") return `(${this.#double()}`;
    switch (word) {
      case "V":
        return this.#value();
      case "M":
        return this.pick([
          "a",
          "b",
          "c",
          "1",
          "22",
          "-3",
          `m${this.below(150)}`,
          `${this.below(40)}`,
        ]);
      case "F":
        return `f${this.below(30)}`;
      case "D":
        return this.#double();
      case "E":
        return `${this.below(10)}-${this.below(10)}`;
      case "B":
        return this.pick(["group", "band"]);
      case "C":
        return this.pick(["ann", "bob"]);
      case "(E":
        return `(${this.below(10)}-${this.below(10)}`;
      case "N-*":
        return `${this.below(10)}-*`;
      case "I":
        return `${this.below(24) - 8}`;
      case "W":
        return this.pick(WIDE);
      case "N":
        return `${this.below(6)}`;
      case "K":
        return this.#key(this.pick(Object.keys(LETTERS)));
      default:
        return word in LETTERS ? this.#key(word) : word;
    }
  }

  /** A key of that type, now and then of another. */
  #key(letter: string): string {
    const letterOf = this.random() < 0.03 ? this.pick(Object.keys(LETTERS)) : letter;
    return `${LETTERS[letterOf]}${this.below(3)}`;
  }

  #value(): string {
    const kind = this.below(10);
    if (kind < 4) return `${this.below(100)}`;
    if (kind < 7) return this.pick(["a", "b", "hello", "3.5", "-1"]);
    return this.pick(["x", "y", "z"]).repeat([20, 63, 64, 65, 200, 3000][this.below(6)]);
  }

  /** A multiple of a half, which every server writes alike. */
  #double(): string {
    return `${(this.below(40) - 12) / 2}`;
  }
}

/** One of so many commands is followed by `expiringKey`. */
const EXPIRY_EVERY = 400;

/** Commands of which the first key is the first word after the name, by the letter that stands for that key. */
const BY_LETTER = new Map(
  Object.keys(LETTERS).map((letter) => [
    letter,
    TEMPLATES.filter((template) => template.split(" ")[1] === letter),
  ]),
);

/**
 * A key that expires while no command accesses it, and then a command that does. In between, keys are looked up in ways
 * that remove nothing; no reply depends on the exact time. Active expiry must be off.
 */
function* expiringKey(words: Words): Generator<string[]> {
  const letter = words.pick(Object.keys(LETTERS));
  const key = words.of(letter);
  yield ["discard"];
  yield ["persist", key];
  if (words.below(2) === 0) yield ["swapdb", "0", "1"];
  yield ["pexpire", key, "1"];
  yield ["strlen", "nosuch"];
  yield ["watch", key];
  yield ["debug", "sleep", "0.003"];
  yield ["unwatch"];
  const [name, , ...rest] = words.pick(BY_LETTER.get(letter) ?? []).split(" ");
  yield [name, key, ...rest.map((word) => words.of(word))];
}

/** An endless run of commands, each as its words; with `expires`, now and then a key expires unseen. */
export function* randomCommands(seed: number, expires = false): Generator<string[]> {
  const words = new Words(generator(seed));
  for (;;) {
    yield words.pick(TEMPLATES).split(" ").map((word) => words.of(word));
    if (expires && words.below(EXPIRY_EVERY) === 0) yield* expiringKey(words);
  }
}
