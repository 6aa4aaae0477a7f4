import { assertEquals } from "@std/assert";
import { requestOf as requestText } from "../../tests/support/requests.ts";
import { binaryBytes } from "./args.ts";
import { requestOf } from "./request.ts";

Deno.test("a request is its words with their sizes, be they texts of bytes or bytes", () => {
  const words = ["SET", "\xff\0\r\n", ""];
  const expected = "*3\r\n$3\r\nSET\r\n$4\r\n\xff\0\r\n\r\n$0\r\n\r\n";
  assertEquals(requestText(words), expected);
  assertEquals(requestOf(words), binaryBytes(expected));
  assertEquals(requestOf(words.map(binaryBytes)), binaryBytes(expected));
  assertEquals(requestOf([]), binaryBytes("*0\r\n"));
});
