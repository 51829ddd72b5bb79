#!/bin/sh
# One fault of the system, and what becomes of a small study: used by faults.sh.
#   fault.sh PROGRAM SHIM WHERE WHICH KIND MODE N
# WHERE holds the input f.yaml, the undisturbed good.h5 and half.h5 with a part of its runs.  WHICH:
#   new        one rank begins a file
#   continue   one rank continues half.h5
#   both       two ranks begin a file, both with the fault
#   second     two ranks begin a file, the second one with the fault
#   merge      one.h5 and two.h5 are joined
#   source     the same, but one.h5 is at fault
#   grow       small.h5 grows
#   again      any of them is completed, without a fault
# With N = serve it becomes the server of a case of one rank (IP_FAULT_SERVE of tests/faults/shim.c),
# which is then asked instead of starting the program anew.
# Prints WHICH KIND MODE N, the call that failed, and the exit code; `wrong` and why if the program
# was ended by a signal, hung, said nothing, left something behind, or the file cannot be completed.
set -u
program=$1 shim=$2 where=$3 which=$4 kind=$5 mode=$6 n=$7
folder=$where/$which-$kind-$mode-$n
mkdir -p "$folder"
cd "$folder" || exit 1
# A program without a launcher starts a daemon of Open MPI, half of its start-up. Without it all such
# programs share one session folder, and remove it from under each other: so each has its own.
export OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_orte_tmpdir_base="$folder"
# Looking for networks is half of what is left, and a program alone has none.
case $which in
  both | second) ;;
  *) export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self ;;
esac
[ "$which" != continue ] || cp ../half.h5 r.h5
[ "$which" != grow ] || cp ../small.h5 r.h5
match=r.h5
[ "$which" != source ] || match=one.h5
case $which in
  merge | source) set -- merge ../one.h5 ../two.h5 -q -o r.h5 ;;
  grow) set -- grow r.h5 -q repeat=2 ;;
  again) set -- run ../f.yaml -q -o r.h5 ;;
  *) set -- run ../f.yaml checkpoint=0 -q -o r.h5 ;;
esac

if [ "$n" = serve ]; then
  mkfifo "$folder/fifo"
  LD_BIND_NOW=1 LD_PRELOAD=$shim IP_FAULT_KIND=$kind IP_FAULT_MODE=$mode IP_FAULT_MATCH=$match \
    IP_FAULT_SERVE="$folder/fifo" exec "$program" "$@"
fi

# launch SERVER COMMAND ...: into the files out and err, under the launcher of this case
launch() {
  server=$where/$1-serve/fifo
  shift
  case $which in
    both | second) timeout -k 5 60 mpirun -n 2 "$@" >out 2>err ;;
    *)
      [ -p "$server" ] || { timeout -k 5 60 "$@" >out 2>err; return; }
      [ -p code ] || mkfifo code
      echo "$n $folder" >"$server"
      return "$(timeout 90 cat code || echo 125)"
      ;;
  esac
}
rank=
[ "$which" != second ] || rank=1
code=0
LD_PRELOAD=$shim IP_FAULT_KIND=$kind IP_FAULT_MODE=$mode IP_FAULT_N=$n IP_FAULT_RANK=$rank \
  IP_FAULT_MATCH=$match IP_FAULT_LOG="$folder/log" \
  launch "$which-$kind-$mode" "$program" "$@" || code=$?

call=$(sed -n 's/^hit \([^ ]*\).*/\1/p;T;q' log 2>/dev/null)
wrong() {
  echo "$which $kind $mode $n ${call:-none} $code wrong: $*: $(tail -n 3 err | tr '\n' ' ')"
  exit 1
}
case $code in
  0)
    want=good
    [ "$which" != grow ] || want=half.grown
    cmp -s r.h5 ../$want.h5 || wrong "exit code 0 with another file"
    ;;
  124 | 137) wrong "hangs" ;;
  65) [ "$mode" != EIO ] || wrong "a disk that fails is taken for a damaged file" ;;
  1 | 69 | 70 | 73 | 74 | 77) ;;
  *) wrong "exit code" ;;
esac
[ "$code" = 0 ] || [ -s err ] || wrong "no message"
[ -n "$call" ] || [ "$n" = 0 ] || [ "$code" = 0 ] || wrong "fails without a fault"
[ "$mode" != short ] || [ "$code" = 0 ] || wrong "a short transfer is no error"
! grep -qE 'HDF5-DIAG|PETSC ERROR|Segmentation|corrupt|signal|\*\*\*' err || wrong "noise"
left() { find . -name 'r.h5.*' "$@"; }
case $which in
  merge | source)
    [ -z "$(left)" ] || wrong "left behind: $(left)"
    [ "$code" = 0 ] || [ ! -e r.h5 ] || cmp -s r.h5 ../good.h5 || wrong "half a file"
    ;;
  grow)
    [ -z "$(left)" ] || wrong "left behind: $(left)"
    [ "$code" = 0 ] || "$program" grow r.h5 repeat=2 >out2 2>err2 || wrong "does not grow again"
    ;;
esac
if [ "$which" = new ] || [ "$which" = continue ]; then
  kept=.ckpt # runs in progress, which the completion below takes up
  { [ -e r.h5 ] && [ "$code" != 0 ]; } || kept=none
  [ -z "$(left ! -name "r.h5$kept")" ] || wrong "left behind: $(left)"
fi
if [ -e r.h5 ] && [ "$code" != 0 ]; then # complete it
  again=0
  launch again-none-- "$program" run ../f.yaml -q -o r.h5 || again=$?
  [ "$again" = 0 ] || wrong "the same command again: exit code $again"
  cmp -s r.h5 ../good.h5 || wrong "completed to other bytes"
  [ -z "$(left)" ] || wrong "left behind at the end: $(left)"
fi
echo "$which $kind $mode $n ${call:-none} $code"
cd .. && rm -rf "$folder"
