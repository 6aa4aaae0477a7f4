/**
 * Users and their rights (ACL): who a client is, and whether it may do what it asks for.
 *
 *     users ── AclUser: passwords ── Selector: commands, keys, channels (acl_selector.ts); rules change it (acl_rules.ts)
 *     clients refer to their user; what is refused to them goes to the log (acl_log.ts)
 *
 * Nearly all clients may do everything. Of such a client `isUnrestricted` is set, so that its requests cost one question; each
 * change of a user or of who a client is works it out anew.
 */
import { cText } from "../lib/c_text.ts";
import { systemText } from "../lib/system_error.ts";
import type { Args } from "../protocol/args.ts";
import { type ErrorReply, errorReply, Errors } from "../protocol/errors.ts";
import { parseAclFile } from "./acl_file.ts";
import { AclLog, type LogContext, type LogReason } from "./acl_log.ts";
import { BLANK } from "./acl_rules.ts";
import { Denied, indexOf, kindOf } from "./acl_selector.ts";
import { type AclContext, AclUser, joinSelectors, passwordHash, quoted } from "./acl_user.ts";
import type { Client } from "./client.ts";
import { describeClient } from "./client_line.ts";
import { type Command, type CommandTable, Flag } from "./command.ts";
import type { Engine } from "./engine.ts";
import { Kind } from "./pubsub.ts";
import { shortArgument, shortText } from "./shown_arguments.ts";

const DEFAULT = "default";
/** Of a longer name the log keeps so many bytes. Otherwise names of a hundred megabytes would take all of the runtime's heap. */
const LOGGED_BYTES_MAX = 4096;
const ALL_RIGHTS = ["+@all", "~*", "&*", "on", "nopass"];
const REASONS: Readonly<Record<Denied, LogReason>> = {
  [Denied.command]: "command",
  [Denied.key]: "key",
  [Denied.channel]: "channel",
};

/** Why a command of a transaction is not run any more. */
const RIGHTS_CHANGED: Readonly<Record<Denied, ErrorReply>> = {
  [Denied.command]: Errors.commandForbidden,
  [Denied.key]: Errors.keyForbidden,
  [Denied.channel]: Errors.channelForbidden,
};

export class Acl implements AclContext {
  readonly #engine: Engine;
  #users = new Map<string, AclUser>();
  readonly log = new AclLog();
  /** That of clients which have not logged in. It always exists, and is always this object. */
  readonly defaultUser: AclUser;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.defaultUser = this.newDefaultUser();
    this.#users.set(DEFAULT, this.defaultUser);
    this.setDefaultPassword();
  }

  get commands(): CommandTable {
    return this.#engine.commands;
  }

  get allowsChannels(): boolean {
    return this.#engine.parameters.values.aclPubsubDefault === "allchannels";
  }

  /** The default user as it is if nothing else is said. */
  newDefaultUser(): AclUser {
    const user = new AclUser(DEFAULT, this);
    user.applyAll(ALL_RIGHTS);
    return user;
  }

  /** By name. */
  get users(): readonly AclUser[] {
    return [...this.#users.values()].sort((one, other) => one.name < other.name ? -1 : 1);
  }

  user(name: string): AclUser | null {
    return this.#users.get(name) ?? null;
  }

  /** `requirepass` has changed: it is the only password of the default user, or that one needs none. */
  setDefaultPassword(): void {
    const { requirepass } = this.#engine.parameters.values;
    const user = this.defaultUser.copy();
    user.apply("resetpass");
    user.apply(requirepass === "" ? "nopass" : `>${requirepass}`);
    this.#change(this.defaultUser, user);
  }

  /** ACL SETUSER: all rules or none. Returns an error's text, or null. */
  setUser(name: string, words: readonly string[]): string | null {
    if (BLANK.test(name)) return "Usernames can't contain spaces or null characters";
    const joined = joinSelectors(words);
    if ("unmatched" in joined) {
      return `Unmatched parenthesis in acl selector starting at '${cText(joined.unmatched)}'.`;
    }
    const known = this.user(name);
    const changed = known?.copy() ?? new AclUser(name, this);
    const refused = changed.applyAll(joined.rules);
    if (refused !== null) {
      return `Error in ACL SETUSER modifier '${cText(refused.rule)}': ${refused.detail}`;
    }
    const user = known ?? new AclUser(name, this);
    this.#users.set(name, user);
    this.#disconnectListeners(user, changed);
    this.#change(user, changed);
    return null;
  }

  /** ACL DELUSER; not for the default user. The clients of the user are disconnected. Returns whether there was one. */
  removeUser(name: string): boolean {
    const user = this.user(name);
    if (user === null) return false;
    this.#users.delete(name);
    this.#disconnectAll((client) => client.user === user);
    return true;
  }

  /** Makes the users of the configuration's `user` lines, whose rules are given by name. Returns why it can't, or null. */
  configure(users: ReadonlyMap<string, readonly string[]>): string | null {
    for (const [name, rules] of users) {
      const user = new AclUser(name, this);
      const refused = user.applyAll(rules);
      if (refused !== null) {
        return `Error loading ACL rule '${refused.rule}' for the user named '${name}': ` +
          refused.detail;
      }
      if (name === DEFAULT) this.#change(this.defaultUser, user);
      else this.#users.set(name, user);
      if (!this.user(name)?.isOn) {
        this.#engine.log.notice(
          `The user '${name}' is disabled (there is no 'on' modifier in the user description). ` +
            "Make sure this is not a configuration error.",
        );
      }
    }
    return null;
  }

  /** What CONFIG REWRITE writes behind the word `user`; nothing if there is an ACL file. */
  get configurationLines(): readonly string[] {
    if (this.#engine.parameters.values.aclfile !== "") return [];
    return this.users.map(({ words }) => words.map(quoted).join(" "));
  }

  /** ACL SAVE: writes all users to the ACL file. Returns why that failed, or null. */
  save(): string | null {
    const { host, parameters } = this.#engine;
    const text = this.users.map((user) => `user ${user.text}\n`).join("");
    try {
      host.writeAclFile(parameters.values.aclfile, text);
      return null;
    } catch (error) {
      return `Writing ACL file for ACL SAVE: ${systemText(error)}`;
    }
  }

  /** ACL LOAD: all users become those of the ACL file, or none. Returns why not, or null. */
  load(): string | null {
    const { host, parameters: { values: { aclfile } } } = this.#engine;
    let text: string;
    try {
      text = host.readAclFile(aclfile);
    } catch (error) {
      return `Error loading ACLs, opening file '${aclfile}': ${systemText(error)}`;
    }
    const parsed = parseAclFile(text, aclfile, this);
    if ("errors" in parsed) return parsed.errors;
    this.#replaceUsers(parsed.users);
    return null;
  }

  /** Replaces all users by `users`, as ACL LOAD does. The clients of all but the default user, and the owner's, are disconnected. */
  #replaceUsers(users: readonly AclUser[]): void {
    const replaced = new Set(this.users);
    replaced.delete(this.defaultUser);
    this.#users = new Map([[DEFAULT, this.defaultUser]]);
    const given = users.find((user) => user.name === DEFAULT) ?? this.newDefaultUser();
    this.#disconnectListeners(this.defaultUser, given);
    this.#change(this.defaultUser, given);
    for (const user of users) {
      if (user.name !== DEFAULT) this.#users.set(user.name, user);
    }
    this.#disconnectAll(({ user }) => replaced.has(user));
  }

  /** The rights of a user change to those of `changed`. */
  #change(user: AclUser, changed: AclUser): void {
    user.become(changed);
    for (const client of this.#engine.clients.values()) this.admit(client);
  }

  /** Disconnects subscribers to channels that they may not listen to any more. */
  #disconnectListeners(user: AclUser, changed: AclUser): void {
    const selectors = [changed.root, ...changed.selectors];
    if (selectors.some((selector) => selector.isAllChannels)) return;
    const mayListen = (name: Uint8Array, isPattern: boolean): boolean =>
      selectors.some((selector) => selector.allowsChannel(name, 0, name.length, isPattern));
    this.#disconnectAll(({ user: own, subscriptions }) => {
      if (own !== user || subscriptions === null) return false;
      return subscriptions.topics.some((topics, kind) =>
        [...topics.keys()].some(({ name }) => !mayListen(name, kind === Kind.pattern))
      );
    });
  }

  /** Disconnects clients; the one whose command does it gets its reply first. */
  #disconnectAll(isMeant: (client: Client) => boolean): void {
    for (const client of [...this.#engine.clients.values()].filter(isMeant)) {
      // What its transaction still has to run must not have the rights of a user that is gone.
      client.user = this.defaultUser;
      client.authenticated = false;
      this.admit(client);
      if (client === this.#engine.actor) client.transport.closeAfterReply();
      else client.transport.kill();
    }
  }

  /** A client may do what the default user may: it is new, or has called RESET. */
  leave(client: Client): void {
    client.user = this.defaultUser;
    client.authenticated = this.#isOpen;
    this.admit(client);
  }

  /** AUTH: the client becomes `name` if the password is right. Returns whether; a failure goes to the log. */
  logIn(client: Client, name: string, password: Uint8Array): boolean {
    const user = this.user(name);
    // Also for a user that does not exist: the time must not tell who does.
    const hash = passwordHash(password);
    if (user === null || !user.isOn || !(user.needsNoPassword || hasPassword(user, hash))) {
      const { args } = client.call;
      this.#record(client, "auth", contextOf(client), args.binary(0), name);
      this.#engine.logins.failed(client);
      return false;
    }
    client.user = user;
    client.authenticated = true;
    this.admit(client);
    return true;
  }

  /** The client belongs to whoever runs the server: it may do everything, whatever passwords and users there are. */
  admitOwner(client: Client): void {
    const owner = new AclUser("owner", this);
    owner.applyAll(ALL_RIGHTS);
    client.user = owner;
    client.authenticated = true;
    this.admit(client);
  }

  /** Whether clients need not log in. */
  get #isOpen(): boolean {
    return this.defaultUser.needsNoPassword && this.defaultUser.isOn;
  }

  /** Whether the client has logged in, or need not. */
  isAuthenticated(client: Client): boolean {
    return client.authenticated || this.#isOpen;
  }

  /** Works out whether any request of the client must be checked: who it is, or what its user may do, has changed. */
  admit(client: Client): void {
    client.isUnrestricted = client.user.mayDoAll && this.isAuthenticated(client);
  }

  /** What is denied to the client's user of this request; 0 if it is allowed. Allocates nothing then. */
  check({ root, selectors }: AclUser, command: Command, args: Args): number {
    let denial = root.check(command, args);
    for (let i = 0; i < selectors.length && denial !== 0; i++) {
      const other = selectors[i].check(command, args);
      denial = other === 0 ? 0 : Math.max(denial, other);
    }
    return denial;
  }

  /** Why the client may not run this command, or null. A refusal goes to the log. */
  refusal(client: Client, command: Command, args: Args): ErrorReply | null {
    if ((command.flags & Flag.noAuth) === 0 && !this.isAuthenticated(client)) return Errors.noAuth;
    const denial = this.check(client.user, command, args);
    if (denial === 0) return null;
    client.call.command = command; // The log shows what the client was about to run.
    this.#recordDenial(client, contextOf(client), command, args, denial);
    // EXEC was about to run it: it was allowed when it was queued.
    if (client.transaction.running !== null) return RIGHTS_CHANGED[kindOf(denial)];
    return errorReply(`NOPERM ${this.denialText(client.user, command, denial)}`);
  }

  /** As `refusal` for a command that a script of `client` calls. */
  refusalInScript(client: Client, command: Command, args: Args): ErrorReply | null {
    const denial = this.check(client.user, command, args);
    if (denial === 0) return null;
    this.#recordDenial(client, "lua", command, args, denial);
    const text = this.denialText(client.user, command, denial);
    return errorReply(`ERR ACL failure in script: ${text}`);
  }

  /** What a client is told of a denial. ACL DRYRUN, which gives the arguments, also tells the key or the channel. */
  denialText(user: AclUser, command: Command, denial: number, args: Args | null = null): string {
    const kind = kindOf(denial);
    if (kind === Denied.command) {
      return `User ${user.name} has no permissions to run the '${command.fullName}' command`;
    }
    const noun = kind === Denied.key ? "key" : "channel";
    if (args === null) return `No permissions to access a ${noun}`;
    const name = cText(args.binary(indexOf(denial)));
    return `User ${user.name} has no permissions to access the '${name}' ${noun}`;
  }

  /** Whether the client's user may read keys of any name by this request, as SORT's BY and GET do. */
  mayReadAll({ user, isUnrestricted }: Client, command: Command, args: Args): boolean {
    return isUnrestricted ||
      [user.root, ...user.selectors].some((selector) =>
        selector.readsAllKeys && selector.check(command, args) === 0
      );
  }

  #recordDenial(
    client: Client,
    context: LogContext,
    command: Command,
    args: Args,
    denial: number,
  ): void {
    const kind = kindOf(denial);
    const object = kind === Denied.command
      ? command.fullName
      : shortArgument(args, indexOf(denial), LOGGED_BYTES_MAX);
    this.#record(client, REASONS[kind], context, object, client.user.name);
  }

  #record(
    client: Client,
    reason: LogReason,
    context: LogContext,
    object: string,
    user: string,
  ): void {
    const { clock, counters, parameters } = this.#engine;
    counters.denials[reason]++;
    const refusal = {
      ...{ reason, context, object },
      user: shortText(user, LOGGED_BYTES_MAX),
      client: shortText(describeClient(client), LOGGED_BYTES_MAX),
    };
    this.log.add(refusal, clock.nowMs(), parameters.values.acllogMaxLen);
  }
}

function contextOf({ transaction }: Client): LogContext {
  return transaction.isUnderWay ? "multi" : "toplevel";
}

/** Whether the hash is that of one of the user's passwords. The time does not depend on how much of it is right. */
function hasPassword({ passwords }: AclUser, hash: string): boolean {
  let isRight = false;
  for (const password of passwords) {
    let difference = 0;
    for (let i = 0; i < password.length; i++) {
      difference |= password.charCodeAt(i) ^ hash.charCodeAt(i);
    }
    isRight = difference === 0 || isRight;
  }
  return isRight;
}
