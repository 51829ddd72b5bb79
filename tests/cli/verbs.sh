#!/bin/sh
# The verbs that only look: they start nothing and need no MPI.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time

expect 0 "$program" --version
says 'HDF5'
says 'PETSc'
expect 0 "$program" --help
says 'infoplane run INPUT.yaml'
expect 0 "$program" help
expect 0 "$program" help train.batch
says 'train.batch'
expect 0 "$program" help kde
says 'noise_variance'
expect 0 "$program" help keys
says 'gradient_batch'
expect 0 "$program" help exit
says '75'
expect 64 "$program" help train.bach
says 'train.batch'

printf 'train: {fraction: [5%%, 85%%], epochs: 20}\nrepeat: 3\n' >a.yaml
expect 0 "$program" plan a.yaml
says '6 networks 12-10-7-5-4-3-2'
says 'Nothing was started.'
[ ! -e a.h5 ] || fail "plan made a file"

expect 0 "$program" run a.yaml 'estimate=[{kind: binning, bins: 30}]'
says '6/6 runs'
says 'bin30, mean'
predicted=$("$program" plan a.yaml 'estimate=[{kind: binning, bins: 30}]' | sed -n 's/.*a.h5: \(.*\) of .*/\1/p')
[ -n "$predicted" ] || fail "no file size predicted"
expect 0 "$program" status a.h5
says '6 done, 0 diverged, 0 failed, 0 pending'

# Done before: said, and nothing is done again.
expect 0 "$program" run a.yaml 'estimate=[{kind: binning, bins: 30}]'
says 'all 6 runs were done before'

# Another science or layout is refused in words, the file stays.
expect 78 "$program" run a.yaml 'estimate=[{kind: binning, bins: 30}]' train.learning_rate=1e-3
says 'train.learning_rate'
expect 78 "$program" run a.yaml 'estimate=[{kind: binning, bins: 30}]' repeat=4
says 'repeat'
expect 0 "$program" status a.h5
says '6 done'

# A diverged run is named, and the exit code says so.
expect 1 "$program" run a.yaml 'estimate=[{kind: binning, range: snapshot}]' \
  network.activation=relu train.optimizer=sgd train.learning_rate=1e6 repeat=1 -o b.h5
says 'diverged'

# A stop file ends the job cleanly; the same command continues.
touch c.h5.stop
expect 75 "$program" run a.yaml train.epochs=200000 max_time=3 -o c.h5
says 'The same command continues.'
