/** ACL and its subcommands: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ */
import { channelWords, commandWords, keyWords } from "../engine/acl_rules.ts";
import type { Selector } from "../engine/acl_selector.ts";
import type { Call } from "../engine/call.ts";
import { ACL_CATEGORIES, type CommandSpec, Flag } from "../engine/command.ts";
import { hexText } from "../lib/hexadecimal.ts";
import { inLowerCase } from "../lib/letter_case.ts";
import { Args } from "../protocol/args.ts";
import {
  commandNotFound,
  errorReply,
  Errors,
  unknownCategory,
  unknownOrArity,
  userNotFound,
  wrongArity,
} from "../protocol/errors.ts";
import { replyHelp } from "./help.ts";

/** Entries that ACL LOG shows if none are asked for. */
const SHOWN_ENTRIES = 10;
const PASSWORD_BITS = 256;
const PASSWORD_BITS_MAX = 4_096;

function aclSetuser({ args, reply, engine }: Call): void {
  const error = engine.acl.setUser(args.binary(2), args.binaries(3));
  if (error === null) reply.ok();
  else reply.error(errorReply(`ERR ${error}`));
}

function aclDeluser({ args, reply, engine }: Call): void {
  const names = args.binaries(2);
  if (names.includes(engine.acl.defaultUser.name)) return reply.error(Errors.defaultUserStays);
  reply.integer(names.filter((name) => engine.acl.removeUser(name)).length);
}

function aclGetuser(call: Call): void {
  const { args, reply, engine } = call;
  const user = engine.acl.user(args.binary(2));
  if (user === null) return reply.nullBulk();
  reply.map(6);
  reply.bulkText("flags");
  reply.set(user.flags.length);
  for (const flag of user.flags) reply.bulkText(flag);
  reply.bulkText("passwords");
  reply.array(user.passwords.length);
  for (const hash of user.passwords) reply.bulkText(hash);
  replyRights(call, user.root);
  reply.bulkText("selectors");
  reply.array(user.selectors.length);
  for (const selector of user.selectors) {
    reply.map(3);
    replyRights(call, selector);
  }
}

/** Three pairs of a map. */
function replyRights({ reply }: Call, selector: Selector): void {
  reply.bulkText("commands");
  reply.bulkBinary(commandWords(selector).join(" "));
  reply.bulkText("keys");
  reply.bulkBinary(keyWords(selector).join(" "));
  reply.bulkText("channels");
  reply.bulkBinary(channelWords(selector).join(" "));
}

function aclList({ reply, engine }: Call): void {
  const { users } = engine.acl;
  reply.array(users.length);
  for (const user of users) reply.bulkBinary(`user ${user.text}`);
}

function aclUsers({ reply, engine }: Call): void {
  const { users } = engine.acl;
  reply.array(users.length);
  for (const user of users) reply.bulkBinary(user.name);
}

function aclWhoami({ reply, client }: Call): void {
  reply.bulkBinary(client.user.name);
}

function aclCat({ args, reply, engine }: Call): void {
  if (args.count > 3) return reply.error(unknownOrArity(args));
  if (args.count === 2) {
    reply.array(ACL_CATEGORIES.length);
    for (const category of ACL_CATEGORIES) reply.bulkText(category);
    return;
  }
  const category = inLowerCase(args.binary(2));
  if (!ACL_CATEGORIES.includes(category)) return reply.error(unknownCategory(args.binary(2)));
  const commands = engine.commands.original.filter(({ aclCategories }) =>
    aclCategories.includes(category)
  );
  reply.array(commands.length);
  for (const { fullName } of commands) reply.bulkText(fullName);
}

function aclLog(call: Call): void {
  const { args, reply, engine: { acl, clock } } = call;
  if (args.count > 3) return reply.error(unknownOrArity(args));
  if (args.is(2, "RESET")) {
    acl.log.reset();
    return reply.ok();
  }
  const count = args.count === 2 ? SHOWN_ENTRIES : args.integer(2);
  if (args.error !== null) return reply.error(args.error);
  const entries = acl.log.entries.slice(0, Math.max(count, 0));
  reply.array(entries.length);
  for (const entry of entries) {
    reply.map(10);
    replyPair(call, "count", entry.count);
    replyPair(call, "reason", entry.reason);
    replyPair(call, "context", entry.context);
    replyPair(call, "object", entry.object);
    replyPair(call, "username", entry.user);
    reply.bulkText("age-seconds");
    reply.double((clock.nowMs() - entry.updatedMs) / 1_000);
    replyPair(call, "client-info", entry.client);
    replyPair(call, "entry-id", entry.id);
    replyPair(call, "timestamp-created", entry.createdMs);
    replyPair(call, "timestamp-last-updated", entry.updatedMs);
  }
}

function replyPair({ reply }: Call, name: string, value: string | number): void {
  reply.bulkText(name);
  if (typeof value === "number") reply.integer(value);
  else reply.bulkBinary(value);
}

function aclDryrun({ args, reply, engine: { acl, commands } }: Call): void {
  const user = acl.user(args.binary(2));
  if (user === null) return reply.error(userNotFound(args.binary(2)));
  const inner = new Args();
  inner.referTo(args, 3, args.count - 1);
  const command = commands.findWhole(inner);
  if (command === null) return reply.error(commandNotFound(args.binary(3)));
  if (!command.takes(inner.count)) return reply.error(wrongArity(command.fullName));
  const denial = acl.check(user, command, inner);
  if (denial === 0) reply.ok();
  else reply.bulkBinary(acl.denialText(user, command, denial, inner));
}

function aclGenpass({ args, reply }: Call): void {
  if (args.count > 3) return reply.error(unknownOrArity(args));
  const bits = args.count === 2 ? PASSWORD_BITS : args.integer(2);
  if (args.error !== null) return reply.error(args.error);
  if (bits < 1 || bits > PASSWORD_BITS_MAX) return reply.error(Errors.genpassBits);
  const bytes = crypto.getRandomValues(new Uint8Array(Math.ceil(bits / 8)));
  reply.bulkText(hexText(bytes).slice(0, Math.ceil(bits / 4)));
}

function aclSave({ reply, engine: { acl, log, parameters } }: Call): void {
  if (parameters.values.aclfile === "") return reply.error(Errors.noAclFile);
  const error = acl.save();
  if (error === null) return reply.ok();
  log.warning(error);
  reply.error(Errors.aclNotSaved);
}

function aclLoad({ reply, engine: { acl, log, parameters } }: Call): void {
  if (parameters.values.aclfile === "") return reply.error(Errors.noAclFile);
  const error = acl.load();
  if (error === null) return reply.ok();
  log.warning(error);
  reply.error(errorReply(`ERR ${error}`));
}

function aclHelp(call: Call): void {
  replyHelp(call, [
    ["CAT [<category>]", "The categories of commands, or the commands of one."],
    ["DELUSER <username> [<username> ...]", "Removes users, and disconnects their clients."],
    ["DRYRUN <username> <command> [<arg> ...]", "Whether the user might run the command."],
    ["GETUSER <username>", "What a user may do."],
    ["GENPASS [<bits>]", "A password of random digits, of 256 bits unless asked for others."],
    ["LIST", "All users as the ACL file has them."],
    ["LOAD", "Replaces all users by those of the ACL file."],
    ["LOG [<count> | RESET]", "What was refused lately."],
    ["SAVE", "Writes all users to the ACL file."],
    ["SETUSER <username> <attribute> [<attribute> ...]", "Creates or changes a user."],
    ["USERS", "The names of all users."],
    ["WHOAMI", "The user of this connection."],
  ]);
}

const ADMINISTERS = Flag.admin | Flag.noScript | Flag.loading | Flag.stale;
const ASKS = Flag.noScript | Flag.loading | Flag.stale;

/** Rows of the table: see engine/command.ts. */
export const aclCommands: readonly CommandSpec[] = [
  {
    name: "acl",
    usage: "",
    summary: "Manages users and what they may do.",
    since: "6.0.0",
    complexity: "Depends on the subcommand",
    flags: 0,
    subcommands: [
      {
        name: "cat",
        usage: "[category]",
        summary: "Returns the categories of commands, or the commands of one.",
        since: "6.0.0",
        complexity: "O(1)",
        flags: ASKS,
        run: aclCat,
      },
      {
        name: "deluser",
        usage: "{username}*",
        summary: "Removes users, and disconnects their clients.",
        since: "6.0.0",
        complexity: "O(N)",
        flags: ADMINISTERS,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        run: aclDeluser,
      },
      {
        name: "dryrun",
        usage: "username command [{arg}*]",
        summary: "Tells whether a user might run a command, and does not run it.",
        since: "7.0.0",
        complexity: "O(1)",
        flags: ADMINISTERS,
        run: aclDryrun,
      },
      {
        name: "genpass",
        usage: "[bits:integer]",
        summary: "Returns a password of random digits.",
        since: "6.0.0",
        complexity: "O(1)",
        flags: ASKS,
        run: aclGenpass,
      },
      {
        name: "getuser",
        usage: "username",
        summary: "Returns what a user may do.",
        since: "6.0.0",
        complexity: "O(N)",
        flags: ADMINISTERS,
        history: [
          ["6.2.0", "The patterns of channels."],
          ["7.0.0", "Selectors; key and channel patterns as rules."],
        ],
        run: aclGetuser,
      },
      {
        name: "help",
        usage: "",
        summary: "Lists the subcommands.",
        since: "6.0.0",
        complexity: "O(1)",
        flags: Flag.loading | Flag.stale,
        run: aclHelp,
      },
      {
        name: "list",
        usage: "",
        summary: "Returns all users as the ACL file has them.",
        since: "6.0.0",
        complexity: "O(N)",
        flags: ADMINISTERS,
        run: aclList,
      },
      {
        name: "load",
        usage: "",
        summary: "Replaces all users by those of the ACL file.",
        since: "6.0.0",
        complexity: "O(N)",
        flags: ADMINISTERS,
        run: aclLoad,
      },
      {
        name: "log",
        usage: "[operation=(count:integer | RESET)]",
        summary: "Returns what was refused lately, or forgets it.",
        since: "6.0.0",
        complexity: "O(N)",
        flags: ADMINISTERS,
        history: [["7.2.0", "The fields entry-id, timestamp-created and timestamp-last-updated."]],
        run: aclLog,
      },
      {
        name: "save",
        usage: "",
        summary: "Writes all users to the ACL file.",
        since: "6.0.0",
        complexity: "O(N)",
        flags: ADMINISTERS,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        run: aclSave,
      },
      {
        name: "setuser",
        usage: "username [{rule}*]",
        summary: "Creates or changes a user.",
        since: "6.0.0",
        complexity: "O(N)",
        flags: ADMINISTERS,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        history: [
          ["6.2.0", "Patterns of channels."],
          ["7.0.0", "Selectors, and rights to read or write keys."],
        ],
        run: aclSetuser,
      },
      {
        name: "users",
        usage: "",
        summary: "Returns the names of all users.",
        since: "6.0.0",
        complexity: "O(N)",
        flags: ADMINISTERS,
        run: aclUsers,
      },
      {
        name: "whoami",
        usage: "",
        summary: "Returns the name of the connection's user.",
        since: "6.0.0",
        complexity: "O(1)",
        flags: ASKS,
        run: aclWhoami,
      },
    ],
  },
];
