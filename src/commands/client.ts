/** CLIENT and its subcommands: https://redis.io/docs/latest/commands/client/ */
import type { AclUser } from "../engine/acl_user.ts";
import type { Call } from "../engine/call.ts";
import { type CommandSpec, Flag } from "../engine/command.ts";
import type { Client } from "../engine/client.ts";
import { describeClient } from "../engine/client_line.ts";
import {
  attributeCharacters,
  Errors,
  noSuchUser,
  unknownClientType,
  unknownOrArity,
  unrecognizedOption,
} from "../protocol/errors.ts";
import { trackingSubcommands } from "./client_tracking.ts";
import { timeoutInMs } from "./counts.ts";
import { replyHelp } from "./help.ts";

const CLIENT_TYPES = ["normal", "master", "replica", "slave", "pubsub"];

/** Whether a byte string may name a client: printable ASCII without spaces. What follows a zero byte does not matter. */
export function isPlainName(name: string): boolean {
  return /^[!-~]*(\0|$)/.test(name);
}

function clientId({ reply, client }: Call): void {
  reply.integer(client.id);
}

function clientInfo({ reply, client }: Call): void {
  reply.verbatimBinary("txt", `${describeClient(client)}\n`);
}

function clientGetname({ reply, client }: Call): void {
  if (client.name === "") reply.nullBulk();
  else reply.bulkBinary(client.name);
}

function clientSetname({ args, reply, client }: Call): void {
  const name = args.binary(2);
  if (!isPlainName(name)) return reply.error(Errors.clientName);
  client.name = name;
  reply.ok();
}

function clientSetinfo({ args, reply, client }: Call): void {
  const attribute = args.binary(2).toLowerCase();
  if (attribute !== "lib-name" && attribute !== "lib-ver") {
    return reply.error(unrecognizedOption(args.binary(2)));
  }
  const value = args.binary(3);
  if (!isPlainName(value)) return reply.error(attributeCharacters(args.binary(2)));
  if (attribute === "lib-name") client.libName = value;
  else client.libVersion = value;
  reply.ok();
}

function clientReply({ args, reply, client }: Call): void {
  if (args.is(2, "ON")) {
    client.replyMode = "on";
    reply.ok();
  } else if (args.is(2, "OFF")) {
    client.replyMode = "off";
  } else if (args.is(2, "SKIP")) {
    if (client.replyMode === "on") client.replyMode = "skip";
  } else reply.error(Errors.syntax);
}

function clientNoEvict({ args, reply, client, engine }: Call): void {
  const isOn = args.is(2, "ON");
  if (!isOn && !args.is(2, "OFF")) return reply.error(Errors.syntax);
  client.noEvict = isOn;
  engine.clientMemory.evictabilityChanged(client);
  reply.ok();
}

function clientNoTouch({ args, reply, client, engine }: Call): void {
  const isOn = args.is(2, "ON");
  if (!isOn && !args.is(2, "OFF")) return reply.error(Errors.syntax);
  client.noTouch = engine.keyspace.noTouch = isOn;
  reply.ok();
}

function clientPause(call: Call): void {
  const { args, reply, engine, nowMs } = call;
  if (args.count > 4) return reply.error(unknownOrArity(args));
  const isWrite = args.is(3, "WRITE");
  if (args.count === 4 && !isWrite && !args.is(3, "ALL")) return reply.error(Errors.pauseMode);
  const timeoutMs = timeoutInMs(call, 2);
  if (args.error !== null) return reply.error(args.error);
  engine.pauseClients(isWrite ? "write" : "all", nowMs + timeoutMs);
  reply.ok();
}

function clientUnpause({ reply, engine }: Call): void {
  engine.unpauseClients();
  reply.ok();
}

function clientUnblock({ args, reply, engine }: Call): void {
  if (args.count > 4) return reply.error(unknownOrArity(args));
  const isError = args.is(3, "ERROR");
  if (args.count === 4 && !isError && !args.is(3, "TIMEOUT")) {
    return reply.error(Errors.unblockReason);
  }
  const id = args.integer(2);
  if (args.error !== null) return reply.error(args.error);
  const blocked = engine.clients.get(id)?.blocked ?? null;
  if (blocked === null) return reply.integer(0);
  blocked.unblock(isError ? "error" : "timeout");
  reply.integer(1);
}

function clientList({ args, reply, engine }: Call): void {
  let clients = [...engine.clients.values()];
  if (args.count === 4 && args.is(2, "TYPE")) {
    const type = args.binary(3).toLowerCase();
    if (!CLIENT_TYPES.includes(type)) return reply.error(unknownClientType(args.binary(3)));
    clients = clients.filter((client) => isOfType(client, type));
  } else if (args.count > 3 && args.is(2, "ID")) {
    const ids: number[] = [];
    for (let i = 3; i < args.count; i++) ids.push(args.integerOr(i, Errors.invalidClientId));
    if (args.error !== null) return reply.error(args.error);
    clients = ids.flatMap((id) => engine.clients.get(id) ?? []);
  } else if (args.count > 2) {
    return reply.error(Errors.syntax);
  }
  reply.verbatimBinary("txt", clients.map((client) => `${describeClient(client)}\n`).join(""));
}

/** Which clients CLIENT KILL means. */
interface Filter {
  id: number | null;
  address: string | null;
  localAddress: string | null;
  type: string | null;
  user: AclUser | null;
  skipMe: boolean;
}

function clientKill(call: Call): void {
  const { args, reply, engine } = call;
  const filter: Filter = {
    id: null,
    address: null,
    localAddress: null,
    type: null,
    user: null,
    skipMe: true,
  };
  if (args.count === 3) {
    filter.address = args.binary(2);
    filter.skipMe = false;
  } else if (!readFilter(call, filter)) return;

  const victims = [...engine.clients.values()].filter((other) => isMeant(call, other, filter));
  for (const victim of victims) {
    if (victim === call.client) victim.transport.closeAfterReply();
    else victim.transport.kill();
  }
  if (args.count > 3) reply.integer(victims.length);
  else if (victims.length > 0) reply.ok();
  else reply.error(Errors.noSuchClient);
}

/** Reads "ID n ADDR a …" from argument 2 on; false after answering an error. */
function readFilter({ args, reply, engine }: Call, filter: Filter): boolean {
  for (let i = 2; i < args.count && args.error === null; i += 2) {
    if (i + 1 === args.count) args.fail(Errors.syntax);
    else if (args.is(i, "ID")) {
      filter.id = args.integerWithin(i + 1, 1, Infinity, Errors.clientIdNotPositive);
    } else if (args.is(i, "ADDR")) filter.address = args.binary(i + 1);
    else if (args.is(i, "LADDR")) filter.localAddress = args.binary(i + 1);
    else if (args.is(i, "TYPE")) {
      filter.type = args.binary(i + 1).toLowerCase();
      if (!CLIENT_TYPES.includes(filter.type)) args.fail(unknownClientType(args.binary(i + 1)));
    } else if (args.is(i, "USER")) {
      filter.user = engine.acl.user(args.binary(i + 1));
      if (filter.user === null) args.fail(noSuchUser(args.binary(i + 1)));
    } else if (args.is(i, "SKIPME")) {
      filter.skipMe = args.is(i + 1, "YES");
      if (!filter.skipMe && !args.is(i + 1, "NO")) args.fail(Errors.syntax);
    } else args.fail(Errors.syntax);
  }
  if (args.error !== null) reply.error(args.error);
  return args.error === null;
}

function isMeant(call: Call, other: Client, filter: Filter): boolean {
  if (filter.skipMe && other === call.client) return false;
  const { address, localAddress } = other.transport;
  const isAsked = (wanted: Filter[keyof Filter], own: string | number | AclUser): boolean =>
    wanted === null || wanted === own;
  return isAsked(filter.id, other.id) && isAsked(filter.address, address) &&
    isAsked(filter.localAddress, localAddress) && isAsked(filter.user, other.user) &&
    (filter.type === null || isOfType(other, filter.type));
}

function isOfType(client: Client, type: string): boolean {
  return client.type === (type === "slave" ? "replica" : type);
}

function clientHelp(call: Call): void {
  replyHelp(call, [
    ["CACHING (YES|NO)", "Whether the keys of the next command are cached (OPTIN, OPTOUT)."],
    ["GETREDIR", "The id of the connection that is told of changed keys in this one's place."],
    ["GETNAME", "The connection's name."],
    ["ID", "The connection's id."],
    ["INFO", "The connection as a line of CLIENT LIST."],
    ["KILL <ip:port>", "Closes the connection from that address."],
    [
      "KILL <option> <value> [<option> <value> [...]]",
      "Closes the connections that fit all options: ID, ADDR, LADDR, TYPE, USER, SKIPME.",
    ],
    ["LIST [TYPE <type> | ID <id> [...]]", "One line a connection."],
    ["NO-EVICT (ON|OFF)", "Keeps the connection from being closed to save memory."],
    ["NO-TOUCH (ON|OFF)", "Reads leave no trace in the access times of keys."],
    ["PAUSE <timeout> [WRITE|ALL]", "Lets commands wait for <timeout> milliseconds."],
    ["REPLY (ON|OFF|SKIP)", "Whether commands are answered."],
    [
      "SETINFO <option> <value>",
      "Tells the client library's name (lib-name) or version (lib-ver).",
    ],
    ["SETNAME <name>", "Names the connection."],
    [
      "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN] [OPTOUT] [NOLOOP]",
      "Whether the connection is told of changes of the keys that it caches.",
    ],
    ["TRACKINGINFO", "What the connection has asked of CLIENT TRACKING."],
    ["UNBLOCK <clientid> [TIMEOUT|ERROR]", "Ends the wait of a blocked connection."],
    ["UNPAUSE", "Ends a pause."],
  ]);
}

/** Rows of the table: see engine/command.ts. */
export const clientCommands: readonly CommandSpec[] = [
  {
    name: "client",
    usage: "",
    summary: "Tells and changes what the server knows of connections.",
    since: "2.4.0",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      ...trackingSubcommands,
      {
        name: "getname",
        usage: "",
        summary: "Returns the connection's name.",
        since: "2.6.9",
        complexity: "O(1)",
        flags: Flag.noScript | Flag.loading | Flag.stale,
        run: clientGetname,
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: clientHelp,
      },
      {
        name: "id",
        usage: "",
        summary: "Returns the connection's id.",
        since: "5.0.0",
        complexity: "O(1)",
        flags: Flag.noScript | Flag.loading | Flag.stale,
        run: clientId,
      },
      {
        name: "info",
        usage: "",
        summary: "Describes the connection.",
        since: "6.2.0",
        complexity: "O(1)",
        flags: Flag.noScript | Flag.loading | Flag.stale,
        tips: ["nondeterministic_output"],
        run: clientInfo,
      },
      {
        name: "kill",
        usage:
          "filter=(old-format<ip:port>@-2.8.12 | {new-format=([ID client-id:integer]@2.8.12 | [TYPE client-type=(NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | PUBSUB)]@2.8.12 | [USER username] | [ADDR addr<ip:port>] | [LADDR laddr<ip:port>]@6.2.0 | [SKIPME skipme=(YES | NO)])}*)",
        summary: "Closes connections.",
        since: "2.4.0",
        complexity: "O(N)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        history: [["2.8.12", "Filters."], ["2.8.12", "ID."], ["3.2.0", "TYPE master."], [
          "5.0.0",
          "TYPE replica; slave means the same.",
        ], ["6.2.0", "LADDR."]],
        run: clientKill,
      },
      {
        name: "list",
        usage:
          "[TYPE client-type=(NORMAL | MASTER | REPLICA | PUBSUB)]@5.0.0 [ID {client-id:integer}*]@6.2.0",
        summary: "Describes the connections.",
        since: "2.4.0",
        complexity: "O(N)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        tips: ["nondeterministic_output"],
        history: [
          ["2.8.12", "The field id."],
          ["5.0.0", "TYPE."],
          ["6.0.0", "The field user."],
          ["6.2.0", "The fields argv-mem, tot-mem, laddr and redir; ID."],
          ["7.0.0", "The fields resp, multi-mem, rbs and rbp."],
          ["7.0.3", "The field ssub."],
        ],
        run: clientList,
      },
      {
        name: "no-evict",
        usage: "enabled=(ON | OFF)",
        summary: "Keeps the connection from being closed to save memory, or not.",
        since: "7.0.0",
        complexity: "O(1)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        run: clientNoEvict,
      },
      {
        name: "no-touch",
        usage: "enabled=(ON | OFF)",
        summary: "Lets the connection's reads leave no trace in access times, or not.",
        since: "7.2.0",
        complexity: "O(1)",
        flags: Flag.noScript | Flag.loading | Flag.stale,
        run: clientNoTouch,
      },
      {
        name: "pause",
        usage: "timeout:integer [mode=(WRITE | ALL)]@6.2.0",
        summary: "Lets commands of clients wait for some time.",
        since: "3.0.0",
        complexity: "O(1)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        history: [["6.2.0", "WRITE and ALL."]],
        run: clientPause,
      },
      {
        name: "reply",
        usage: "action=(ON | OFF | SKIP)",
        summary: "Switches the answers to the connection's commands on or off.",
        since: "3.2.0",
        complexity: "O(1)",
        flags: Flag.noScript | Flag.loading | Flag.stale,
        run: clientReply,
      },
      {
        name: "setinfo",
        usage: "attr=(LIB-NAME libname | LIB-VER libver)",
        summary: "Tells the server which client library the connection uses.",
        since: "7.2.0",
        complexity: "O(1)",
        flags: Flag.noScript | Flag.loading | Flag.stale,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        run: clientSetinfo,
      },
      {
        name: "setname",
        usage: "connection-name",
        summary: "Names the connection.",
        since: "2.6.9",
        complexity: "O(1)",
        flags: Flag.noScript | Flag.loading | Flag.stale,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        run: clientSetname,
      },
      {
        name: "unblock",
        usage: "client-id:integer [unblock-type=(TIMEOUT | ERROR)]",
        summary: "Ends the wait of a blocked connection.",
        since: "5.0.0",
        complexity: "O(log N)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        run: clientUnblock,
      },
      {
        name: "unpause",
        usage: "",
        summary: "Ends a pause of clients.",
        since: "6.2.0",
        complexity: "O(N)",
        flags: Flag.admin | Flag.noScript | Flag.loading | Flag.stale,
        run: clientUnpause,
      },
    ],
  },
];
