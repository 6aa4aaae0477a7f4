import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Reply } from "./reply.ts";
import { isGroup } from "./reply.ts";
import { ProtocolError, ReplyDecoder } from "./reply_decoder.ts";

const SIGNS = { status: "+", error: "-", integer: ":", double: ",", boolean: "#", bignum: "(" };
const GROUP_SIGNS = { array: "*", map: "%", set: "~", push: ">" };

function encode(reply: Reply): number[] {
  const text = (line: string): number[] => [...new TextEncoder().encode(`${line}\r\n`)];
  if (isGroup(reply)) {
    const count = reply.kind === "map" ? reply.items.length / 2 : reply.items.length;
    return [...text(`${GROUP_SIGNS[reply.kind]}${count}`), ...reply.items.flatMap(encode)];
  }
  if (reply.kind === "nil") return text("_");
  if (reply.kind === "string") return [...text(`$${reply.bytes.length}`), ...reply.bytes, 13, 10];
  if (reply.kind === "verbatim") {
    return [
      ...text(`=${reply.bytes.length + 4}`),
      ...text("txt:").slice(0, 4),
      ...reply.bytes,
      13,
      10,
    ];
  }
  return [SIGNS[reply.kind].charCodeAt(0), ...reply.bytes, 13, 10];
}

const line = fc.string({ maxLength: 20 }).map((text) => {
  return new TextEncoder().encode(text.replaceAll(/[\r\n]/g, " "));
});
const bytes = fc.uint8Array({ maxLength: 40 });
const reply = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4 },
    fc.record({
      kind: fc.constantFrom(
        "status" as const,
        "error" as const,
        "integer" as const,
        "bignum" as const,
      ),
      bytes: line,
    }),
    fc.record({ kind: fc.constantFrom("string" as const, "verbatim" as const), bytes }),
    fc.constant<Reply>({ kind: "nil", bytes: new Uint8Array(0) }),
    fc.record({
      kind: fc.constantFrom("array" as const, "set" as const, "push" as const),
      items: fc.array(tie("reply"), { maxLength: 4 }),
    }),
    fc.array(fc.tuple(tie("reply"), tie("reply")), { maxLength: 3 }).map((pairs): Reply => {
      return { kind: "map", items: pairs.flat() };
    }),
  ),
})).reply;

/** Bytes of a view may be a part of a larger buffer: only what they hold counts. */
function plain(one: Reply): unknown {
  return isGroup(one) ? [one.kind, ...one.items.map(plain)] : [one.kind, [...one.bytes]];
}

Deno.test("ReplyDecoder finds the same replies wherever the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 4 }), fc.array(fc.nat(60)), (replies, sizes) => {
      const all = Uint8Array.from(replies.flatMap(encode));
      const decoder = new ReplyDecoder();
      const found: Reply[] = [];
      let turn = 0;
      for (let at = 0; at < all.length;) {
        const size = 1 + (sizes[turn++ % sizes.length] ?? 7);
        decoder.feed(all.subarray(at, at + size));
        at += size;
        for (let one = decoder.next(); one !== null; one = decoder.next()) found.push(one);
      }
      assertEquals(found.map(plain), replies.map(plain));
    }),
    { numRuns: 200 },
  );
});

function decodeAll(text: string): Reply[] {
  const decoder = new ReplyDecoder();
  decoder.feed(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  const found: Reply[] = [];
  for (let one = decoder.next(); one !== null; one = decoder.next()) found.push(one);
  return found;
}

Deno.test("ReplyDecoder has no limit for nesting", () => {
  let [one] = decodeAll(`${"*1\r\n".repeat(200_000)}:7\r\n`);
  let depth = 0;
  for (; isGroup(one); depth++) one = one.items[0];
  assertEquals(depth, 200_000);
});

Deno.test("ReplyDecoder receives a large string without knowing how much of it will come", () => {
  const decoder = new ReplyDecoder();
  const part = new Uint8Array(70_000).fill(97);
  decoder.feed(new TextEncoder().encode("$3500000\r\n"));
  for (let count = 0; count < 50; count++) {
    assertEquals(decoder.next(), null);
    decoder.feed(part);
  }
  decoder.feed(new Uint8Array([13, 10]));
  const found = decoder.next();
  assertEquals(found !== null && !isGroup(found) && found.bytes.length, 3_500_000);
});

Deno.test("ReplyDecoder leaves out attributes", () => {
  const found = decodeAll("|1\r\n+ttl\r\n:3600\r\n*2\r\n:1\r\n|1\r\n+a\r\n*1\r\n:9\r\n:2\r\n");
  assertEquals(found.map(plain), [["array", ["integer", [49]], ["integer", [50]]]]);
});

Deno.test("ReplyDecoder knows nil in RESP2 and RESP3, and long errors", () => {
  assertEquals(decodeAll("$-1\r\n*-1\r\n_\r\n!3\r\nERR\r\n").map(({ kind }) => kind), [
    "nil",
    "nil",
    "nil",
    "error",
  ]);
});

Deno.test("ReplyDecoder refuses what is no reply", () => {
  for (const text of ["HTTP/1.1 400\r\n", "\r\n", "$x\r\n", "*-2\r\n", "$1\r\nabc"]) {
    assertThrows(() => decodeAll(text), ProtocolError);
  }
});
