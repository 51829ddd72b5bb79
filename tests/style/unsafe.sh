#!/bin/sh
# Functions that hand words to a shell, write without bounds or guess names of temporary files are not
# used, and no descriptor is opened that a child would inherit.
#   unsafe.sh <top level>
set -eu
cd "$1"

# statements CALL ALLOWED: those of the sources that match CALL, but not ALLOWED; texts and comments are
# no code
# shellcheck disable=SC2016 # awk reads the dollars
statements() {
  find src include -name '*.[ch]' -print0 | xargs -0 awk -v call="(^|[^A-Za-z0-9_.>])($1)[(]" -v allowed="$2" '
    FNR == 1 { text = "" }
    { line = $0
      gsub(/"[rwax+]*e"/, "CLOSED_BY_EXEC", line)
      gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
      sub(/\/\*.*$/, "", line)
      text = text " " line }
    /[;{}]/ || FNR == 1 {
      if (match(text, call) && (allowed == "" || text !~ allowed))
        print FILENAME ":" FNR ": " text
      text = "" }'
}

bad=$(statements 'system|popen|mktemp|tmpnam|tempnam|tmpfile|v?sprintf|st[rp]cpy|strcat|gets|v?f?scanf|execl[pe]?|execvp?|vfork|creat' '')
[ -z "$bad" ] || { printf 'not to be used:\n%s\n' "$bad"; exit 1; }
# fopen says it with an e; opendir always does; ip_file_open adds the flag; main gives /dev/null to children too
bad=$(statements 'open|openat|pipe2?|dup|memfd_create|socket|freopen|fopen|mkstemp' 'CLOEXEC|CLOSED_BY_EXEC|open."", O_RDWR. != fd')
[ -z "$bad" ] || { printf 'a child would inherit it:\n%s\n' "$bad"; exit 1; }
