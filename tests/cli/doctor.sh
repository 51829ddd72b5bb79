#!/bin/sh
# doctor: fit machines are found fit, alone and under mpirun; each line that can fail here fails, with its
# fix; nothing is left behind.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
mkdir 'a folder'
# clean: doctor left nothing
clean() { [ -z "$(ls -A 'a folder')" ] || fail "it left $(ls -A 'a folder')"; }

expect 0 "$program" doctor 'a folder'
for look in launcher MPI-IO processor numbers 'file system' room locks 'one file'; do
  grep -q "^  \(ok  \|note\)  $look " out || { cat out; fail "no line on $look"; }
done
says 'to the last bit as it must be'
says '1 run written together'
tail -1 out | grep -q '^fit' || fail "no verdict"
clean

started=$(date +%s)
expect 0 ranks 3 "$program" doctor 'a folder'
[ $(($(date +%s) - started)) -lt 60 ] || fail "it takes a minute"
says 'mpirun: 3 ranks on 1 host'
says '3 runs written together and read back'
says 'on every rank, to the last bit as it must be'
[ "$(grep -c numbers out)" = 1 ] || fail "more than one rank speaks"
clean

# The same bits without vector instructions; an overloaded host, a small limit are notes.
expect 0 env INFOPLANE_ISA=baseline "$program" doctor 'a folder'
says 'note  processor'
says 'to the last bit as it must be'
cores=$(getconf _NPROCESSORS_ONLN)
if [ "$cores" -lt 4 ]; then
  expect 0 ranks $((cores + 1)) "$program" doctor 'a folder'
  says "start at most $cores ranks on a host"
fi
# shellcheck disable=SC2016 # of the shell within
expect 0 sh -c 'ulimit -f 20000; exec "$0" doctor "a folder"' "$program"
says 'ulimit -f unlimited'

# What fails, and what to do.
expect 1 env OMPI_MCA_io=ompio "$program" doctor 'a folder'
if grep -q 'Open MPI v4\.1\.[0-6],' out; then
  says 'fail  MPI-IO'
  says 'unset OMPI_MCA_io'
fi
expect 1 "$program" doctor nowhere
says 'fail  file system'
says 'fail  locks'
says 'name a folder that exists'
says 'not fit'
touch file
expect 1 "$program" doctor file -q
says 'no folder can be made in it'
! grep -q ' ok ' out || fail "-q says what is fit"
# A folder that one rank sees and the other does not: that rank's words, and no more.
mkdir elsewhere
# shellcheck disable=SC2016 # of the shell within
expect 1 ranks 2 sh -c '[ "$OMPI_COMM_WORLD_RANK" = 0 ] || cd elsewhere; exec "$0" doctor "a folder"' "$program"
says 'fail  file system  rank 1: a folder: No such file or directory'
says 'fail  one file     rank 1: '
clean
mkdir 'elsewhere/a folder' # another one of the same name
# shellcheck disable=SC2016 # of the shell within
expect 1 ranks 2 sh -c '[ "$OMPI_COMM_WORLD_RANK" = 0 ] || cd elsewhere; exec "$0" doctor "a folder"' "$program"
says 'ok    file system'
says 'fail  one file     rank 1: '
says 'choose another folder'
clean
# A disk with room for a lock, not for a file.
mkdir small
if mount -t tmpfs -o size=100k none small 2>/dev/null; then
  trap 'umount "$scratch/small"' EXIT
  expect 1 "$program" doctor small
  says 'note  file system  small is on tmpfs'
  says 'fail  room'
  says 'fail  one file'
  [ -z "$(ls -A small)" ] || fail "it left $(ls -A small)"
fi
# Tasks that MPI does not join: one of them says so.
expect 1 env OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0 "$program" doctor 'a folder'
says 'fail  launcher     the launcher started 2 tasks, but MPI sees 1'
expect 64 "$program" doctor 'a folder' x=1
clean
