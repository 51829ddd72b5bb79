#!/bin/bash
# What run.sbatch and array.sbatch share; they source it with their folder in $here.
set -u
# shellcheck disable=SC2154  # set by them
jobs=$(cd "$here" && pwd)
script=run.sbatch original=("$@")

# What a site may say, see sites/example.sh
sbatch_options=() launcher='' launcher_options=() stripe=''
site=${INFOPLANE_SITE:-debian}
case $site in
  */*) ;;
  *) site=$jobs/sites/$site.sh ;;
esac
[ -z "${SLURM_SUBMIT_DIR-}" ] || cd "$SLURM_SUBMIT_DIR" || exit 66
# shellcheck source=sites/debian.sh
. "$site" || exit 66

# One task of an array has the number of the whole array, which means all of them to Slurm. Where the
# numbers differ, what is said of an array may be inherited from a job that submitted this one.
job=${SLURM_JOB_ID-}
[ "$job" != "${SLURM_ARRAY_JOB_ID-}" ] || job=${job:+${job}_$SLURM_ARRAY_TASK_ID}

# Slurm tells a job how often it was started again, but not the first time: then that of a job that
# submitted this one may be inherited.
if [ -n "$job" ]; then
  SLURM_RESTART_COUNT=$(scontrol -o show job "$job" | sed -n 's/.* Restarts=\([0-9]*\) .*/\1/p')
  export SLURM_RESTART_COUNT=${SLURM_RESTART_COUNT:-0}
fi

say() { echo "$script: $*"; }
refuse() { # CODE TEXT
  echo "$script: $2" >&2
  exit "$1"
}

# read_words WORD ...: finds the input and the file in the words of `infoplane run`, as it does itself,
# and leaves the others in words.
read_words() {
  input='' file='' share='' words=()
  while [ $# -gt 0 ]; do
    case $1 in
      -o)
        file=${2-}
        shift
        ;;
      *)
        words+=("$1")
        case $1 in
          share=*) share=${1#share=} ;;
          -*) ;;
          *) input=${input:-$1} ;;
        esac
        ;;
    esac
    shift
  done
  stem=${input##*/}
  case $stem in ?*.*) stem=${stem%.*} ;; esac
}

# Outside of a job: submit this script, with the site's options and those that come first.
submit() {
  while [[ ${1-} == --?* ]]; do
    sbatch_options+=("$1")
    shift
  done
  [ $# -gt 0 ] || refuse 64 "usage: [sbatch] jobs/$script INPUT [-o FILE] [key=value ...]"
  command -v sbatch >/dev/null || refuse 69 "there is no Slurm here: no sbatch"
  exec sbatch "${sbatch_options[@]}" "$jobs/$script" "$@"
}

find_program() {
  local place
  for place in ${INFOPLANE:+"$INFOPLANE"} "$jobs/../build/infoplane" build/infoplane \
    "$(command -v infoplane)"; do
    program=$place
    [ ! -f "$place" ] || [ ! -x "$place" ] || return 0
    [ -z "${INFOPLANE-}" ] || break
  done
  refuse 69 "no program infoplane${INFOPLANE:+ at $INFOPLANE}; build it (jobs/build.sh) or set INFOPLANE=..."
}

# How far the file is, in words that change when a run ends or a checkpoint gets further.
standing() { "$program" status "$file" 2>/dev/null | grep -E ' pending$|begun and kept'; }

# Start the program on all tasks, in the background.
start() {
  if [ -z "$launcher" ]; then # srun ends ranks gently at scancel; mpirun where Slurm lacks PMIx
    launcher=mpirun
    ! srun --mpi=list 2>&1 | grep -qw pmix || launcher=srun
  fi
  # Which MPI-IO is safe the program knows (OMPI_MCA_io): it chooses by itself.
  if [ "$launcher" = srun ]; then
    # srun does not take over by itself how many cores sbatch was asked for
    srun --mpi=pmix ${SLURM_CPUS_PER_TASK:+"--cpus-per-task=$SLURM_CPUS_PER_TASK"} \
      "${launcher_options[@]}" "$program" run "$@" &
  else
    # A host that is cut off says nothing, and mpirun would wait for it for minutes or for ever:
    # asked after 30 s of silence, then three times every 10 s, it is given up and the job ends.
    export OMPI_MCA_oob_tcp_keepalive_time="${OMPI_MCA_oob_tcp_keepalive_time-30}"
    export OMPI_MCA_oob_tcp_keepalive_intvl="${OMPI_MCA_oob_tcp_keepalive_intvl-10}"
    export OMPI_MCA_oob_tcp_keepalive_probes="${OMPI_MCA_oob_tcp_keepalive_probes-3}"
    export OMPI_MCA_orte_execute_quiet="${OMPI_MCA_orte_execute_quiet-1}" # the program says why it ended
    mpirun "${launcher_options[@]}" "$program" run "$@" &
  fi
  pid=$!
}

# Wait for the program; its exit code is in status. A trap ends `wait` early: then once more.
attend() {
  woken=yes
  while [ -n "$woken" ]; do
    woken=''
    wait "$pid"
    status=$?
  done
  # The time was up before the ranks could listen: they are gone, and nothing is lost.
  [ "$told$status" != USR1138 ] || status=75
}

# Back into the queue, unless there is a reason against it.
come_back() {
  local life=$((SLURM_RESTART_COUNT + 1)) lives=${INFOPLANE_LIVES:-100}
  if [ "$told" != USR1 ]; then
    say "stopped before the end, and not by the time limit"
  elif [ "$(standing)" = "$before" ]; then
    say "nothing got further since this start: it would come back for ever. Give it more time"
  elif [ "$life" -ge "$lives" ]; then
    say "this was start $life, and INFOPLANE_LIVES allows $lives"
  else
    say "the job goes back into the queue and continues from there" # Slurm ends us while we ask
    ! scontrol requeue "$job" || return
    say "no: this site does not let a job go back into the queue"
  fi
  say "continue with:  sbatch [options] $(printf '%q ' "$jobs/$script" "${original[@]}")"
}

# infoplane_job WORD ...: one life of a job
infoplane_job() {
  [ -n "$job" ] || submit "$@"
  [ $# -gt 0 ] || refuse 64 "usage: sbatch jobs/$script INPUT [-o FILE] [key=value ...]"
  read_words "$@"
  file=${file:-$stem${share:+.${share/\//-of-}}.h5}
  find_program

  # told USR1: the time is nearly up, and the ranks hear it from us; TERM, which counts more: a person
  # or Slurm ends the job, and the ranks hear it from Slurm.
  told='' pid='' woken=''
  trap 'woken=yes; [ "$told" = TERM ] || told=USR1; [ -z "$pid" ] || kill -USR1 "$pid"' USR1
  trap 'woken=yes; told=TERM' TERM
  before=$(standing)
  # Striping is fixed when a file is made, and the program makes it: the folder hands it down.
  if [ -n "$stripe" ] && [ ! -e "$file" ] && command -v lfs >/dev/null; then
    # shellcheck disable=SC2086  # options
    lfs setstripe $stripe "$(dirname "$file")" || say "no striping: lfs setstripe $stripe failed"
  fi
  say "job $job, start $((SLURM_RESTART_COUNT + 1)) on ${SLURM_JOB_NODELIST-}, $(date '+%F %T')"
  start "${words[@]}" -o "$file"
  attend
  [ "$status" -ne 75 ] || come_back
  return "$status"
}

# infoplane_array WORD ...: the life of a task of an array, which is share i of n
infoplane_array() {
  script=array.sbatch
  [ -n "$job" ] || submit "$@"
  local i=${SLURM_ARRAY_TASK_ID:-0} n=${INFOPLANE_SHARES:-${SLURM_ARRAY_TASK_MAX:-0}}

  [ "$n" = "${SLURM_ARRAY_TASK_COUNT-}" ] || [ -n "${INFOPLANE_SHARES-}" ] ||
    refuse 64 "shares are counted from 1: --array=1-N; for some of N of them: INFOPLANE_SHARES=N"
  if [ "$i" -lt 1 ] || [ "$i" -gt "$n" ]; then refuse 64 "there is no share $i of $n"; fi
  read_words "$@"
  local whole=${file:-$stem.h5}
  whole=${whole%.h5}
  infoplane_job "${words[@]}" "share=$i/$n" -o "$whole.$i-of-$n.h5"
  status=$?
  if [ "$status" -le 1 ]; then
    say "share $i of $n is done. When all are, join them:"
    printf '  %q merge %q.*-of-%d.h5 -o %q\n' "$program" "$whole" "$n" "$whole.h5"
  fi
  return "$status"
}
