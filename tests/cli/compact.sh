#!/bin/sh
# compact: the same file in every number and attribute, smaller, read by every verb; what is not finished
# is refused, and nothing is left behind.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
printf 'train: {fraction: [5%%, 85%%], epochs: 30}\nrepeat: 4\nsave: {weights: looked}\n' >a.yaml
expect 0 "$program" run a.yaml
cp a.h5 before.h5
expect 0 env OMPI_MCA_ess=none "$program" compact a.h5
says 'a.compact.h5: '
says 'every number and checksum reads back the same'
says 'a.h5 stands as it was'
cmp a.h5 before.h5
size() { stat -c %s "$1"; }
[ "$(size a.compact.h5)" -lt "$(($(size a.h5) * 3 / 4))" ] || fail "it saves nothing"

# Another reader: every array, attribute and order the same, and the large ones compressed.
"$python" - a.h5 a.compact.h5 <<'END' || fail "h5py sees two files"
import h5py, numpy, sys
a, b = (h5py.File(name) for name in sys.argv[1:])
def listing(f):
    names = []
    f.visit(names.append)
    return names
def attributes(o, f):
    skip = "DIMENSION_LIST", "REFERENCE_LIST"  # references into the file
    return [(k, numpy.asarray(v).tolist()) for k, v in o.attrs.items() if k not in skip]
assert listing(a) == listing(b)
assert attributes(a, a) == attributes(b, b)
compressed = 0
for name in listing(a):
    x, y = a[name], b[name]
    assert attributes(x, a) == attributes(y, b), name
    if not isinstance(x, h5py.Dataset):
        continue
    assert (x.dtype, x.shape) == (y.dtype, y.shape), name
    assert [d.label or len(d) and d[0].name for d in x.dims] == [d.label or len(d) and d[0].name for d in y.dims], name
    if x.dtype.kind == "O":
        assert x[...].tolist() == y[...].tolist(), name
    else:
        assert x[...].tobytes() == y[...].tobytes(), name
        assert x.fillvalue == y.fillvalue or numpy.isnan(x.fillvalue), name
    if y.compression:
        assert (y.compression, y.shuffle) == ("gzip", True), name
        compressed += 1
    else:
        assert x.nbytes < 16384 or x.dtype.kind == "O", name
assert compressed > 3, compressed
END

# Every verb that reads a file reads it.
expect 0 "$program" check a.compact.h5
says '8 of 8 runs are done and fit their checksum'
expect 0 "$program" status a.compact.h5
says '8 done'
expect 0 "$program" diff a.h5 a.compact.h5
if command -v gnuplot >/dev/null; then
  expect 0 "$program" figures a.compact.h5 -o figures
  [ -s figures/claims.csv ] || fail "no claims of a compact file"
fi
# It is not continued, but a plain file is made of it, or a bigger one, and that is.
expect 78 "$program" run a.yaml -o a.compact.h5
says 'infoplane merge a.compact.h5 -o NEW.h5'
expect 0 "$program" merge a.compact.h5 -o plain.h5
expect 0 "$program" run a.yaml -o plain.h5
says 'all 8 runs were done before'
cp a.compact.h5 grown.h5
expect 0 "$program" grow grown.h5 repeat=5
expect 0 "$program" run a.yaml repeat=5 -o grown.h5
expect 0 "$program" check grown.h5
says '10 of 10'

# Shares, made compact, are still shares.
expect 0 "$program" run a.yaml share=1/2
expect 0 "$program" run a.yaml share=2/2
expect 0 "$program" compact a.1-of-2.h5 replace=yes -q
[ ! -s out ] || fail "-q says something"
expect 0 "$program" compact a.2-of-2.h5 -o two.h5
expect 0 "$program" merge a.1-of-2.h5 two.h5 -o whole.h5
expect 0 "$program" diff a.h5 whole.h5

# In its place, and once more of what is compact.
cp -p a.h5 r.h5
chmod 640 r.h5
expect 0 "$program" compact r.h5 replace=yes
[ "$(stat -c %a r.h5)" = 640 ] || fail "another mode"
expect 0 "$program" compact r.h5 -o r2.h5
expect 0 "$program" diff a.h5 r2.h5

# Refused, with the way out, and the file that stands is left alone.
expect 73 "$program" compact a.h5
says 'a.compact.h5 stands: nothing is overwritten'
expect 73 "$program" compact a.h5 -o a.h5
ln -s a.h5 link.h5
expect 73 "$program" compact link.h5 replace=yes
expect 64 "$program" compact a.h5 replace=yes -o x.h5
expect 64 "$program" compact a.h5 level=9
expect 64 "$program" compact
expect 66 "$program" compact nothing.h5
expect 73 "$program" compact a.h5 -o nowhere/x.h5
expect 75 "$program" run a.yaml train.epochs=500000 look=log max_time=2 -o open.h5
expect 78 "$program" compact open.h5
says '8 of 8 runs are not finished'
says 'finish it with the command that began it'
cp a.h5 bad.h5
"$python" -c 'import h5py; h5py.File("bad.h5", "r+")["i_ty"][2, 0, 0, 0] = 3'
expect 65 "$program" compact bad.h5
says '1 runs do not fit their checksum'
cp a.h5 more.h5
"$python" -c 'import h5py; h5py.File("more.h5", "r+")["mine"] = [1, 2]'
expect 78 "$program" compact more.h5
says 'what was added to it would be lost'
"$program" run a.yaml train.epochs=500000 look=log -o held.h5 >out 2>err &
job=$!
await_training held.h5
code=0
"$program" compact held.h5 >out2 2>err2 || code=$?
touch held.h5.stop
wait "$job" || true
[ "$code" = 77 ] || { cat err2; fail "exit code $code for a file that a job writes"; }
grep -q 'wait for it' err2 || fail "no way out of a lock"
# Too little room: nothing is left behind.
# shellcheck disable=SC2016 # of the shell within
expect 74 sh -c 'ulimit -f 200; exec "$0" compact a.h5 -o x.h5' "$program"
[ -z "$(find . -name '*.partial' -o -name 'x.h5*' -o -name '*.lock*')" ] || fail "something is left behind"
cmp a.h5 before.h5
