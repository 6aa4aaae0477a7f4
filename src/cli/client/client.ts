/** The client's side of a session: connects, signs in, knows what state the server keeps for it. */
import { type Address, addressText } from "./address.ts";
import { ClientFailure, Connection, ConnectionLost } from "./connection.ts";
import { type Reply, textOf } from "../../protocol/reply.ts";
import type { Word } from "../../protocol/request.ts";

/** How a session begins, and begins again after the connection broke. Texts are binary. */
export interface Login {
  user: string;
  /** Null: none. */
  password: string | null;
  db: number;
  /** 0: the protocol that the server begins with, which is RESP2. */
  resp: 0 | 2 | 3;
}

export class Client {
  /** Null before `connect` and after the connection broke. */
  connection: Connection | null = null;
  /** The database in use: that of the login, unless it could not be chosen. */
  db = 0;
  resp: 2 | 3 = 2;
  isInTransaction = false;
  /** Channels and patterns that messages come from. */
  subscriptions = 0;
  /** What CLIENT REPLY asked for; "skip" is over after the next command. */
  replies: "on" | "off" | "skip" = "on";
  /** What `arrival` waits for. */
  #pending: Promise<Reply> | null = null;

  constructor(
    public address: Address,
    readonly login: Login,
    /** Says something on standard error. */
    readonly warn: (line: string) => void,
    /** Takes what the server sends besides replies. */
    readonly onPush: (push: Reply) => void,
  ) {}

  /** Connects unless that is done. Throws a ClientFailure. What the login can't do is only warned of. */
  async connect(): Promise<Connection> {
    if (this.connection !== null) return this.connection;
    const connection = await Connection.open(this.address);
    this.connection = connection;
    this.db = 0;
    this.resp = 2;
    this.replies = "on";
    this.isInTransaction = false;
    this.subscriptions = 0;
    try {
      await this.#logIn();
    } catch (error) {
      this.disconnect();
      throw error;
    }
    return connection;
  }

  /** The reply to one command. Throws a ClientFailure. */
  async call(...words: readonly Word[]): Promise<Reply> {
    const connection = await this.connect();
    await connection.send(words);
    return await this.receive();
  }

  /** As `call`, but an error of the server ends the program; `what` says where it came from. */
  async demand(what: string, ...words: readonly Word[]): Promise<Reply> {
    const reply = await this.call(...words);
    if (reply.kind !== "error") return reply;
    throw new ClientFailure(`${what}: ${textOf(reply)}`);
  }

  /** The replies to several commands that are sent at once. */
  async callAll(requests: readonly (readonly Word[])[]): Promise<Reply[]> {
    const connection = await this.connect();
    await connection.sendAll(requests);
    const replies: Reply[] = [];
    for (let count = 0; count < requests.length; count++) replies.push(await this.receive());
    return replies;
  }

  /** The next reply; pushes before it go where they belong. */
  async receive(): Promise<Reply> {
    for (;;) {
      const reply = await this.receiveAny();
      if (reply.kind !== "push") return reply;
      this.onPush(reply);
    }
  }

  /** The next reply or push. */
  async receiveAny(): Promise<Reply> {
    if (this.connection === null) throw new ConnectionLost("Error: Server closed the connection");
    try {
      return await this.#next(this.connection);
    } catch (error) {
      this.disconnect();
      throw error;
    } finally {
      this.#pending = null;
    }
  }

  /** Waits until `receiveAny` will not have to wait. The waiting may be given up. */
  async arrival(): Promise<void> {
    if (this.connection === null) return;
    await this.#next(this.connection).catch(() => {});
  }

  #next(connection: Connection): Promise<Reply> {
    if (this.#pending === null) {
      this.#pending = connection.receive();
      // Whoever calls receiveAny is told of the failure.
      this.#pending.catch(() => {});
    }
    return this.#pending;
  }

  disconnect(): void {
    this.connection?.close();
    this.connection = null;
    this.#pending = null;
    this.isInTransaction = false;
    this.subscriptions = 0;
  }

  get name(): string {
    return addressText(this.address);
  }

  async #logIn(): Promise<void> {
    const { user, password, db, resp } = this.login;
    if (password !== null) {
      const words = user === "" ? [password] : [user, password];
      const reply = await this.call("AUTH", ...words);
      if (reply.kind === "error") this.warn(`AUTH failed: ${textOf(reply)}`);
    }
    if (db !== 0) {
      const reply = await this.call("SELECT", String(db));
      if (reply.kind === "error") this.warn(`SELECT ${db} failed: ${textOf(reply)}`);
      else this.db = db;
    }
    if (resp === 3) {
      const reply = await this.call("HELLO", "3");
      if (reply.kind === "error") this.warn(`HELLO 3 failed: ${textOf(reply)}`);
      else this.resp = 3;
    }
  }
}
