#!/bin/sh
# Build in build/ of this folder's parent; options are CMake's (-DIP_WERROR=ON). Silent unless it
# fails; the log is build/build.log.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
log=$top/build/build.log
mkdir -p "$top/build"

# Ninja where it is, unless the folder was made for make.
if [ ! -e "$top/build/CMakeCache.txt" ] && command -v ninja >/dev/null; then
  set -- -G Ninja "$@"
fi
if ! { cmake -S "$top" -B "$top/build" "$@" && cmake --build "$top/build" -j "$(nproc)"; } \
  >"$log" 2>&1; then
  cat "$log" >&2
  echo "the build failed; the messages above are in $log" >&2
  exit 70
fi
