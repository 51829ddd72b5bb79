#!/bin/sh
# The manual page is one that groff and mandoc have nothing to say on, and names every table's rows.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
expect 0 "$program" help --man
mv out infoplane.1
[ ! -s err ] || fail "help --man complains"
"$program" explain | cut -c1-26 | awk 'NF { print $1 }' >variables
for word in gradient_batch kde symmetric too_little_data merge; do
  grep -q "^\\\\fB$word\|^\.SS Estimator $word" infoplane.1 || fail "the page does not name $word"
done
while read -r word; do
  grep -qF "$word" infoplane.1 || fail "the page does not name the variable $word"
done <variables

command -v groff >/dev/null || skip "groff is not installed"
groff -wall -man -Tutf8 infoplane.1 >page 2>errors || fail "groff fails"
[ ! -s errors ] || { cat errors; fail "groff warns"; }
grep -q 'information plane' page || fail "the page is empty"
command -v mandoc >/dev/null || skip "mandoc is not installed; groff has nothing to say"
# The page has no date, so that the same program writes the same page.
mandoc -T lint -W warning infoplane.1 | grep -v 'missing date' >errors || true
[ ! -s errors ] || { cat errors; fail "mandoc warns"; }
