#!/bin/sh
# The page of infoplane report: what it holds is the file (page.py), and in a real browser it opens, plays,
# filters, obeys the keyboard, keeps hostile names text and has no serious fault of accessibility
# (page_browser.py).
#   page.sh PROGRAM SCRATCH SOURCE THIN
# shellcheck source=../cli/lib.sh
. "$3/tests/cli/lib.sh"
"$python" -c 'import h5py, numpy' 2>/dev/null || skip "needs python3-h5py and python3-numpy"

cat >page.yaml <<'END'
dataset: {name: symmetric, samples: 256}
network: {hidden: [5, 4, 3]}
train: {optimizer: adam, learning_rate: 1e-2, batch: 64, epochs: 40}
look: log
gradient_batch: 16
repeat: 3
estimate: [{kind: binning, bins: [30, 8]}, {kind: kde, noise_variance: 1e-1}]
studies:
  - name: sizes
    train: {fraction: [30%, 60%, 85%]}
  - name: '</script><img src=x onerror="window.hacked = 1">'
    network: {hidden: [[5, 4, 3], [6, 2]], activation: [tanh, relu]}
    estimate: [{kind: binning, bins: 30, range: snapshot}, {kind: kde, noise_variance: 1e-1}]
  - name: drawn
    dataset.labels: stochastic
  - name: wild
    network.activation: linear
    train: {optimizer: sgd, learning_rate: [1e-2, 1e4], fraction: 100%}
    estimate: [{kind: kde, noise_variance: 1e-1}]
END
expect 1 "$program" run page.yaml # 1: some diverge, as they are meant to
expect 0 "$program" report page.h5
says 'page.html: '
"$python" "$3/tests/view/page.py" page.h5 page.html

# ---- files ------------------------------------------------------------------------------------------
cp page.html first.html
expect 0 "$program" report page.h5 -q # ours is replaced
[ ! -s out ] || fail "-q says something"
cmp page.html first.html || fail "the same file made another page"
for kind in 'a page' link; do
  rm -f mine.html
  echo precious >precious
  if [ "$kind" = link ]; then ln -s precious mine.html; else cp precious mine.html; fi
  expect 73 "$program" report page.h5 -o mine.html
  says 'is no page of infoplane'
  [ "$(cat precious)" = precious ] || fail "written through a link"
done
expect 73 "$program" report page.h5 -o nowhere/page.html
expect 66 "$program" report missing.h5
expect 64 "$program" report
expect 64 "$program" report page.h5 columns=all
[ -z "$(find . -name '*partial*')" ] || fail "left behind"

# While a job writes: what is done is on the page.
expect 0 ranks 2 "$program" run page.yaml -q -o some.h5 'only=[0,1,5]'
expect 0 "$program" report some.h5
"$python" "$3/tests/view/page.py" some.h5 some.html

# Without a look during training, and without a finished run.
printf 'dataset.samples: 64\ntrain.epochs: 0\nestimate: [{kind: kde, noise_variance: 0.1}]\n' >bare.yaml
expect 0 "$program" run bare.yaml -q
touch none.h5.stop
expect 75 "$program" run bare.yaml -q -o none.h5 train.epochs=9999999
for name in bare none; do
  expect 0 "$program" report $name.h5
  "$python" "$3/tests/view/page.py" $name.h5 $name.html
done

# More than fits into a page: looks go first, then runs, and the page says so.
cat >large.yaml <<END
dataset.samples: 64
network.hidden: [4, 3]
train: {epochs: 100, fraction: 100%}
look: [$(seq -s , 100)]
gradient_batch: 64
repeat: 40
estimate: [{kind: binning, bins: 4}]
END
expect 0 ranks 2 "$program" run large.yaml -q
expect 0 "$program" report large.h5
bare=$(wc -c <bare.html)
data=$(($(wc -c <large.html) - bare))
expect 0 "$4" large.h5 looks.html $((bare + data * 7 / 10))
"$python" "$3/tests/view/page.py" large.h5 looks.html '[0-9]+ of up to 101 looks'
says ' of up to 101 looks are kept'
! grep -q 'of a setting' out || fail "runs go before looks"
expect 0 "$4" large.h5 runs.html $((bare + data * 2 / 10))
"$python" "$3/tests/view/page.py" large.h5 runs.html \
  '[0-9]+ of up to 101 looks, [0-9]+ of up to 40 networks of a setting'
says ' of up to 40 networks of a setting are kept'

exec "$python" "$3/tests/view/page_browser.py" page bare none runs
