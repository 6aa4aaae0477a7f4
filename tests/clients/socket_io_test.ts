/** What applications do with Socket.IO: two of its servers, which reach each other's clients through one of ours. */
import { assert, assertEquals } from "@std/assert";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient } from "redis5";
import { Server, type ServerOptions } from "socket.io";
import { io, type Socket } from "socket.io-client";
import { Wire } from "../support/live.ts";
import { until } from "../support/waiting.ts";
import { serverTest } from "./with_server.ts";

type Options = Partial<ServerOptions>;

/** An adapter for one server of Socket.IO, and how the connections are closed that were opened for it. */
interface Opened {
  readonly adapter: NonNullable<ServerOptions["adapter"]>;
  close(): Promise<unknown>;
}

/** A client of a server of Socket.IO, and the words of the events that have come to it. */
interface Listener {
  readonly socket: Socket;
  readonly heard: unknown[][];
}

const WAYS: Readonly<Record<string, (port: number) => Promise<Opened>>> = {
  "redis-adapter over node-redis": async (port) => {
    const [publisher, subscriber] = await Promise.all([nodeRedis(port), nodeRedis(port)]);
    const close = () => Promise.all([publisher.close(), subscriber.close()]);
    return { adapter: createAdapter(publisher, subscriber), close };
  },
  "redis-adapter over ioredis": (port) => {
    const [publisher, subscriber] = [new Redis(port), new Redis(port)];
    const close = () => Promise.all([publisher.quit(), subscriber.quit()]);
    return Promise.resolve({ adapter: createAdapter(publisher, subscriber), close });
  },
  "redis-adapter with sharded channels": async (port) => {
    const [publisher, subscriber] = await Promise.all([nodeRedis(port), nodeRedis(port)]);
    const close = () => Promise.all([publisher.close(), subscriber.close()]);
    return { adapter: createShardedAdapter(publisher, subscriber), close };
  },
  "redis-streams-adapter over node-redis": async (port) => {
    const client = await nodeRedis(port);
    return { adapter: createStreamsAdapter(client), close: () => client.close() };
  },
  "redis-streams-adapter over ioredis": (port) => {
    const client = new Redis(port);
    const adapter = createStreamsAdapter(client);
    return Promise.resolve({ adapter, close: () => client.quit() });
  },
};

async function nodeRedis(port: number) {
  return await createClient({ socket: { host: "127.0.0.1", port } }).connect();
}

/** Two servers of Socket.IO that know of each other. */
class Pair {
  readonly servers: Server[] = [];
  readonly #opened: Opened[] = [];
  readonly #sockets: Socket[] = [];

  private constructor(readonly wire: Wire) {}

  static async start(
    open: (port: number) => Promise<Opened>,
    port: number,
    options: Options = {},
  ): Promise<Pair> {
    const pair = new Pair(await Wire.connect(port));
    for (let n = 0; n < 2; n++) {
      const opened = await open(port);
      pair.#opened.push(opened);
      const listener = createServer().listen(0, "127.0.0.1");
      pair.servers.push(new Server(listener, { adapter: opened.adapter, ...options }));
    }
    const counts = (): Promise<number>[] =>
      pair.servers.map((server) => server.of("/").adapter.serverCount());
    await until(async () => (await Promise.all(counts())).every((count) => count === 2));
    return pair;
  }

  /** A client, connected to the server of that number. */
  async listener(of: number): Promise<Listener> {
    const { port } = this.servers[of].httpServer.address() as AddressInfo;
    const options = { transports: ["websocket"], forceNew: true, reconnectionDelay: 50 };
    const socket = io(`http://127.0.0.1:${port}`, options);
    this.#sockets.push(socket);
    const heard: unknown[][] = [];
    socket.onAny((...words) => heard.push(words));
    await until(() => socket.connected);
    return { socket, heard };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.disconnect();
    for (const server of this.servers) await server.close();
    for (const { close } of this.#opened) await close();
    // The adapter of streams has opened connections, which it closes when their XREAD ends.
    await until(async () => {
      const lines = (await this.wire.roundTrip("client list")).match(/^id=.*/gm) ?? [];
      for (const line of lines) {
        await this.wire.roundTrip(`client unblock ${/^id=(\d+)/.exec(line)?.[1]}`);
      }
      return lines.length === 1;
    });
    this.wire.close();
  }
}

for (const [name, open] of Object.entries(WAYS)) {
  const work = async (port: number): Promise<void> => {
    const pair = await Pair.start(open, port);
    try {
      if (name.includes("streams")) await untilBothRead(pair.wire);
      const listeners = [await pair.listener(0), await pair.listener(1)];
      await reachesAll(pair, listeners);
      await reachesRooms(pair, listeners);
      await answers(pair, listeners);
      await leaves(pair, listeners);
    } finally {
      await pair.close();
    }
  };
  // The adapters don't clear the timer of a question that has been answered.
  const options = { sanitizeOps: false, sanitizeResources: false };
  serverTest(`Socket.IO's servers are one to their clients: ${name}`, work, options);
}
serverTest("Socket.IO's client that was away gets what it has missed: streams", async (port) => {
  const open = WAYS["redis-streams-adapter over node-redis"];
  const pair = await Pair.start(open, port, { connectionStateRecovery: {} });
  try {
    await untilBothRead(pair.wire);
    const { socket, heard } = await pair.listener(0);
    pair.servers[1].emit("first", 1);
    await until(() => heard.length === 1);
    const isBack = new Promise<void>((resolve) => socket.once("connect", resolve));
    socket.io.engine.close();
    await until(() => !socket.connected);
    pair.servers[1].emit("missed", 2);
    await isBack;
    pair.servers[1].emit("last", 3);
    await until(() => heard.length === 3);
    // The third word is the offset in the stream, which a client sends when it comes back.
    const events = heard.map((words) => words.slice(0, 2));
    assertEquals(events, [["first", 1], ["missed", 2], ["last", 3]]);
    assert(socket.recovered);
  } finally {
    await pair.close();
  }
});

/** Until a server reads, it is told nothing of what is emitted. */
async function untilBothRead(wire: Wire): Promise<void> {
  await until(async () => {
    const text = await wire.roundTrip("client list");
    return [...text.matchAll(/ cmd=xread /g)].length === 2;
  });
}

/** What one server emits comes to the clients of both, in order and with its bytes. */
async function reachesAll({ servers }: Pair, listeners: readonly Listener[]): Promise<void> {
  for (let n = 0; n < 100; n++) servers[0].emit("number", n);
  servers[0].emit("bytes", new Uint8Array([0, 255, 13, 10]), { text: "ü" });
  for (const { heard } of listeners) {
    await until(() => heard.length === 101);
    assertEquals(heard.slice(0, 100), Array.from({ length: 100 }, (_, n) => ["number", n]));
    const [name, bytes, rest] = heard[100];
    assertEquals([name, [...bytes as Uint8Array], rest], ["bytes", [0, 255, 13, 10], {
      text: "ü",
    }]);
    heard.length = 0;
  }
}

/** A room has members on both servers; what is emitted to it comes to nobody else. */
async function reachesRooms({ servers }: Pair, listeners: readonly Listener[]): Promise<void> {
  const [here, there] = listeners;
  servers[0].in(there.socket.id ?? "").socketsJoin("room");
  const members = async () => (await servers[0].in("room").fetchSockets()).map(({ id }) => id);
  await until(async () => (await members()).length === 1);
  assertEquals(await members(), [there.socket.id]);
  servers[0].to("room").emit("to the room", 1);
  servers[1].except("room").emit("to the others", 2);
  await until(() => here.heard.length + there.heard.length === 2);
  assertEquals([here.heard, there.heard], [[["to the others", 2]], [["to the room", 1]]]);
  servers[0].in("room").socketsLeave("room");
  await until(async () => (await members()).length === 0);
}

/** Clients of both servers answer what one server asks, and servers answer each other. */
async function answers({ servers }: Pair, listeners: readonly Listener[]): Promise<void> {
  for (const [n, { socket }] of listeners.entries()) {
    socket.on("question", (answer: (value: string) => void) => answer(`client ${n}`));
  }
  const replies = await servers[1].timeout(10_000).emitWithAck("question");
  assertEquals(replies.sort(), ["client 0", "client 1"]);
  servers[1].on("load", (word: string, answer: (value: string) => void) => answer(`${word}!`));
  assertEquals(await servers[0].serverSideEmitWithAck("load", "heavy"), ["heavy!"]);
  assertEquals((await servers[0].fetchSockets()).length, 2);
}

/** A server can send away the clients of the other. */
async function leaves({ servers }: Pair, listeners: readonly Listener[]): Promise<void> {
  servers[0].disconnectSockets();
  for (const { socket } of listeners) await until(() => !socket.connected);
  assertEquals((await servers[1].fetchSockets()).length, 0);
}
