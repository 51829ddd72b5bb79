# Builds the checkout that this file lies in, with the site's MPI, PETSc and HDF5:
#
#   spack repo add jobs/sites/spack
#   spack dev-build infoplane@0.1.0        in the checkout's top folder
#   spack load infoplane && infoplane doctor
#
# Written for Spack 0.22 and newer; tested versions are Debian 12's: Open MPI 4.1.4, PETSc 3.18.5,
# HDF5 1.10.8. An MPI that the machine has already is named in packages.yaml, as for any package.
from spack.package import *


class Infoplane(CMakePackage):
    """Follow the layers of neural networks through the information plane: MPI ranks train many
    small networks, and the mutual information of every layer with input and label is measured."""

    homepage = "https://arxiv.org/abs/1703.00810"

    version("0.1.0")  # no archive: from a checkout, by dev-build

    variant("figures", default=True, description="gnuplot, which infoplane figures draws with")

    depends_on("c", type="build")
    depends_on("cmake@3.20:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("cmocka", type="test")

    depends_on("mpi")
    depends_on("petsc@3.18: +mpi+double~complex")
    depends_on("hdf5@1.10: +mpi+hl")
    depends_on("libyaml")
    depends_on("random123", type="build")
    depends_on("zlib-api")
    depends_on("xxhash")
    depends_on("openblas threads=none")
    depends_on("gnuplot", type="run", when="+figures")

    sanity_check_is_file = [
        "bin/infoplane",
        "share/man/man1/infoplane.1",
        "share/bash-completion/completions/infoplane",
    ]

    def cmake_args(self):
        return [
            self.define("BUILD_TESTING", self.run_tests),
            self.define("HDF5_ROOT", self.spec["hdf5"].prefix),
        ]

    @run_after("install")
    @on_package_attributes(run_tests=True)
    def ask_the_doctor(self):
        Executable(self.prefix.bin.infoplane)("doctor", self.stage.path)
