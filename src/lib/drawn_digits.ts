/**
 * Writes decimal digits that were drawn from a double, the last of them not 0: with a point among or in front of them, or with an
 * exponent. `power` is the power of ten of the first.
 */
const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const LETTER_E = 0x65;

/** "123000", "12.3", "0.00123"; returns the end. */
export function writePositional(
  digits: Uint8Array,
  count: number,
  power: number,
  target: Uint8Array,
  at: number,
): number {
  // Digits before the point; if negative, as many zeros follow the point.
  const whole = power + 1;
  if (whole <= 0) {
    target[at++] = ZERO;
    target[at++] = POINT;
    for (let i = whole; i < 0; i++) target[at++] = ZERO;
  }
  for (let i = 0; i < count; i++) {
    if (i === whole && i > 0) target[at++] = POINT;
    target[at++] = digits[i];
  }
  for (let i = count; i < whole; i++) target[at++] = ZERO;
  return at;
}

/** "1.23e-": what stands before the digits of the exponent; returns the end. */
export function writeMantissa(
  digits: Uint8Array,
  count: number,
  power: number,
  target: Uint8Array,
  at: number,
): number {
  target[at++] = digits[0];
  if (count > 1) target[at++] = POINT;
  for (let i = 1; i < count; i++) target[at++] = digits[i];
  target[at++] = LETTER_E;
  target[at++] = power < 0 ? MINUS : PLUS;
  return at;
}
