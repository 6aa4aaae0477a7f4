;; The `bit` library, but for tohex: operations on integers of 32 bits. WebAssembly masks shifts and rotations with 31, as the library does.
(module
  (import "lua" "luaL_checknumber" (func $checknumber (param i32 i32) (result f64)))
  (import "lua" "lua_pushnumber" (func $pushnumber (param i32 f64)))
  (import "lua" "lua_gettop" (func $gettop (param i32) (result i32)))

  ;; A number outside the range of integers wraps around; a fraction is rounded to the nearest integer, half to even: 2^52 + 2^51 moves
  ;; the integer's bits to the lower end of the significand.
  (func $argument (param $state i32) (param $index i32) (result i32)
    (i32.wrap_i64
      (i64.reinterpret_f64
        (f64.add
          (call $checknumber (local.get $state) (local.get $index))
          (f64.const 6755399441055744)))))

  (func $answer (param $state i32) (param $value i32) (result i32)
    (call $pushnumber (local.get $state) (f64.convert_i32_s (local.get $value)))
    (i32.const 1))

  (func (export "tobit") (param $state i32) (result i32)
    (call $answer (local.get $state) (call $argument (local.get $state) (i32.const 1))))

  (func (export "bnot") (param $state i32) (result i32)
    (call $answer (local.get $state) (i32.xor (call $argument (local.get $state) (i32.const 1)) (i32.const -1))))

  (func (export "band") (param $state i32) (result i32)
    (local $value i32) (local $index i32) (local $count i32)
    (local.set $value (call $argument (local.get $state) (i32.const 1)))
    (local.set $count (call $gettop (local.get $state)))
    (local.set $index (i32.const 2))
    (block $done
      (loop $next
        (br_if $done (i32.gt_s (local.get $index) (local.get $count)))
        (local.set $value
          (i32.and (local.get $value) (call $argument (local.get $state) (local.get $index))))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $next)))
    (call $answer (local.get $state) (local.get $value)))

  (func (export "bor") (param $state i32) (result i32)
    (local $value i32) (local $index i32) (local $count i32)
    (local.set $value (call $argument (local.get $state) (i32.const 1)))
    (local.set $count (call $gettop (local.get $state)))
    (local.set $index (i32.const 2))
    (block $done
      (loop $next
        (br_if $done (i32.gt_s (local.get $index) (local.get $count)))
        (local.set $value
          (i32.or (local.get $value) (call $argument (local.get $state) (local.get $index))))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $next)))
    (call $answer (local.get $state) (local.get $value)))

  (func (export "bxor") (param $state i32) (result i32)
    (local $value i32) (local $index i32) (local $count i32)
    (local.set $value (call $argument (local.get $state) (i32.const 1)))
    (local.set $count (call $gettop (local.get $state)))
    (local.set $index (i32.const 2))
    (block $done
      (loop $next
        (br_if $done (i32.gt_s (local.get $index) (local.get $count)))
        (local.set $value
          (i32.xor (local.get $value) (call $argument (local.get $state) (local.get $index))))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $next)))
    (call $answer (local.get $state) (local.get $value)))

  (func (export "lshift") (param $state i32) (result i32)
    (call $answer (local.get $state)
      (i32.shl
        (call $argument (local.get $state) (i32.const 1))
        (call $argument (local.get $state) (i32.const 2)))))

  (func (export "rshift") (param $state i32) (result i32)
    (call $answer (local.get $state)
      (i32.shr_u
        (call $argument (local.get $state) (i32.const 1))
        (call $argument (local.get $state) (i32.const 2)))))

  (func (export "arshift") (param $state i32) (result i32)
    (call $answer (local.get $state)
      (i32.shr_s
        (call $argument (local.get $state) (i32.const 1))
        (call $argument (local.get $state) (i32.const 2)))))

  (func (export "rol") (param $state i32) (result i32)
    (call $answer (local.get $state)
      (i32.rotl
        (call $argument (local.get $state) (i32.const 1))
        (call $argument (local.get $state) (i32.const 2)))))

  (func (export "ror") (param $state i32) (result i32)
    (call $answer (local.get $state)
      (i32.rotr
        (call $argument (local.get $state) (i32.const 1))
        (call $argument (local.get $state) (i32.const 2)))))

  ;; The four bytes in the opposite order.
  (func (export "bswap") (param $state i32) (result i32)
    (local $value i32)
    (local.set $value (call $argument (local.get $state) (i32.const 1)))
    (call $answer (local.get $state)
      (i32.or
        (i32.and (i32.rotl (local.get $value) (i32.const 8)) (i32.const 0x00ff00ff))
        (i32.and (i32.rotr (local.get $value) (i32.const 8)) (i32.const 0xff00ff00))))))
