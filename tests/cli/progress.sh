#!/bin/sh
# What is shown while it runs: on a terminal one line rewritten, else few lines and no control
# characters, under mpirun as alone; -q says nothing; the file can be read meanwhile.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

cat >t.yaml <<'YAML'
train: {epochs: 60}
look: [0]
repeat: 4
estimate: [{kind: binning, bins: 30}]
YAML

cat >terminal.py <<'END_'
"""terminal.py COLUMNS COMMAND ...: what the command writes to a terminal of that width."""
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
seen = b""
try:
    while part := os.read(fd, 65536): seen += part
except OSError: pass
os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
END_

# terminal COLUMNS COMMAND ...: in shown, with carriage returns as newlines
terminal() { TERM=xterm "$python" terminal.py "$@" >raw; tr '\r' '\n' <raw >shown; }
escape=$(printf '\033')

for launcher in '' 'mpirun -n 2'; do
  rm -f t.h5
  # shellcheck disable=SC2086
  terminal 80 $launcher "$program" run t.yaml
  grep -q "$escape\[K" raw || { cat shown; fail "no line is rewritten: $launcher"; }
  grep -q "$escape\[36m" raw || fail "no color: $launcher"
  [ "$(grep -c '4/4 runs' shown)" -ge 1 ] || fail "no last line: $launcher"

  rm -f t.h5
  # shellcheck disable=SC2086
  terminal 50 env NO_COLOR=1 $launcher "$program" run t.yaml
  grep -q "$escape\[36m" raw && fail "NO_COLOR is not honored: $launcher"
  sed -n "s/$escape\[K//; /runs   /p" shown | awk 'length > 50 { exit 1 }' || fail "a line wraps"

  rm -f t.h5
  # shellcheck disable=SC2086
  expect 0 $launcher "$program" run t.yaml
  grep -q "[$escape$(printf '\r')]" out && fail "control characters in a pipe: $launcher"
  [ "$(grep -c '/4 runs' out)" = 1 ] || { cat out; fail "not one line of progress: $launcher"; }

  rm -f t.h5
  # shellcheck disable=SC2086
  expect 0 $launcher "$program" run t.yaml -q
  [ -z "$(cat out err)" ] || { cat out err; fail "-q says something: $launcher"; }
done

# While it runs: status, and every reader there is.
"$program" run t.yaml train.epochs=2000000 -o r.h5 >/dev/null 2>err.run &
job=$!
tries=0
until "$program" status r.h5 >out 2>err && grep -q 'runs per hour' out; do
  tries=$((tries + 1))
  [ "$tries" -lt 600 ] || { cat out err err.run; fail "status shows no rate"; }
  sleep 0.1
done
says '0 done, 0 diverged, 0 failed, 4 pending'
says '1 running'
says ' left;'
HDF5_USE_FILE_LOCKING=FALSE "$python" - <<'END_'
def there(name):
    try: return __import__(name)
    except ImportError: print("without", name)
h5py, xarray = there("h5py"), there("xarray")
if h5py: assert h5py.File("r.h5", "r")["i_xt"].shape[0] == 4
for engine in ("netcdf4", "h5netcdf") if xarray else ():
    if there({"netcdf4": "netCDF4"}.get(engine, engine)):
        with xarray.open_dataset("r.h5", engine=engine) as d:
            assert d.i_xt.dims == ("run", "column", "epoch", "layer"), d.i_xt.dims
            assert (d.status == 0).all() and d.i_xt.isnull().all()
END_
for reader in h5dump ncdump; do
  command -v "$reader" >/dev/null || continue
  HDF5_USE_FILE_LOCKING=FALSE expect 0 "$reader" -h r.h5
done
kill -USR1 "$job"
code=0
wait "$job" || code=$?
[ "$code" = 75 ] || { cat err.run; fail "SIGUSR1: exit code $code, wanted 75"; }
