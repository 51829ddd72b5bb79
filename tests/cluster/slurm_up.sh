#!/bin/sh
# A throw-away Slurm on this machine: munge, slurmctld and some slurmd from Debian's packages, without
# systemd, control groups or a database. All it has lies in one folder, with its own key, socket and
# ports, so that several may stand side by side.
#
#   slurm_up.sh FOLDER [NODES [SPARE]]     FOLDER from mktemp, its path short: sockets lie below it
#   SLURM_CONF=FOLDER/slurm.conf sbatch ...
#   slurm_down.sh FOLDER
#
# Nodes claim four CPUs each whatever the machine has; the last ones, SPARE of them beside the NODES,
# make the partition `spare`. SLURMD_TIMEOUT (300) are the seconds after which a silent node counts as
# dead. Ends with 77 and a reason where it cannot be done.
set -eu
folder=$1
main=${2:-3}
nodes=$((main + ${3:-0}))
export SLURM_CONF="$folder/slurm.conf"
PATH=$PATH:/usr/sbin:/sbin

cannot() { echo "no Slurm can be had here: $*" >&2; exit 77; }
for command in munged slurmctld slurmd sbatch srun; do
  command -v $command >/dev/null ||
    cannot "there is no $command (Debian: apt-get install slurmctld slurmd slurm-client munge)"
done
host=$(hostname -s)
user=$(id -un)

# Free ports below those that systems give to clients by themselves.
ports=$("${IP_PYTHON:-python3}" - "$nodes" <<'PY'
import random, socket, sys
found = {}
while len(found) < 1 + int(sys.argv[1]):
    port = random.randrange(12000, 32000)
    try:
        probe = socket.socket()
        probe.bind(("", port))
        found[port] = probe
    except OSError:
        pass
print(*found)
PY
)
# shellcheck disable=SC2086  # one word each
set -- $ports
# munged and jobs of other users must be able to pass through
chmod 755 "$folder"
mkdir -p "$folder/log" "$folder/state"

(umask 077 && dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 2>/dev/null)
munged --key-file="$folder/munge.key" --socket="$folder/munge.sock" \
  --pid-file="$folder/munged.pid" --log-file="$folder/log/munged.log" \
  --seed-file="$folder/munge.seed" >"$folder/log/munged.out" 2>&1 </dev/null ||
  { cat "$folder"/log/munged.*; exit 70; }

{
  cat <<CONF
ClusterName=throwaway
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/munge.sock
CredType=cred/munge
SlurmctldPort=$1
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool.%n
TmpFS=$folder/tmp.%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=${SLURMD_TIMEOUT:-300}
MessageTimeout=60
KillWait=5
MinJobAge=3600
JobRequeue=1
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=0
CONF
  shift
  node=0
  for port in "$@"; do
    node=$((node + 1))
    echo "NodeName=n$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$port CPUs=4 State=UNKNOWN"
  done
  echo "PartitionName=main Nodes=n[1-$main] Default=YES MaxTime=UNLIMITED State=UP"
  [ "$nodes" = "$main" ] ||
    echo "PartitionName=spare Nodes=n[$((main + 1))-$nodes] MaxTime=UNLIMITED State=UP"
} >"$SLURM_CONF"

slurmctld -c >"$folder/log/slurmctld.out" 2>&1 </dev/null ||
  { cat "$folder"/log/slurmctld.*; exit 70; }
for node in $(seq "$nodes"); do
  mkdir -p "$folder/spool.n$node" "$folder/tmp.n$node"
  slurmd -N "n$node" >"$folder/log/slurmd.n$node.out" 2>&1 </dev/null ||
    { cat "$folder"/log/slurmd.n"$node".*; exit 70; }
done
tries=0
until [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | wc -l)" = "$nodes" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 600 ] || { sinfo >&2; tail "$folder"/log/* >&2; exit 70; }
  sleep 0.1
done
