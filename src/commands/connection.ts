/** Commands on the connection itself: https://redis.io/docs/latest/commands/?group=connection */
import type { Call } from "../engine/call.ts";
import { Errors, helloOption, wrongArity } from "../protocol/errors.ts";
import { isPlainName } from "./client.ts";

const pingArity = wrongArity("ping");

export function ping({ args, reply }: Call): void {
  if (args.count === 1) return reply.pong();
  if (args.count > 2) return reply.error(pingArity);
  reply.bulk(args.bytes, args.start(1), args.end(1));
}

export function echo({ args, reply }: Call): void {
  reply.bulk(args.bytes, args.start(1), args.end(1));
}

export function select({ args, reply, client, engine }: Call): void {
  const index = args.integer(1);
  if (args.error !== null) return reply.error(args.error);
  if (index < 0 || index >= engine.keyspace.databases.length) {
    return reply.error(Errors.dbIndexOutOfRange);
  }
  client.select(index);
  reply.ok();
}

export function quit({ reply, client }: Call): void {
  reply.ok();
  client.transport.closeAfterReply();
}

/** Back to the state of a new connection. */
export function reset(call: Call): void {
  const { reply, client, engine } = call;
  client.transaction.reset();
  engine.watchedKeys.unwatch(client.transaction);
  engine.monitors.delete(client);
  client.isMonitor = false;
  client.select(0);
  client.reply.resp = 2;
  client.name = "";
  client.replyMode = "on";
  client.noEvict = client.noTouch = false;
  client.user = "default";
  client.authenticated = engine.parameters.values.requirepass === "";
  reply.simple("RESET");
}

export function auth(call: Call): void {
  const { args, reply, engine } = call;
  if (args.count > 3) return reply.error(Errors.syntax);
  if (args.count === 2 && engine.parameters.values.requirepass === "") {
    return reply.error(Errors.authWithoutPassword);
  }
  const user = args.count === 3 ? args.text(1) : "default";
  if (!logIn(call, user, args.text(args.count - 1))) return reply.error(Errors.wrongPass);
  reply.ok();
}

/** Authenticates the client as `user` if the password is right; returns whether. */
function logIn({ client, engine }: Call, user: string, password: string): boolean {
  const expected = engine.parameters.values.requirepass;
  if (user !== "default" || (expected !== "" && !sameText(password, expected))) {
    engine.counters.aclDeniedAuth++;
    return false;
  }
  client.authenticated = true;
  client.user = user;
  return true;
}

/** Compares without telling by its time how much was right. */
function sameText(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let i = 0; i < given.length; i++) {
    difference |= given.charCodeAt(i) ^ expected.charCodeAt(i % Math.max(expected.length, 1));
  }
  return difference === 0;
}

/** Options of HELLO as they were given. */
interface Greeting {
  user: string | null;
  password: string;
  name: string | null;
}

export function hello(call: Call): void {
  const { args, reply, client } = call;
  let version = reply.resp;
  if (args.count > 1) {
    version = args.integerOr(1, Errors.protoNotInteger);
    if (args.error !== null) return reply.error(args.error);
    if (version !== 2 && version !== 3) return reply.error(Errors.noProto);
  }
  const greeting = readGreeting(call);
  if (greeting === null) return;
  if (greeting.user !== null && !logIn(call, greeting.user, greeting.password)) {
    return reply.error(Errors.wrongPass);
  }
  if (!client.authenticated) return reply.error(Errors.helloNoAuth);
  if (greeting.name !== null) client.name = greeting.name;
  reply.resp = version;
  replyGreeting(call);
}

function readGreeting({ args, reply }: Call): Greeting | null {
  const greeting: Greeting = { user: null, password: "", name: null };
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, "AUTH") && i + 2 < args.count) {
      greeting.user = args.text(i + 1);
      greeting.password = args.text(i + 2);
      i += 2;
    } else if (args.is(i, "SETNAME") && i + 1 < args.count) {
      greeting.name = args.binary(++i);
      if (!isPlainName(greeting.name)) args.fail(Errors.clientName);
    } else args.fail(helloOption(args.text(i)));
    if (args.error !== null) {
      reply.error(args.error);
      return null;
    }
  }
  return greeting;
}

function replyGreeting({ reply, client, engine }: Call): void {
  reply.map(7);
  reply.bulkText("server");
  reply.bulkText("redis");
  reply.bulkText("version");
  reply.bulkText(engine.host.version);
  reply.bulkText("proto");
  reply.integer(reply.resp);
  reply.bulkText("id");
  reply.integer(client.id);
  reply.bulkText("mode");
  reply.bulkText("standalone");
  reply.bulkText("role");
  reply.bulkText("master");
  reply.bulkText("modules");
  reply.emptyArray();
}
