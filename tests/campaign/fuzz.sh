#!/bin/sh
# Every reader of foreign bytes under libFuzzer, with AddressSanitizer and
# UndefinedBehaviorSanitizer: builds the targets of tests/fuzz and runs one after the other.
#   fuzz.sh SECONDS [BUILD [target ...]]
# SECONDS is for each target, BUILD a folder to build in (build-fuzz).  An hour in total:
#   tests/campaign/fuzz.sh 515
# Fails on any finding; its input then stands in BUILD/findings. What is mended belongs to
# tests/fuzz/regressions/<target>. BUILD/corpus keeps what was reached for the next time.
set -eu
seconds=${1:?"usage: fuzz.sh SECONDS [BUILD [target ...]]"}
source=$(cd "$(dirname "$0")/../.." && pwd)
build=${2:-$source/build-fuzz}
[ $# -lt 2 ] || shift
shift

skip() { echo "skipped: $*" >&2; exit 77; }
for clang in clang-14 clang none; do
  if command -v "$clang" >/dev/null; then break; fi
done
[ "$clang" != none ] || skip "needs clang"
mkdir -p "$build/findings"
printf 'int LLVMFuzzerTestOneInput(const char *b, unsigned long n) { return b && n > 9; }\n' \
  >"$build/try.c"
"$clang" -fsanitize=fuzzer,address "$build/try.c" -o "$build/try" 2>/dev/null ||
  skip "needs the run-time library of clang (libclang-rt-14-dev)"

began=$(date +%s)
if ! { cmake -S "$source" -B "$build" -DCMAKE_C_COMPILER="$clang" -DIP_FUZZ=ON &&
  cmake --build "$build" -j "$(nproc)"; } >"$build/build.log" 2>&1; then
  cat "$build/build.log" >&2
  echo "the targets cannot be built; see $build/build.log" >&2
  exit 1
fi
echo "built in $(($(date +%s) - began)) s"

# Words that mean something in an input file.
grep -ohE '"[a-z_.0-9-]{2,30}"' "$source"/include/infoplane/options.def \
  "$source"/src/options/*.c "$source"/src/estimator/*.c | sort -u >"$build/words.dict"
TMPDIR=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$TMPDIR"' EXIT
export TMPDIR
export OPENBLAS_NUM_THREADS=1 # before a fork, the fewer threads the better
export ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=1024:quarantine_size_mb=8
export LSAN_OPTIONS="suppressions='$source/tests/fuzz/lsan.supp':print_suppressions=0"
export UBSAN_OPTIONS=print_stacktrace=1

if [ $# = 0 ]; then
  for target in "$source"/tests/fuzz/fuzz_*.c; do
    target=$(basename "$target" .c)
    set -- "$@" "${target#fuzz_}"
  done
fi
# What deflate may make of 8 kB, as doubles, is 64 MB. Only HDF5 takes what a file claims.
failed=
for target; do
  case $target in
    hdf5 | results) limit=-rss_limit_mb=2560 ;;
    *) limit=-malloc_limit_mb=128 ;;
  esac
  case $target in
    yaml | arguments) words=-dict=$build/words.dict ;;
    *) words= ;;
  esac
  kept=$build/corpus/$target
  known=$source/tests/fuzz/regressions/$target
  mkdir -p "$kept"
  set -- "$kept" "$source/tests/fuzz/corpus/$target"
  [ ! -d "$known" ] || set -- "$@" "$known"
  if "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -max_len=8192 \
    -len_control=0 -keep_seed=1 "$limit" ${words:+"$words"} -artifact_prefix="$build/findings/$target-" \
    -print_final_stats=1 "$@" >"$build/$target.log" 2>&1; then
    verdict=
  else
    verdict=FAILED
    failed="$failed $target"
    grep -vE '^#[0-9]' "$build/$target.log" | tail -n 60
  fi
  done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log")
  reached=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$build/$target.log" | tail -n 1)
  library=$(grep '^HDF5: ' "$build/$target.log" || true)
  echo "$target: ${done:-?} inputs, ${reached:-?} edges reached $library $verdict"
done
[ -z "$failed" ] || { echo "findings:$failed; see $build/findings" >&2; exit 1; }
