"""The data beside the pictures, computed again from the results file.

    figures.py FILE.h5 FOLDER ...

Written from the documentation of the files: groups of runs that differ in seed and replicate alone are
found in the coordinates, and every number of every block is compared to 1e-8.
"""
import glob
import math
import os
import re
import sys

import h5py
import numpy as np

compared = {}


def same(what, got, want):
    got, want = np.asarray(got, float), np.asarray(want, float)
    assert got.shape == want.shape, (what, got.shape, want.shape)
    assert (np.isnan(got) == np.isnan(want)).all(), (what, got, want)
    gap = np.nanmax(np.abs(got - want) / np.maximum(1e-3, np.abs(want)), initial=0)
    assert gap < 1e-8, f"{what}: off by {gap}\n{got}\n{want}"
    compared[what] = compared.get(what, 0) + got.size


def blocks(path):
    """Blocks of rows, each as one array; rows of different length: a list of arrays."""
    with open(path) as file:
        parts = re.split(r"\n\n\n+", file.read())
    made = []
    for part in parts:
        rows = [[float(v) for v in line.split()] for line in part.splitlines()
                if line and not line.startswith("#")]
        if rows:
            made.append(np.array(rows))
    return made


def images_of_gif(path):
    """Images in a GIF, by its blocks (GIF89a specification)."""
    with open(path, "rb") as file:
        b = file.read()

    def colors(flags):
        return 3 << (flags % 8 + 1) if flags & 128 else 0

    at, images = 13 + colors(b[10]), 0
    while b[at:at + 1] != b";":  # trailer
        image = b[at:at + 1] == b","
        assert image or b[at:at + 1] == b"!", (path, at)
        images += image
        at += 11 + colors(b[at + 9]) if image else 2
        while b[at]:  # blocks of data
            at += 1 + b[at]
        at += 1
    return images


def slug(name):
    return re.sub(r"[^a-z0-9.-]+", "_", name.lower()).strip("_")


class Group:
    """Finished runs that differ in seed and replicate alone."""

    def __init__(self, f, runs):
        self.f, self.runs = f, runs
        self.looks = np.flatnonzero(f["updates"][runs[0]] >= 0)
        self.epoch = f["epoch"][...][self.looks].astype(float)
        self.updates = f["updates"][runs[0]][self.looks].astype(float)
        width = f["width"][f["architecture_index"][runs[0]]]
        self.width = width[width > 0]
        self.layers = len(self.width)

    def of(self, name, column=None):
        """Shape (runs, looks[, layers])."""
        v = self.f[name][self.runs]
        v = v[:, column] if column is not None else v
        v = v[:, self.looks]
        return v[:, :, :self.layers] if v.ndim == 3 else v

    def event(self, name, column=None):
        """Epoch at which it is seen, NaN for never: shape (runs, layers)."""
        v = self.f[name][self.runs].astype(float)
        v = (v[:, column] if column is not None else v)[:, :self.layers, 1]
        return np.where(v < 0, np.nan, v)

    def updates_at(self, epoch):
        return self.updates[np.flatnonzero(self.epoch == epoch)[0]] if epoch == epoch else math.nan


def median(v):
    """Of n values, NaN = later than all others: the one that half of them do not exceed."""
    v = np.sort(v)  # NaN last
    return v[(len(v) + 1) // 2 - 1]


def groups_of(f, study):
    keys = [n for n in ("architecture_index", "data_index", "train_fraction", "batch_size", "output", "labels",
                        "epochs") if n in f]
    found = {}
    for r in np.flatnonzero(f["in_study"][:, study]):
        assert f["status"][r, 0] == 1
        found.setdefault(tuple(f[n][r] for n in keys), []).append(r)
    return [Group(f, runs) for runs in found.values()]


def spread(v):
    return v.mean(0), v.std(0, ddof=1) if len(v) > 1 else 0 * v.mean(0)


# ---- one kind of figure each: groups of the picture, their column, its blocks -----------------------------


def snapshots(groups, c, got):
    for i, g in enumerate(groups):
        last = g.epoch[-1]
        for k, want in enumerate((0, 400 if last > 800 else int(math.sqrt(last)), 9000)):
            l = np.abs(g.epoch - want).argmin()
            rows = [[g.epoch[l], g.updates[l], r, layer + 1, g.of("i_xt", c)[r, l, layer],
                     g.of("i_ty", c)[r, l, layer]] for r in range(len(g.runs)) for layer in range(g.layers)]
            same("snapshots", got[3 * i + k], rows)


def plane(groups, c, got):
    for g, block in zip(groups, got, strict=True):
        (x, dx), (y, dy) = spread(g.of("i_xt", c)), spread(g.of("i_ty", c))
        same("plane", block, [[g.epoch[l], g.updates[l], k + 1, x[l, k], y[l, k], dx[l, k], dy[l, k]]
                              for l in range(len(g.looks)) for k in range(g.layers)])


def time(groups, c, got):
    for i, g in enumerate(groups):
        (x, dx), (y, dy) = spread(g.of("i_xt", c)), spread(g.of("i_ty", c))
        same("time", got[3 * i], [[g.epoch[l], g.updates[l], k + 1, x[l, k], dx[l, k], y[l, k], dy[l, k]]
                                  for k in range(g.layers) for l in range(len(g.looks))])
        for j, event in enumerate((g.event("peak_epoch", c), g.event("onset_epoch"))):
            rows = []
            for k in range(g.layers):
                m = median(event[:, k])
                at = x[np.flatnonzero(g.epoch == m)[0], k] if m == m else math.nan
                rows.append([m, g.updates_at(m), k + 1, at, np.isfinite(event[:, k]).sum(), len(g.runs)])
            same("marks", got[3 * i + 1 + j], rows)


def gradients(groups, _, got):
    for i, g in enumerate(groups):
        mean, std, norm = (g.of(n) for n in ("gradient_mean_norm", "gradient_std_norm", "weight_norm"))
        columns = []
        for ratio in (mean / norm, std / norm, mean / std):
            log, deviation = spread(np.log(ratio))
            error = 1.96 * deviation / math.sqrt(len(g.runs))
            columns += [np.exp(log), np.exp(log - error), np.exp(log + error)]
        same("gradients", got[2 * i], [[g.epoch[l], g.updates[l], k + 1] + [v[l, k] for v in columns]
                                       for k in range(g.layers) for l in range(len(g.looks))])
        event = g.event("onset_epoch")
        same("onsets", got[2 * i + 1], [[median(event[:, k]), g.updates_at(median(event[:, k])), k + 1,
                                         np.isfinite(event[:, k]).sum(), len(g.runs)] for k in range(g.layers)])


def training(groups, _, got):
    for g, block in zip(groups, got, strict=True):
        columns = [v for n in ("loss_train", "loss_test", "accuracy_train", "accuracy_test")
                   for v in spread(g.of(n))]
        same("training", block, np.column_stack([g.epoch, g.updates] + columns))


def weights(groups, _, got):
    softmax = lambda g: g.f["output"].attrs["flag_meanings"].split()[g.f["output"][g.runs[0]]] == "softmax"
    for g, block in zip(groups, got, strict=True):
        (norm, dn), (r, dr) = spread(g.of("weight_norm")), spread(g.of("weight_correlation"))
        rows = []
        for k in range(g.layers):
            n = int(g.f["architecture"][g.f["architecture_index"][g.runs[0]]].decode().split("-")[k])
            mirrored = k == g.layers - 1 and softmax(g) and g.width[k] == 2
            scale = math.nan if mirrored else math.sqrt(n)
            # mean of |r| over its density (1 - r^2)^((n - 4)/2), with r = sin(a)
            a = (np.arange(200000) + 0.5) / 200000 * math.pi / 2
            weight = np.cos(a)**(n - 3)
            expected = math.sqrt(n) * (np.sin(a) * weight).sum() / weight.sum() if n > 2 else math.nan
            rows += [[g.epoch[l], g.updates[l], k + 1, norm[l, k], dn[l, k], scale * r[l, k], scale * dr[l, k],
                      expected if not mirrored else math.nan] for l in range(len(g.looks))]
        same("weights", block, rows)


def data(groups, c, got):
    rows = []
    for g in sorted(groups, key=lambda g: g.f["train_fraction"][g.runs[0]]):
        x, y = g.of("i_xt", c), g.of("i_ty", c)
        columns = [v for w in (x[:, -1], y[:, -1], y.max(1)) for v in spread(w)]
        rows.append([[100 * g.f["train_fraction"][g.runs[0]], g.f["train_size"][g.runs[0]], k + 1]
                     + [v[k] for v in columns] for k in range(g.layers)])
    rows = np.array(rows)
    same("data", got[0], rows.reshape(-1, 9))
    same("data", got[1], rows.transpose(1, 0, 2).reshape(-1, 9))


def depth(groups, c, got):
    for i, g in enumerate(groups):
        events = [g.event("learned_epoch", c)[:, -1], g.event("fallen_epoch", c)[:, max(0, g.layers - 2)]]
        n, last = len(g.runs), g.updates[-1]
        rows = [[i + 1 + 0.5 * ((r + 0.5) / n - 0.5)]
                + [v for e in events for v in (g.updates_at(e[r]) if e[r] == e[r] else last, e[r] != e[r])]
                + [g.of("accuracy_test")[r, -1]] for r in range(n)]
        same("depth", got[2 * i], rows)
        same("depth", got[2 * i + 1], [[i + 1, n] + [v for e in events for v in
                                                     (g.updates_at(median(e)), np.isfinite(e).sum())]])


def bound(groups, c, got):
    (g,) = groups
    f = g.f
    at = f["data_index"][g.runs[0]]
    same("bound", got[0], np.column_stack([f["beta"][...], f["curve_i_xt"][at], f["curve_i_ty"][at]]))
    x, y = g.of("i_xt", c)[:, -1], g.of("i_ty", c)[:, -1]
    end = [f["beta_" + n][g.runs, c, :g.layers] for n in ("best", "low", "high", "misfit")]
    (mx, dx), (my, dy) = spread(x), spread(y)
    same("bound", got[1], [[k + 1, mx[k], my[k], dx[k], dy[k], median(end[0][:, k])] for k in range(g.layers)])
    n = len(g.runs)
    same("bound", got[2], [[k + 1, r, x[r, k], y[r, k]] + [v[r, k] for v in end]
                           + [k + 1 + 0.5 * ((r + 0.5) / n - 0.5), end[0][r, k] in (1, 1000)]
                           for r in range(n) for k in range(g.layers)])


def animation(groups, c, got):
    frames = len(got) // len(groups)
    for i, g in enumerate(groups):
        assert frames == len(g.looks) + 12  # so few looks are not thinned; the last one is held
        x, y = g.of("i_xt", c), g.of("i_ty", c)
        x, y = np.concatenate([x.mean(0)[None], x]), np.concatenate([y.mean(0)[None], y])
        for i_frame in range(frames):
            l = min(i_frame, len(g.looks) - 1)
            rows = [[g.epoch[l], g.updates[l], k + 1, r, x[r, l, k], y[r, l, k]]
                    for r in reversed(range(len(x))) for k in range(g.layers)]
            same("animation", got[i * frames + i_frame][:, :6], rows)


def neurons(groups, _, got):
    (g,) = groups
    flat, side, gap = g.f["weights"][g.runs[0], -1].astype(float), 8, 8
    sizes = [64] + list(g.width)
    layers, at = [], 0
    for i, o in zip(sizes, sizes[1:]):
        layers.append((flat[at:at + i * o].reshape(o, i), flat[at + i * o:at + i * o + o]))
        at += (i + 1) * o

    def log_p(x):
        for w, b in layers[:-1]:
            x = np.tanh(w @ x + b)
        z = layers[-1][0] @ x + layers[-1][1]
        return z - np.logaddexp.reduce(z)

    tile = lambda block, k, columns, top: block[k // columns * (side + top) + top:, k % columns * (side + 1):][:side, :side]
    for u in range(g.width[0]):
        same("neurons", tile(got[0], u, 3, 1).ravel(), layers[0][0][u])
    script = open(os.path.join(folder, "main_neurons.gp")).read()
    for y in range(g.width[-1]):
        x = tile(got[1], y, 2, gap).ravel()
        assert x.min() >= 0 and x.max() <= 1
        p = math.exp(log_p(x)[y])
        assert f"'{y}: {p:.3f}'" in script, (y, p)
        assert p > math.exp(log_p(np.full(64, 0.5))[y])
        # a maximum: no pixel that is free to move would gain by it
        for j in np.random.default_rng(y).choice(64, 20, replace=False):
            step = np.zeros(64)
            step[j] = 1e-5
            slope = (log_p(np.clip(x + step, 0, 1))[y] - log_p(np.clip(x - step, 0, 1))[y]) / 2e-5
            slack = 1.0 if (slope > 0 and x[j] < 1 - 1e-3) or (slope < 0 and x[j] > 1e-3) else 0.0
            assert slack * abs(slope) < 0.03, (y, j, x[j], slope)
        compared["best inputs"] = compared.get("best inputs", 0) + 64


def check(f, study, name, path):
    kind, column, number = re.fullmatch(r"([a-z]+)(?:_(bin30|kde_upper_0\.1))?(?:_(\d+))?", name).groups()
    columns = [v.decode() for v in f["column"]]
    c = columns.index(column) if column else None
    groups = groups_of(f, study)
    if column:
        groups = [g for g in groups if np.isfinite(g.of("i_xt", c)).all()]
    page = int(number or 1) - 1
    if column and column.startswith("kde") and len(groups) > 1:  # one for every kind of output
        kinds = list(dict.fromkeys(int(f["output"][g.runs[0]]) for g in groups))
        groups = [g for g in groups if int(f["output"][g.runs[0]]) == kinds[page]]
    elif kind in ("bound", "neurons"):
        groups = groups[page:page + 1]
    else:
        assert page == 0, path
    got = blocks(path)
    globals()[kind](groups, c, got)
    if kind == "animation":  # every frame is there, those that hold the last one too
        images = images_of_gif(path[:-3] + "gif")
        assert images == len(got) // len(groups), (path, images)


for file, folder in zip(sys.argv[1::2], sys.argv[2::2]):
    with h5py.File(file) as f:
        done = 0
        for study, name in enumerate(v.decode() for v in f["study"]):
            for path in sorted(glob.glob(os.path.join(folder, glob.escape(slug(name)) + "_*.dat"))):
                check(f, study, os.path.basename(path)[len(slug(name)) + 1:-4], path)
                done += 1
        assert done == len(glob.glob(os.path.join(folder, "*.dat"))), "pictures of no study"
print(", ".join(f"{n} {what}" for what, n in compared.items()), "compared")
assert len(compared) == 14, "a kind of figure was not drawn"
