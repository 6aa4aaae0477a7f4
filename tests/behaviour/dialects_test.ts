/** The wire protocols of older servers, over sockets. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { DIALECTS } from "../../src/protocol/dialects/dialects.ts";
import { Parameters } from "../../src/config/parameters.ts";
import { binaryText } from "../../src/protocol/args.ts";
import { freePort, startRespite, Wire } from "../support/live.ts";

/** A connection whose bytes are told as they come. */
class Raw {
  readonly #wire: Wire;

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  static async connect(port: number): Promise<Raw> {
    return new Raw(await Wire.connect(port));
  }

  async send(text: string): Promise<void> {
    await this.#wire.send(text);
  }

  /** As many bytes as `expected` has, one character each; fewer if the server closes. */
  async read(count: number): Promise<string> {
    let text = "";
    while (text.length < count) {
      const buffer = new Uint8Array(count - text.length);
      const got = await this.#wire.conn.read(buffer).catch(() => null);
      if (got === null) break;
      text += binaryText(buffer, 0, got);
    }
    return text;
  }

  async expect(request: string, reply: string): Promise<void> {
    await this.send(request);
    assertEquals(await this.read(reply.length), reply, request);
  }

  async expectEnd(): Promise<void> {
    assertEquals(await this.read(1), "");
  }

  close(): void {
    this.#wire.close();
  }
}

/** Runs `test` with a connection that speaks a dialect, and one that speaks RESP. */
async function speaking(
  name: string,
  test: (raw: Raw, wire: Wire, dialectPort: number) => Promise<void>,
  directives: Record<string, string> = {},
): Promise<void> {
  const port = freePort();
  const words = `${name} ${port}${directives.max ?? ""}`;
  const { max: _, ...others } = directives;
  const server = startRespite({ ...others, "dialect-port": words });
  const raw = await Raw.connect(port);
  const wire = await Wire.connect(server.port);
  try {
    await test(raw, wire, port);
  } finally {
    raw.close();
    wire.close();
    await server.stop();
  }
}

function u32(value: number): string {
  return String.fromCharCode(value & 255, value >> 8 & 255, value >> 16 & 255, value >>> 24);
}

const counted = (text: string) => u32(text.length) + text;
const message = (...words: string[]) => counted(u32(words.length) + words.map(counted).join(""));
const string = (text: string) => "\x02" + counted(text);
const integer = (value: number) => "\x03" + u32(value) + "\0\0\0\0";

Deno.test("plain: the session of the older server, byte for byte", async () => {
  await speaking("plain", async (raw) => {
    const session = "PING\nSET user:1000 alice\nGET user:1000\nEXISTS user:1000\nDEL user:1000\n" +
      "GET user:1000\nEXIT\n";
    await raw.expect(session, "PONG\nOK\nalice\n1\n1\n(nil)\n");
    await raw.expectEnd();
  });
});

Deno.test("plain: all commands work, with an element of an array a line", async () => {
  await speaking("plain", async (raw, wire) => {
    await raw.expect('RPUSH list a "b c"\r\n', "2\n");
    await raw.expect("LRANGE list 0 -1\n", "a\nb c\n");
    await raw.expect("ZADD board 1.5 ann\nZSCORE board ann\n", "1\n1.5\n");
    await raw.expect(
      "LPUSH board x\n",
      "WRONGTYPE Operation against a key holding the wrong kind of value\n",
    );
    await raw.expect("MULTI\nINCR n\nEXEC\n", "OK\nQUEUED\n1\n");
    assertEquals(await wire.roundTrip("GET n"), "$1\r\n1\r\n");
  });
});

Deno.test("a waiting client of a dialect is served, and one that subscribes is sent messages", async () => {
  await speaking("plain", async (raw, wire) => {
    await raw.send("BLPOP jobs 0\n");
    while (!(await wire.roundTrip("CLIENT LIST")).includes("cmd=blpop")) continue;
    assertEquals(await wire.roundTrip("RPUSH jobs work"), ":1\r\n");
    assertEquals(await raw.read(10), "jobs\nwork\n");
    await raw.expect("SUBSCRIBE news\n", "subscribe\nnews\n1\n");
    assertEquals(await wire.roundTrip("PUBLISH news hello"), ":1\r\n");
    assertEquals(await raw.read(19), "message\nnews\nhello\n");
  });
});

Deno.test("cdis: lines with markers", async () => {
  await speaking("cdis", async (raw) => {
    await raw.expect(
      "SET k v\n\n\nGET k\nDEL k\nDEL k\nGET k\n",
      "+OK\n$v\n:1\n:0\n-ERR key not found\n",
    );
    await raw.expect(
      "SET k\nGET\nDEL\nNOPE\n",
      "-ERR SET requires key and value\n-ERR GET requires key\n" +
        "-ERR DEL requires key\n-ERR unknown command\n",
    );
  });
});

Deno.test("book: a session with sorted sets and ZQUERY", async () => {
  await speaking("book", async (raw) => {
    const expect = (words: string[], reply: string) =>
      raw.expect(message(...words), counted(reply));
    await expect(["set", "k", "v\0\r\n"], string("OK"));
    await expect(["get", "k"], string("v\0\r\n"));
    await expect(["get", "none"], "\0");
    await expect(["del", "k"], integer(1));
    await expect(["zadd", "z", "1", "n1"], integer(1));
    await expect(["zadd", "z", "2", "n2"], integer(1));
    await expect(["zscore", "z", "n1"], "\x04\0\0\0\0\0\0\xf0\x3f");
    const pair = string("n2") + "\x04" + "\0".repeat(7) + "\x40";
    await expect(["zquery", "z", "1", "", "1", "10"], "\x05" + u32(2) + pair);
    await expect(["zquery", "none", "1", "", "0", "10"], "\0");
    await expect(["keys"], "\x05" + u32(1) + string("z"));
    const text = "WRONGTYPE Operation against a key holding the wrong kind of value";
    await expect(["get", "z"], "\x01" + u32(3) + counted(text));
  });
});

Deno.test("book: a message that is too long is refused after the replies to those before it", async () => {
  await speaking("book", async (raw, wire) => {
    const tooLong = counted("\x01" + u32(2) + counted("message too long"));
    await raw.expect(message("set", "k", "v") + u32(1000), counted(string("OK")) + tooLong);
    await raw.expectEnd();
    assertEquals(await wire.roundTrip("GET k"), "$1\r\nv\r\n");
  }, { max: " 100" });
});

Deno.test("book: a value of many megabytes passes both ways", async () => {
  await speaking("book", async (raw) => {
    const long = "0123456789abcdef".repeat(500_000);
    await raw.expect(message("set", "k", long), counted(string("OK")));
    await raw.expect(message("getrange", "k", "7999990", "-1"), counted(string("6789abcdef")));
    await raw.send(message("get", "k"));
    assertEquals(await raw.read(long.length + 9), counted(string(long)));
  });
});

Deno.test("nano: a reply longer than a message may be is an error", async () => {
  await speaking("nano", async (raw, wire) => {
    await wire.call("SET", "k", "x".repeat(5000));
    await raw.expect(
      message("get", "k"),
      counted("\x01" + u32(0) + counted("response is too big")),
    );
    await raw.expect(message("ping"), counted(string("PONG")));
    await raw.expect(u32(4097), counted("\x01" + u32(0) + counted("message too long")));
    await raw.expectEnd();
  });
});

Deno.test("framed-text: words in a frame", async () => {
  await speaking("framed-text", async (raw) => {
    await raw.expect(counted("set ключ".replace(/[^ -~]+/, "k") + " v\n"), counted(string("OK")));
    await raw.expect(counted("get k"), counted(string("v")));
    await raw.expect(u32(5000), counted("\x01" + counted("Message too long")));
    await raw.expectEnd();
  });
});

Deno.test("who may not connect is told so in the dialect", async () => {
  await speaking("plain", async (_raw, _wire, port) => {
    const third = await Raw.connect(port);
    const text = "ERR max number of clients reached\n";
    assertEquals(await third.read(text.length), text);
    await third.expectEnd();
    third.close();
  }, { maxclients: "2" });
});

Deno.test("a password is needed in every dialect", async () => {
  await speaking("plain", async (raw) => {
    await raw.expect("GET k\nAUTH secret\nGET k\n", "NOAUTH Authentication required.\nOK\n(nil)\n");
  }, { requirepass: "secret" });
});

Deno.test("a peer of a dialect that goes in the middle of a message disturbs nobody", async () => {
  await speaking("book", async (raw, wire, port) => {
    await raw.send(u32(100) + u32(3));
    raw.close();
    while ((await wire.roundTrip("CLIENT LIST")).includes(`:${port} `)) continue;
    assertEquals(await wire.roundTrip("PING"), "+PONG\r\n");
  });
});

Deno.test("dialect-port takes a dialect, a port and the most bytes of a message, once a line", () => {
  const parameters = new Parameters();
  for (const { name } of DIALECTS) {
    assertEquals(parameters.load({ name: "dialect-port", words: [name, "7001"] }), null);
  }
  assertEquals(parameters.load({ name: "dialect-port", words: ["book", "7002", "1mb"] }), null);
  const lines = [...DIALECTS.map(({ name }) => `${name} 7001`), "book 7002 1048576"];
  assertEquals(parameters.lines("dialect-port"), lines);
  for (
    const words of [["morse", "7001"], ["book", "0"], ["book", "70000"], ["book"], [
      "book",
      "1",
      "5",
    ]]
  ) {
    assertNotEquals(parameters.load({ name: "dialect-port", words }), null);
    assertEquals(parameters.lines("dialect-port"), lines);
  }
});
