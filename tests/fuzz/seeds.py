#!/usr/bin/python3
"""Write the seeds that stand below corpus/: good files of every form, small, and some bad ones.

    tests/fuzz/seeds.py        (needs h5py)
"""
import gzip
import io
import os
import struct
import zlib

import h5py
import numpy as np

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def seed(target, name, content):
    os.makedirs(os.path.join(HERE, target), exist_ok=True)
    with open(os.path.join(HERE, target, name), "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())


def yaml():
    seed("yaml", "flow", 'dataset: {name: mat, path: "a b"}\n'
         "train: {fraction: [5%, 85 %], batch: full}\nnetwork.hidden: [[3], []]\n")
    seed("yaml", "block", "train:\n  epochs: 100 # all\n  learning_rate: [4e-4, 1e-3]\n"
         "  optimizer: adam\nlook: [0, 1, 10]\nrepeat: 2\nseed: 7\n")
    seed("yaml", "estimators", "estimate:\n"
         "  - {kind: binning, bins: [30, 8], range: snapshot, on: test}\n"
         "  - {kind: binning, width: 0.07}\n  - {kind: kde, noise_variance: [1e-3, 1e-1]}\n")
    seed("yaml", "studies", "seed: 3\nstudies: [{name: a}, {look: [1, 2], max_time: 1:2:3}, "
         "{train.updates: 50, train.batch: 16}]\n")
    seed("yaml", "network", "network:\n  hidden: [[10, 7, 5, 4, 3], [4, 4]]\n"
         "  activation: [tanh, relu]\n"
         "dataset: {labels: stochastic, gamma: 30.5, samples: 100}\nreproducible: yes\n")
    seed("yaml", "errors", "trian: {batch: x}\nseed: -1\nnetwork.activation: tahn\nlook: sax\n")


def arguments():
    seed("arguments", "run", "run\nmy.yaml\nrepeat=3\ntrain.batch=[16, 32]\n-o\nout.h5\n-q")
    seed("arguments", "petsc",
         "bound\nmy.yaml\n-petsc_bottleneck_snes_max_it\n50\n-petsc_log_view")
    seed("arguments", "help", "help\ntrain.batch")
    seed("arguments", "wrong", "run\n-x\n--verzion\na=b\nc\nd")
    seed("arguments", "settings", "plan\na/b.yaml\nestimate=[{kind: binning, bins: 30}]\n"
         "max_time=01:00:00\nonly=[1,2]\n-v")
    seed("arguments", "switches", "--help\n--version\n-h\n-")


def element(kind, content, order="<"):
    packed = struct.pack(order + "II", kind, len(content)) + content
    return packed + b"\0" * (-len(packed) % 8)


def variable(name, shape, kind, form, values, matlab_class=6, order="<"):
    small = struct.pack(order + "I", len(name) << 16 | 1) + name.ljust(4, b"\0")
    return element(14, element(6, struct.pack(order + "II", matlab_class, 0), order)
                   + element(5, struct.pack(order + "2i", *shape), order) + small
                   + element(kind, struct.pack(f"{order}{len(values)}{form}", *values), order),
                   order)


def deflated(content):
    packed = zlib.compress(content, 9)
    return struct.pack("<II", 15, len(packed)) + packed


def mat():
    head = b"MATLAB 5.0 MAT-file".ljust(124)
    little, big = head + b"\x00\x01IM", head + b"\x01\x00MI"
    x, y = [0, 1, 0, 1, 1, 0, 1, 0], [0, 1, 2, 1]
    seed("mat", "little", little + variable(b"F", (4, 2), 9, "d", x)
         + variable(b"y", (1, 4), 9, "d", y))
    seed("mat", "big", big + variable(b"F", (4, 2), 7, "f", x, 7, ">")
         + variable(b"y", (4, 1), 3, "h", y, 10, ">"))
    seed("mat", "bytes", little + variable(b"more", (1, 1), 9, "d", [2.5])
         + variable(b"F", (4, 2), 2, "B", x, 9) + variable(b"y", (1, 4), 1, "b", y, 8))
    seed("mat", "deflated", little + deflated(variable(b"F", (4, 2), 9, "d", x))
         + deflated(variable(b"y", (1, 4), 9, "d", y)))
    seed("mat", "words", little + variable(b"F", (4, 2), 5, "i", x, 12)
         + variable(b"y", (1, 4), 13, "Q", y, 15))
    zeros = [0] * (1 << 19)
    seed("mat", "bomb", little + deflated(variable(b"z", (1, len(zeros)), 9, "d", zeros)))


def idx_array(kind, shape, content):
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + content


def gzipped(content):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as f:
        f.write(content)
    return out.getvalue()


def idx():
    def pair(name, images, labels):
        seed("idx", name, struct.pack(">H", len(images)) + images + labels)

    images = idx_array(8, (3, 2, 2), bytes(range(0, 240, 20)))
    labels = idx_array(8, (3,), bytes([0, 2, 1]))
    pair("bytes", images, labels)
    pair("gzipped", gzipped(images), gzipped(labels))
    pair("floats", idx_array(13, (3, 2), struct.pack(">6f", *range(6))),
         idx_array(12, (3,), struct.pack(">3i", 0, 2, 1)))
    pair("doubles", idx_array(14, (3, 1, 1, 1), struct.pack(">3d", 0.5, -1, 2)),
         idx_array(11, (3,), struct.pack(">3h", 0, 1, 1)))
    huge = 0xFFFFFFFF
    pair("claims", idx_array(8, (huge, huge, 4), b"abc"), idx_array(9, (huge,), b"\0\1"))
    pair("bomb", gzipped(idx_array(8, (1 << 18, 2), b"\0" * (2 << 18))),
         gzipped(idx_array(8, (1 << 18,), b"\0" * (1 << 18))))


def hdf5():
    x, y = np.arange(12).reshape(4, 3) / 8, np.array([0, 2, 1, 1])

    def plain(f):
        f["x"], f["y"] = x, y

    def chunked(f):
        f.create_dataset("x", data=x.astype("f4"), chunks=(2, 2), compression="gzip")
        f.create_dataset("y", data=y.astype("u1"), chunks=(2,), maxshape=(None,))

    def filtered(f):
        f.create_dataset("x", data=x, chunks=(4, 3), shuffle=True, fletcher32=True)
        f.create_dataset("y", data=y, chunks=(4,), scaleoffset=0)

    def compact(f):
        how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        how.set_layout(h5py.h5d.COMPACT)
        for name, values in ((b"x", x), (b"y", y)):
            space = h5py.h5s.create_simple(values.shape)
            array = h5py.h5d.create(f.id, name, h5py.h5t.py_create(values.dtype), space, how)
            array.write(h5py.h5s.ALL, h5py.h5s.ALL, values)

    def foreign(f):
        f["x"], f["y"] = x.astype(">f4"), y.astype(">i2")
        f["x"].attrs["a"] = "text"
        f["z"] = h5py.SoftLink("/x")

    for version in ("earliest", "v108", "latest"):
        for write in (plain, chunked, filtered, compact, foreign):
            memory = io.BytesIO()
            with h5py.File(memory, "w", libver=(version, "latest")) as f:
                write(f)
            seed("hdf5", f"{write.__name__}_{version}", memory.getvalue())


def npz():
    layer, y = np.linspace(-1, 1, 12).reshape(2, 3, 2), np.array([0, 1, 0])

    def packed(name, save, **arrays):
        memory = io.BytesIO()
        save(memory, **arrays)
        seed("npz", name, memory.getvalue())

    packed("stored", np.savez, layer_1=layer.astype("f4"), layer_2=layer, y=y, epoch=[1, 5])
    packed("deflated", np.savez_compressed, layer_1=layer, y=np.eye(2)[y], x_id=y, train=[0, 2])
    packed("flat", np.savez, layer_1=layer[0].astype(">f4"), layer_0=layer[1], y=y.astype("f8"),
           classes=[3])
    packed("text", np.savez, layer_1=np.array(["a", "b"]), y=y)


def results():
    seed("results", "nothing", b"")
    seed("results", "cut", b"\x80\x10\x00\x00")
    seed("results", "one", bytes.fromhex("000008ff"))
    seed("results", "some", bytes.fromhex("0000300100004002000100ff000801aa"))


def lock():
    def holder(name, **other):
        lines = {"token": "00000000deadbeef", "host": "here", "pid": 1, "started": 0, "job": "",
                 "restart": 0, "heartbeat": 1700000000, "runs": 40, "done": 3, "diverged": 0,
                 "failed": 1, "running": 2, "rate": 120.5, "left": 3600} | other
        seed("lock", name, "".join(f"{key}: {value}\n" for key, value in lines.items()))

    holder("alive")
    holder("gone", pid=2000000000, started=5)
    holder("job", host="node7", pid=9, job="4711")
    holder("elsewhere", host="node8", pid=9)
    holder("numbers", pid="9" * 30, rate="nan", left="1e308")
    seed("lock", "empty", b"")


def checkpoint():
    def page(*words, last=0):
        return b"".join(struct.pack("<d" if isinstance(w, float) else "<Q", w)
                        for w in words).ljust(63, b"\0") + bytes([last])

    def slot(run, generation, length):
        return page(0, 0, run, generation, length, 0.5, 0) + bytes(range(64))

    def file(last, *slots):
        return (page(0, 0, 64, 2, 1, 0, last=last) + page(1, 0.25) +
                b"".join(slot(*each) for each in slots))

    seed("checkpoint", "fits", file(3, (0, 1, 33), (2, 7, 0), (1, 4, 64)))
    seed("checkpoint", "same_run", file(3, (1, 5, 33), (1, 6, 66), (1, 4, 64)))
    seed("checkpoint", "slots_torn", file(1, (0, 1, 33), (2, 7, 0), (1, 4, 64)))
    seed("checkpoint", "strange", file(0, (0, 1, 33)))


for target in (yaml, arguments, mat, idx, hdf5, npz, results, lock, checkpoint):
    target()
