#!/bin/sh
# Layers whose information is known exactly, through infoplane estimate from files that Python made.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
"$python" -c 'import h5py, numpy' 2>/dev/null || skip "needs python3-h5py"
tool=$(dirname "$0")/estimate_acceptance.py
"$python" "$tool" make

measure() { # FILE ESTIMATE
  expect 0 ranks 2 "$program" estimate "$1.h5" "estimate=[$2]" -o "$1_mi.h5" -q
}
kde='{kind: kde, noise_variance: [1e-3, 1e-1]}'
measure exact "{kind: binning, width: 1e-3}, $kde"
measure uncertain "{kind: binning, width: 1e-3}, $kde"
measure neuron "{kind: binning, bins: 30}"
measure two "{kind: kde, noise_variance: [1, 1e-1]}"
measure three "$kde"
measure softmax "{kind: kde, noise_variance: [1e-3, 2e-3]}"
measure bias "{kind: binning, width: 1}"
measure network "{kind: binning, bins: [4, 8, 32, 96]}, {kind: binning, width: 1e-7}, $kde"
"$python" "$tool" check
