#!/bin/sh
# The verb bound: the bottleneck curve of an input's data sets, as text and as a table.
#   bound.sh PROGRAM SCRATCH
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time

cat >drawn.yaml <<'END'
dataset: {labels: [stochastic, deterministic]}
estimate: [{kind: binning, bins: 30}]
END
expect 0 "$program" bound drawn.yaml -o curve.csv
says "53 distinct inputs, I(X;Y) = 0.990000 bit, first critical beta 1.005218"
says "symmetric: labels are certain"
says "iterations by SNES"
[ "$(head -n 1 curve.csv)" = data,beta,i_xt,i_ty,iterations,residual,converged ] ||
  fail "the table has another first line"
# Acceptance number 5, between its neighbors on the grid: beta 101 keeps a little more than 100 does.
awk -F, 'NR > 1 { gsub(/"[^"]*"/, "d"); n++; if ($2 > 100.9 && $2 < 101.1) { x = $3; y = $4 }
                  if ($3 < last) falls++; last = $3; if ($7 != 1) bad++ }
         END { if (n < 50 || falls || bad || x < 1.269 || x > 1.272 || y < 0.9896 || y > 0.9899) {
                 print n, falls, bad, x, y; exit 1 } }' curve.csv || fail "the table is not the curve"

cp curve.csv before
expect 73 "$program" bound drawn.yaml -o curve.csv
says "curve.csv"
cmp -s curve.csv before || fail "a table that stood was changed"
expect 64 "$program" bound
expect 66 "$program" bound missing.yaml
expect 0 ranks 2 "$program" bound drawn.yaml
[ "$(grep -c "first critical beta" out)" = 1 ] || fail "two ranks print it twice"

# Options of the solver reach it: fewer steps of SNES leave more to plain iteration.
sum_of() { awk '/iterations by SNES/ { print $1 }' out; }
expect 0 "$program" bound drawn.yaml
mixed=$(sum_of)
expect 0 "$program" bound drawn.yaml -petsc_bottleneck_snes_max_it 2
[ "$(sum_of)" != "$mixed" ] || fail "-petsc_bottleneck_snes_max_it changes nothing"
