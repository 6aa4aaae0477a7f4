export function doubleText(value: number): string {
  return String(value);
}
export function parseDouble(bytes: Uint8Array, start: number, end: number): number {
  return Number(new TextDecoder().decode(bytes.slice(start, end)));
}
