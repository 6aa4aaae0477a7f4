/** The table `redis` (or `server`) of scripts, but for what runs commands. */
import type { Engine } from "../engine/engine.ts";
import { Reader } from "../engine/propagation.ts";
import { cText } from "../lib/c_text.ts";
import { GLOBALS, Type } from "./lua_constants.ts";
import type { HostFunction, LuaMachine } from "./lua_machine.ts";
import { firstLine } from "./lua_values.ts";
import type { Sandbox } from "./sandbox.ts";
import { sha1Hex } from "./script_cache.ts";
import type { ScriptClient } from "./script_client.ts";

const LOG_LEVELS = ["LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING"] as const;

export class RedisTable {
  readonly #engine: Engine;
  readonly #machine: LuaMachine;
  readonly #scripts: ScriptClient;

  constructor(
    engine: Engine,
    machine: LuaMachine,
    scripts: ScriptClient,
    readonly isForFunctions: boolean,
  ) {
    this.#engine = engine;
    this.#machine = machine;
    this.#scripts = scripts;
  }

  /** Adds the table to the globals of a sandbox. */
  register(sandbox: Sandbox): void {
    const scripts = this.#scripts;
    sandbox.addTable(
      "redis",
      {
        call: (state) => scripts.call(state),
        pcall: (state) => scripts.pcall(state),
        error_reply: (state) => this.#errorReply(state),
        status_reply: (state) => this.#statusReply(state),
        sha1hex: (state) => this.#sha1hex(state),
        log: (state) => this.#log(state),
        setresp: (state) => this.#setresp(state),
        set_repl: (state) => this.#setRepl(state),
        acl_check_cmd: (state) => this.#aclCheck(state),
        ...this.isForFunctions ? {} : this.#functionsOfScripts(),
      } satisfies Record<string, HostFunction>,
    );
    this.#addConstants(sandbox.state);
  }

  /** What functions of libraries don't have. */
  #functionsOfScripts(): Record<string, HostFunction> {
    return {
      replicate_commands: (state) => this.#boolean(state, true),
      breakpoint: (state) => this.#boolean(state, false),
      debug: () => 0,
    };
  }

  #addConstants(state: number): void {
    const { exports } = this.#machine;
    exports.lua_getfield(state, GLOBALS, this.#machine.name("redis"));
    const number = (name: string, value: number): void => {
      exports.lua_pushnumber(state, value);
      exports.lua_setfield(state, -2, this.#machine.name(name));
    };
    LOG_LEVELS.forEach(number);
    function numberOf(version: string): number {
      return version.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    }
    number("REPL_NONE", Reader.none);
    number("REPL_AOF", Reader.log);
    number("REPL_SLAVE", Reader.replica);
    number("REPL_REPLICA", Reader.replica);
    number("REPL_ALL", Reader.all);
    const { version } = this.#engine.host;
    number("REDIS_VERSION_NUM", numberOf(version));
    this.#machine.pushText(state, version);
    exports.lua_setfield(state, -2, this.#machine.name("REDIS_VERSION"));
    // Valkey's name for it.
    exports.lua_setfield(state, GLOBALS, this.#machine.name("server"));
  }

  /** Raises an error table with this text: no line of the script is put in front. */
  #raise(state: number, text: string): number {
    this.#machine.pushError(state, text);
    return -1;
  }

  #boolean(state: number, value: boolean): number {
    this.#machine.exports.lua_pushboolean(state, value ? 1 : 0);
    return 1;
  }

  /** The one argument, if it is one string; else pushes an error table and returns null. */
  #oneString(state: number): string | null {
    const { exports } = this.#machine;
    if (exports.lua_gettop(state) === 1 && exports.lua_type(state, 1) === Type.string) {
      return this.#machine.text(state, 1) ?? "";
    }
    this.#machine.pushError(state, "ERR wrong number or type of arguments");
    return null;
  }

  /** A text without a code gets the code ERR; one that begins with "-" has a code. */
  #errorReply(state: number): number {
    const text = this.#oneString(state);
    if (text === null) return 1;
    const shown = text.startsWith("-") ? cText(text).slice(1) : cText(text);
    const whole = shown.includes(" ") ? shown : `ERR ${shown}`;
    this.#machine.pushError(state, whole.replaceAll(/[\r\n]/g, " "));
    return 1;
  }

  #statusReply(state: number): number {
    if (this.#oneString(state) === null) return 1;
    const { exports } = this.#machine;
    exports.lua_createtable(state, 0, 1);
    exports.lua_pushvalue(state, 1);
    exports.lua_setfield(state, -2, this.#machine.name("ok"));
    return 1;
  }

  #sha1hex(state: number): number {
    const machine = this.#machine;
    if (machine.exports.lua_gettop(state) !== 1) {
      return this.#raise(state, "ERR wrong number of arguments");
    }
    const start = machine.string(state, 1);
    const size = start === 0 ? 0 : machine.stringLength();
    machine.pushText(state, sha1Hex(machine.bytes, start, start + size));
    return 1;
  }

  #log(state: number): number {
    const { exports } = this.#machine;
    const count = exports.lua_gettop(state);
    if (count < 2) return this.#raise(state, "ERR redis.log() requires two arguments or more.");
    if (exports.lua_isnumber(state, 1) === 0) {
      return this.#raise(state, "ERR First argument must be a number (log level).");
    }
    const level = Math.trunc(exports.lua_tonumber(state, 1));
    if (!(level >= 0 && level < LOG_LEVELS.length)) {
      return this.#raise(state, "ERR Invalid debug level.");
    }
    const words: string[] = [];
    for (let i = 2; i <= count; i++) {
      const word = this.#machine.text(state, i);
      if (word !== null) words.push(word);
    }
    const { log } = this.#engine;
    const write = [log.debug, log.verbose, log.notice, log.warning][level];
    write.call(log, words.join(" "));
    return 0;
  }

  #setresp(state: number): number {
    const { exports } = this.#machine;
    if (exports.lua_gettop(state) !== 1) {
      return this.#raise(state, "ERR redis.setresp() requires one argument.");
    }
    const version = Math.trunc(exports.lua_tonumber(state, 1));
    if (version !== 2 && version !== 3) {
      return this.#raise(state, "ERR RESP version must be 2 or 3.");
    }
    this.#scripts.client.reply.resp = version;
    return 0;
  }

  #setRepl(state: number): number {
    const { exports } = this.#machine;
    if (exports.lua_gettop(state) !== 1) {
      return this.#raise(state, "ERR redis.set_repl() requires one argument.");
    }
    const readers = Math.trunc(exports.lua_tonumber(state, 1));
    // Not by its bits: those of a number beyond 32 are lost.
    if (!(readers >= Reader.none && readers <= Reader.all)) {
      return this.#raise(
        state,
        "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
      );
    }
    if (this.#scripts.run !== null) this.#scripts.run.readers = readers;
    return 0;
  }

  #aclCheck(state: number): number {
    const failure = this.#scripts.takeArguments(state);
    if (failure !== null) return this.#raise(state, firstLine(failure, failure.length));
    const { client } = this.#scripts;
    const { acl, commands } = this.#engine;
    const command = commands.findWhole(client.args);
    if (command === null) {
      return this.#raise(state, "ERR Invalid command passed to redis.acl_check_cmd()");
    }
    const isAllowed = client.isUnrestricted || acl.check(client.user, command, client.args) === 0;
    return this.#boolean(state, isAllowed);
  }
}
