#!/bin/sh
# Shared by the scripts that use the program: sourced with the program and a scratch folder.
#   . "$(dirname "$0")/lib.sh"
set -eu
# shellcheck disable=SC2034 # used by the scripts
program=$1
scratch=$2
python=${IP_PYTHON:-/usr/bin/python3} # used by the scripts
export program python
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"
export XDG_CACHE_HOME="$PWD/cache" # nothing is known of this machine's speed, whatever its user knows

fail() { echo "FAILED: $*" >&2; exit 1; }
skip() { echo "skipped: $*" >&2; exit 77; }

# ranks N command ...: under mpirun, quietly
ranks() {
  n=$1
  shift
  mpirun -n "$n" "$@"
}

# one_at_a_time: programs without a launcher start without Open MPI's daemon, half of their start-up.
# Such programs share one session folder and remove it from under each other, so each script has its own
# and at most one of them at any time.
one_at_a_time() { export OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_orte_tmpdir_base="$scratch"; }

# small_data FILE: 60 patterns of 5 features in two classes, as HDF5
small_data() {
  "$python" - "$1" <<'END_'
import h5py, numpy, sys
r = numpy.random.default_rng(1)
with h5py.File(sys.argv[1], "w") as f:
    f["x"] = r.standard_normal((60, 5)).astype("f4")
    f["y"] = (f["x"][:, 0] > 0).astype("i4")
END_
}

# expect CODE command ...: runs it and compares its exit code; what it said is in out and err
expect() {
  want=$1
  shift
  code=0
  "$@" >out 2>err || code=$?
  [ "$code" = "$want" ] || { cat out err >&2; fail "exit code $code, wanted $want: $*"; }
}

# says TEXT: the last command said it, on either side
says() { grep -qF -- "$1" out err || { cat out err >&2; fail "it does not say: $1"; }; }

# await_training FILE: until a job, whose output is in out and err, trains runs of this file
await_training() {
  tries=0
  until "$program" status "$1" 2>/dev/null | grep -q ' running'; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { cat out err; fail "no job begins to train $1"; }
    sleep 0.1
  done
}
