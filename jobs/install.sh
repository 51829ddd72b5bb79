#!/bin/sh
# Install what infoplane needs and this machine lacks. Nothing is done where all is there.
#
#   jobs/install.sh          to build and run
#   jobs/install.sh tests    and to run every test
#   jobs/install.sh bench    and what tests/bench/run.sh compares with: PyTorch, which is large
#
# Debian and its children (tested: Debian 12, from an image without a compiler), as root or
# through sudo. Elsewhere it says what to install by hand.
set -eu

build="gcc libc6-dev make cmake pkg-config openmpi-bin libopenmpi-dev libpetsc-real-dev
  libhdf5-openmpi-dev libyaml-dev librandom123-dev zlib1g-dev libxxhash-dev libopenblas-dev
  gnuplot-nox fonts-liberation"
tests="git procps python3 python3-h5py python3-netcdf4 python3-xarray python3-h5netcdf python3-yaml
  hdf5-tools libcmocka-dev dataset-fashion-mnist clang libclang-rt-dev clang-format clang-tidy
  shellcheck e2fsprogs xfsprogs iproute2 zsh fish groff-base mandoc chromium chromium-driver"
bench="python3-numpy python3-torch"
# Wished for, not needed: tests that use them are skipped without. A machine that belongs to a
# cluster has its own, which are left alone.
wished="r-cran-ncdf4 slurmctld slurmd slurm-client munge"
[ ! -e /etc/slurm/slurm.conf ] || wished=r-cran-ncdf4

case "${1-}" in
  "") wanted=$build wished= ;;
  tests) wanted="$build $tests" ;;
  bench) wanted="$build libcmocka-dev python3 $bench" wished= ;;
  *) echo "usage: jobs/install.sh [tests | bench]" >&2; exit 64 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "jobs/install.sh: this is not Debian, so nothing was installed. The build needs a C" >&2
  echo "compiler (C17), CMake >= 3.20, pkg-config, MPI, PETSc >= 3.18, HDF5 built with MPI," >&2
  echo "libyaml, Random123, zlib, xxHash, OpenBLAS; figures gnuplot; the tests cmocka and Python with h5py." >&2
  exit 0
fi

# missing PACKAGE ...: those that are not installed
missing() {
  for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || printf ' %s' "$package"
  done
}
# shellcheck disable=SC2086  # lists of words
missing=$(missing $wanted)
# shellcheck disable=SC2086
wished=$(missing $wished)
[ -n "$missing$wished" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=
elif [ -z "$missing" ]; then
  exit 0 # wishes are not worth a password
elif command -v sudo >/dev/null; then
  as_root=sudo
else
  echo "jobs/install.sh: packages are missing and there is no sudo. As root, run:" >&2
  echo "  apt-get install --no-install-recommends$missing" >&2
  exit 69
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  # shellcheck disable=SC2086  # as_root is one word or none
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >"$log" 2>&1 </dev/null
}
# The lists are fetched only where the known ones do not do: a machine may be offline.
install() {
  [ $# -gt 0 ] || return 0
  echo "installing $*" >&2
  apt install --no-install-recommends "$@" ||
    { apt update && apt install --no-install-recommends "$@"; }
}
# shellcheck disable=SC2086  # lists of words
if ! install $missing; then
  cat "$log" >&2
  echo "jobs/install.sh: apt-get failed (its output is above); wanted:$missing" >&2
  exit 69
fi
# shellcheck disable=SC2086
install $wished ||
  for package in $wished; do
    install "$package" ||
      echo "jobs/install.sh: without $package, which apt-get does not have; some tests will be skipped" >&2
  done
