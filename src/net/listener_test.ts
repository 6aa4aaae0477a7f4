import { assertEquals, assertStringIncludes } from "@std/assert";
import { TestServer } from "../../tests/support/harness.ts";
import type { Socket } from "./socket.ts";
import { Hub } from "./hub.ts";
import { Listener, type SocketListener } from "./listener.ts";
import { isNodeTlsSound, type TlsSettings } from "./tls.ts";

const NO_SETTINGS: TlsSettings = {
  certificate: "",
  key: "",
  clients: "no",
  authorities: [],
  onlyVersion: null,
};

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
/** A client that never agrees on TLS, until `move` settles it. */
function silentSocket(parts: Partial<Socket> = {}): Socket & { isClosed: boolean; move(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const silent = {
    ...goneSocket(),
    isClosed: false,
    handshake: () => promise,
    move: () => resolve(),
    close: () => silent.isClosed = true,
    ...parts,
  };
  return silent as unknown as Socket & { isClosed: boolean; move(): void };
}

/** Has a listener accept `sockets`, each of which has its timer run out at once. */
async function lateFor(server: TestServer, sockets: Socket[]): Promise<Hub> {
  const { setTimeout } = globalThis;
  const hub = new Hub(server.engine, server.evaluator);
  const fake: SocketListener = {
    addr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
    close() {},
    accept() {
      const socket = sockets.shift();
      if (socket !== undefined) return Promise.resolve(socket);
      return Promise.reject(new Deno.errors.BadResource("closed"));
    },
  };
  globalThis.setTimeout = ((late: () => void) => setTimeout(late, 0)) as typeof setTimeout;
  try {
    await new Listener({ hostname: "127.0.0.1", port: 1 }, 1, hub, () => fake).run();
    for (let tries = 0; tries < 1000 && server.logged.length === 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  return hub;
}

Deno.test("Listener closes a client that never agrees on TLS, and logs it", async () => {
  const server = new TestServer();
  const { promise, reject } = Promise.withResolvers<void>();
  const silent = silentSocket({
    abort() {},
    handshake: () => promise,
    close: () => {
      silent.isClosed = true;
      reject(new Deno.errors.Interrupted("closed"));
    },
  });
  const hub = await lateFor(server, [silent]);
  assertEquals([silent.isClosed, hub.handshakes, server.logged.length], [true, 0, 1]);
  assertStringIncludes(
    server.logged[0],
    "Error accepting a client connection: the handshake takes",
  );
  assertEquals(server.engine.clients.size, 1);
});
Deno.test("Listener counts one that Deno can't close until it moves, and serves it no more", async () => {
  const server = new TestServer();
  const silent = silentSocket();
  const hub = await lateFor(server, [silent]);
  assertEquals([silent.isClosed, hub.handshakes, server.logged.length], [false, 1, 1]);
  assertEquals(hub.room, server.parameters.values.maxclients - 2);
  silent.move();
  for (let tries = 0; tries < 1000 && hub.handshakes > 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assertEquals([silent.isClosed, hub.handshakes], [true, 0]);
  assertEquals(server.engine.clients.size, 1);
});
Deno.test({
  name: "Listener has node:tls serve while many can't be closed",
  ignore: !isNodeTlsSound(),
  fn: async () => {
    const server = new TestServer();
    const hub = new Hub(server.engine, server.evaluator);
    const wary: boolean[] = [];
    const silent = Array.from({ length: 16 }, () => silentSocket());
    const waiting = [...silent];
    const listen = (_: unknown, _backlog: number, isWary: boolean): SocketListener => {
      wary.push(isWary);
      const closed = Promise.withResolvers<Socket>();
      return {
        addr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
        close: () => closed.reject(new Deno.errors.BadResource("closed")),
        accept() {
          const socket = waiting.shift();
          return socket === undefined ? closed.promise : Promise.resolve(socket);
        },
      };
    };
    const { setTimeout } = globalThis;
    const until = async (isSo: () => boolean): Promise<void> => {
      for (let tries = 0; tries < 1000 && !isSo(); tries++) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    globalThis.setTimeout = ((late: () => void) => setTimeout(late, 0)) as typeof setTimeout;
    const endpoint = { hostname: "127.0.0.1", port: 1, tls: () => NO_SETTINGS };
    const listener = new Listener(endpoint, 1, hub, listen);
    const running = listener.run();
    await until(() => wary.length === 2);
    globalThis.setTimeout = setTimeout;
    assertEquals([wary, hub.handshakes], [[false, true], 16]);
    for (const socket of silent.slice(1)) socket.move();
    await until(() => hub.handshakes === 1);
    assertEquals([wary.length, hub.handshakes], [2, 1]);
    silent[0].move();
    await until(() => wary.length === 3);
    assertEquals([wary, hub.handshakes], [[false, true, false], 0]);
    assertEquals(server.logged.filter((line) => line.includes("node:tls, which is")).length, 1);
    listener.close();
    await running;
  },
});
