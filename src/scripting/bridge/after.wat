;; What needs the exports of Lua's module: setjmp's other half, the hook, an allocator with a limit, and the entry of scripts.
(module
  (type $protected (func (param i32 i32)))
  (import "lua" "memory" (memory 1))
  (import "lua" "__indirect_function_table" (table 0 funcref))
  (import "lua" "stackSave" (func $stackSave (result i32)))
  (import "lua" "stackRestore" (func $stackRestore (param i32)))
  (import "lua" "setThrew" (func $setThrew (param i32 i32)))
  (import "lua" "realloc" (func $realloc (param i32 i32) (result i32)))
  (import "lua" "free" (func $free (param i32)))
  (import "lua" "lua_error" (func $error (param i32) (result i32)))
  (import "lua" "lua_pcall" (func $pcall (param i32 i32 i32 i32) (result i32)))
  (import "lua" "luaL_where" (func $where (param i32 i32)))
  (import "lua" "lua_pushlstring" (func $pushString (param i32 i32 i32)))
  (import "lua" "lua_concat" (func $concat (param i32 i32)))
  (import "host" "text" (global $text i32))
  (import "host" "size" (global $size i32))
  (import "before" "longjmp" (tag $longjmp))
  (import "host" "decide" (func $decide (param i32) (result i32)))
  (import "host" "wait" (func $wait))

  ;; Calls $function and notes in Lua's module whether it was left by longjmp. Failures of JavaScript pass through.
  (func (export "invoke") (param $function i32) (param $state i32) (param $data i32)
    (local $stack i32)
    (local.set $stack (call $stackSave))
    (block $thrown
      (try_table (catch $longjmp $thrown)
        (call_indirect (type $protected)
          (local.get $state) (local.get $data) (local.get $function)))
      (return))
    (call $stackRestore (local.get $stack))
    (call $setThrew (i32.const 1) (i32.const 0)))

  ;; A read-only table is to be written: raises the error, with the script's name and line if Lua code does it.
  (func (export "refuseWrite") (param $state i32) (result i32)
    (call $where (local.get $state) (i32.const 0))
    (call $pushString (local.get $state) (global.get $text) (global.get $size))
    (call $concat (local.get $state) (i32.const 2))
    (call $error (local.get $state)))

  ;; The count hook: the host says whether the script goes on (0), waits (1), or ends with the error it has pushed (2).
  (func (export "hook") (param $state i32) (param $record i32)
    (local $decision i32)
    (loop $again
      (local.set $decision (call $decide (local.get $state)))
      (if (i32.eq (local.get $decision) (i32.const 1))
        (then (call $wait) (br $again))))
    (if (i32.eq (local.get $decision) (i32.const 2))
      (then (drop (call $error (local.get $state))))))

  ;; lua_Alloc. $account points to two words: bytes in use, and how many there may be.
  (func (export "allocate") (param $account i32) (param $block i32) (param $old i32) (param $new i32) (result i32)
    (local $total i32)
    (local.set $total
      (i32.add (i32.sub (i32.load (local.get $account)) (local.get $old)) (local.get $new)))
    (if (i32.eqz (local.get $new))
      (then
        (call $free (local.get $block))
        (i32.store (local.get $account) (local.get $total))
        (return (i32.const 0))))
    ;; A block may always shrink: Lua takes it for granted.
    (if (i32.and
          (i32.gt_u (local.get $new) (local.get $old))
          (i32.gt_u (local.get $total) (i32.load offset=4 (local.get $account))))
      (then (return (i32.const 0))))
    (local.set $block (call $realloc (local.get $block) (local.get $new)))
    (if (local.get $block)
      (then (i32.store (local.get $account) (local.get $total))))
    (local.get $block))

  ;; lua_pcall with a handler of errors, whose result goes to $result: a promising export returns a promise, and the script may be over by then.
  (func (export "run") (param $state i32) (param $arguments i32) (param $results i32) (param $handler i32) (param $result i32)
    (i32.store (local.get $result)
      (call $pcall
        (local.get $state) (local.get $arguments) (local.get $results) (local.get $handler)))))
