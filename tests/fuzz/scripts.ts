/** Scripts and libraries of functions that mean harm. None of them loops: nothing stops a script but its client. */
import { binaryBytes, binaryText } from "../../src/protocol/args.ts";
import { signed } from "../support/payload.ts";
import type { Hostile } from "./hostile.ts";

/** What scripts do with their arguments. */
const SOURCES: readonly string[] = [
  "return redis.call(unpack(ARGV))",
  "return {redis.pcall(unpack(ARGV))}",
  "local r = redis.pcall(unpack(ARGV)) return {type(r), r}",
  "redis.setresp(3) return redis.pcall(unpack(ARGV))",
  "redis.pcall('multi') return redis.pcall(unpack(ARGV))",
  "return cjson.decode(ARGV[1])",
  "return cjson.encode(cjson.decode(ARGV[1]))",
  "return cjson.encode({ARGV, tonumber(ARGV[1]), [ARGV[1]] = ARGV[2]})",
  "return {cmsgpack.unpack(ARGV[1])}",
  "return cmsgpack.pack(ARGV[1], tonumber(ARGV[2]), ARGV, {[ARGV[1]] = ARGV})",
  "return {cmsgpack.unpack_limit(ARGV[1], tonumber(ARGV[2]) or 1, tonumber(ARGV[3]) or 0)}",
  "return {cmsgpack.unpack_one(ARGV[1], tonumber(ARGV[2]) or 0)}",
  "return {struct.unpack(ARGV[1], ARGV[2], tonumber(ARGV[3]))}",
  "return struct.pack(ARGV[1], ARGV[2], tonumber(ARGV[3]) or ARGV[3])",
  "return struct.size(ARGV[1])",
  "return bit.band(tonumber(ARGV[1]), tonumber(ARGV[2]) or 1)",
  "return bit.tohex(tonumber(ARGV[1]) or 1, tonumber(ARGV[2]) or 8)",
  "return {bit.lshift(tonumber(ARGV[1]) or 1, tonumber(ARGV[2]) or 99), bit.arshift(-1, 64)}",
  "return {double = tonumber(ARGV[1])}",
  "return {map = {[ARGV[1]] = ARGV}, set = {1}}",
  "return {ok = ARGV[1]}",
  "return {err = ARGV[1]}",
  "return redis.error_reply(ARGV[1])",
  "return redis.status_reply(ARGV[1])",
  "return redis.sha1hex(ARGV[1])",
  "local t = {} t[1] = t return t",
  "local t = {} t.t = t return cjson.encode(t)",
  "local t = {} t.t = t return cmsgpack.pack(t)",
  "error(ARGV[1])",
  "error({err = ARGV[1]})",
  "error(ARGV)",
  "return tostring(ARGV[1]):sub(tonumber(ARGV[2]) or 1, tonumber(ARGV[3]) or -1)",
  "return string.format(ARGV[1], ARGV[2], tonumber(ARGV[3]))",
  "return {string.byte(ARGV[1], 1, -1)}",
  "return {unpack(ARGV, tonumber(ARGV[1]), tonumber(ARGV[2]))}",
  "return table.concat(ARGV, ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]))",
  "return loadstring(ARGV[1])",
  "return {loadstring(ARGV[1])()}",
  "return setmetatable({}, {__index = function(t, k) return k end})",
  "return {pcall(redis.call, unpack(ARGV))}",
  "return redis.log(tonumber(ARGV[1]), ARGV[2])",
  "redis.set_repl(redis.REPL_ALL) return redis.call('set', 'k', ARGV[2])",
  "return redis.breakpoint()",
  "rawset(_G, ARGV[1], ARGV[2])",
  "return getmetatable('').__index[ARGV[1]]",
  "return {KEYS[1], KEYS[0], KEYS[99], ARGV[-1], #KEYS, #ARGV}",
  "#!lua flags=no-writes\nreturn redis.call(unpack(ARGV))",
  "#!lua flags=allow-stale,no-cluster,what\nreturn 1",
  "#!js\nreturn 1",
];
const LIBRARIES: readonly string[] = [
  "#!lua name=l\nredis.register_function('f', function(keys, args) return redis.call(unpack(args)) end)",
  "#!lua name=l\nredis.register_function{function_name='f', callback=function(k, a) return a end, flags={'no-writes'}}",
  "#!lua name=m\nlocal t = {} redis.register_function('g', function(k, a) t[a[1]] = a[2] return t end)",
  "#!lua name=l\nredis.call('set', 'k', 'v')",
  "#!lua name=\nreturn 1",
  "#!lua name=l engine=x\nreturn 1",
  "#!lua name=l\nredis.register_function(1, 2)",
  "name=l\nreturn 1",
];
const TEXTS: readonly string[] = [
  ...[
    '{"a":[1,2,{"b":null}]}',
    "[1e999]",
    '"\\ud800"',
    '{"a":',
    "[[[[[[",
    "\x81\xa1a\x93\x01\x02\x03",
  ],
  ...[
    "\xdd\xff\xff\xff\xff",
    "\xdf\xff\xff\xff\xff",
    "\xc6\xff\xff\xff\xff",
    "\xd9\xff",
    "\xc1",
    "\x9f",
  ],
  ...[
    ">I4s0",
    "i17",
    "!16 d",
    "<b>h=l!d",
    "c0",
    "s",
    "c2147483648",
    "i1i2i3i4i5i6i7i8",
    "x".repeat(300),
  ],
  ...[
    "%d %s",
    "%99999999d",
    "%q",
    "%s%s%s%s",
    "%c",
    "%5.3f",
    "return 1",
    "return (",
    "\x1bLua",
    "}",
  ],
];

/** The words of one request. */
export function scriptRequest(hostile: Hostile): string[] {
  const { random } = hostile;
  const dice = random.below(20);
  if (dice === 0) return ["function", "load", ...maybeReplace(hostile), source(hostile, LIBRARIES)];
  if (dice === 1) {
    return [random.of(["fcall", "fcall_ro"]), random.of(["f", "g", "h"]), ...tail(hostile)];
  }
  if (dice === 2) return ["script", "load", source(hostile, SOURCES)];
  if (dice === 3) {
    return random.of([
      ["function", "restore", hostile.word()],
      ["function", "restore", libraryPayload(hostile), random.of(["replace", "append", "flush"])],
      ["function", "dump"],
      ["function", "list", "withcode"],
      ["function", "delete", random.of(["l", "m"])],
      ["function", "flush", random.of(["sync", "async", "x"])],
      ["script", "flush", random.of(["sync", "async"])],
      ["script", "exists", hostile.word()],
      ["evalsha", hostile.word(), "0"],
      ["function", "stats"],
    ]);
  }
  return [random.of(["eval", "eval", "eval_ro"]), source(hostile, SOURCES), ...tail(hostile)];
}

/** What FUNCTION DUMP gives, or nearly that, with the right checksum. */
function libraryPayload(hostile: Hostile): string {
  const code = source(hostile, LIBRARIES);
  const size = code.length < 64 ? [code.length] : [0x40 | (code.length >> 8), code.length & 255];
  const text = mutated(String.fromCharCode(FUNCTION2, ...size) + code, hostile);
  const payload = signed(binaryBytes(`${text}\x0a\0${"\0".repeat(8)}`));
  return binaryText(payload, 0, payload.length);
}

/** What a library begins with, in payloads and files. */
const FUNCTION2 = 245;

function maybeReplace({ random }: Hostile): string[] {
  return random.isLikely(0.7) ? ["replace"] : [];
}

/** The number of keys, keys and arguments. */
function tail(hostile: Hostile): string[] {
  const { random } = hostile;
  const count = random.isLikely(0.9) ? `${random.below(3)}` : hostile.word();
  const keys = Array.from(
    { length: Number(count) < 3 ? Number(count) : 1 },
    () => random.of(["s0", "l0"]),
  );
  const words = random.isLikely(0.5) ? hostile.request() : Array.from(
    { length: random.below(4) },
    () => random.isLikely(0.6) ? mutated(random.of(TEXTS), hostile) : hostile.word(),
  );
  return [count, ...keys, ...words];
}

function source(hostile: Hostile, sources: readonly string[]): string {
  const { random } = hostile;
  const text = random.of(sources);
  return random.isLikely(0.85) ? text : mutated(text, hostile);
}

function mutated(text: string, { random }: Hostile): string {
  if (random.isLikely(0.5)) return text;
  const at = random.below(text.length + 1);
  const byte = String.fromCharCode(random.below(256));
  return random.of([
    text.slice(0, at) + byte + text.slice(at),
    text.slice(0, at) + byte + text.slice(at + 1),
    text.slice(0, at),
    text.slice(at),
    text + text,
  ]);
}
