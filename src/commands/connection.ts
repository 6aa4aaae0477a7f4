/** Commands on the connection itself: https://redis.io/docs/latest/commands/?group=connection */
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import { NO_BYTES } from "../lib/slice.ts";
import { Errors, helloOption, wrongArity } from "../protocol/errors.ts";
import { isPlainName } from "./client.ts";

const pingArity = wrongArity("ping");

function ping({ args, reply, client }: Call): void {
  if (args.count > 2) return reply.error(pingArity);
  if (client.isLimitedToPubSub) {
    // Its client expects messages only, and so PONG looks like one.
    reply.array(2);
    reply.bulkText("pong");
    if (args.count === 1) return reply.emptyBulk();
  } else if (args.count === 1) return reply.pong();
  reply.bulk(args.bytesOf(1), args.start(1), args.end(1));
}

function echo({ args, reply }: Call): void {
  reply.bulk(args.bytesOf(1), args.start(1), args.end(1));
}

function select({ args, reply, client, engine }: Call): void {
  const index = args.int32(1);
  if (args.error !== null) return reply.error(args.error);
  if (index < 0 || index >= engine.keyspace.databases.length) {
    return reply.error(Errors.dbIndexOutOfRange);
  }
  client.select(index);
  reply.ok();
}

function quit({ reply, client }: Call): void {
  reply.ok();
  client.transport.closeAfterReply();
}

/** Back to the state of a new connection. */
function reset(call: Call): void {
  const { reply, client, engine } = call;
  client.transaction.reset();
  engine.watchedKeys.unwatch(client.transaction);
  engine.monitors.delete(client);
  client.isMonitor = false;
  engine.pubsub.removeClient(client);
  client.tracking?.tracking.stop(client.tracking);
  client.select(0);
  client.reply.resp = 2;
  client.name = "";
  client.replyMode = "on";
  client.noEvict = client.noTouch = false;
  engine.acl.leave(client);
  reply.simple("RESET");
}

function auth(call: Call): void {
  const { args, reply, client, engine: { acl } } = call;
  if (args.count > 3) return reply.error(Errors.syntax);
  if (args.count === 2 && acl.defaultUser.needsNoPassword) {
    return reply.error(Errors.authWithoutPassword);
  }
  const user = args.count === 3 ? args.binary(1) : "default";
  if (!acl.logIn(client, user, args.copyOf(args.count - 1))) return reply.error(Errors.wrongPass);
  reply.ok();
}

/** Options of HELLO as they were given. */
interface Greeting {
  user: string | null;
  password: Uint8Array;
  name: string | null;
}

function hello(call: Call): void {
  const { args, reply, client, engine: { acl } } = call;
  let version = reply.resp;
  if (args.count > 1) {
    version = args.integerOr(1, Errors.protoNotInteger);
    if (args.error !== null) return reply.error(args.error);
    if (version !== 2 && version !== 3) return reply.error(Errors.noProto);
  }
  const greeting = readGreeting(call);
  if (greeting === null) return;
  if (greeting.user !== null && !acl.logIn(client, greeting.user, greeting.password)) {
    return reply.error(Errors.wrongPass);
  }
  if (!acl.isAuthenticated(client)) return reply.error(Errors.helloNoAuth);
  if (greeting.name !== null) client.name = greeting.name;
  reply.resp = version;
  replyGreeting(call);
}

function readGreeting({ args, reply }: Call): Greeting | null {
  const greeting: Greeting = { user: null, password: NO_BYTES, name: null };
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, "AUTH") && i + 2 < args.count) {
      greeting.user = args.binary(i + 1);
      greeting.password = args.copyOf(i + 2);
      i += 2;
    } else if (args.is(i, "SETNAME") && i + 1 < args.count) {
      greeting.name = args.binary(++i);
      if (!isPlainName(greeting.name)) args.fail(Errors.clientName);
    } else args.fail(helloOption(args.binary(i)));
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

/** Rows of the table: see engine/command.ts. */
export const connectionCommands: readonly CommandSpec[] = [
  {
    name: "auth",
    usage: "[username]@6.0.0 password",
    summary: "Authenticates the connection.",
    since: "1.0.0",
    complexity: "O(N)",
    flags: Flag.noScript | Flag.loading | Flag.stale | Flag.fast | Flag.noAuth | Flag.allowBusy |
      Flag.logsIn,
    history: [["6.0.0", "A user name."]],
    run: auth,
  },
  {
    name: "echo",
    usage: "message",
    summary: "Returns its argument.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.loading | Flag.stale | Flag.fast,
    run: echo,
  },
  {
    name: "hello",
    usage: "[arguments=(protover:integer [AUTH auth=(username password)] [SETNAME clientname])]",
    summary: "Chooses the protocol, and may authenticate and name the connection.",
    since: "6.0.0",
    complexity: "O(1)",
    flags: Flag.noScript | Flag.loading | Flag.stale | Flag.fast | Flag.noAuth | Flag.allowBusy |
      Flag.logsIn,
    history: [["6.2.0", "The version may be left out."]],
    run: hello,
  },
  {
    name: "ping",
    usage: "[message]",
    summary: "Answers PONG, or its argument.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.fast | Flag.whileSubscribed,
    tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
    run: ping,
  },
  {
    name: "quit",
    usage: "[{argument}*]",
    summary: "Closes the connection.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.allowBusy | Flag.noScript | Flag.loading | Flag.stale | Flag.fast | Flag.noAuth |
      Flag.unqueued | Flag.whileSubscribed,
    deprecatedSince: "7.2.0",
    replacedBy: "just closing the connection",
    run: quit,
  },
  {
    name: "exit",
    usage: "[{argument}*]",
    summary: "Closes the connection: QUIT under the name that older clients know.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.allowBusy | Flag.noScript | Flag.loading | Flag.stale | Flag.fast | Flag.noAuth |
      Flag.unqueued | Flag.whileSubscribed,
    run: quit,
  },
  {
    name: "reset",
    usage: "",
    summary: "Puts the connection back into its first state.",
    since: "6.2.0",
    complexity: "O(1)",
    flags: Flag.noScript | Flag.loading | Flag.stale | Flag.fast | Flag.noAuth | Flag.allowBusy |
      Flag.unqueued | Flag.whileSubscribed,
    run: reset,
  },
  {
    name: "select",
    usage: "index:integer",
    summary: "Chooses the connection's database.",
    since: "1.0.0",
    complexity: "O(1)",
    flags: Flag.loading | Flag.stale | Flag.fast,
    run: select,
  },
];
