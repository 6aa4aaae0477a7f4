/**
 * What runs Lua, put together. LuaHost imports this module, and with it Lua and most of scripting, when the first script or library
 * comes. What is loaded at the start takes nothing but types from here and from what is imported here.
 */
import type { Engine } from "../engine/engine.ts";
import { LibraryEnvironment } from "./library_environment.ts";
import { Libraries } from "./libraries/libraries.ts";
import { loadLua } from "./lua_code.ts";
import { LuaMachine } from "./lua_machine.ts";
import { ValueWriter } from "./lua_values.ts";
import { RedisTable } from "./redis_table.ts";
import { Registrar } from "./registrar.ts";
import { Sandbox } from "./sandbox.ts";
import { ScriptClient } from "./script_client.ts";

/** A machine and what belongs to it. */
export interface Machinery {
  readonly machine: LuaMachine;
  readonly scripts: ScriptClient;
  readonly writer: ValueWriter;
  readonly libraries: Libraries;
  readonly sandbox: Sandbox;
  /** Called when WebAssembly itself has failed in it: it is of no use any more. */
  readonly whenBroken: () => void;
}

export interface FunctionMachinery extends Machinery {
  readonly registrar: Registrar;
  readonly environment: LibraryEnvironment;
}

/** Makes machines, each with a memory of its own. */
export class MachineBuilder {
  readonly #code: WebAssembly.Module;

  constructor(code: WebAssembly.Module) {
    this.#code = code;
  }

  forScripts(engine: Engine, whenBroken: () => void): Machinery {
    return this.#build(engine, whenBroken, false);
  }

  forFunctions(engine: Engine, whenBroken: () => void): FunctionMachinery {
    const machinery = this.#build(engine, whenBroken, true);
    const { machine, sandbox } = machinery;
    const registrar = new Registrar(machine);
    const environment = new LibraryEnvironment(sandbox, (state) => {
      const error = registrar.call(state);
      if (error === null) return 0;
      machine.pushError(state, error);
      return -1;
    });
    return { ...machinery, registrar, environment };
  }

  #build(engine: Engine, whenBroken: () => void, isForFunctions: boolean): Machinery {
    const machine = new LuaMachine(this.#code);
    const scripts = new ScriptClient(engine, machine);
    const libraries = new Libraries(machine);
    const table = new RedisTable(engine, machine, scripts, isForFunctions);
    const sandbox = new Sandbox(machine, (sandbox) => {
      libraries.open(sandbox.state);
      table.register(sandbox);
    }, isForFunctions);
    const writer = new ValueWriter(machine, (error) => engine.counters.countError(error));
    return { machine, scripts, writer, libraries, sandbox, whenBroken };
  }
}

/** Loads Lua. Throws an error that says why it can't be had. */
export async function loadMachinery(): Promise<MachineBuilder> {
  return new MachineBuilder(await loadLua());
}
