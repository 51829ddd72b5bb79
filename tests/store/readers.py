#!/usr/bin/env python3
"""The file as others see it: h5py, netCDF4, xarray with both engines, h5dump.

    readers.py <test_store_runs> <scratch folder>

Every reader runs in its own process: two HDF5 libraries do not live in one.  The numbers are those
of example.h: cell i of field f of a run holds 1000 f + 100 run + i / 8.
"""
import importlib.util
import os
import shutil
import subprocess
import sys

SKIPPED = 77
AXES = {"run": 5, "part": 1, "study": 3, "data": 1, "architecture": 2, "column": 3, "epoch": 4,
        "layer": 3, "looked": 4, "weight": 31, "bound": 2}


def check(condition, what):
    """A check that python -O keeps."""
    if not condition:
        raise SystemExit(f"failed: {what}")


def cell(field, run, i):
    return 1000 * field + 100 * run + i / 8


def check_every_variable(names, attributes):
    """attributes(name) -> dict: unit and sentence, and one meaning for every flag."""
    for name in names:
        about = attributes(name)
        check(about["units"], f"{name} has units")
        check(about["long_name"], f"{name} has a long_name")
        if "flag_values" in about:
            words = str(about["flag_meanings"]).split()
            check(list(about["flag_values"]) == list(range(len(words))), f"flags of {name}")


def with_h5py(path):
    import h5py

    with h5py.File(path) as file:
        arrays = []
        file.visititems(lambda name, item: arrays.append(name) if isinstance(item, h5py.Dataset) else None)
        check(len(arrays) > 60, "all arrays are there")
        check_every_variable(arrays, lambda name: file[name].attrs)
        for name in arrays:
            dimensions = file[name].dims
            check("CLASS" in file[name].attrs or all(len(d) == 1 for d in dimensions), f"{name} has scales")
            check(file[name].chunks is None, f"{name} is contiguous")
        check([d[0].name for d in file["i_xt"].dims] == ["/run", "/column", "/epoch", "/layer"], "axes")
        check(file["i_xt"][3, 1, 2, 0] == cell(0, 3, (1 * 4 + 2) * 3), "i_xt")
        check(file["i_ty"][2, 0, 0, 2] == cell(1, 2, 2), "i_ty")
        check(list(file["status"][:, 0]) == [1, 1, 1, 2, 0], "status")
        check(list(file["width"][0]) == [4, 2, 2] and list(file["width"][1]) == [2, 0, 0], "width")
        # 3-4-2-2: 3*4+4 = 16, 4*2+2 = 10, 2*2+2 = 6 parameters
        check(list(file["weight_offset"][0]) == [0, 16, 26], "weight_offset")
        check(file["data_checksum"][0] == 0x123456789abcdef0, "data_checksum")
        check(list(file["column_kind"].asstr()) == ["binning", "kde", "binning"], "column_kind")
        check(list(file["column_on"].asstr()) == ["full", "train", "full"], "column_on")
        check(list(file["column_range"].asstr()) == ["snapshot", "", "activation"], "column_range")
        check(file["timing/seconds"][2] == 3.5 and file["timing/rank"][2] == 0, "timing")
        launch = bytes(file["provenance/launch_json"][0]).split(b"\0")[0]
        check(launch == b'{"start": {"ranks": 2}, "end": null}', "launch")
        check(file["provenance"].attrs["commit"] == "a1b2c3d", "commit")
        check(file.attrs["Conventions"] == "CF-1.10", "Conventions")
        check(file.attrs["infoplane_format_version"] == 1, "version")


def with_netcdf4(path):
    import netCDF4
    import numpy

    with netCDF4.Dataset(path) as file:
        check({k: len(v) for k, v in file.dimensions.items()} == AXES, "dimensions")
        check_every_variable(file.variables, lambda name: file[name].__dict__)
        check(file["i_xt"].dimensions == ("run", "column", "epoch", "layer"), "axes by name")
        check(file["timing/seconds"].dimensions == ("run",), "axes of a group")
        check(numpy.isnan(file["i_xt"][4]).all(), "what is pending is NaN")
        check((file["updates"][4] == -1).all(), "or -1")
    with netCDF4.Dataset(path, "r+") as file:
        check(file["seed"][0] == 2**53 + 1, "opens for writing too")


def with_xarray(path, engine):
    import numpy
    import xarray

    with xarray.open_dataset(path, engine=engine) as ds:
        check(dict(ds.sizes) == AXES, "dimensions")
        check_every_variable(ds.variables, lambda name: ds[name].attrs)
        check(list(ds.epoch.values) == [0, 1, 10, 104], "epoch")
        check(list(ds.layer.values) == [1, 2, 3], "layer")
        for name in ("seed", "replicate", "train_fraction", "learning_rate", "activation", "train_size",
                     "column_bins", "column_noise_variance"):
            check(name in ds.i_xt.coords, f"{name} is a coordinate of i_xt")
        check(ds.seed.dtype == numpy.uint64 and ds.seed.values[0] == 2**53 + 1, "seeds keep all digits")
        check(list(ds.batch_size.values) == [3482, 256, 256, 256, 256], "full is a number")
        check(list(ds.samples.values) == [4096] * 5, "all is a number")
        check(list(ds.epochs.values) == [100, 101, 102, 103, 104], "epochs")
        check(list(ds.optimizer.values) == [2, 2, 2, 2, -1], "an absent word is -1")
        check(numpy.isnan(ds.momentum.values).all(), "an absent number is NaN")
        check(ds.column_bins.values[0] == 30, "column_bins")
        check(numpy.isnan(ds.column_bins.values[1:]).all(), "neither kde nor a fixed width has bins")
        check(ds.column_width.values[2] == 0.07 and numpy.isnan(ds.column_width.values[0]), "width")
        check(ds.in_study.values.tolist()[1] == [0, 1, 0], "in_study")
        one = ds.i_xt.sel(column="kde_upper_0.001", epoch=10, layer=1)
        want = [cell(0, run, (1 * 4 + 2) * 3) for run in range(4)]
        check(list(one.values[:4]) == want and numpy.isnan(one.values[4]), "select by coordinate")
        fast = ds.i_xt.where(ds.learning_rate == 1e-3, drop=True)
        check(list(fast.run.values) == [1, 4], "where by coordinate")


def with_h5dump(path):
    text = subprocess.run(["h5dump", "-A", path], check=True, capture_output=True, text=True).stdout
    check('ATTRIBUTE "Conventions"' in text and 'DATASET "i_xt"' in text, "h5dump shows the file")


READERS = {
    "h5py": (["h5py"], with_h5py),
    "netcdf4": (["netCDF4"], with_netcdf4),
    "xarray-h5netcdf": (["xarray", "h5netcdf"], lambda path: with_xarray(path, "h5netcdf")),
    "xarray-netcdf4": (["xarray", "netCDF4"], lambda path: with_xarray(path, "netcdf4")),
    "h5dump": ([], with_h5dump),
}


def main():
    if sys.argv[1] in READERS:
        READERS[sys.argv[1]][1](sys.argv[2])
        return 0
    program, scratch = sys.argv[1:]
    missing = [m for m in ("h5py", "netCDF4", "xarray", "h5netcdf") if not importlib.util.find_spec(m)]
    if missing or not shutil.which("h5dump"):
        print("skipped: not installed:", *missing, *([] if shutil.which("h5dump") else ["h5dump"]))
        return SKIPPED
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch)
    path = os.path.join(scratch, "example.h5")
    subprocess.run([program, path], check=True)
    failed = [r for r in READERS if subprocess.run([sys.executable, __file__, r, path]).returncode]
    shutil.rmtree(scratch)
    print("failed:" if failed else "read by:", *(failed or READERS))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
