#!/bin/sh
# cite: valid BibTeX of what a file uses, and of no more.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
keys() { sed -n 's/^@[a-z]*{\([^,]*\),$/\1/p' out | tr '\n' ' '; }
# gives KEY ...: exactly these works; braces and fields are as BibTeX has them
gives() {
  [ "$(keys)" = "$* " ] || fail "cites $(keys)and not $*"
  "$python" - out <<'END'
import re, sys
text = open(sys.argv[1]).read()
for entry in re.split(r"^%.*\n", text, flags=re.M)[1:]:
    entry = entry.strip()
    assert entry.count("{") == entry.count("}"), entry
    head, *fields, end = entry.split("\n")
    assert re.fullmatch(r"@(misc|article)\{\w+,", head) and end == "}", entry
    for i, line in enumerate(fields):
        last = i == len(fields) - 1
        assert re.fullmatch(r"  \w+ = \{.*\}" + ("" if last else ","), line), line
END
}
paper=shwartzziv2017opening
expect 0 "$program" cite
gives $paper kolchinsky2017estimating treves1995upward saxe2019information tishby2000information infoplane
says 'eprint = {1706.02419}'

printf 'train: {epochs: 1}\nlook: [0]\ndataset: {samples: 50}\n' >a.yaml
expect 0 "$program" run a.yaml 'estimate=[{kind: kde}]' -o kde.h5
expect 0 env OMPI_MCA_ess=none "$program" cite kde.h5
gives $paper kolchinsky2017estimating infoplane
expect 0 "$program" run a.yaml 'estimate=[{kind: binning, bins: 30}]' -o bin.h5
expect 0 "$program" cite bin.h5
gives $paper treves1995upward infoplane
expect 0 "$program" run a.yaml 'estimate=[{kind: binning, width: 0.07}]' -o width.h5
expect 0 "$program" cite width.h5
gives $paper treves1995upward saxe2019information infoplane
expect 0 "$program" run a.yaml 'estimate=[{kind: kde}]' dataset.labels=stochastic dataset.samples=all -o curve.h5
expect 0 "$program" cite curve.h5
gives $paper kolchinsky2017estimating tishby2000information infoplane

expect 66 "$program" cite nothing.h5
expect 64 "$program" cite kde.h5 -o x
