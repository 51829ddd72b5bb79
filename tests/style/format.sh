#!/bin/sh
# All C code stands as clang-format 14 sets it with .clang-format (other versions set some lines
# differently, so they are not asked).
#   format.sh <top level>
set -eu
cd "$1"
for format in clang-format-14 clang-format; do
  if command -v "$format" >/dev/null && "$format" --version | grep -q 'version 14\.'; then
    find src include tests -name '*.[ch]' -exec "$format" --dry-run -Werror {} +
    exit
  fi
done
echo "skipped: clang-format 14 is not installed"
exit 77
