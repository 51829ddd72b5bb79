#!/bin/sh
# kill -9 of a rank, of mpirun, of all at once, at random moments; the same command again on another
# number of ranks: the file always opens, no finished run is lost, and it ends up equal to the
# undisturbed one, byte for byte, with nothing beside it.
#   kill.sh PROGRAM SCRATCH [KILLS [SEED]]
# At full length, about forty minutes on 2 cores; the scratch folder is emptied first:
#   tests/campaign/kill.sh "$PWD/build/infoplane" /tmp/kill 1000
# shellcheck source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
campaign=$(cd "$OLDPWD" && cd "$(dirname "$0")" && pwd)
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
[ -r "/proc/$$/task/$$/children" ] || skip "needs Linux's /proc/PID/task/PID/children"
exec "$python" -B "$campaign/kill.py" "$program" "${3:-3}" "${4:-}"
