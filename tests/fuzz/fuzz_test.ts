import { assertEquals } from "@std/assert";
import { KINDS } from "./episodes.ts";
import { Fuzzer } from "./fuzzer.ts";
import { isWhole } from "./replies.ts";

/** A short run, always of the same inputs. `deno task fuzz` runs longer: see scripts/fuzz.ts. */
const SEED = 1;
const INPUTS = 20_000;
/** On a slow machine it tries less. */
const SECONDS = 6;

Deno.test("whole replies are told from others", () => {
  const whole = [
    "",
    "+OK\r\n",
    "*2\r\n$1\r\na\r\n:1\r\n",
    "%1\r\n+a\r\n*-1\r\n",
    "|1\r\n+a\r\n+b\r\n:1\r\n",
  ];
  const others = [
    "+OK\r",
    "+a\rb\r\n",
    "-a\nb\r\n",
    "*2\r\n:1\r\n",
    "$2\r\na\r\n",
    "x\r\n",
    "*\r\n",
    "$1\r\nab\r\n",
  ];
  const isWholeText = (text: string): boolean => isWhole(new TextEncoder().encode(text));
  assertEquals([whole.map(isWholeText), others.map(isWholeText)], [
    whole.map(() => true),
    others.map(() => false),
  ]);
});

Deno.test("harmful input breaks nothing: requests, streams, payloads, scripts and files", async () => {
  const fuzzer = new Fuzzer({
    ...{ kinds: KINDS, seed: SEED, inputs: INPUTS, seconds: SECONDS, slowMs: null },
  });
  await fuzzer.run();
  assertEquals([...fuzzer.findings.values()].map(({ story }) => story).join("\n\n"), "");
  assertEquals(fuzzer.byKind.size, KINDS.length);
});
