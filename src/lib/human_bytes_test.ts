import { assertEquals } from "@std/assert";
import { humanBytes } from "./human_bytes.ts";

Deno.test("bytes are shown in the largest unit of which there is one, terabytes at most", () => {
  const rows: [number, string][] = [
    [0, "0B"],
    [1023, "1023B"],
    [1024, "1.00K"],
    [1024 ** 2 - 1, "1024.00K"],
    [3.23 * 1024 ** 2, "3.23M"],
    [1.5 * 1024 ** 3, "1.50G"],
    [2048 * 1024 ** 4, "2048.00T"],
  ];
  for (const [bytes, text] of rows) assertEquals(humanBytes(bytes), text);
});
