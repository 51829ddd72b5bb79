#!/bin/sh
# jobs/run.sbatch and jobs/array.sbatch in a Slurm of our own: what becomes of a job and of its file.
#   jobs.sh PROGRAM SCRATCH TOP [long]
# The short form sends the time signal and declares a dead node dead; the long form waits for the time
# limit and for Slurm to notice.
top=$3
long=${4-}
# shellcheck source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
tests=$top/tests/cluster

# What a surrounding job says would be taken for ours.
for name in $(env | sed -n 's/^\(SLURM[A-Z_]*\|SBATCH_[A-Z_]*\|PMIX_[A-Z_]*\)=.*/\1/p'); do
  unset "$name"
done
begun=$(date +%s)
slurm=$(mktemp -d /tmp/slurm.XXXXXX) # short and without spaces, whatever TMPDIR is
stories=''
# shellcheck disable=SC2086  # a list
trap '[ -z "$stories" ] || kill $stories 2>/dev/null; "$tests/slurm_down.sh" "$slurm"' EXIT
trap 'exit 1' HUP INT TERM
# Ended by force, we cannot: this one can.
# shellcheck disable=SC2016  # its own words
setsid sh -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; exec "$2" "$3"' - \
  $$ "$tests/slurm_down.sh" "$slurm" >/dev/null 2>&1 </dev/null &

# What is trained, long enough to be disturbed or not, and what comes out of it undisturbed, while Slurm
# comes up.
cat >s.yaml <<'YAML'
look: [0]
estimate: [{kind: binning, bins: 30}]
reproducible: yes
studies:
  - {name: short, train.epochs: 5, repeat: 4}
  - {name: long, train.epochs: 12000, repeat: 2}
YAML
sed 's/12000/300/' s.yaml >calm.yaml
endless=train.epochs=2000000 # for jobs that are ended before
[ -z "$long" ] || export SLURMD_TIMEOUT=40
IP_PYTHON=$python "$tests/slurm_up.sh" "$slurm" 3 2 >up 2>&1 &
up=$!
ranks 2 "$program" run s.yaml -q -o good.h5 || fail "an undisturbed run"
"$program" run calm.yaml -q -o calm.h5 || fail "an undisturbed run"
code=0
wait "$up" || code=$?
[ "$code" != 77 ] || skip "$(cat up)"
[ "$code" = 0 ] || { cat up; fail "no Slurm"; }
export SLURM_CONF="$slurm/slurm.conf"

# Nodes that are one host: its shared memory is not theirs.
cat >site.sh <<'SITE'
export OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=lo
launcher=$TEST_LAUNCHER
SITE
cp -R "$top/jobs" "the jobs"
export INFOPLANE="$program" INFOPLANE_SITE=./site.sh TEST_LAUNCHER=srun

patience=1200 # tenths of a second, at least

# ---- words ---------------------------------------------------------------------------------------

# note TEXT: says when what is
note() { echo "$(($(date +%s) - begun)) s: $*"; }

# Jobs wait for Slurm more than they work: stories are told beside each other, each with jobs and files
# of its own. story WORD ...: begins one; told: all that have begun end well
story() {
  ("$@") >"story $*" 2>&1 &
  stories="$stories $!"
  names="$names$!:$*
"
}
names=''
told() {
  bad=''
  for story in $stories; do
    wait "$story" || bad=yes
    name=$(echo "$names" | sed -n "s/^$story://p")
    note "$name"
    [ -z "$bad" ] || { cat "story $name"; fail "$name"; }
    stories=${stories# "$story"}
  done
}

# submit [OPTION ...] SCRIPT WORD ...: its number in job
submit() { job=$(sbatch --parsable "$@"); }
shown() { scontrol -o show job "$1" | sed -n "s/.*\b$2=\([^ ]*\).*/\1/p"; }
log() { cat infoplane-"$job"*.log || true; }

# becomes STATE [RESTARTS]: waits until the job is in that state and was started again so often
becomes() {
  tries=0
  until [ "$(shown "$job" JobState)" = "$1" ] && [ "$(shown "$job" Restarts)" -ge "${2:-0}" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt "$patience" ] || { scontrol show job "$job"; log; fail "the job does not become $1"; }
    sleep 0.1
  done
  note "job $job: $1"
}

# logged TEXT: its log says so
logged() { grep -qF -- "$1" "infoplane-$job.log" || { log; fail "its log does not say: $1"; }; }

# trains FILE: waits until the job trains
trains() {
  tries=0
  until "$program" status "$1" 2>/dev/null | grep -q "job ${job}[: ].* [1-9][0-9]* running"; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { log; fail "the job does not begin to train $1"; }
    sleep 0.1
  done
  note "job $job trains"
}

# Instead of waiting until the limit is near.
time_signal() { scancel --batch --signal=USR1 "$job"; }

# Slurm lets a job wait two minutes before it starts again. Sooner, it could not be started while a
# node still clears away what it had of its last life.
again_now() {
  tries=0
  until [ "$(cat "$slurm"/log/slurmd.*.log | grep -c "\[$(shown "$job" JobId).batch\] done with job")" -ge 1 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt "$patience" ] || fail "the last life does not end"
    sleep 0.1
  done
  note "job $job: its last life is over"
  sleep 1
  scontrol update "JobId=$job" StartTime=now
}

# same_bytes FILE [UNDISTURBED]
same_bytes() { cmp "$1" "${2:-good.h5}" || fail "$1: other bytes than those of an undisturbed run"; }

# ---- start to finish -----------------------------------------------------------------------------

# print_script INPUT WORD ...: into $script, what infoplane plan prints for two nodes
print_script() { "$program" plan "$@" --for slurm --nodes 2 --time 1h -q >"$script" || fail "no script"; }

finish_printed() {
  script=printed.sbatch
  print_script calm.yaml --ranks-per-node 2 -o printed.h5
  submit printed.sbatch
  becomes COMPLETED
  [ "$(shown "$job" NumNodes),$(shown "$job" NumTasks)" = 2,4 ] || fail "another shape"
  logged ' start 1 on n['
  same_bytes printed.h5 calm.h5
  "$program" status printed.h5 | grep -q ': 6 done, 0 diverged, 0 failed, 0 pending' || fail "it is not complete"
}

finish() { # LAUNCHER
  TEST_LAUNCHER=$1
  submit -N2 -n4 "the jobs/run.sbatch" calm.yaml -o "finish $1.h5"
  becomes COMPLETED
  same_bytes "finish $1.h5" calm.h5
}

# ---- the time is nearly up: back into the queue, and on ------------------------------------------

comes_back() { # FILE: the job trains it
  trains "$1"
  time_signal
  becomes PENDING 1
  logged 'stopping: SIGUSR1'
  logged 'goes back into the queue'
  "$program" status "$1" | grep -q "begun and kept in $1.ckpt" || fail "no checkpoints"
  again_now
  becomes COMPLETED 1
  logged ', start 1 on'
  logged ', start 2 on'
  logged "up from $1.ckpt"
  same_bytes "$1"
}

time_is_up() { # LAUNCHER
  TEST_LAUNCHER=$1
  # as if a task of an array had submitted it in its second life, which hands its names down: of a
  # number that no job has
  SLURM_ARRAY_JOB_ID=999999 SLURM_ARRAY_TASK_ID=7 SLURM_RESTART_COUNT=1 \
    submit -N2 -n2 "the jobs/run.sbatch" s.yaml -o "$1.h5"
  comes_back "$1.h5"
}

# Of the script of infoplane plan, submitted in another folder, where its log goes.
time_is_up_printed() { # LAUNCHER
  TEST_LAUNCHER=$1 script=again.sbatch
  mkdir elsewhere
  print_script s.yaml --ranks-per-node 1 -o again.h5
  job=$(cd elsewhere && sbatch --parsable ../again.sbatch)
  ln -s "elsewhere/infoplane-$job.log" .
  comes_back again.h5
}

limit() { # LAUNCHER
  TEST_LAUNCHER=$1
  submit -N2 -n2 -t 1 --signal=B:USR1@20 "the jobs/run.sbatch" s.yaml -o "limit $1.h5" train.epochs=150000
  becomes COMPLETED 1
  cmp "limit $1.h5" long.h5 || fail "other bytes than those of an undisturbed run"
}

# ---- reasons to stay away ------------------------------------------------------------------------

# A person cancels: by hand it goes on.
cancelled() {
  submit -N2 -n2 "the jobs/run.sbatch" s.yaml -o hand.h5
  trains hand.h5
  scancel "$job"
  becomes CANCELLED
  logged 'stopping: SIGTERM'
  "$program" status hand.h5 | grep -q 'no job is writing it' || fail "it is still written"
  submit -n2 "the jobs/run.sbatch" s.yaml -o hand.h5
  becomes COMPLETED
  same_bytes hand.h5
}

# A site forbids to come back; that was the last life. It submits itself, too.
forbidden() {
  job=$("the jobs/run.sbatch" --parsable --nodes=2 --ntasks=2 --no-requeue s.yaml -o no.h5 $endless)
  trains no.h5
  time_signal
  becomes FAILED
  logged 'does not let a job go back'
  logged 'the\ jobs/run.sbatch s.yaml -o no.h5'
}

last_life() {
  INFOPLANE_LIVES=1 submit -n2 "the jobs/run.sbatch" s.yaml -o last.h5 $endless
  trains last.h5
  time_signal
  becomes FAILED
  logged 'INFOPLANE_LIVES allows 1'
}

# Nothing gets further: this program is always too slow.
stuck() {
  cat >slow <<'SLOW'
#!/bin/sh
[ "$1" = run ] || exit 66
trap 'exit 75' USR1
touch slow.runs
while :; do sleep 0.1; done
SLOW
  chmod +x slow
  INFOPLANE=./slow submit -n1 "the jobs/run.sbatch" s.yaml -o none.h5
  until [ -e slow.runs ]; do sleep 0.1; done
  time_signal
  becomes FAILED
  logged 'nothing got further'
}

# ---- two jobs on one file; a stop file ends a job for good -----------------------------------------

two_jobs() {
  submit -N2 -n2 "the jobs/run.sbatch" s.yaml -o two.h5 $endless
  trains two.h5
  first=$job
  submit -n2 "the jobs/run.sbatch" s.yaml -o two.h5 $endless
  becomes FAILED
  [ "$(shown "$job" ExitCode)" = 77:0 ] || { log; fail "the second job is not refused"; }
  logged "job $first"
  job=$first
  touch two.h5.stop
  becomes FAILED
  [ "$(shown "$job" ExitCode)" = 75:0 ] || { log; fail "the first job does not stop cleanly"; }
  logged 'not by the time limit'
}

# ---- shares in a job array -----------------------------------------------------------------------

array() {
  submit --array=1-2 -n1 "the jobs/array.sbatch" s.yaml -o parts.h5
  array=$job
  job=${array}_2 # Slurm gives it the number of the whole array, which must not come back with it
  trains parts.2-of-2.h5
  time_signal
  becomes PENDING 1
  again_now
  becomes COMPLETED 1
  job=${array}_1
  becomes COMPLETED
  [ "$(shown "$job" Restarts)" = 0 ] || fail "another share came back, too"
  eval "$(grep ' merge ' "infoplane-$job.log")" >merged 2>&1 || { cat merged; log; fail "merge"; }
  same_bytes parts.h5
}

# ---- a node dies ---------------------------------------------------------------------------------

node_dies() {
  submit -p spare -N2 -n2 "the jobs/run.sbatch" s.yaml -o node.h5
  trains node.h5
  node=$(shown "$job" NodeList)   # n[4-5]: the batch script runs on the first
  node=n${node#n\[?[-,]}
  node=${node%]}
  # its tasks, and what Slurm started them with
  # shellcheck disable=SC2013  # words
  for process in $(grep -lszxF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ); do
    process=${process%/environ}
    grep -qszx "SLURMD_NODENAME=$node" "$process/environ" || continue
    parent=$(sed -n 's/^PPid:\s*//p' "$process/status" 2>/dev/null) || true
    [ "$(cat "/proc/$parent/comm" 2>/dev/null)" != slurmstepd ] || kill -9 "$parent"
    kill -9 "${process#/proc/}" 2>/dev/null || true
  done
  kill -9 "$(cat "$slurm/slurmd.$node.pid")"
  [ -n "$long" ] || scontrol update "NodeName=$node" State=DOWN Reason=dead
  becomes PENDING 1
  scontrol update "JobId=$job" Partition=main # of the other there is one node left
  again_now
  becomes COMPLETED 1
  same_bytes node.h5
}

# The machine is found fit from within a step, on two hosts, and stays as it was.
doctor() {
  mkdir examined
  srun -N2 -n3 --mpi=pmix env OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=lo "$program" doctor examined >doctor.out ||
    { cat doctor.out; fail "not fit"; }
  grep -q 'ok    launcher     srun: 3 ranks on 2 hosts' doctor.out || { cat doctor.out; fail "another launcher"; }
  grep -q '3 runs written together and read back' doctor.out || { cat doctor.out; fail "no file"; }
  rmdir examined
}

# ---- all of them -----------------------------------------------------------------------------------

note "Slurm is up"
story array
story doctor
story time_is_up srun
story time_is_up_printed mpirun
story cancelled
story node_dies
story forbidden
story last_life
story two_jobs
story stuck
story finish_printed
story finish mpirun
told
if [ -n "$long" ]; then # the limit itself, and the two minutes between lives
  patience=36000
  "$program" run s.yaml -q -o long.h5 train.epochs=150000 || fail "an undisturbed run"
  story time_is_up mpirun
  story limit srun
  told
  story finish srun
  story limit mpirun
  told
fi
echo "all is as it should be"
