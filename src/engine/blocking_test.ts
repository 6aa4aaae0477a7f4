import { assertEquals } from "@std/assert";
import { TestServer } from "../../tests/support/harness.ts";
import { Events } from "../keyspace/change_hooks.ts";
import { Type } from "../keyspace/entry.ts";
import { argsOf } from "../protocol/args.ts";
import { Errors } from "../protocol/errors.ts";
import type { Call } from "./call.ts";
import { type Client, NOWHERE } from "./client.ts";
import { type CommandSpec, CommandTable, Flag } from "./command.ts";

const VALUE = new TextEncoder().encode("value");
const VALUE_VIEW = new DataView(VALUE.buffer);

/** PUT key …: they hold something. */
function put({ args, reply, db }: Call): void {
  for (let i = 1; i < args.count; i++) {
    db.strings.set(args, i, VALUE, VALUE_VIEW, 0, VALUE.length, false, Events.set);
  }
  reply.ok();
}

/** TAKE timeout key …: removes the first key that is there, in Redis's manner. */
function take(call: Call): void {
  const { args, reply, db } = call;
  for (let i = 2; i < args.count; i++) {
    if (db.remove(args, i)) return reply.bulk(args.bytesOf(i), args.start(i), args.end(i));
  }
  if (!call.block(2, args.count - 1, Type.string, args.integer(1))) reply.nullBulk();
}

/** CARRY key other: takes the one and puts the other. */
function carry(call: Call): void {
  const { args, reply, db } = call;
  if (!db.remove(args, 1)) return void call.block(1, 1, Type.string, 0);
  db.strings.set(args, 2, VALUE, VALUE_VIEW, 0, VALUE.length, false, Events.set);
  reply.ok();
}

/** GUARD key: waits until it is gone. */
function guard(call: Call): void {
  const { args, reply, db } = call;
  if (!db.exists(args, 1)) return reply.error(Errors.noSuchKey);
  call.block(1, 1, Type.string, 0, true);
}

function row(name: string, run: (call: Call) => void, flags = 0): CommandSpec {
  return { name, usage: "{x}*", summary: "", since: "1.0.0", complexity: "O(1)", flags, run };
}

const drop = ({ args, reply, db }: Call): void => reply.integer(db.remove(args, 1) ? 1 : 0);

const rows = [
  row("put", put, Flag.write | Flag.denyOom),
  row("take", take, Flag.write | Flag.blocking),
  row("carry", carry, Flag.write | Flag.denyOom | Flag.blocking),
  row("guard", guard, Flag.blocking),
  row("drop", drop, Flag.write),
];

/** A server with the commands above; clients of it have replies that are read as text. */
class Scene {
  readonly #server = new TestServer({
    commands: new CommandTable([{ group: "string", commands: rows }]),
  });
  readonly engine = this.#server.engine;
  /** Ids of the clients whose transport was resumed. */
  readonly resumed: number[] = [];

  client(): Client {
    const client: Client = this.#server.server.hub.newClient({
      ...NOWHERE,
      resume: () => this.resumed.push(client.id),
    });
    return client;
  }

  /** Runs one request; returns the reply's bytes, "" if there is none. */
  run(client: Client, line: string): string {
    const { bytes, count, ...positions } = fields(line);
    client.args.count = 0;
    client.args.use(bytes, new DataView(bytes.buffer));
    for (let i = 0; i < count; i++) client.args.push(positions.starts[i], positions.ends[i]);
    const { evaluator } = this.#server;
    evaluator.beginBatch(client);
    evaluator.execute(client);
    evaluator.endBatch();
    bytes.fill(0); // The read buffer is used again.
    return read(client);
  }

  advance(ms: number): void {
    this.#server.advance(ms);
  }
}

function fields(line: string) {
  const args = argsOf(...line.split(" "));
  const starts: number[] = [];
  const ends: number[] = [];
  for (let i = 0; i < args.count; i++) {
    starts.push(args.start(i));
    ends.push(args.end(i));
  }
  return { bytes: args.bytesOf(0), count: args.count, starts, ends };
}

function read(client: Client): string {
  return new TextDecoder().decode(client.reply.take());
}

Deno.test("Blocking serves in order of arrival, one by one, with the original arguments", () => {
  const scene = new Scene();
  const [one, two, third, other] = [1, 2, 3, 4].map(() => scene.client());
  assertEquals(scene.run(one, "TAKE 0 a b"), "");
  assertEquals(scene.run(two, "TAKE 0 b a"), "");
  third.select(1);
  assertEquals(scene.run(third, "TAKE 0 a"), "");
  assertEquals(scene.engine.blocking.keyCount, 3);
  scene.run(other, "PUT a");
  assertEquals([one, two, third].map(read), ["$1\r\na\r\n", "", ""]);
  assertEquals(scene.resumed, [one.id]);
  scene.run(other, "PUT b");
  assertEquals([one, two, third].map(read), ["", "$1\r\nb\r\n", ""]);
  other.select(1);
  scene.run(other, "PUT a");
  assertEquals(read(third), "$1\r\na\r\n");
  assertEquals([scene.engine.blocking.clientCount, scene.engine.blocking.keyCount], [0, 0]);
});

Deno.test("Blocking.serve() goes on while serving makes keys ready; the call counts once", () => {
  const scene = new Scene();
  const [one, two, third, other] = [1, 2, 3, 4].map(() => scene.client());
  scene.run(third, "TAKE 0 c");
  scene.run(two, "CARRY b c");
  scene.run(one, "CARRY a b");
  scene.run(other, "PUT a");
  assertEquals([one, two, third].map(read), ["+OK\r\n", "+OK\r\n", "$1\r\nc\r\n"]);
  assertEquals(scene.engine.commands.byName("carry")?.stats.calls, 2);
  assertEquals(scene.engine.commands.byName("take")?.stats.calls, 1);
});

Deno.test("Blocking.block() refuses where nobody may wait", () => {
  const scene = new Scene();
  scene.engine.blocking.denied++;
  assertEquals(scene.run(scene.client(), "TAKE 0 a"), "$-1\r\n");
  assertEquals(scene.engine.blocking.clientCount, 0);
});

Deno.test("a wait ends at its deadline, unless it was over before", () => {
  const scene = new Scene();
  const [one, two, other] = [1, 2, 3].map(() => scene.client());
  scene.run(one, "TAKE 100 a");
  scene.run(two, "TAKE 200 a");
  assertEquals(scene.engine.blocking.deadlineCount, 2);
  scene.run(other, "PUT a");
  assertEquals(read(one), "$1\r\na\r\n");
  scene.advance(199);
  assertEquals([one, two].map(read), ["", ""]);
  scene.advance(1);
  assertEquals([one, two].map(read), ["", "*-1\r\n"]);
  assertEquals(scene.engine.deadlines.next, Infinity);
});

Deno.test("unblock() answers null or an error, which is counted", () => {
  const scene = new Scene();
  const client = scene.client();
  scene.run(client, "TAKE 0 a");
  client.blocked?.unblock("timeout");
  assertEquals(read(client), "*-1\r\n");
  scene.run(client, "TAKE 5 a");
  client.blocked?.unblock("error");
  assertEquals(read(client), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  assertEquals(scene.engine.commands.byName("take")?.stats.failed, 1);
  assertEquals(client.blocked, null);
});

Deno.test("a client that has gone is passed over and takes nothing", () => {
  const scene = new Scene();
  const [one, two, other] = [1, 2, 3].map(() => scene.client());
  scene.run(one, "TAKE 50 a a");
  scene.run(two, "TAKE 0 a");
  scene.engine.removeClient(one);
  scene.run(other, "PUT a");
  scene.advance(50);
  assertEquals([one, two].map(read), ["", "$1\r\na\r\n"]);
});

Deno.test("nobody is served during a pause, but waits may end", () => {
  const scene = new Scene();
  const [one, two] = [1, 2].map(() => scene.client());
  scene.run(one, "TAKE 0 a");
  scene.run(two, "TAKE 10 a");
  const key = argsOf("a");
  scene.engine.pauseClients("write", scene.engine.clock.nowMs() + 1000);
  scene.engine.keyspace.databases[0].strings.set(
    key,
    0,
    VALUE,
    VALUE_VIEW,
    0,
    1,
    false,
    Events.set,
  );
  scene.engine.blocking.serve();
  scene.advance(10);
  assertEquals([one, two].map(read), ["", "*-1\r\n"]);
  scene.engine.unpauseClients();
  assertEquals(read(one), "$1\r\na\r\n");
});

Deno.test("a removed key wakes only clients that asked for it, others wait on", () => {
  const scene = new Scene();
  const [one, two, other] = [1, 2, 3].map(() => scene.client());
  scene.run(other, "PUT a");
  scene.run(one, "GUARD a");
  assertEquals(scene.engine.blocking.goneKeyCount, 1);
  scene.run(other, "PUT a");
  assertEquals(read(one), "");
  scene.run(two, "CARRY b c");
  scene.run(other, "DROP a");
  assertEquals(read(one), "-ERR no such key\r\n");
  assertEquals(two.blocked === null, false);
  scene.run(other, "PUT a");
  scene.run(one, "GUARD a");
  scene.engine.keyspace.databases[0].clear();
  scene.engine.blocking.databaseChanged(0);
  scene.engine.blocking.serve();
  assertEquals([one, two].map(read), ["-ERR no such key\r\n", ""]);
});

Deno.test("a waiting command is refused by what refuses it when it is served", () => {
  const scene = new Scene();
  const [one, other] = [1, 2].map(() => scene.client());
  scene.run(one, "CARRY a b");
  scene.engine.gates.readOnly = Errors.readOnly;
  scene.engine.keyspace.databases[0].strings.set(
    argsOf("a"),
    0,
    VALUE,
    VALUE_VIEW,
    0,
    1,
    false,
    Events.set,
  );
  scene.run(other, "GUARD a");
  assertEquals(read(one).startsWith("-READONLY"), true);
  assertEquals(scene.engine.commands.byName("carry")?.stats.rejected, 1);
});

Deno.test("a served client that wants no replies gets none; SKIP is spent by it", () => {
  const scene = new Scene();
  const [one, two, other] = [1, 2, 3].map(() => scene.client());
  one.replyMode = "skip";
  two.replyMode = "off";
  scene.run(one, "TAKE 0 a");
  scene.run(two, "TAKE 0 a");
  scene.run(other, "PUT a");
  scene.run(other, "PUT a");
  assertEquals([one, two].map(read), ["", ""]);
  assertEquals([one.replyMode, two.replyMode], ["on", "off"]);
});
