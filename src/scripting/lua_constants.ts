/** Numbers of Lua's interface: `lua.h`. They have a file of their own because they are needed before Lua has been loaded. */

/** The index of the registry and of the globals. */
export const REGISTRY = -10000;
export const GLOBALS = -10002;

/** Types of values: `lua_type`. */
export const Type = {
  none: -1,
  nil: 0,
  boolean: 1,
  lightUserdata: 2,
  number: 3,
  string: 4,
  table: 5,
  function: 6,
  userdata: 7,
  thread: 8,
} as const;

/** How code ended: `lua_pcall`, `lua_load`. */
export const Status = {
  ok: 0,
  yield: 1,
  runtime: 2,
  syntax: 3,
  memory: 4,
  handler: 5,
  /** Ours: the machine can't be used any more. */
  broken: -2,
} as const;

/** What `lua_gc` does. */
export const Collect = {
  stop: 0,
  restart: 1,
  all: 2,
  countKiB: 3,
  countRest: 4,
  step: 5,
} as const;

/** What the count hook does next. */
export const Decision = { goOn: 0, wait: 1, raise: 2 } as const;
