#!/bin/sh
# Several hosts: three pretended ones, network namespaces joined by a bridge, each with its own host
# name and shared memory.  More ranks on them write the same bytes as one host; a killed rank, a
# killed daemon of mpirun and a cut network end the job, lose no finished run, and the same command
# completes the file; when the host of rank 0 is lost, the lock says what to do.
#   hosts.sh PROGRAM SCRATCH [LONG]
# All of it lives in namespaces of one process: they, their processes and their files in memory end
# with it, however it ends, and any number of these tests may run side by side.
if [ "${HOSTS_INSIDE-}" != yes ]; then
  export HOSTS_INSIDE=yes PATH="$PATH:/usr/sbin:/sbin"
  enclose="unshare --mount --net --pid --fork --kill-child --mount-proc"
  [ "$(id -u)" = 0 ] || enclose="$enclose --user --map-root-user"
  command -v ip >/dev/null || { echo "skipped: needs ip, of Debian's iproute2" >&2; exit 77; }
  # shellcheck disable=SC2086 # a list of words
  why=$($enclose sh -c 'mount -t tmpfs tmpfs /run && ip netns add a &&
    ip netns exec a unshare --uts hostname a' 2>&1) ||
    { echo "skipped: no network namespaces here: $why" >&2; exit 77; }
  # shellcheck disable=SC2086
  exec $enclose "$0" "$@"
fi
# shellcheck source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
long=${3-}
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"

# ---- the hosts -----------------------------------------------------------------------------------
mount -t tmpfs tmpfs /run
mkdir /run/tmp
export TMPDIR=/run/tmp
ip netns add switch
ip -n switch link add bridge type bridge
ip -n switch link set bridge up
echo "127.0.0.1 localhost" >/run/hosts
for i in 1 2 3; do
  ip netns add "node$i"
  ip -n "node$i" link set lo up
  ip -n switch link add "port$i" type veth peer name eth0 netns "node$i"
  ip -n "node$i" addr add "10.77.0.$i/24" dev eth0
  ip -n "node$i" link set eth0 up
  ip -n switch link set "port$i" master bridge up
  echo "10.77.0.$i node$i" >>/run/hosts
done
mount --bind /run/hosts /etc/hosts

# What mpirun takes for ssh: HOST COMMAND ..., the words joined and read by a shell.
cat >/run/agent <<'EOF'
#!/bin/sh
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c 'hostname "$0" && mount -t tmpfs tmpfs /dev/shm &&
  exec sh -c "$*"' "$host" "$@"
EOF
chmod +x /run/agent
# The settings of jobs/run.sbatch for a host that is cut off, shorter; the program may be root here.
export OMPI_MCA_plm_rsh_agent=/run/agent OMPI_MCA_btl_tcp_if_include=eth0
export OMPI_MCA_oob_tcp_keepalive_time=2 OMPI_MCA_oob_tcp_keepalive_intvl=1
export OMPI_MCA_oob_tcp_keepalive_probes=3
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# launch HOSTS N FILE [key=value ...]: mpirun, started on node1
launch() {
  hosts=$1 n=$2 file=$3
  shift 3
  ip netns exec node1 unshare --uts sh -c 'hostname node1 && mount -t tmpfs tmpfs /dev/shm && exec "$@"' sh \
    timeout -k 10 300 mpirun --host "$hosts" -n "$n" "$program" run h.yaml -o "$file" "$@"
}

# processes HOST NAME: their numbers
processes() {
  for pid in $(ip netns pids "$1"); do
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]; then echo "$pid"; fi
  done
}

# finished FILE: the runs that are done, a line each
finished() {
  HDF5_USE_FILE_LOCKING=FALSE "$python" -c '
import sys, h5py
print(*(run for run, status in enumerate(h5py.File(sys.argv[1])["status"][:, 0]) if status == 1), sep="\n")
' "$1"
}

# ---- the cases -----------------------------------------------------------------------------------
cat >h.yaml <<'END2'
network: {hidden: [6, 4]}
train: {epochs: 400}
look: [20, 60]
estimate: [{kind: binning, bins: 30}]
repeat: 36
reproducible: yes
END2

expect 0 launch node1:2 2 one.h5
same() { cmp one.h5 "$1" || fail "$1: other bytes than on one host"; }

# begin HOSTS N FILE: a job in the background, with ranks that train and runs that are done
begin() {
  launch "$@" >out 2>err &
  job=$!
  tries=0
  until "$program" check "$3" 2>/dev/null | grep -q ': [1-9][0-9]* of'; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { cat out err; fail "no run of $3 is finished"; }
    sleep 0.1
  done
  finished "$3" >before
}

# ended FILE CODE: the job ends with this code, by itself (timeout would say 124), having lost nothing.
# A host that is cut off may still finish what it has in hand, as all hosts share the file.
ended() {
  code=0
  wait "$job" || code=$?
  [ "$code" = "$2" ] || { cat out err; fail "$1: exit code $code, wanted $2"; }
  finished "$1" >after
  ! grep -qvxFf after before || fail "$1: a finished run is lost"
  "$program" check "$1" >out 2>err || [ $? = 75 ] || { cat out err; fail "$1 is damaged"; }
  [ -f "$1.lock" ] || fail "$1 was closed"
}

# continued FILE HOSTS N [key=value ...]: the same command completes it
continued() {
  file=$1 hosts=$2 n=$3
  shift 3
  expect 0 launch "$hosts" "$n" "$file" "$@"
  same "$file"
  for left in "$file".*; do
    [ ! -e "$left" ] || fail "$left is left over"
  done
}

for n in 6 ${long:+12}; do
  launch "node1:$((n / 3)),node2:$((n / 3)),node3:$((n / 3))" "$n" "n$n.h5" >out 2>err &
  job=$!
  await_training "n$n.h5"
  for host in node1 node2 node3; do
    [ "$(processes "$host" infoplane | wc -l)" = $((n / 3)) ] || fail "not $((n / 3)) ranks on $host"
  done
  wait "$job" || { cat out err; fail "$n ranks on three hosts: exit code $?"; }
  same "n$n.h5"
done

# A rank.
begin node1:2,node2:2,node3:2 6 rank.h5
kill -KILL "$(processes node3 infoplane | tail -n 1)"
ended rank.h5 137
continued rank.h5 node1:2,node2:2,node3:2 6

# The daemon that starts the ranks of a host, which mpirun reports by 205.  Its ranks, suspended, outlive
# it, and wake when the next job is at work.
begin node1:2,node2:2,node3:2 6 daemon.h5
orphans=$(processes node2 infoplane)
# shellcheck disable=SC2086 # a list of numbers
kill -STOP $orphans
kill -KILL "$(processes node2 orted)"
ended daemon.h5 205
# shellcheck disable=SC2086
(sleep 2; kill -CONT $orphans 2>/dev/null) &
continued daemon.h5 node1:2,node2:2,node3:2 6

# The network of a host without rank 0.
begin node1:2,node2:2,node3:2 6 network.h5
ip -n node3 link set eth0 down
ended network.h5 205
ip -n node3 link set eth0 up
continued network.h5 node1:2,node2:2,node3:2 6

# The network of the host of rank 0, which mpirun is not on.
begin node2:1,node3:1 2 first.h5
grep -q '^host: node2$' first.h5.lock || fail "rank 0 is not on node2"
ip -n node2 link set eth0 down
ended first.h5 205
# Without that host nobody knows that its job is gone; after ten minutes of silence the user may say so.
expect 77 launch node1:2,node3:2 4 first.h5
says "on host node2"
says "break_lock=yes"
[ -z "$long" ] || expect 77 launch node1:2,node3:2 4 first.h5 break_lock=yes
for beside in first.h5 first.h5.*; do cp -p "$beside" "other${beside#first}"; done
touch -d "11 minutes ago" other.h5.lock
[ -z "$long" ] || expect 77 launch node1:2,node3:2 4 other.h5
continued other.h5 node1:2,node3:2 4 break_lock=yes
# With that host back, and rank 0 there, the same command does.
ip -n node2 link set eth0 up
continued first.h5 node2:1,node3:1 2
