import { assertEquals, assertStringIncludes } from "@std/assert";
import { TestServer } from "../../tests/support/harness.ts";
import type { Socket } from "./connection.ts";
import { Hub } from "./hub.ts";
import { Listener, type SocketListener } from "./listener.ts";

/** An accept that fails as the runtime's does. */
class Failure extends Error {
  constructor(readonly code: string) {
    super(`${code} (os error)`);
  }
}

/** Runs a listener whose accepts end as the test says, and then as one that is closed; returns for how long it paused (ms). */
async function pausesOf(server: TestServer, ends: (Error | Socket)[]): Promise<number[]> {
  const fake: SocketListener = {
    addr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
    close() {},
    accept() {
      const end = ends.shift() ?? new Deno.errors.BadResource("closed");
      return end instanceof Error ? Promise.reject(end) : Promise.resolve(end);
    },
  };
  const pauses: number[] = [];
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((action: () => void, ms: number) => {
    pauses.push(ms);
    return setTimeout(action, 0);
  }) as typeof setTimeout;
  try {
    const hub = new Hub(server.engine, server.evaluator);
    await new Listener({ hostname: "127.0.0.1", port: 1 }, 1, hub, () => fake).run();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assertEquals(ends, []);
  return pauses;
}

/** A peer that has gone when it is read for the first time. */
function goneSocket(): Socket {
  const address: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 2 };
  const socket = {
    remoteAddr: address,
    localAddr: address,
    read: () => Promise.resolve(null),
    close() {},
  };
  return socket as unknown as Socket;
}

Deno.test("Listener accepts on at once after connections that were reset", async () => {
  const server = new TestServer();
  const resets = Array.from({ length: 100 }, () => new Deno.errors.NotConnected("gone"));
  const ends = [...resets, goneSocket(), new Failure("EPROTO"), goneSocket()];
  assertEquals(await pausesOf(server, ends), []);
  assertStringIncludes(server.run("INFO stats") as string, "total_connections_received:3\r\n");
});
Deno.test("Listener pauses while the system has no descriptors or memory left, and accepts on", async () => {
  for (const code of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]) {
    const ends = [new Failure(code), new Failure(code), goneSocket()];
    assertEquals(await pausesOf(new TestServer(), ends), [50, 50], code);
  }
});
Deno.test("Listener logs one failure a second, and nothing of peers that have gone", async () => {
  const server = new TestServer();
  const gone = new Deno.errors.NotConnected("gone");
  await pausesOf(server, [gone, gone]);
  assertEquals(server.logged, []);
  for (const expected of [1, 2]) {
    await pausesOf(server, Array.from({ length: 50 }, () => new Failure("EPROTO")));
    assertEquals(server.logged.length, expected);
    server.advance(1000);
  }
  assertStringIncludes(server.logged[0], "Accepting a client connection failed: Error: EPROTO");
});
Deno.test("Listener in protected mode tells clients of other machines why, and closes", async () => {
  const server = new TestServer();
  const told = async (hostname: string): Promise<string> => {
    let text = "";
    const gone = goneSocket() as { remoteAddr: Deno.NetAddr; write: Socket["write"] };
    gone.remoteAddr = { ...gone.remoteAddr, hostname };
    gone.write = (bytes) => {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    };
    await pausesOf(server, [gone as unknown as Socket]);
    return text.slice(0, 41);
  };
  const denied = "-DENIED Redis is running in protected mod";
  for (const hostname of ["192.0.2.7", "fd00::2", "1127.0.0.1"]) {
    assertEquals(await told(hostname), denied, hostname);
  }
  for (const hostname of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    assertEquals(await told(hostname), "", hostname);
  }
  assertStringIncludes(server.run("INFO stats") as string, "rejected_connections:3\r\n");
  server.run("CONFIG SET protected-mode no");
  assertEquals(await told("192.0.2.7"), "");
  server.run("CONFIG SET protected-mode yes requirepass secret");
  assertEquals(await told("192.0.2.7"), "");
});
