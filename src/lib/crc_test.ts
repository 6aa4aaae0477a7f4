import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytesPerCall } from "./alloc.ts";
import { crc16, Crc64, keySlot } from "./crc.ts";

/** Jones's polynomial with its bits reversed. */
const JONES = 0x95ac9329ac4bc9b5n;

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (sign) => sign.charCodeAt(0));
}
function valueOf(crc: Crc64): bigint {
  return (BigInt(crc.hi >>> 0) << 32n) | BigInt(crc.lo >>> 0);
}
function crc64(bytes: Uint8Array): bigint {
  const crc = new Crc64();
  crc.update(bytes, new DataView(bytes.buffer), 0, bytes.length);
  return valueOf(crc);
}
/** Bit by bit, as the definition has it. */
function plainCrc64(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ JONES : crc >> 1n;
  }
  return crc;
}
function slotOf(key: string): number {
  return keySlot(bytesOf(key), 0, key.length);
}

Deno.test("Crc64 gives the check value of its definition", () => {
  assertEquals(crc64(bytesOf("123456789")), 0xe9c6d914c4b8d9can);
  assertEquals(crc64(new Uint8Array()), 0n);
});
Deno.test("Crc64 agrees with the bitwise definition", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    assertEquals(crc64(bytes), plainCrc64(bytes));
  }));
});
Deno.test("Crc64 does not depend on how the bytes are cut, nor on where they lie", () => {
  const bytes = bytesOf("xxThe quick brown fox jumps over the lazy dogxx");
  const whole = crc64(bytesOf("The quick brown fox jumps over the lazy dog"));
  const crc = new Crc64();
  for (let cut = 2; cut <= bytes.length - 2; cut++) {
    crc.reset();
    crc.update(bytes, new DataView(bytes.buffer), 2, cut);
    crc.update(bytes, new DataView(bytes.buffer), cut, bytes.length - 2);
    assertEquals(valueOf(crc), whole);
  }
});
Deno.test("Crc64 closes what DUMP of redis-server 7.0.15 gave for 'respite'", () => {
  assertEquals(crc64(bytesOf("\0\x07respite\n\0")), 0x8393ea9ffc509da3n);
});
Deno.test("crc16() gives XMODEM's check value", () => {
  assertEquals(crc16(bytesOf("123456789"), 0, 9), 0x31c3);
  assertEquals(crc16(bytesOf("x123456789x"), 1, 10), 0x31c3);
});
Deno.test("keySlot() counts the hash tag alone, as CLUSTER KEYSLOT of redis-server 7.0.15 did", () => {
  const recorded = [
    ["foo", 12182],
    ["{foo}", 12182],
    ["x{foo}y", 12182],
    ["foo{}{bar}", 8363],
    ["foo{{bar}}zap", 4015],
    ["foo{bar}{zap}", 5061],
    ["{}", 15257],
    ["a{b", 13340],
    ["}a{b}", 3300],
    ["123456789", 12739],
    ["", 0],
  ] as const;
  for (const [key, slot] of recorded) assertEquals(slotOf(key), slot, key);
});
Deno.test("keySlot() does not look beyond the key", () => {
  assertEquals(keySlot(bytesOf("{a}foo{b}"), 3, 6), slotOf("foo"));
  assertEquals(keySlot(bytesOf("{foo}"), 0, 4), slotOf("{foo"));
});
Deno.test("Crc64.update() and keySlot() allocate nothing", () => {
  const bytes = bytesOf("user:{1000}:followers-and-more");
  const view = new DataView(bytes.buffer);
  const crc = new Crc64();
  let slots = 0;
  const work = (): void => {
    crc.update(bytes, view, 0, bytes.length);
    slots |= keySlot(bytes, 0, bytes.length);
  };
  assertEquals(bytesPerCall(work), 0);
  assertEquals(slots, slotOf("1000"));
});
