#!/bin/sh
# diff: the exit code says whether two files are the same, the words where they are not.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
printf 'train: {epochs: 4}\nlook: [0, 2]\nrepeat: 2\n' >a.yaml
expect 0 "$program" run a.yaml
expect 0 "$program" run a.yaml -o b.h5
expect 0 env OMPI_MCA_ess=none "$program" diff a.h5 b.h5
says 'same configuration'
says '2 runs finished in both, 2 equal to the last bit'
expect 0 "$program" diff a.h5 b.h5 -q
[ ! -s out ] || fail "-q says something"

# gradient_batch is no part of what a run is: the same runs, other gradients, all else the same.
expect 0 "$program" run a.yaml gradient_batch=64 repeat=3 -o c.h5
expect 1 "$program" diff a.h5 c.h5
says 'gradient_batch: the file has 256, the input says 64'
says '1 run only in c.h5: 2'
says '2 runs with other numbers: 0 1'
says 'gradient_std_norm        in 2 runs, first in run 0, epoch 0, layer 1: '
! grep -q '^  i_xt\|^  loss' out || fail "equal numbers are called different"
# the numbers of the file itself
"$python" - >want <<'END'
import h5py, numpy
a, c = h5py.File("a.h5"), h5py.File("c.h5")
x, y = a["gradient_std_norm"][:2], c["gradient_std_norm"][:2]
print("%.6g" % numpy.nanmax(abs(x - y)))
END
says "largest difference $(cat want) 1"

# Another learning rate makes other runs.
expect 0 "$program" run a.yaml train.learning_rate=1e-3 -o d.h5
expect 1 "$program" diff a.h5 d.h5
says '2 runs only in a.h5: 0 1'
says '0 runs finished in both'

# What does not fit its checksum is damage, not a difference.
cp b.h5 e.h5
"$python" -c 'import h5py; h5py.File("e.h5", "r+")["i_xt"][1, 0, 0, 0] = 3'
expect 65 "$program" diff a.h5 e.h5
says '1 run damaged in e.h5: 1'

expect 66 "$program" diff a.h5 nothing.h5
expect 65 "$program" diff a.h5 a.yaml
expect 64 "$program" diff a.h5
expect 64 "$program" diff a.h5 b.h5 c.h5
says '"c.h5" is one argument too many'
