import { assertEquals } from "@std/assert";
import { PRECISION_TEXT_MAX, writePrecision } from "./precision_text.ts";

const target = new Uint8Array(PRECISION_TEXT_MAX);

function text(value: number, digits: number): string {
  const end = writePrecision(value, digits, target, 0);
  return new TextDecoder().decode(target.subarray(0, end));
}

/** The text by arithmetic of integers: the double is significand · 2^exponent, exactly. */
function reference(value: number, digits: number): string {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  if (bits === 0n) return `${sign}0`;
  const biased = bits >> 52n;
  const significand = (bits & (2n ** 52n - 1n)) | (biased === 0n ? 0n : 2n ** 52n);
  const exponent = (biased === 0n ? 1n : biased) - 1075n;
  // As a fraction: numerator / denominator.
  const numerator = exponent > 0n ? significand << exponent : significand;
  const denominator = exponent > 0n ? 1n : 1n << -exponent;
  let power = -330;
  const atLeast = (p: number): boolean =>
    p >= 0
      ? numerator >= denominator * 10n ** BigInt(p)
      : numerator * 10n ** BigInt(-p) >= denominator;
  power = Math.floor(Math.log10(Math.abs(value))) - 2;
  while (atLeast(power + 1)) power++;
  const shift = digits - 1 - power;
  const up = numerator * (shift > 0 ? 10n ** BigInt(shift) : 1n);
  const down = denominator * (shift < 0 ? 10n ** BigInt(-shift) : 1n);
  let whole = up / down;
  const twice = 2n * (up - whole * down);
  if (twice > down || (twice === down && whole % 2n === 1n)) whole++;
  if (whole === 10n ** BigInt(digits)) {
    whole /= 10n;
    power++;
  }
  return sign + layOut(String(whole), power, digits);
}

function layOut(figures: string, power: number, digits: number): string {
  if (power < -4 || power >= digits) {
    const cut = figures.replace(/0+$/, "");
    const mantissa = cut.length > 1 ? `${cut[0]}.${cut.slice(1)}` : cut;
    return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  const all = power < 0 ? "0".repeat(-power) + figures : figures;
  const point = power < 0 ? 1 : power + 1;
  return `${all.slice(0, point)}.${all.slice(point)}`.replace(/\.?0*$/, "");
}

Deno.test("A double has up to 14 significant digits, as printf writes them", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [-0, "-0"],
    [1, "1"],
    [-100, "-100"],
    [99999999999999, "99999999999999"],
    [100000000000000, "1e+14"],
    [123456789012345, "1.2345678901234e+14"],
    [0.1, "0.1"],
    [0.1 + 0.2, "0.3"],
    [1 / 3, "0.33333333333333"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [0.00009999999999999995, "0.0001"],
    [12345678901234.5, "12345678901234"],
    [12345678901235.5, "12345678901236"],
    [99999999999999.5, "1e+14"],
    [9999999999999.95, "9999999999999.9"],
    [1e100, "1e+100"],
    [5e-324, "4.9406564584125e-324"],
    [Number.MAX_VALUE, "1.7976931348623e+308"],
    [-3.14159265358979, "-3.1415926535898"],
  ];
  for (const [value, expected] of cases) assertEquals(text(value, 14), expected);
  assertEquals(text(0.5, 1), "0.5");
  assertEquals(text(2.5, 1), "2");
  assertEquals(text(3.5, 1), "4");
  assertEquals(text(9.5, 1), "1e+01");
  assertEquals(text(12345, 3), "1.23e+04");
  assertEquals(text(999.5, 3), "1e+03");
});

Deno.test("Random doubles have the digits that exact arithmetic gives", () => {
  const view = new DataView(new ArrayBuffer(8));
  const random = new Uint32Array(2);
  for (let round = 0; round < 30_000; round++) {
    crypto.getRandomValues(random);
    const digits = round % 3 === 0 ? 1 + random[0] % 14 : 14;
    let value: number;
    if (round % 4 === 0) {
      view.setUint32(0, random[0]);
      view.setUint32(4, random[1]);
      value = view.getFloat64(0);
    } else if (round % 4 === 1) value = (random[0] | 0) / 10 ** (random[1] % 12);
    else if (round % 4 === 2) value = random[0] * 2 ** 14 + random[1] / 2 ** (random[1] % 40);
    // Ties, and their neighbours.
    else value = (random[0] % 10 ** (1 + random[1] % 9) + 0.5) * 2 ** (random[1] % 20);
    if (!Number.isFinite(value)) continue;
    assertEquals(text(value, digits), reference(value, digits), `${value} with ${digits} digits`);
  }
});
