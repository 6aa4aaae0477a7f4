/** What a connection may be sent: requests as RESP and as lines, of which parts are damaged, and what is no request. */
import { quoteWord } from "../../src/config/words.ts";
import { requestOf } from "../support/requests.ts";
import type { Random } from "../support/random.ts";
import { BOUNDARIES, type Hostile } from "./hostile.ts";

const MARKS = "*$+-:_,#!=(%~>|.@`\r\n \0\"'\\";
/** Pieces of RESP3 that no request has, and ends that are not. */
const PIECES: readonly string[] = [
  ...["|1\r\n+ttl\r\n:3600\r\n", "%1\r\n$1\r\na\r\n:1\r\n", "~2\r\n:1\r\n:2\r\n", ">1\r\n+x\r\n"],
  ...["_\r\n", "#t\r\n", ",nan\r\n", "(3492890328409238509324850943850943825024385\r\n"],
  ...[
    "!21\r\nSYNTAX invalid syntax\r\n",
    "=15\r\ntxt:Some string\r\n",
    "$?\r\n;4\r\nHell\r\n;0\r\n",
  ],
  ...[
    "*?\r\n:1\r\n.\r\n",
    "*0\r\n",
    "*-1\r\n",
    "$-1\r\n",
    "*1\r\n$-1\r\n",
    "\r\n",
    "\n",
    "\r",
    "\0",
  ],
  ...[
    "*1\r\n$0\r\n\r\n",
    "*2\r\n$3\r\nGET\r\n*1\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST x\r\n",
  ],
  ...[
    'set "a b" "\\x00\\xff\\n"\r\n',
    "set 'a\\'b' c\r\n",
    'set "a\r\n',
    "set 'a' 'b'c\r\n",
    "ping\n",
  ],
  ...[
    "*1\r\n$4\r\nPINGxx",
    "*1\r\n$4\r\nPING\n\n",
    "*01\r\n$04\r\nPING\r\n",
    "*+1\r\n$+4\r\nPING\r\n",
  ],
];
/** Lengths that are announced, and what of it never comes. */
const ANNOUNCED: readonly string[] = [
  ...BOUNDARIES,
  ...[
    "1048576",
    "1048577",
    "536870912",
    "536870913",
    "65536",
    "100000",
    "1e3",
    "0x10",
    "",
    " 1",
    "1 ",
  ],
  ...["9".repeat(30), "9".repeat(70_000), "1024", "1000000"],
];

/** Bytes, as characters, of one connection. */
export function streamOf(hostile: Hostile): string {
  const { random } = hostile;
  let stream = "";
  for (let left = 1 + random.below(4); left > 0; left--) stream += piece(hostile);
  for (let left = random.below(3); left > 0; left--) stream = damaged(stream, random);
  return random.isLikely(0.3) ? stream.slice(0, random.below(stream.length + 1)) : stream;
}

function piece(hostile: Hostile): string {
  const { random } = hostile;
  const dice = random.below(10);
  if (dice < 5) return requestOf(hostile.request());
  if (dice === 5) return `${hostile.request().map(written).join(" ")}\r\n`;
  if (dice === 6) return random.of(PIECES);
  if (dice === 7) return announced(random);
  if (dice === 8) return hostile.word() + random.of(["", "\r\n", "\n"]);
  return noise(random);
}

/** As people write it: in quotes where it needs them. */
function written(word: string): string {
  return /^[a-z0-9|:*.-]+$/i.test(word) ? word : quoteWord(word);
}

/** A request with a length that is not true. */
function announced(random: Random): string {
  const number = random.of(ANNOUNCED);
  return random.of([
    `*${number}\r\n`,
    `*${number}\r\n$3\r\nget\r\n`,
    `*2\r\n$3\r\nget\r\n$${number}\r\nabc`,
    `*3\r\n$3\r\nset\r\n$1\r\nk\r\n$${number}\r\n${"v".repeat(random.below(100))}`,
    `*2\r\n$${number}\r\n`,
    `*${number}`,
    `*1\r\n$${number}`,
  ]);
}

function noise(random: Random): string {
  let text = "";
  for (let left = random.below(40); left > 0; left--) {
    text += random.isLikely(0.5)
      ? MARKS[random.below(MARKS.length)]
      : String.fromCharCode(random.below(256));
  }
  return text;
}

function damaged(stream: string, random: Random): string {
  const at = random.below(stream.length + 1);
  const end = at + random.below(5);
  switch (random.below(6)) {
    case 0:
      return stream.slice(0, at) + stream.slice(end);
    case 1:
      return stream.slice(0, at) + MARKS[random.below(MARKS.length)] + stream.slice(at);
    case 2:
      return stream.slice(0, at) + String.fromCharCode(random.below(256)) + stream.slice(at + 1);
    case 3:
      return stream.slice(0, end) + stream.slice(at);
    case 4:
      return stream.replace(/([*$])(\d+)\r/, (_, mark) => `${mark}${random.of(ANNOUNCED)}\r`);
    default:
      return stream.slice(0, at) + noise(random) + stream.slice(at);
  }
}

/** Where a stream is cut: the ends of the parts in which it arrives. */
export function cutsOf(length: number, random: Random): number[] {
  if (random.isLikely(0.5)) return [length];
  if (length < 200 && random.isLikely(0.1)) return Array.from({ length }, (_, i) => i + 1);
  const cuts = Array.from({ length: 1 + random.below(4) }, () => random.below(length + 1));
  return [...cuts.sort((a, b) => a - b), length];
}
