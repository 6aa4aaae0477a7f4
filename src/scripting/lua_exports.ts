// deno-lint-ignore-file camelcase -- these are the names of Lua's C API
/** What Lua's WebAssembly module exports, as far as it is used. */

/** A function of Lua's C API, or of its C library: numbers are numbers, pointers and booleans i32. */
type Native<Parameters extends number> = Parameters extends 0 ? () => number
  : Parameters extends 1 ? (a: number) => number
  : Parameters extends 2 ? (a: number, b: number) => number
  : Parameters extends 3 ? (a: number, b: number, c: number) => number
  : (a: number, b: number, c: number, d: number) => number;

/** The C API, as the manual of Lua 5.1 describes it; a `lua_State *` or `char *` is a number. */
export interface LuaExports {
  readonly memory: WebAssembly.Memory;
  readonly __indirect_function_table: WebAssembly.Table;
  readonly __wasm_call_ctors: Native<0>;
  readonly malloc: Native<1>;
  readonly free: Native<1>;
  readonly realloc: Native<2>;
  readonly lua_newstate: Native<2>;
  readonly lua_gettop: Native<1>;
  readonly lua_settop: Native<2>;
  readonly lua_pushvalue: Native<2>;
  readonly lua_insert: Native<2>;
  readonly lua_replace: Native<2>;
  readonly lua_checkstack: Native<2>;
  readonly lua_isnumber: Native<2>;
  readonly lua_isstring: Native<2>;
  readonly lua_type: Native<2>;
  readonly lua_tonumber: Native<2>;
  readonly lua_toboolean: Native<2>;
  readonly lua_tolstring: Native<3>;
  readonly lua_touserdata: Native<2>;
  readonly lua_topointer: Native<2>;
  readonly lua_pushnil: Native<1>;
  readonly lua_pushnumber: Native<2>;
  readonly lua_pushlstring: Native<3>;
  readonly lua_pushcclosure: Native<3>;
  readonly lua_pushboolean: Native<2>;
  readonly lua_pushlightuserdata: Native<2>;
  readonly lua_gettable: Native<2>;
  readonly lua_getfield: Native<3>;
  readonly lua_rawget: Native<2>;
  readonly lua_rawgeti: Native<3>;
  readonly lua_createtable: Native<3>;
  readonly lua_newuserdata: Native<2>;
  readonly lua_getmetatable: Native<2>;
  readonly lua_setfield: Native<3>;
  readonly lua_rawset: Native<2>;
  readonly lua_rawseti: Native<3>;
  readonly lua_setmetatable: Native<2>;
  readonly lua_setfenv: Native<2>;
  readonly lua_next: Native<2>;
  readonly lua_concat: Native<2>;
  readonly lua_pcall: Native<4>;
  readonly lua_gc: Native<3>;
  readonly lua_error: Native<1>;
  readonly lua_getupvalue: Native<3>;
  readonly lua_sethook: Native<4>;
  readonly luaL_loadbuffer: Native<4>;
  readonly luaL_argerror: Native<3>;
  readonly luaL_checknumber: Native<2>;
  readonly luaL_checkinteger: Native<2>;
  readonly luaL_ref: Native<2>;
  readonly luaL_unref: Native<3>;
  readonly luaL_where: Native<2>;
  readonly luaL_checklstring: Native<3>;
  readonly luaL_optnumber: Native<3>;
  readonly luaopen_base: Native<1>;
  readonly luaopen_table: Native<1>;
  readonly luaopen_string: Native<1>;
  readonly luaopen_math: Native<1>;
  readonly luaopen_debug: Native<1>;
}
