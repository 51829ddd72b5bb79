#!/bin/sh
# What no input names must not change a number: settings of libraries, locale, time zone, home, umask,
# closed descriptors, strange names of files, links and pipes in the place of ours.  The results are the
# same bytes, or there is an error.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
mkdir own
export HDF5_USE_FILE_LOCKING=FALSE HOME="$PWD/own"
unset XDG_CACHE_HOME

cat >h.yaml <<'YAML'
network: {hidden: [4, 3], blas: [own, openblas]}
train: {epochs: 3, learning_rate: 1.5e-3}
dataset: {labels: stochastic}
look: [0, 1]
estimate: [{kind: binning, bins: 30}, {kind: kde, noise_variance: 0.1}]
save: {weights: looked}
reproducible: yes
YAML
expect 0 "$program" run h.yaml -o base.h5
expect 0 "$program" plan h.yaml -o p.h5
known='free|  time ' # of this disk, and of how fast this machine is known to be
grep -vE "$known" out >plan
figures=
if command -v gnuplot >/dev/null; then
  figures=yes
  expect 0 "$program" figures base.h5 -o figures
  find figures -name '*.csv' | sort | xargs cat >tables
fi

# looks_same FILE: these are the results, and every verb can read them
looks_same() {
  cmp base.h5 "$1" || fail "other results: $1"
  expect 0 "$program" status "$1"
  expect 0 "$program" check "$1"
}

# same WORDS command ...: run, plan and figures give the same with this before them
same() {
  what=$1
  shift
  rm -rf h.h5 drawn
  expect 0 "$@" "$program" run h.yaml -q -o h.h5
  [ ! -s out ] || { cat out; fail "$what: -q says something"; }
  looks_same h.h5
  expect 0 "$@" "$program" plan h.yaml -o p.h5
  grep -vE "$known" out | cmp - plan || fail "$what: another plan"
  expect 0 "$@" "$program" check h.h5
}
draws_same() {
  [ "$figures" ] || return 0
  expect 0 "$@" "$program" figures base.h5 -q -o drawn
  find drawn -name '*.csv' | sort | xargs cat | cmp - tables || fail "other tables"
  rm -rf drawn
}

# ---- settings of libraries -----------------------------------------------------------------------
same PETSC_OPTIONS env PETSC_OPTIONS='-help -log_view -info -bottleneck_snes_max_it 1 -fp_trap'
same PETSC_OPTIONS_YAML env PETSC_OPTIONS_YAML='bottleneck_snes_max_it: 1'
mkdir home
for place in . home; do printf -- '-help\n-log_view\n-bottleneck_snes_max_it 1\n' >$place/.petscrc; done
same petscrc env HOME="$PWD/home"
rm .petscrc home/.petscrc
same threads env OMP_NUM_THREADS=7 OPENBLAS_NUM_THREADS=5 GOTO_NUM_THREADS=3 MKL_NUM_THREADS=2
same HDF5 env HDF5_DISABLE_VERSION_CHECK=2 HDF5_EXT_PREFIX=/nowhere HDF5_EXTFILE_PREFIX=/nowhere \
  HDF5_VDS_PREFIX=/nowhere HDF5_PLUGIN_PRELOAD=:: HDF5_PLUGIN_PATH=. HDF5_DEBUG=all \
  HDF5_MPI_OPT_TYPES=0 HDF5_USE_FILE_LOCKING=TRUE HDF5_DRIVER=core
if command -v localedef >/dev/null && mkdir locale &&
  localedef -i de_DE -f UTF-8 "$PWD/locale/de_DE.UTF-8" 2>/dev/null &&
  [ "$(LOCPATH=$PWD/locale LC_ALL=de_DE.UTF-8 locale decimal_point)" = , ]; then
  same locale env LOCPATH="$PWD/locale" LC_ALL=de_DE.UTF-8 LANGUAGE=de
  draws_same env LOCPATH="$PWD/locale" LC_ALL=de_DE.UTF-8
else
  echo "not tried: a locale with decimal commas cannot be made here"
fi
same zone env TZ=Asia/Kathmandu
same 'no home' env -u HOME -u USER -u LOGNAME
draws_same env -u HOME
for mask in 077 000; do
  ( umask $mask && same "umask $mask" env && find h.h5 -printf '%m\n' >mode)
  [ "$mask $(cat mode)" = "077 600" ] || [ "$mask $(cat mode)" = "000 666" ] || fail "umask $mask: $(cat mode)"
done
rm -f h.h5
code=0
TMPDIR=/nowhere "$program" run h.yaml -q -o h.h5 >out 2>err || code=$?
if [ "$code" = 0 ]; then looks_same h.h5; else [ -s err ] || fail "TMPDIR: no word"; fi

# ---- closed descriptors: a file of ours opened there would be printed into -------------------------
for closed in '<&-' '>&-' '<&- >&- 2>&-'; do
  rm -f h.h5
  code=0
  eval "\"\$program\" run h.yaml -o h.h5 $closed" >out 2>&1 || code=$?
  [ "$code" = 0 ] || { cat out; fail "$closed: exit code $code"; }
  looks_same h.h5
  for verb in status check; do
    eval "\"\$program\" $verb h.h5 $closed" >out 2>&1 || fail "$verb $closed"
    eval "\"\$program\" $verb missing.h5 $closed" >out 2>&1 && fail "$verb missing.h5 $closed"
  done
  cmp base.h5 h.h5 || fail "$closed: a reader wrote the results"
done
if [ "$figures" ]; then # gnuplot's pipe would stand there
  "$program" figures base.h5 -o drawn <&- >&- 2>&- || fail "figures with all descriptors closed"
  find drawn -name '*.csv' | sort | xargs cat | cmp - tables || fail "other tables"
fi

# ---- names --------------------------------------------------------------------------------------------
long=$(printf '%0200d' 0)
mkdir names
cd names
# shellcheck disable=SC2016 # nothing is to expand
for name in 'a qu'"'"'o"te %n%s %d\$(touch oops)`touch oops`;&|{a,b}*?[~#' 'Maß–環' "$long"; do
  cp ../h.yaml "$name.yaml"
  expect 0 "$program" run "$name.yaml" -q
  (cd .. && looks_same "names/$name.h5")
  [ -z "$figures" ] || expect 0 "$program" figures "$name.h5" -o "to $name"
  [ -z "$figures" ] || find "to $name" -name '*.csv' | sort | xargs -d '\n' cat | cmp - ../tables ||
    fail "figures of $name"
  [ -z "$(find . -name '*oops*' ! -name '*touch*')" ] || fail "a shell read $name"
  printf 'train: [\n' >"$name.yaml"
  expect 78 "$program" run "$name.yaml"
  says "$name.yaml:"
done
mv "$long.h5" dash.h5
cp ../h.yaml ./-q.yaml
expect 64 "$program" run -q.yaml
expect 0 "$program" run ./-q.yaml -q
cmp dash.h5 ./-q.h5 || fail "a leading dash"
cd ..

# A name cannot write lines or colors of its own into a message.
newline=$(printf 'x\nall is well')
escape=$(printf 'x\033[2Jy')
for verb in run plan status check figures; do
  for name in "$newline" "$escape"; do
    expect 64 "$program" $verb "$name"
    [ "$(wc -l <err)" = 1 ] || fail "$verb: a name makes lines"
    grep -q "$(printf '\033')" err && fail "$verb: a name makes colors"
  done
  expect 64 "$program" $verb base.h5 -o "$newline"
done
expect 64 "$program" "$escape" h.yaml
grep -q "$(printf '\033')" err && fail "a verb makes colors"
expect 78 "$program" run h.yaml "look=$escape"
grep -q "$(printf '\033')" err && fail "a value makes colors"

# ---- links and pipes in the place of files ---------------------------------------------------------------
echo precious >precious
# refused CODE ARGUMENTS ...: and nothing was written through a link
refused() {
  want=$1
  shift
  expect "$want" timeout 60 "$program" "$@"
  [ "$(cat precious)" = precious ] || fail "written through a link: $*"
}
ln -s precious link.h5
refused 65 run h.yaml -o link.h5
refused 65 status link.h5
refused 65 check link.h5
ln -s nowhere dangling.h5
refused 73 run h.yaml -o dangling.h5
[ ! -e nowhere ] || fail "a file was made through a link"
cp base.h5 elsewhere.h5
ln -s elsewhere.h5 good.h5
expect 0 "$program" run h.yaml -q -o good.h5 # who keeps results elsewhere may
[ -L good.h5 ] || fail "a link was replaced"
ln -s precious w.h5.partial
expect 0 "$program" run h.yaml -q -o w.h5
[ "$(cat precious)" = precious ] || fail "written through .partial"
looks_same w.h5
ln -s precious w.h5.lock
refused 77 run h.yaml -o w.h5
rm w.h5.lock
mkfifo w.h5.lock
refused 77 run h.yaml -o w.h5
rm w.h5.lock
"$program" run h.yaml -q -o s.h5 'only=[0]' >out 2>err || fail "only=0"
ln -s precious s.h5.stop
refused 75 run h.yaml -o s.h5
[ ! -L s.h5.stop ] || fail "the stop file is left over"
expect 0 "$program" run h.yaml -q -o s.h5
looks_same s.h5
mkfifo pipe.h5
mkdir folder.h5
for path in pipe.h5 folder.h5 /dev/null /dev/zero; do
  for verb in status check figures; do refused 65 $verb $path; done
  refused 65 run h.yaml -o $path
  rm -f $path.lock
done
[ -p pipe.h5 ] || fail "a pipe was replaced"
