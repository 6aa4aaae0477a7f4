;; What Lua's module imports, and what must be WebAssembly for JSPI: it refuses to suspend across a frame of JavaScript.
;; Lua's module comes into being after this one, so the call goes through a slot that is filled then.
(module
  (type $protected (func (param i32 i32 i32)))
  (type $raise (func (param i32) (result i32)))
  (table (export "slots") 2 funcref)
  (tag $longjmp (export "longjmp"))
  (func (export "invoke") (param $function i32) (param $state i32) (param $data i32)
    (call_indirect (type $protected)
      (local.get $function) (local.get $state) (local.get $data) (i32.const 0)))
  (func (export "refuseWrite") (param $state i32) (result i32)
    (call_indirect (type $raise) (local.get $state) (i32.const 1)))
  (func (export "throwLongjmp") (throw $longjmp)))
