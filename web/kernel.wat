;; The two sums of exact.mjs, with vectors of two numbers: several times as fast as its loops.
;;
;; The same products are added up in another order. All of them are whole numbers, and every sum
;; stays below 2^53, so that no bit can differ (chapter 9). tools/export_web.py assembles this file,
;; kernel.mjs calls it. All arrays are of float64; sizes are in elements, addresses in bytes.

(module
  (memory (export "memory") 1)

  ;; y[n, o] = clamp(floor((bias[o] + sum over c of x[n, c] * weight[o, c]) / 2^12 + 1/2))
  ;; inputs: a multiple of 2. outputs: a multiple of 4. lowest: 0 for ReLU, else -2^23.
  (func (export "linear")
    (param $x i32) (param $rows i32) (param $inputs i32)
    (param $weight i32) (param $bias i32) (param $outputs i32)
    (param $y i32) (param $lowest f64)

    (local $row i32)      ;; bytes of a row of x, and of the weights
    (local $w i32)        ;; four rows of the weights: where the first one begins
    (local $n i32)        ;; the row of x
    (local $o i32)        ;; the first of four outputs
    (local $from i32)     ;; the next two inputs
    (local $end i32)
    (local $tap i32)      ;; their weights in the first of the four rows
    (local $tap2 i32)     ;; ... and in the third
    (local $two v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128)

    (local.set $row (i32.shl (local.get $inputs) (i32.const 3)))
    (local.set $w (local.get $weight))
    (block $done
      (loop $outputs4
        (br_if $done (i32.ge_u (local.get $o) (local.get $outputs)))
        (local.set $from (local.get $x))
        (local.set $n (i32.const 0))
        (block $lastRow
          (loop $rowOfX
            (br_if $lastRow (i32.ge_u (local.get $n) (local.get $rows)))

            ;; the four dot products of this row of x
            (local.set $sum0 (v128.const f64x2 0 0))
            (local.set $sum1 (v128.const f64x2 0 0))
            (local.set $sum2 (v128.const f64x2 0 0))
            (local.set $sum3 (v128.const f64x2 0 0))
            (local.set $tap (local.get $w))
            (local.set $tap2 (i32.add (local.get $w) (i32.shl (local.get $row) (i32.const 1))))
            (local.set $end (i32.add (local.get $from) (local.get $row)))
            (loop $twoInputs
              (local.set $two (v128.load (local.get $from)))
              (local.set $sum0 (f64x2.add (local.get $sum0)
                (f64x2.mul (local.get $two) (v128.load (local.get $tap)))))
              (local.set $sum1 (f64x2.add (local.get $sum1)
                (f64x2.mul (local.get $two)
                  (v128.load (i32.add (local.get $tap) (local.get $row))))))
              (local.set $sum2 (f64x2.add (local.get $sum2)
                (f64x2.mul (local.get $two) (v128.load (local.get $tap2)))))
              (local.set $sum3 (f64x2.add (local.get $sum3)
                (f64x2.mul (local.get $two)
                  (v128.load (i32.add (local.get $tap2) (local.get $row))))))
              (local.set $from (i32.add (local.get $from) (i32.const 16)))
              (local.set $tap (i32.add (local.get $tap) (i32.const 16)))
              (local.set $tap2 (i32.add (local.get $tap2) (i32.const 16)))
              (br_if $twoInputs (i32.lt_u (local.get $from) (local.get $end))))

            ;; the four outputs
            (call $store (local.get $y) (local.get $bias) (local.get $n) (local.get $outputs)
              (local.get $o) (local.get $lowest) (local.get $sum0))
            (call $store (local.get $y) (local.get $bias) (local.get $n) (local.get $outputs)
              (i32.add (local.get $o) (i32.const 1)) (local.get $lowest) (local.get $sum1))
            (call $store (local.get $y) (local.get $bias) (local.get $n) (local.get $outputs)
              (i32.add (local.get $o) (i32.const 2)) (local.get $lowest) (local.get $sum2))
            (call $store (local.get $y) (local.get $bias) (local.get $n) (local.get $outputs)
              (i32.add (local.get $o) (i32.const 3)) (local.get $lowest) (local.get $sum3))

            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br $rowOfX)))

        (local.set $o (i32.add (local.get $o) (i32.const 4)))
        (local.set $w (i32.add (local.get $w) (i32.shl (local.get $row) (i32.const 2))))
        (br $outputs4))))

  ;; y[i, j, c] = clamp(floor((bias[c] + sum over the 5x5 neighbours inside) / 2^12 + 1/2))
  ;; x, y: (rows, columns, channels); weight: (5, 5, channels); channels: a multiple of 2
  (func (export "depthwise")
    (param $x i32) (param $rows i32) (param $columns i32) (param $channels i32)
    (param $weight i32) (param $bias i32) (param $y i32)

    (local $size i32)                         ;; bytes of all channels at one position
    (local $row i32) (local $column i32)      ;; where the result is
    (local $c i32)                            ;; bytes before the two channels
    (local $i i32) (local $j i32)             ;; the neighbour
    (local $sum v128)

    (local.set $size (i32.shl (local.get $channels) (i32.const 3)))
    (loop $nextRow
      (local.set $column (i32.const 0))
      (loop $nextColumn
        (local.set $c (i32.const 0))
        (loop $nextChannels
          (local.set $sum (v128.load (i32.add (local.get $bias) (local.get $c))))

          ;; the neighbours from two rows above to two rows below; a row of -1 is a huge number
          (local.set $i (i32.sub (local.get $row) (i32.const 2)))
          (loop $nextI
            (if (i32.lt_u (local.get $i) (local.get $rows)) (then
              (local.set $j (i32.sub (local.get $column) (i32.const 2)))
              (loop $nextJ
                (if (i32.lt_u (local.get $j) (local.get $columns)) (then
                  (local.set $sum (f64x2.add (local.get $sum) (f64x2.mul
                    (v128.load (i32.add
                      (i32.add (local.get $x) (local.get $c))
                      (i32.mul (local.get $size)
                        (i32.add (i32.mul (local.get $i) (local.get $columns)) (local.get $j)))))
                    (v128.load (i32.add
                      (i32.add (local.get $weight) (local.get $c))
                      (i32.mul (local.get $size) (i32.add
                        (i32.mul (i32.const 5)
                          (i32.add (i32.sub (local.get $i) (local.get $row)) (i32.const 2)))
                        (i32.add
                          (i32.sub (local.get $j) (local.get $column)) (i32.const 2)))))))))))
                (local.set $j (i32.add (local.get $j) (i32.const 1)))
                (br_if $nextJ
                  (i32.le_s (local.get $j) (i32.add (local.get $column) (i32.const 2)))))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $nextI (i32.le_s (local.get $i) (i32.add (local.get $row) (i32.const 2)))))

          ;; round off twelve bits, halves up; clamp
          (v128.store (i32.add (local.get $y) (local.get $c))
            (f64x2.min (v128.const f64x2 8388608 8388608)
              (f64x2.max (v128.const f64x2 -8388608 -8388608)
                (f64x2.floor (f64x2.add
                  (f64x2.mul (local.get $sum) (v128.const f64x2 0x1p-12 0x1p-12))
                  (v128.const f64x2 0.5 0.5))))))

          (local.set $c (i32.add (local.get $c) (i32.const 16)))
          (br_if $nextChannels (i32.lt_u (local.get $c) (local.get $size))))
        (local.set $y (i32.add (local.get $y) (local.get $size)))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (br_if $nextColumn (i32.lt_u (local.get $column) (local.get $columns))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $nextRow (i32.lt_u (local.get $row) (local.get $rows)))))

  ;; y[n, o] of `linear`, from the two halves of its sum
  (func $store
    (param $y i32) (param $bias i32) (param $n i32) (param $outputs i32) (param $o i32)
    (param $lowest f64) (param $halves v128)

    (local $sum f64)
    (local.set $sum (f64.add
      (f64.add
        (f64x2.extract_lane 0 (local.get $halves))
        (f64x2.extract_lane 1 (local.get $halves)))
      (f64.load (i32.add (local.get $bias) (i32.shl (local.get $o) (i32.const 3))))))

    ;; round off twelve bits, halves up; clamp
    (f64.store
      (i32.add
        (local.get $y)
        (i32.shl
          (i32.add (i32.mul (local.get $n) (local.get $outputs)) (local.get $o))
          (i32.const 3)))
      (f64.min
        (f64.const 8388608)
        (f64.max
          (local.get $lowest)
          (f64.floor (f64.add
            (f64.mul (local.get $sum) (f64.const 0x1p-12))
            (f64.const 0.5))))))))
