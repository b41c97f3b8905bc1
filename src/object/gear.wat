;; Scans bytes for candidate cuts: positions whose 32-bit gear hash has its 14 highest bits 0. Three lanes at once,
;; since one alone waits for its own additions. The hash of a position depends on the 32 bytes before it only, so
;; each lane but the first is warmed over the 32 bytes before its start and all agree with one long scan.
;;
;; Memory:       0  the gear table, 256 x u32
;;            1024  where each lane writes its next candidate, 3 x u32
;;            4096  candidates, u32 each: (position << 1) | (1 if the 18 highest bits are 0), in ascending order
;;  4096 + 4 x 256 KiB = 1052672  the bytes; a position counts from here, and is that after the byte
(module
  (import "art" "memory" (memory 17))

  ;; Writes the candidate at address $p with hash $h where the lane's cursor $cell says.
  (func $emit (param $cell i32) (param $p i32) (param $h i32) (local $at i32)
    (local.set $at (i32.load (local.get $cell)))
    (i32.store (local.get $at)
      (i32.or
        (i32.shl (i32.sub (local.get $p) (i32.const 1052672)) (i32.const 1))
        (i32.lt_u (local.get $h) (i32.const 0x4000))))
    (i32.store (local.get $cell) (i32.add (local.get $at) (i32.const 4))))

  ;; The hash of the 32 bytes before $p.
  (func $warm (param $p i32) (result i32) (local $q i32) (local $h i32)
    (local.set $q (i32.sub (local.get $p) (i32.const 32)))
    (loop $next
      (local.set $h (i32.add (i32.shl (local.get $h) (i32.const 1)) (i32.load (i32.shl (i32.load8_u (local.get $q)) (i32.const 2)))))
      (local.set $q (i32.add (local.get $q) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $q) (local.get $p))))
    (local.get $h))

  ;; Moves the candidates from address $from up to the cursor $cell to $to; gives where they end.
  (func $gather (param $to i32) (param $from i32) (param $cell i32) (result i32) (local $length i32)
    (local.set $length (i32.sub (i32.load (local.get $cell)) (local.get $from)))
    (memory.copy (local.get $to) (local.get $from) (local.get $length))
    (i32.add (local.get $to) (local.get $length)))

  ;; Scans $n <= 256 KiB bytes at position $position, where $h0 is the hash of what came before. Gives the number of
  ;; candidates; the hash after the last byte stands at address 1036.
  (func (export "scan") (param $position i32) (param $n i32) (param $h0 i32) (result i32)
    (local $h1 i32) (local $h2 i32) (local $p0 i32) (local $p1 i32) (local $p2 i32)
    (local $lane i32) (local $end i32) (local $last i32) (local $out i32)
    (local.set $p0 (i32.add (local.get $position) (i32.const 1052672)))
    (local.set $last (i32.add (local.get $p0) (local.get $n)))
    (i32.store (i32.const 1024) (i32.const 4096))

    ;; Lanes take whole rounds of 8 bytes and are long enough for the warm-up to stay inside these bytes.
    (local.set $lane (i32.mul (i32.div_u (local.get $n) (i32.const 24)) (i32.const 8)))
    (if (i32.ge_u (local.get $lane) (i32.const 64)) (then
      (local.set $p1 (i32.add (local.get $p0) (local.get $lane)))
      (local.set $p2 (i32.add (local.get $p1) (local.get $lane)))
      (local.set $h1 (call $warm (local.get $p1)))
      (local.set $h2 (call $warm (local.get $p2)))
      ;; A lane may find a candidate at every byte: its room is 4 bytes for each.
      (i32.store (i32.const 1028) (i32.add (i32.const 4096) (i32.mul (local.get $lane) (i32.const 4))))
      (i32.store (i32.const 1032) (i32.add (i32.const 4096) (i32.mul (local.get $lane) (i32.const 8))))
      (local.set $end (local.get $p1))
      (loop $round
        (local.set $h0 (i32.add (i32.shl (local.get $h0) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=0 (local.get $p0)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h0) (i32.const 0x40000)) (then (call $emit (i32.const 1024) (i32.add (local.get $p0) (i32.const 1)) (local.get $h0))))
        (local.set $h1 (i32.add (i32.shl (local.get $h1) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=0 (local.get $p1)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h1) (i32.const 0x40000)) (then (call $emit (i32.const 1028) (i32.add (local.get $p1) (i32.const 1)) (local.get $h1))))
        (local.set $h2 (i32.add (i32.shl (local.get $h2) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=0 (local.get $p2)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h2) (i32.const 0x40000)) (then (call $emit (i32.const 1032) (i32.add (local.get $p2) (i32.const 1)) (local.get $h2))))
        (local.set $h0 (i32.add (i32.shl (local.get $h0) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=1 (local.get $p0)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h0) (i32.const 0x40000)) (then (call $emit (i32.const 1024) (i32.add (local.get $p0) (i32.const 2)) (local.get $h0))))
        (local.set $h1 (i32.add (i32.shl (local.get $h1) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=1 (local.get $p1)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h1) (i32.const 0x40000)) (then (call $emit (i32.const 1028) (i32.add (local.get $p1) (i32.const 2)) (local.get $h1))))
        (local.set $h2 (i32.add (i32.shl (local.get $h2) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=1 (local.get $p2)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h2) (i32.const 0x40000)) (then (call $emit (i32.const 1032) (i32.add (local.get $p2) (i32.const 2)) (local.get $h2))))
        (local.set $h0 (i32.add (i32.shl (local.get $h0) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=2 (local.get $p0)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h0) (i32.const 0x40000)) (then (call $emit (i32.const 1024) (i32.add (local.get $p0) (i32.const 3)) (local.get $h0))))
        (local.set $h1 (i32.add (i32.shl (local.get $h1) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=2 (local.get $p1)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h1) (i32.const 0x40000)) (then (call $emit (i32.const 1028) (i32.add (local.get $p1) (i32.const 3)) (local.get $h1))))
        (local.set $h2 (i32.add (i32.shl (local.get $h2) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=2 (local.get $p2)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h2) (i32.const 0x40000)) (then (call $emit (i32.const 1032) (i32.add (local.get $p2) (i32.const 3)) (local.get $h2))))
        (local.set $h0 (i32.add (i32.shl (local.get $h0) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=3 (local.get $p0)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h0) (i32.const 0x40000)) (then (call $emit (i32.const 1024) (i32.add (local.get $p0) (i32.const 4)) (local.get $h0))))
        (local.set $h1 (i32.add (i32.shl (local.get $h1) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=3 (local.get $p1)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h1) (i32.const 0x40000)) (then (call $emit (i32.const 1028) (i32.add (local.get $p1) (i32.const 4)) (local.get $h1))))
        (local.set $h2 (i32.add (i32.shl (local.get $h2) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=3 (local.get $p2)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h2) (i32.const 0x40000)) (then (call $emit (i32.const 1032) (i32.add (local.get $p2) (i32.const 4)) (local.get $h2))))
        (local.set $h0 (i32.add (i32.shl (local.get $h0) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=4 (local.get $p0)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h0) (i32.const 0x40000)) (then (call $emit (i32.const 1024) (i32.add (local.get $p0) (i32.const 5)) (local.get $h0))))
        (local.set $h1 (i32.add (i32.shl (local.get $h1) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=4 (local.get $p1)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h1) (i32.const 0x40000)) (then (call $emit (i32.const 1028) (i32.add (local.get $p1) (i32.const 5)) (local.get $h1))))
        (local.set $h2 (i32.add (i32.shl (local.get $h2) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=4 (local.get $p2)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h2) (i32.const 0x40000)) (then (call $emit (i32.const 1032) (i32.add (local.get $p2) (i32.const 5)) (local.get $h2))))
        (local.set $h0 (i32.add (i32.shl (local.get $h0) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=5 (local.get $p0)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h0) (i32.const 0x40000)) (then (call $emit (i32.const 1024) (i32.add (local.get $p0) (i32.const 6)) (local.get $h0))))
        (local.set $h1 (i32.add (i32.shl (local.get $h1) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=5 (local.get $p1)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h1) (i32.const 0x40000)) (then (call $emit (i32.const 1028) (i32.add (local.get $p1) (i32.const 6)) (local.get $h1))))
        (local.set $h2 (i32.add (i32.shl (local.get $h2) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=5 (local.get $p2)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h2) (i32.const 0x40000)) (then (call $emit (i32.const 1032) (i32.add (local.get $p2) (i32.const 6)) (local.get $h2))))
        (local.set $h0 (i32.add (i32.shl (local.get $h0) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=6 (local.get $p0)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h0) (i32.const 0x40000)) (then (call $emit (i32.const 1024) (i32.add (local.get $p0) (i32.const 7)) (local.get $h0))))
        (local.set $h1 (i32.add (i32.shl (local.get $h1) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=6 (local.get $p1)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h1) (i32.const 0x40000)) (then (call $emit (i32.const 1028) (i32.add (local.get $p1) (i32.const 7)) (local.get $h1))))
        (local.set $h2 (i32.add (i32.shl (local.get $h2) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=6 (local.get $p2)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h2) (i32.const 0x40000)) (then (call $emit (i32.const 1032) (i32.add (local.get $p2) (i32.const 7)) (local.get $h2))))
        (local.set $h0 (i32.add (i32.shl (local.get $h0) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=7 (local.get $p0)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h0) (i32.const 0x40000)) (then (call $emit (i32.const 1024) (i32.add (local.get $p0) (i32.const 8)) (local.get $h0))))
        (local.set $h1 (i32.add (i32.shl (local.get $h1) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=7 (local.get $p1)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h1) (i32.const 0x40000)) (then (call $emit (i32.const 1028) (i32.add (local.get $p1) (i32.const 8)) (local.get $h1))))
        (local.set $h2 (i32.add (i32.shl (local.get $h2) (i32.const 1)) (i32.load (i32.shl (i32.load8_u offset=7 (local.get $p2)) (i32.const 2)))))
        (if (i32.lt_u (local.get $h2) (i32.const 0x40000)) (then (call $emit (i32.const 1032) (i32.add (local.get $p2) (i32.const 8)) (local.get $h2))))
        (local.set $p0 (i32.add (local.get $p0) (i32.const 8)))
        (local.set $p1 (i32.add (local.get $p1) (i32.const 8)))
        (local.set $p2 (i32.add (local.get $p2) (i32.const 8)))
        (br_if $round (i32.lt_u (local.get $p0) (local.get $end))))
      (local.set $out (call $gather (i32.load (i32.const 1024)) (i32.add (i32.const 4096) (i32.mul (local.get $lane) (i32.const 4))) (i32.const 1028)))
      (local.set $out (call $gather (local.get $out) (i32.add (i32.const 4096) (i32.mul (local.get $lane) (i32.const 8))) (i32.const 1032)))
      (i32.store (i32.const 1024) (local.get $out))
      (local.set $p0 (local.get $p2))
      (local.set $h0 (local.get $h2))))

    ;; What the lanes left over.
    (block $done
      (loop $byte
        (br_if $done (i32.ge_u (local.get $p0) (local.get $last)))
        (local.set $h0 (i32.add (i32.shl (local.get $h0) (i32.const 1)) (i32.load (i32.shl (i32.load8_u (local.get $p0)) (i32.const 2)))))
        (local.set $p0 (i32.add (local.get $p0) (i32.const 1)))
        (if (i32.lt_u (local.get $h0) (i32.const 0x40000)) (then (call $emit (i32.const 1024) (local.get $p0) (local.get $h0))))
        (br $byte)))
    (i32.store (i32.const 1036) (local.get $h0))
    (i32.shr_u (i32.sub (i32.load (i32.const 1024)) (i32.const 4096)) (i32.const 2)))
)
