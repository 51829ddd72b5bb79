#!/bin/sh
# Take down what slurm_up.sh brought up in FOLDER, as much of it as still stands, and remove the folder.
#   slurm_down.sh FOLDER
set -u
folder=$1
conf=$folder/slurm.conf

# Processes of this Slurm: daemons and jobs have its SLURM_CONF. Not so a shell that exports it.
ours() {
  grep -lszxF "SLURM_CONF=$conf" /proc/[0-9]*/environ | while read -r process; do
    process=${process%/environ}
    case $(cat "$process/comm" 2>/dev/null) in
      munged | slurmctld | slurmd | slurmstepd | srun) ;;
      *) grep -qsz '^SLURM_JOB_ID=' "$process/environ" || continue ;;
    esac
    echo "${process#/proc/}"
  done
}

# shellcheck disable=SC2046  # a list of processes
if [ -e "$conf" ]; then
  kill $(ours) 2>/dev/null
  tries=0
  while [ -n "$(ours)" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] || kill -9 $(ours) 2>/dev/null
    [ "$tries" -lt 100 ] || { echo "slurm_down.sh: will not end: $(ours)" >&2; exit 1; }
    sleep 0.1
  done
fi
rm -rf "$folder"
