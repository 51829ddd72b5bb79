#!/bin/sh
# What cmake --install puts where, what it is worth there, and the recipes of jobs/sites as far as they
# can be checked without Spack and Apptainer.
#   install.sh PROGRAM SCRATCH TOP BUILD
top=$3
build=$4
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

mkdir 'some where'
DESTDIR="$scratch/some where" cmake --install "$build" --prefix /usr >log 2>&1 || { cat log; fail "cmake --install"; }
usr="some where/usr"
expect 0 "$usr/bin/infoplane" help
says 'infoplane run INPUT.yaml'
same() { # FILE VERB ...: the file holds what the program says
  file=$1
  shift
  "$program" "$@" >want
  cmp "$usr/share/$file" want || fail "$file is not what infoplane $* says"
}
same man/man1/infoplane.1 help --man
same bash-completion/completions/infoplane completion bash
same zsh/site-functions/_infoplane completion zsh
same fish/vendor_completions.d/infoplane.fish completion fish
[ -s "$usr/share/infoplane/inputs/quickstart.yaml" ] || fail "no inputs"
[ -x "$usr/share/infoplane/jobs/run.sbatch" ] || fail "no job scripts"
if command -v man >/dev/null; then
  MANPATH="$scratch/$usr/share/man" MANPAGER=cat man --warnings infoplane >page 2>errors || fail "man does not find it"
  [ ! -s errors ] || { cat errors; fail "man warns"; }
  grep -q 'KEYS OF AN INPUT FILE' page || fail "man shows something else"
fi

# The recipe for Spack: valid Python that declares what CMakeLists.txt looks for.
sites=$top/jobs/sites
"$python" - "$sites/spack" "$top/CMakeLists.txt" <<'END' || fail "the recipe for Spack"
import re, sys, types
root, lists = sys.argv[1:]
cmake = open(lists).read()
declared = {"version": [], "variant": [], "depends_on": []}
package = types.ModuleType("spack.package")
for word in declared:
    setattr(package, word, lambda *a, word=word, **k: declared[word].append(a[0]))
package.CMakePackage = type("CMakePackage", (), {"define": lambda self, key, value: (key, value)})
package.Executable = None
package.run_after = lambda *a: lambda f: f
package.on_package_attributes = lambda **k: lambda f: f
sys.modules["spack"], sys.modules["spack.package"] = types.ModuleType("spack"), package
names = {}
path = root + "/packages/infoplane/package.py"
exec(compile(open(path).read(), path, "exec"), names)
recipe = names["Infoplane"]
needs = {re.split(r"[@ +]", d)[0]: d for d in declared["depends_on"]}
for word, name in {"PETSC": "petsc", "HDF5": "hdf5", "YAML": "libyaml", "XXHASH": "xxhash", "OPENBLAS": "openblas",
                   "ZLIB": "zlib-api", "RANDOM123": "random123", "MPI": "mpi", "CMOCKA": "cmocka"}.items():
    assert re.search(r"(find_package|pkg_check_modules|find_path)\(" + word, cmake), word
    assert name in needs, name
found = re.findall(r"(?:find_package|pkg_check_modules|find_path)\((\w+)", cmake)
assert set(found) <= {"PETSC", "HDF5", "YAML", "XXHASH", "OPENBLAS", "ZLIB", "RANDOM123", "MPI", "CMOCKA", "PkgConfig"}, found
assert re.search(r"project\(infoplane VERSION ([0-9.]+)", cmake)[1] == declared["version"][0]
assert re.search(r"PETSc>=([0-9.]+)", cmake)[1] in needs["petsc"]
assert re.search(r"cmake_minimum_required\(VERSION ([0-9.]+)", cmake)[1] in needs["cmake"]
assert recipe.__doc__ and recipe.sanity_check_is_file
for file in recipe.sanity_check_is_file:
    print(file)
me = recipe()
me.run_tests = False
me.spec = {"hdf5": types.SimpleNamespace(prefix="/hdf5")}
assert ("BUILD_TESTING", False) in me.cmake_args()
assert open(root + "/repo.yaml").read().count("namespace: infoplane") == 1
END

# The image: its sections, shell that can be read, files that are there.
definition=$sites/infoplane.def
section() { awk -v name="%$1" '/^%/ { on = $1 == name; next } on && NF' "$definition"; }
for name in post environment runscript test help labels files; do
  [ -n "$(section $name)" ] || fail "the image has no section $name"
done
! grep '^%' "$definition" | grep -qvxE '%(post|environment|runscript|test|help|labels|files)' || fail "a strange section"
for line in 'Bootstrap: docker' 'From: debian:12-slim'; do grep -qx "$line" "$definition" || fail "no base image"; done
for name in post environment runscript test; do section $name | sh -n || fail "%$name is no shell"; done
section files | while read -r from to; do
  [ -e "$top/$from" ] || fail "%files: no $from"
  [ -n "$to" ] || fail "%files: where to?"
done
# The same files are all that the build needs; and what is installed does what the image is asked.
mkdir opt
section files | while read -r from _; do cp -R "$top/$from" opt/; done
cmake -S opt -B configured -DBUILD_TESTING=OFF >log 2>&1 || { cat log; fail "%files are not enough"; }
