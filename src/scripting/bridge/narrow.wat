;; A function of Lua's C library whose integer arguments are what 64-bit C makes of them, and not what 32-bit C does: the arguments
;; $first to $last, as offsets in bytes from the first one, are made to fit before the function is called, if it has got all up to
;; $least. Those that C reads as an int lose the bits above 32; positions in strings, which C reads as a ptrdiff_t, become the
;; nearest that fits.
(module
  (type $native (func (param i32) (result i32)))
  (import "lua" "memory" (memory 1))
  (import "lua" "__indirect_function_table" (table 0 funcref))
  (import "host" "slot" (global $slot i32))
  (import "host" "first" (global $first i32))
  (import "host" "last" (global $last i32))
  (import "host" "least" (global $least i32))
  (import "host" "isPosition" (global $isPosition i32))

  ;; The integer that C makes of a number on a processor of 64 bits: what does not fit becomes the least one.
  (func $integer (param $number f64) (result i64)
    (select
      (i64.trunc_sat_f64_s (local.get $number))
      (i64.const 0x8000000000000000)
      (f64.lt (f64.abs (local.get $number)) (f64.const 0x1p63))))

  (func $fitting (param $number f64) (result f64)
    (local $integer i64)
    (local.set $integer (call $integer (local.get $number)))
    (if (global.get $isPosition)
      (then
        (return
          (select (f64.const 2147483647) (f64.const -2147483647)
            (i64.gt_s (local.get $integer) (i64.const 0))))))
    (f64.convert_i32_s (i32.wrap_i64 (local.get $integer))))

  (func (export "function") (param $state i32) (result i32)
    (local $value i32) (local $base i32) (local $top i32) (local $end i32)
    (local.set $top (i32.load offset=8 (local.get $state)))
    (local.set $base (i32.load offset=12 (local.get $state)))
    (block $done
      (br_if $done
        (i32.le_u (local.get $top) (i32.add (local.get $base) (global.get $least))))
      (local.set $value (i32.add (local.get $base) (global.get $first)))
      (local.set $end (i32.add (local.get $base) (global.get $last)))
      (loop $next
        (br_if $done (i32.gt_u (local.get $value) (local.get $end)))
        (br_if $done (i32.ge_u (local.get $value) (local.get $top)))
        (if (i32.eq (i32.load offset=8 (local.get $value)) (i32.const 3))
          (then
            (if (i32.eqz
                  (f64.lt (f64.abs (f64.load (local.get $value))) (f64.const 2147483648)))
              (then
                (f64.store (local.get $value)
                  (call $fitting (f64.load (local.get $value))))))))
        (local.set $value (i32.add (local.get $value) (i32.const 16)))
        (br $next)))
    (call_indirect (type $native) (local.get $state) (global.get $slot))))
