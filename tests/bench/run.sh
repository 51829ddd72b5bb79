#!/bin/sh
# How fast the program is: training, looks, binning, KDE and a whole network, in turns with the limit of the
# arithmetic, with users of Python (torch, numpy) on one thread, and with the slow references in double.
#
#   tests/bench/run.sh              three minutes; prints a table, writes bench.csv
#   tests/bench/run.sh --quick      half a minute on an idle machine
#   tests/bench/run.sh --table FILE the table of a CSV once more
#
# Other options are those of run.py. What Python needs comes by jobs/install.sh bench; rows of what is not
# there say so. It fails where two that should compute the same do not.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
case " $* " in
  *" --table "*) ;;
  *) "$top/jobs/build.sh" -DBUILD_TESTING=ON ;;
esac
if [ "$(id -u)" = 0 ]; then # in a container
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
exec "${IP_PYTHON:-/usr/bin/python3}" "$top/tests/bench/run.py" "$@"
