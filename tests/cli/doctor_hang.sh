#!/bin/sh
# doctor ends, and says where, when a rank never answers: one that is stopped before it begins.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
mkdir folder
# shellcheck disable=SC2016 # of the shell within
expect 1 timeout -s KILL 300 mpirun -n 2 sh -c \
  '[ "$OMPI_COMM_WORLD_RANK" = 0 ] || kill -STOP $$; exec "$0" doctor folder' "$program"
says 'fail  launcher     no answer within 60 s: it hangs there'
[ "$(grep -c 'no answer' out)" = 1 ] || fail "more than one rank speaks"
[ -z "$(ls -A folder)" ] || fail "it left $(ls -A folder)"
