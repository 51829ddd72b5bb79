#!/bin/sh
# Shell scripts can be read by the shell they name, and shellcheck has nothing to say.
#   shell.sh <top level>
set -eu
cd "$1"
find jobs tests .ci -type f \( -name '*.sh' -o -name '*.sbatch' -o -path .ci/run \) |
  while read -r script; do
    case $(head -n 1 "$script") in
      '#!/bin/sh') sh -n "$script" ;;
      '#!/bin/bash' | '#!/usr/bin/env bash') bash -n "$script" ;;
      *) echo "$script: does not open with #!/bin/sh or #!/bin/bash"; exit 1 ;;
    esac
    if [ ! -x "$script" ]; then
      echo "$script: is not executable"
      exit 1
    fi
    if command -v shellcheck >/dev/null; then shellcheck -x -P SCRIPTDIR "$script"; fi
  done
command -v shellcheck >/dev/null || echo "shellcheck is not installed: syntax alone was checked"
