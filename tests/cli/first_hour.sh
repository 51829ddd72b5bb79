#!/bin/sh
# The first hour of a newcomer: a clone in an empty folder, and the README followed word by word
# (first_hour.py): every command runs and prints what it says there.
#   first_hour.sh PROGRAM SCRATCH SOURCE
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
"$python" -c 'import h5py, xarray' 2>/dev/null || skip "needs python3-h5py and python3-xarray"
command -v gnuplot >/dev/null || skip "needs gnuplot"
command -v git >/dev/null || skip "needs git"
export HDF5_USE_FILE_LOCKING=FALSE

# What a clone would have, with what is not committed yet.
mkdir clone
(cd "$3" && git ls-files -z --cached --others --exclude-standard) >files ||
  skip "the source is no repository of git"
(cd "$3" && tar -c --null -T "$OLDPWD/files" --ignore-failed-read) | tar -x -C clone
exec "$python" "$3/tests/cli/first_hour.py" clone
