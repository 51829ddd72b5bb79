#!/bin/sh
# What is wrong is said once, with its place and the way out, before anything is started.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time

cat >bad.yaml <<'END'
network:
  hidden: [10, 7]
  activation: tahn
train: {batch: 0}
lerning_rate: 1e-3
END
expect 78 "$program" run bad.yaml
says 'bad.yaml:3:15: error: network.activation: "tahn"'
says 'Did you mean "tanh"?'
says 'bad.yaml:5:1: error: unknown key "lerning_rate"'
says '3 errors, nothing was started.'
[ ! -e bad.h5 ] || fail "a file was made"

# Under mpirun the errors are said once, by one rank, and every rank ends with the code.
expect 78 ranks 3 "$program" run bad.yaml
[ "$(grep -c 'tahn' err)" = 1 ] || fail "said more than once"

expect 64 "$program"
says 'no verb given'
expect 64 "$program" rum good.yaml
says 'Did you mean "run"?'
expect 64 "$program" run
says 'needs an input file'
expect 64 "$program" run a.yaml b.yaml
expect 64 "$program" run --helpp
expect 66 "$program" run missing.yaml
says 'missing.yaml'
expect 66 "$program" status missing.h5

printf 'train: {epochs: 1}\nlook: [0]\n' >good.yaml
expect 66 "$program" run good.yaml dataset.name=mat dataset.path=nowhere.mat
says 'nowhere.mat'
printf 'not a MATLAB file' >strange.mat
expect 65 "$program" run good.yaml dataset.name=mat dataset.path=strange.mat
expect 78 "$program" run good.yaml train.batch=zero
says 'train.batch'
expect 73 "$program" run good.yaml -o nowhere/x.h5
says 'nowhere'

# A strange file is refused and not touched.
for content in '' 'a text'; do
  printf '%s' "$content" >strange.h5
  before=$(cksum strange.h5)
  expect 65 "$program" run good.yaml -o strange.h5
  [ "$(cksum strange.h5)" = "$before" ] || fail "a strange file was touched"
done
expect 65 "$program" status strange.h5

# A message is one write: else mpirun's own words come between its pieces. A socket of datagrams keeps
# writes apart.
"$python" - "$program" <<'END'
import socket, subprocess, sys
for words, lines in (["run", "missing.yaml"], 1), (["run", "good.yaml", "train.batch=zero", "lok=[1]"], 2):
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    subprocess.run([sys.argv[1], *words], stderr=its)
    its.close()
    message = ours.recv(1 << 16).decode()
    assert message.count("\n") >= lines and message.endswith("\n"), message
    ours.setblocking(False)
    try:
        assert False, ("more than one write", message, ours.recv(1 << 16))
    except (BlockingIOError, ConnectionResetError):
        pass # there is no more
END
