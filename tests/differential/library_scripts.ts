/**
 * Random scripts that use cjson, cmsgpack, bit and struct, from a seed: what tests/differential/libraries_test.ts sends to two
 * servers. Each ends in one string that shows all results, or the error, with types and order.
 */
import { generator } from "./commands.ts";

/** Shows values with their types, doubles with all digits, and tables in the order of `pairs`, which addresses as keys have not. */
const SHOW = `
local function show(v)
  local kind = type(v)
  if kind == 'number' then return string.format('%.17g', v) end
  if kind == 'string' then return string.format('%q', v) end
  if kind ~= 'table' then return kind == 'userdata' and 'null' or tostring(v) end
  local parts, hasPlaces = {}, true
  for k, item in pairs(v) do
    parts[#parts + 1] = show(k) .. '=' .. show(item)
    hasPlaces = hasPlaces and type(k) ~= 'table'
  end
  if not hasPlaces then table.sort(parts) end
  return '#' .. #v .. '{' .. table.concat(parts, ',') .. '}'
end
local function all(...)
  local parts = {}
  for i = 1, select('#', ...) do parts[i] = show((select(i, ...))) end
  return table.concat(parts, ' ')
end
`;

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  31,
  32,
  127,
  128,
  255,
  256,
  65535,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 52 + 1,
  2 ** 53,
  2 ** 53 - 1,
  2 ** 62,
  2 ** 63,
  2 ** 64,
  1e14,
  1e15,
  1e22,
  1e300,
  5e-324,
  0.1,
  0.5,
  1.5,
  2.5,
  1 / 3,
  1e-5,
  1e-4,
  12345678901234.5,
];
const LETTERS = "bBhHiIlLTfdxcs<>! 0123456789z=";
const BIT_FUNCTIONS = [
  "tobit",
  "bnot",
  "band",
  "bor",
  "bxor",
  "lshift",
  "rshift",
  "arshift",
  "rol",
  "ror",
  "bswap",
];
const JSON_PARTS = [
  ..."{}[],:\"'\\/-+.eE0123456789 \t\n\0x",
  "true",
  "false",
  "null",
  "nan",
  "inf",
  "-Infinity",
  "0x1F",
  "\\u0041",
  "\\ud83d\\ude00",
  "\\ud83d",
  "\\u12",
  "\\n",
  '"a":',
  "1e400",
  "1e-400",
  "123456789012345678901234567890",
  "0.1000000000000000055511151231257827",
  "\xff\xc3\xa9",
];

class Speaker {
  constructor(readonly random: () => number) {}

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)];
  }

  bytes(most: number): string {
    const length = this.random() < 0.1 ? this.below(most) : this.below(8);
    const span = this.one([3, 128, 256]);
    return Array.from({ length }, () => String.fromCharCode(this.below(span))).join("");
  }

  number(): number {
    const dice = this.random();
    if (dice < 0.4) return this.one(NUMBERS) * this.one([1, 1, -1]);
    if (dice < 0.6) return this.below(300) - 150;
    if (dice < 0.7) return Math.round((this.random() - 0.5) * 2 ** this.below(70));
    return (this.random() - 0.5) * 10 ** (this.below(40) - 20);
  }

  /** A value as Lua's source has it. */
  lua(depth: number): string {
    const dice = this.random();
    if (dice < 0.3 || (depth === 0 && dice < 0.6)) return luaNumber(this.number());
    if (dice < 0.6 || depth === 0) return luaString(this.bytes(300));
    if (dice < 0.7) {
      return this.one(["true", "false", "nil", "cjson.null", "1/0", "0/0", "bit.bor"]);
    }
    const count = this.below(6);
    const style = this.random();
    const entries = Array.from({ length: count }, () => {
      const value = this.lua(depth - 1);
      if (style < 0.4) return value;
      const key = style < 0.6 ? `${1 + this.below(14)}` : this.key();
      return `[${key}]=${value}`;
    });
    return `{${entries.join(",")}}`;
  }

  key(): string {
    const dice = this.random();
    if (dice < 0.6) return luaString(this.bytes(20));
    if (dice < 0.7) return this.one(["true", "false"]);
    const number = this.number();
    return luaNumber(number);
  }

  json(depth: number): string {
    const dice = this.random();
    if (dice < 0.3) return String(this.number());
    if (dice < 0.5 || depth === 0) return this.jsonString();
    if (dice < 0.6) return this.one(["true", "false", "null"]);
    const count = this.below(5);
    const space = this.one(["", "", " ", "\n\t"]);
    if (dice < 0.8) {
      return `[${Array.from({ length: count }, () => this.json(depth - 1)).join(`,${space}`)}]`;
    }
    const entries = Array.from(
      { length: count },
      () => `${this.jsonString()}${space}:${this.json(depth - 1)}`,
    );
    return `{${space}${entries.join(",")}}`;
  }

  jsonString(): string {
    const text = this.bytes(100).replaceAll(/["\\\0]/g, () => this.one(["\\n", "\\u00e9", "a"]));
    return `"${text}"`;
  }

  /** A text with a few bytes changed, left out or added. */
  mutated(text: string, parts: () => string): string {
    for (let left = this.one([0, 0, 1, 1, 2, 5]); left > 0; left--) {
      const at = this.below(text.length + 1);
      const removed = this.one([0, 0, 1, 1, 3]);
      text = text.slice(0, at) + this.one(["", parts()]) + text.slice(at + removed);
    }
    return text;
  }

  format(): string {
    return Array.from({ length: 1 + this.below(6) }, () => LETTERS[this.below(LETTERS.length)])
      .join("");
  }
}

/** A number as Lua's source has it, exactly. */
function luaNumber(value: number): string {
  return value < 0 || Object.is(value, -0) ? `(-${-value})` : `${value}`;
}

function luaString(text: string): string {
  return `'${
    text.replaceAll(/[^ -&(-[\]-~]/g, (c) => `\\${`${c.charCodeAt(0)}`.padStart(3, "0")}`)
  }'`;
}

type Template = (speaker: Speaker) => [script: string, ...argv: string[]];

const TEMPLATES: readonly Template[] = [
  (s) => [
    "local ok, v = pcall(cjson.decode, ARGV[1]) if not ok then return v end return show(v)",
    s.mutated(s.json(4), () => s.one(JSON_PARTS)),
  ],
  (s) => [
    "return all(pcall(cjson.decode, ARGV[1]))",
    Array.from({ length: s.below(8) }, () => s.one(JSON_PARTS)).join(""),
  ],
  (s) => [
    "local ok, v = pcall(cjson.decode, ARGV[1]) return all(pcall(cjson.encode, v))",
    s.json(4),
  ],
  (s) => [`return all(pcall(cjson.encode, ${s.lua(4)}))`],
  (s) => [
    `local c = cjson.new() c.encode_sparse_array(${s.below(2) === 1}, ${1 + s.below(3)}, ${
      s.below(6)
    })
    c.encode_max_depth(${1 + s.below(4)}) c.decode_max_depth(${1 + s.below(4)})
    c.encode_number_precision(${1 + s.below(14)})
    c.encode_invalid_numbers('${s.one(["on", "off", "null"])}')
    c.decode_invalid_numbers(${s.below(2) === 1})
    return all(pcall(c.encode, ${s.lua(3)})) .. all(pcall(c.decode, ARGV[1]))`,
    s.mutated(s.json(3), () => s.one(JSON_PARTS)),
  ],
  (s) => [`return all(pcall(cmsgpack.pack, ${s.lua(3)}, ${s.lua(3)}))`],
  (s) => [`return all(pcall(cmsgpack.unpack, cmsgpack.pack(${s.lua(3)}, ${s.lua(3)})))`],
  (s) => ["return all(pcall(cmsgpack.unpack, ARGV[1]))", s.bytes(40)],
  (s) => [
    "return all(pcall(cmsgpack.unpack, ARGV[1]))",
    String.fromCharCode(0x80 + s.below(0x80)) + s.bytes(10) + s.bytes(10),
  ],
  (s) => [
    `return all(pcall(cmsgpack.unpack_limit, ARGV[1], ${s.below(4) - 1}, ${s.below(8) - 1}))`,
    s.bytes(40),
  ],
  (s) => [`return all(pcall(cmsgpack.unpack_one, ARGV[1], ${s.below(8) - 1}))`, s.bytes(40)],
  (s) => [
    `return all(pcall(bit.${s.one(BIT_FUNCTIONS)}, ${luaNumber(s.number())}, ${
      luaNumber(s.number())
    }))`,
  ],
  // A second argument of -2^31 ends a redis-server before 7.2.6.
  (s) => [`return all(bit.tohex(${luaNumber(s.number())}, ${s.below(24) - 12}))`],
  (s) => [`return all(bit.tobit(${luaNumber(s.number())}))`],
  (s) => [
    `return all(pcall(struct.pack, ARGV[1], ${
      Array.from({ length: s.below(5) }, () =>
        s.random() < 0.6 ? luaNumber(s.number()) : luaString(s.bytes(40))).join(",") || "1"
    }))`,
    s.format(),
  ],
  (s) => [
    `return all(pcall(struct.unpack, ARGV[1], ARGV[2], ${1 + s.below(3)}))`,
    s.format(),
    s.bytes(60),
  ],
  (s) => ["return all(pcall(struct.unpack, ARGV[1], ARGV[2]))", s.format(), s.bytes(60)],
  (s) => ["return all(pcall(struct.size, ARGV[1]))", s.format()],
];

/** Endless EVAL commands; the characters of their words are bytes. */
export function* libraryScripts(seed: number): Generator<string[], never> {
  const speaker = new Speaker(generator(seed));
  for (;;) {
    const [script, ...argv] = speaker.one(TEMPLATES)(speaker);
    yield ["EVAL", SHOW + script, "0", ...argv];
  }
}
