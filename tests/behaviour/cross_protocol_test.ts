/** What a web page can have a browser send: see src/engine/cross_protocol.ts. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { TestServer } from "../support/harness.ts";
import { startRedis, startRespite, Wire } from "../support/live.ts";

const WARNING =
  "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. This is " +
  "likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis instance. " +
  "Connection from 127.0.0.1:50000 aborted.";
const BODY = "x\r\nSET pwned yes\r\n";

/** By what they try: bytes at which the connection must be closed, so that the SET pwned behind them does not run. */
const ATTACKS: Record<string, string> = {
  "a form": `POST / HTTP/1.1\r\nHost: localhost\r\n\r\n${BODY}`,
  "letters of both cases": `PoSt / HTTP/1.1\r\n${BODY}`,
  "another method": `PUT / HTTP/1.1\r\nhOsT: localhost\r\n\r\n${BODY}`,
  "a question before the request": `OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n${BODY}`,
  "a GET whose body is a command": `GET / HTTP/1.1\r\nHost: localhost\r\n\r\n${BODY}`,
  "quotes and an escape": `"\\x50OST" /\r\n${BODY}`,
  "an array": `*2\r\n$4\r\npost\r\n$1\r\n/\r\n${BODY}`,
  "a transaction": `MULTI\r\nPOST /\r\nSET pwned yes\r\nEXEC\r\n`,
  "no replies": `CLIENT REPLY OFF\r\nPOST /\r\n${BODY}`,
  "a monitor": `MONITOR\r\nHost: localhost\r\n${BODY}`,
};

Deno.test("a client that sends POST or Host: is closed, and nothing after it runs", () => {
  for (const [name, attack] of Object.entries(ATTACKS)) {
    const server = new TestServer();
    const client = server.client();
    client.send(new TextEncoder().encode(attack));
    assertEquals(client.isClosed, true, name);
    assertEquals(server.run("GET pwned"), null, name);
    assertEquals(server.logged.length, 1, name);
    assertStringIncludes(server.logged[0], `# ${WARNING}\n`, name);
  }
});
Deno.test("POST closes the connection before a password is given, and while clients are paused", () => {
  const server = new TestServer();
  const [early, paused] = [server.client(), server.client()];
  server.run("CLIENT PAUSE 100000 ALL");
  paused.send(new TextEncoder().encode("POST /\r\n"));
  assertEquals(paused.isClosed, true);
  server.run("CLIENT UNPAUSE");
  server.run("CONFIG SET requirepass secret");
  early.send(new TextEncoder().encode("POST /\r\n"));
  assertEquals(early.isClosed, true);
});
Deno.test("POST and Host: are neither counted as errors nor as commands", () => {
  const server = new TestServer();
  server.client().send(new TextEncoder().encode("POST /\r\n"));
  assertStringIncludes(server.run("INFO stats") as string, "total_error_replies:0\r\n");
  assertEquals(server.run("INFO errorstats"), "# Errorstats\r\n");
});
Deno.test("words that only look like POST and Host: are unknown commands", () => {
  const server = new TestServer();
  for (const line of ["POSTX", "Host", "HOST:x", "Host : x", "-POST"]) {
    assertStringIncludes(server.raw(line), "-ERR unknown command", line);
  }
  assertEquals(server.logged, []);
});
Deno.test("cross-protocol requests are logged once a minute, also after the clock was set back", () => {
  const server = new TestServer();
  const attack = (): void => server.client().send(new TextEncoder().encode("POST /\r\n"));
  attack();
  attack();
  assertEquals(server.logged.length, 1);
  server.advance(60_001);
  attack();
  assertEquals(server.logged.length, 2);
  server.advance(-3_600_000);
  attack();
  assertEquals(server.logged.length, 3);
});
Deno.test("over sockets, what POST closes gets what it gets from redis-server", async () => {
  const redis = await startRedis();
  const respite = startRespite();
  for (const attack of Object.values(ATTACKS)) {
    const answers: string[] = [];
    for (const server of redis === null ? [respite] : [respite, redis]) {
      const wire = await Wire.connect(server.port);
      await wire.send(attack).catch(() => {});
      assertEquals(await wire.read(), "");
      const other = await Wire.connect(server.port);
      answers.push(await other.roundTrip("GET pwned"));
      wire.close();
      other.close();
    }
    assertEquals(new Set(answers), new Set(["$-1\r\n"]), attack);
  }
  await redis?.stop();
  await respite.stop();
});
testWith("curl", "curl -X POST sets nothing", async () => {
  const respite = startRespite();
  for (const method of ["POST", "PUT", "GET"]) {
    const { code } = await new Deno.Command("curl", {
      args: [
        "-s",
        "-m",
        "5",
        "-X",
        method,
        "--data-binary",
        BODY,
        `http://127.0.0.1:${respite.port}/`,
      ],
    }).output();
    assertEquals([1, 52, 55, 56].includes(code), true, `curl ended with ${code}`);
    assertEquals(await replyOf(respite.port, "GET pwned"), "$-1\r\n");
  }
  await respite.stop();
});
testWith("chromium", "a page that a browser shows sets nothing by fetch", async () => {
  const respite = startRespite();
  const url = `http://127.0.0.1:${respite.port}/`;
  const page = `<title>page</title><body><script type="module">
    const body = ${JSON.stringify(BODY)};
    const send = (method, mode) => fetch("${url}", { method, mode, body }).then(() => "answered", () => "failed");
    const ends = [await send("POST", "no-cors"), await send("POST", "cors"), await send("PUT", "cors")];
    document.body.append("fetches: " + ends.join() + ".");
  </script></body>`;
  const web = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    return new Response(page, { headers: { "content-type": "text/html" } });
  });
  const profile = await Deno.makeTempDir();
  const { stdout } = await new Deno.Command("chromium", {
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`],
      ...["--virtual-time-budget=20000", "--dump-dom", `http://127.0.0.1:${web.addr.port}/`],
    ],
    stderr: "null",
  }).output();
  assertStringIncludes(new TextDecoder().decode(stdout), "fetches: failed,failed,failed.");
  assertEquals(await replyOf(respite.port, "GET pwned"), "$-1\r\n");
  // One of Chromium's headers has quotes that break an inline command, which would close the connection as well. The
  // warning shows that its request has reached the server and was recognised as HTTP.
  const warnings = respite.logged.filter((line) => line.includes("Possible SECURITY ATTACK"));
  assertEquals(warnings.length, 1);
  await web.shutdown();
  await respite.stop();
  await Deno.remove(profile, { recursive: true });
});

/** A test that needs a program, and says so where that is not installed. */
function testWith(program: string, name: string, run: () => Promise<void>): void {
  const ignore = !isInstalled(program);
  Deno.test({
    name: ignore ? `${name} (skipped: ${program} is not installed)` : name,
    ignore,
    fn: run,
  });
}

function isInstalled(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

async function replyOf(port: number, line: string): Promise<string> {
  const wire = await Wire.connect(port);
  const reply = await wire.roundTrip(line);
  wire.close();
  return reply;
}
