;; Makes a function of the host one that Lua can call. If it returns a negative number, the value on top of the stack is raised
;; as an error: here, so that no frame of JavaScript lies between lua_error and the pcall that catches it.
(module
  (import "lua" "lua_error" (func $error (param i32) (result i32)))
  (import "host" "function" (func $function (param i32) (result i32)))
  (func (export "function") (param $state i32) (result i32)
    (local $results i32)
    (local.set $results (call $function (local.get $state)))
    (if (i32.lt_s (local.get $results) (i32.const 0))
      (then (return (call $error (local.get $state)))))
    (local.get $results)))
