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
  (import "host" "lists" (global $lists i32))
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

  ;; Lua makes and frees small blocks all the time, and tells their sizes: some of those it frees are kept, in a list for 16, 32 …
  ;; 256 bytes each, for the next block of that size. All others go back to the C library, which puts neighbours together.
  (global $kept (mut i32) (i32.const 0))

  ;; Where the list for blocks of $size bytes begins.
  (func $listFor (param $size i32) (result i32)
    (i32.add (global.get $lists)
      (i32.and (i32.shr_u (i32.add (local.get $size) (i32.const 15)) (i32.const 2)) (i32.const -4))))

  ;; The least multiple of 16 that is not below $size.
  (func $rounded (param $size i32) (result i32)
    (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -16)))

  (func $take (param $size i32) (result i32)
    (local $list i32) (local $block i32)
    (if (i32.gt_u (local.get $size) (i32.const 256))
      (then (return (call $realloc (i32.const 0) (local.get $size)))))
    (local.set $list (call $listFor (local.get $size)))
    (local.set $block (i32.load (local.get $list)))
    (if (i32.eqz (local.get $block))
      (then (return (call $realloc (i32.const 0) (call $rounded (local.get $size))))))
    (i32.store (local.get $list) (i32.load (local.get $block)))
    (global.set $kept (i32.sub (global.get $kept) (call $rounded (local.get $size))))
    (local.get $block))

  (func $put (param $block i32) (param $size i32)
    (local $list i32)
    (if (i32.or
          (i32.gt_u (i32.sub (local.get $size) (i32.const 1)) (i32.const 255))
          (i32.gt_u (global.get $kept) (i32.const 0x80000)))
      (then (call $free (local.get $block)) (return)))
    (local.set $list (call $listFor (local.get $size)))
    (i32.store (local.get $block) (i32.load (local.get $list)))
    (i32.store (local.get $list) (local.get $block))
    (global.set $kept (i32.add (global.get $kept) (call $rounded (local.get $size)))))

  ;; A block of another size with the contents of $block; 0 if there is no memory.
  (func $resize (param $block i32) (param $old i32) (param $new i32) (result i32)
    (local $other i32)
    (if (i32.and
          (i32.gt_u (local.get $old) (i32.const 256)) (i32.gt_u (local.get $new) (i32.const 256)))
      (then (return (call $realloc (local.get $block) (local.get $new)))))
    (local.set $other (call $take (local.get $new)))
    (if (i32.eqz (local.get $block)) (then (return (local.get $other))))
    (if (i32.eqz (local.get $other))
      ;; A block may always shrink: Lua takes it for granted.
      (then
        (return
          (select (local.get $block) (i32.const 0)
            (i32.le_u (local.get $new) (local.get $old))))))
    (memory.copy (local.get $other) (local.get $block)
      (select (local.get $old) (local.get $new) (i32.lt_u (local.get $old) (local.get $new))))
    (call $put (local.get $block) (local.get $old))
    (local.get $other))

  ;; lua_Alloc. $account points to two words: bytes in use, and how many there may be.
  (func (export "allocate") (param $account i32) (param $block i32) (param $old i32) (param $new i32) (result i32)
    (local $total i32)
    (local.set $total
      (i32.add (i32.sub (i32.load (local.get $account)) (local.get $old)) (local.get $new)))
    (if (i32.eqz (local.get $new))
      (then
        (call $put (local.get $block) (local.get $old))
        (i32.store (local.get $account) (local.get $total))
        (return (i32.const 0))))
    (if (i32.and
          (i32.gt_u (local.get $new) (local.get $old))
          (i32.gt_u (local.get $total) (i32.load offset=4 (local.get $account))))
      (then (return (i32.const 0))))
    (local.set $block (call $resize (local.get $block) (local.get $old) (local.get $new)))
    (if (local.get $block)
      (then (i32.store (local.get $account) (local.get $total))))
    (local.get $block))

  ;; lua_pcall with a handler of errors, whose result goes to $result: a promising export returns a promise, and the script may be over by then.
  (func (export "run") (param $state i32) (param $arguments i32) (param $results i32) (param $handler i32) (param $result i32)
    (i32.store (local.get $result)
      (call $pcall
        (local.get $state) (local.get $arguments) (local.get $results) (local.get $handler)))))
