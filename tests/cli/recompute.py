"""A second implementation, in double, of everything that a run records.

    recompute.py FILE.h5 ...      files of `infoplane run` with save: {weights: looked}

Written from the formulas of the documentation, not from the program.  What it takes from a file are
the grid (coordinates of the runs, parameters of the columns) and the weights of every look; data,
labels, split, initial weights and order of training are drawn again with a Philox of its own, and
training itself is replayed.

The program computes activations in float32, so an activation nearer to an edge of its cell than
EDGE may fall to either side.  Where none is, binned entropies must agree to 1e-9 bit; where up to
six are, one choice of their sides must; only beyond that the tolerance is what those patterns can
change at most.  The last lines say how many were compared in which way, and the largest deviation
of every quantity.
"""
import itertools
import sys

import h5py
import numpy as np

EDGE = 1e-6  # of activations up to 1 in size, in proportion above
worst = {}
how = {"exact": 0, "by choice": 0, "bounded": 0}


def check(name, got, want, tolerance, where=""):
    got, want = np.asarray(got, float), np.asarray(want, float)
    assert got.shape == want.shape, (name, where, got.shape, want.shape)
    assert (np.isnan(got) == np.isnan(want)).all(), (name, where, got, want)
    gap = np.abs(got - want)[~np.isnan(want)]
    gap = gap.max() if gap.size else 0.0
    old = worst.get(name, (0.0, 0.0))
    worst[name] = (max(old[0], gap), max(old[1], tolerance))
    assert gap <= tolerance, f"{name} {where}: the file says {got}, recomputed {want}"


# ---- random numbers: Philox4x32-10, key = seed, counter = (counter, replicate, purpose) ----------

SPLIT, WEIGHT, SHUFFLE, LABEL, CONTROL, GRADIENT, SAMPLES = range(1, 8)
LOW = np.uint64(0xFFFFFFFF)


def words(seed, replicate, purpose, counter):
    """Four uint64 arrays of 32 bits each, for an array of counters."""
    counter = np.asarray(counter, np.uint64)
    c = [counter & LOW, counter >> np.uint64(32),
         np.full_like(counter, replicate), np.full_like(counter, purpose)]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [b >> np.uint64(32) ^ c[1] ^ np.uint64(key[0]), b & LOW,
             a >> np.uint64(32) ^ c[3] ^ np.uint64(key[1]), a & LOW]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


assert [int(w) for w in words(0, 0, 0, 0)] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def unit(high, low):
    return (((high << np.uint64(32) | low) >> np.uint64(12)).astype(float) + 0.5) * 2.0**-52


def uniform(seed, replicate, purpose, counter):
    w = words(seed, replicate, purpose, counter)
    return unit(w[0], w[1])


def truncated_normal(seed, replicate, purpose, counter):
    counter = np.asarray(counter, np.uint64)
    z, todo = np.zeros(counter.shape), np.ones(counter.shape, bool)
    for attempt in range(256):
        w = words(seed, replicate, purpose, counter[todo] + np.uint64(attempt << 56))
        candidate = 4 * unit(w[0], w[1]) - 2
        z[todo] = candidate
        at = np.flatnonzero(todo)
        todo[at[unit(w[2], w[3]) < np.exp(-candidate**2 / 2)]] = False
        if not todo.any():
            break
    return z


def permutation(seed, replicate, purpose, number, n):
    """Fisher-Yates from the end, each place by Lemire's multiplication."""
    blocks = np.uint64(number << 32) + np.arange(n // 4 + 64, dtype=np.uint64)
    stream = iter(np.stack(words(seed, replicate, purpose, blocks), 1).ravel().tolist())
    order = list(range(n))
    for bound in range(n, 1, -1):
        product = next(stream) * bound
        while (product & 0xFFFFFFFF) < (1 << 32) % bound:
            product = next(stream) * bound
        j = product >> 32
        order[bound - 1], order[j] = order[j], order[bound - 1]
    return np.array(order)


# ---- data ------------------------------------------------------------------------------------------


def symmetric(gamma):
    ring = lambda k: np.deg2rad(72.0 * np.arange(5) + k)
    v = np.zeros((12, 3))
    v[0], v[9] = (0, 0, 1), (0, 0, -1)
    for bits, shift, side in (([1, 3, 10, 5, 11], 0, 1), ([2, 8, 7, 6, 4], 36, -1)):
        v[bits] = np.c_[2 * np.cos(ring(shift)), 2 * np.sin(ring(shift)), np.full(5, side)] / 5**0.5
    x = (np.arange(4096)[:, None] >> np.arange(11, -1, -1) & 1).astype(float)
    f = x.sum(1) + np.linalg.norm(x @ v, axis=1)
    p = None
    if gamma is not None:
        p = np.stack([1 / (1 + np.exp(s * gamma * (f - 7.63204))) for s in (1, -1)], 1)
    return x, (f > 7.632).astype(int), 2, p


def entropy(weights):
    w = np.asarray(weights, float)
    w = w[w > 0] / w.sum()
    return -(w * np.log2(w)).sum()


def log2n(counts):  # sum of n log2 n
    c = counts[counts > 0]
    return (c * np.log2(c)).sum()


# ---- network ---------------------------------------------------------------------------------------

ACTIVATION = {
    "tanh": (np.tanh, lambda z, t: 1 - t**2),
    "relu": (lambda z: np.maximum(z, 0), lambda z, t: (z > 0) * 1.0),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, t: t * (1 - t)),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z, t: (1 - np.abs(t))**2),
    "softplus": (lambda z: np.logaddexp(0, z), lambda z, t: 1 / (1 + np.exp(-z))),
    "linear": (lambda z: z, lambda z, t: np.ones_like(z)),
}


class Network:
    def __init__(self, widths, activation, output):
        self.widths, self.output = widths, output
        self.phi, self.slope = ACTIVATION[activation]
        self.layers = len(widths) - 1

    def unpack(self, flat):
        parts, at = [], 0
        for i, o in zip(self.widths, self.widths[1:]):
            parts.append((flat[at:at + i * o].reshape(o, i), flat[at + i * o:at + i * o + o]))
            at += i * o + o
        return parts

    def forward(self, flat, x):
        z, t = [None], [x]
        for l, (w, b) in enumerate(self.unpack(flat), 1):
            z.append(t[-1] @ w.T + b)
            if l < self.layers:
                t.append(self.phi(z[-1]))
            elif self.output == "softmax":
                e = np.exp(z[-1] - z[-1].max(1, keepdims=True))
                t.append(e / e.sum(1, keepdims=True))
            else:
                t.append(1 / (1 + np.exp(-z[-1])))
        return z, t

    def target(self, y):
        if self.widths[-1] == 1:
            return (y == 1)[:, None] * 1.0
        return np.eye(self.widths[-1])[y]

    def losses(self, z, y):
        if self.output == "softmax":
            return np.logaddexp.reduce(z, axis=1) - z[np.arange(len(y)), y]
        return np.logaddexp(0, np.where(self.target(y) == 1, -z, z)).sum(1)

    def answers(self, t):
        return (t[:, 0] > 0.5) * 1 if t.shape[1] == 1 else t.argmax(1)

    def deltas(self, flat, x, y):
        """Of single samples' losses by z of each layer; and the activations."""
        z, t = self.forward(flat, x)
        parts, delta = self.unpack(flat), [None] * (self.layers + 1)
        delta[-1] = t[-1] - self.target(y)
        for l in range(self.layers - 1, 0, -1):
            delta[l] = delta[l + 1] @ parts[l][0] * self.slope(z[l], t[l])
        return delta, t

    def gradient(self, flat, x, y):
        delta, t = self.deltas(flat, x, y)
        parts = [(delta[l].T @ t[l - 1], delta[l].sum(0)) for l in range(1, self.layers + 1)]
        return np.concatenate([np.concatenate([w.ravel(), b]) for w, b in parts]) / len(y)


# ---- estimators ------------------------------------------------------------------------------------


def binned(cells, joint):
    """I(X;T), I(T;Y), used cells from cell numbers (m, d) and p(y|x) (m, k)."""
    m = len(joint)
    mix = np.random.default_rng(1).integers(2**63, size=cells.shape[1], dtype=np.uint64)  # no sum twice
    code = (cells.astype(np.int64).astype(np.uint64) * mix).sum(1, dtype=np.uint64)
    _, index, count = np.unique(code, return_inverse=True, return_counts=True)
    h = np.log2(m) - log2n(count) / m
    table = np.zeros((len(count), joint.shape[1]))
    np.add.at(table, index, joint)
    given = sum(n_y / m * entropy(column) for n_y, column in zip(table.sum(0), table.T) if n_y > 0)
    return h, h - given, len(count)


def kernel_information(square, w, cs):
    inside = w > 0
    w = w[inside] / w[inside].sum()
    density = np.exp(-square[np.ix_(inside, inside)] / cs) @ w
    return -(w * np.log2(density)).sum()


class Column:
    def __init__(self, f, c):
        get = lambda n: f["column_" + n][c] if "column_" + n in f else None
        text = lambda n: get(n).decode() if isinstance(get(n), bytes) else get(n)
        self.name, self.kind, self.on = f["column"][c].decode(), text("kind"), text("on")
        self.width = get("width")
        self.fixed = self.kind == "binning" and np.isfinite(self.width)
        self.bins, self.rule, self.range = get("bins"), text("rule"), text("range")
        self.variance, self.scale, self.bound = get("noise_variance"), text("noise_scale"), text("bound")

    def edges(self, low, high):
        if self.rule == "idnns":
            return low + np.arange(self.bins) * (high - low) / (self.bins - 1)
        return (low + np.arange(self.bins + 1) * (high - low) / self.bins)[:-1]

    def cells(self, t, low, high):
        if self.fixed:
            return np.floor(t / self.width)
        return np.maximum(np.searchsorted(self.edges(low, high), t, side="right") - 1, 0)


def check_binning(f, at, column, t, exact, joint, run_range, where):
    """at: index of the cell (run, column, epoch, layer); exact: entries that float32 has as they are."""
    t = t.astype(np.float32).astype(float)
    low = high = np.nan
    if not column.fixed:
        low, high = float(f["bin_low"][at]), float(f["bin_high"][at])
        want = {"activation": (-1, 1), "snapshot": (t.min(), t.max()), "run": run_range}
        want = want.get(column.range) or tuple(map(float, column.range.strip("[]").split(",")))
        scale = EDGE * max(1, *map(abs, want)) if column.range in ("snapshot", "run") else 1e-7
        check("bin_low", low, want[0], scale, where)
        check("bin_high", high, want[1], scale, where)
        if column.range not in ("snapshot", "run"):
            low, high = want
    margin = np.where(exact, 0, EDGE * np.maximum(1, np.abs(t)))
    down, up = column.cells(t - margin, low, high), column.cells(t + margin, low, high)
    if column.fixed:
        check("clipped_fraction", f["clipped_fraction"][at], np.nan, 0, where)
        check("bin_low", f["bin_low"][at], np.nan, 0, where)
    else:
        clipped = lambda v: ((v < low) | (v > high)).mean()
        unsure = sum(abs(clipped(t + s * margin) - clipped(t)) for s in (1, -1))
        if column.range in ("snapshot", "run"):
            check("clipped_fraction", f["clipped_fraction"][at], 0, 0, where)
        else:
            check("clipped_fraction", f["clipped_fraction"][at], clipped(t), unsure + 1e-7, where)
    compare(f, at, column.cells(t, low, high), down, up, joint, where)


def compare(f, at, cells, down, up, joint, where):
    m, k = joint.shape
    got = np.array([f["i_xt"][at], f["i_ty"][at]])
    doubtful = np.argwhere(down != up)
    fits = lambda c: np.abs(np.array(binned(c, joint)[:2]) - got).max() <= 1e-9
    slack, best = 1e-9, cells
    if fits(cells):
        how["exact" if len(doubtful) == 0 else "by choice"] += 1
    elif len(doubtful) == 0:
        how["exact"] += 1  # and fails below
    elif len(doubtful) <= 6:
        how["by choice"] += 1
        for side in itertools.product((0, 1), repeat=len(doubtful)):
            other = cells.copy()
            for s, (i, u) in zip(side, doubtful):
                other[i, u] = (down, up)[s][i, u]
            if fits(other):
                best = other
                break
    else:
        how["bounded"] += 1
        slack = len(set(doubtful[:, 0])) * (4 * np.log2(m) + 8) / m
    i_xt, i_ty, used = binned(best, joint)
    check("i_xt (binning)" + (" bounded" if slack > 1e-9 else ""), got[0], i_xt, slack, where)
    check("i_ty (binning)" + (" bounded" if slack > 1e-9 else ""), got[1], i_ty, slack, where)
    check("h_t (binning)", f["h_t"][at], got[0], 0, where)
    bias = (used - 1) * (k - 1) / (2 * m * np.log(2))
    loose = 0 if slack <= 1e-9 else len(doubtful) * (k - 1) / (m * np.log(2))
    check("i_ty_bias", f["i_ty_bias"][at], bias, loose + 1e-7 * max(1, bias), where)


def check_kde(f, at, column, square, t, joint, where):
    s = column.variance * (t.var(axis=0).mean() if column.scale == "layer" else 1)
    cs = s * {"upper": 2, "lower": 8}[column.bound]
    m = len(t)
    i_xt = kernel_information(square, np.ones(m), cs)
    share = joint.sum(0) / m
    i_ty = i_xt - sum(p * kernel_information(square, joint[:, y], cs) for y, p in enumerate(share) if p > 0)
    # float32 activations are off by about 1e-7; what counts is that against the width of a kernel
    slack = 1e-6 + 3e-8 * max(1, np.abs(t).max()) / np.sqrt(cs)
    check("i_xt (kde)", f["i_xt"][at], i_xt, slack, where)
    check("i_ty (kde)", f["i_ty"][at], i_ty, slack, where)
    h_t = i_xt + t.shape[1] / 2 * np.log2(2 * np.pi * np.e * s)
    check("h_t (kde)", f["h_t"][at], h_t, slack * (1 + t.shape[1]), where)
    for name in ("i_ty_bias", "clipped_fraction", "bin_low", "bin_high"):
        check(name, f[name][at], np.nan, 0, where)


# ---- one run ---------------------------------------------------------------------------------------


class Run:
    def __init__(self, f, r):
        self.f, self.r = f, r
        word = lambda n: f[n].attrs["flag_meanings"].split()[f[n][r]] if f[n][r] >= 0 else None
        get = lambda n: f[n][r] if n in f else None
        self.seed, self.replicate = int(get("seed")), int(get("replicate"))
        stochastic = word("labels") == "stochastic"
        if word("dataset") == "symmetric":
            self.x, self.y, self.k, self.p = symmetric(get("gamma") if stochastic else None)
        else:
            with h5py.File("classes.h5") as data:
                self.x, self.y = data["x"][...].astype(float), data["y"][...].astype(int)
                self.k, self.p = self.y.max() + 1, None
        self.choose(int(get("samples")), word("choice"))
        n = len(self.x)
        if stochastic:
            self.y = (uniform(self.seed, self.replicate, LABEL, np.arange(n)) >= self.p[:, 0]) * 1
        if word("labels") == "shuffled":
            self.y = self.y[permutation(self.seed, self.replicate, CONTROL, 0, n)]
        self.joint = self.p if self.p is not None else np.eye(self.k)[self.y]
        self.split(word("split"), get("train_fraction"))
        hidden = [w for w in f["width"][get("architecture_index")] if w > 0]
        self.net = Network([self.x.shape[1]] + [int(w) for w in hidden], word("activation"), word("output"))
        self.bounded = word("activation") not in ("relu", "softplus", "linear")
        self.relu = word("activation") == "relu"
        self.how = {n: get(n) for n in ("learning_rate", "momentum", "weight_decay", "epochs")}
        self.optimizer, self.init = word("optimizer"), word("init")
        batch = int(get("batch_size"))
        self.batch = min(batch, len(self.train)) if batch > 0 else len(self.train)

    def choose(self, samples, choice):
        n = len(self.x)
        if samples <= 0 or samples == n:
            return
        keep = np.arange(samples)
        if choice == "random":
            keep = np.sort(permutation(self.seed, 0, SAMPLES, 0, n)[:samples])
        self.x, self.y = self.x[keep], self.y[keep]
        self.p = None if self.p is None else self.p[keep]

    def split(self, rule, fraction):
        n = len(self.x)
        size, overlap = int(np.rint(fraction * n)), 0
        if rule == "random":
            order = permutation(self.seed, self.replicate, SPLIT, 0, n)
            self.train, self.test = order[:size], order[size:]
        else:
            first = int(np.rint(0.8 * n))
            self.train, self.test, overlap = np.arange(size), np.arange(first, n), max(0, size - first)
        check("train_size", self.f["train_size"][self.r], size, 0)
        check("train_test_overlap", self.f["train_test_overlap"][self.r], overlap, 0)
        self.on = {"full": np.arange(n), "train": self.train, "test": self.test}

    def initial(self):
        flat = []
        for l, (i, o) in enumerate(zip(self.net.widths, self.net.widths[1:]), 1):
            places = np.arange(o, dtype=np.uint64)[:, None] * np.uint64(2**24) + np.uint64(l << 48)
            counter = places + np.arange(i, dtype=np.uint64)
            scale = 1 / np.sqrt(o if self.init == "fan_out" else i)
            if self.init == "uniform":
                interval = lambda c: scale * (2 * uniform(self.seed, self.replicate, WEIGHT, c) - 1)
                flat += [interval(counter).ravel(), interval(places + np.uint64(2**24 - 1)).ravel()]
            else:
                z = truncated_normal(self.seed, self.replicate, WEIGHT, counter.ravel())
                flat += [scale * z, np.zeros(o)]
        return np.concatenate(flat).astype(np.float32).astype(float)

    def replay(self, epochs):
        """Weights after each of the epochs, by torch.optim's definitions in double."""
        w, after, steps = self.initial(), {}, 0
        first, second = np.zeros_like(w), np.zeros_like(w)
        for epoch in range(max(epochs) + 1):
            after[epoch] = w.copy()
            order = self.train[permutation(self.seed, self.replicate, SHUFFLE, epoch, len(self.train))]
            for at in range(0, len(order), self.batch):
                rows = order[at:at + self.batch]
                g = self.net.gradient(w, self.x[rows], self.y[rows]) + self.how["weight_decay"] * w
                steps += 1
                if self.optimizer == "sgd":
                    w = w - self.how["learning_rate"] * g
                elif self.optimizer == "momentum":
                    first = self.how["momentum"] * first + g
                    w = w - self.how["learning_rate"] * first
                else:
                    first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
                    root = np.sqrt(second / (1 - 0.999**steps)) + 1e-8
                    w = w - self.how["learning_rate"] * first / (1 - 0.9**steps) / root
        return after

    def check_entropies(self, columns):
        for c, column in enumerate(columns):
            rows = self.on[column.on]
            if len(rows) == 0:
                want = [np.nan] * 3
            else:
                joint = self.joint[rows]
                _, index, count = np.unique(self.x[rows], axis=0, return_inverse=True, return_counts=True)
                table = np.zeros((len(count), self.k))
                np.add.at(table, index, joint)
                h_x, h_y = entropy(count), entropy(joint.sum(0))
                want = [h_x, h_y, h_x + h_y - entropy(table.ravel())]
            got = [self.f[n][self.r, c] for n in ("h_x", "h_y", "i_xy")]
            check("h_x, h_y, i_xy", got, want, 1e-9, column.name)

    def check_score(self, z, t, e):
        for name, rows in (("train", self.train), ("test", self.test)):
            loss = accuracy = np.nan
            unsure = 0.0
            if len(rows):
                loss = self.net.losses(z[rows], self.y[rows]).mean()
                accuracy = (self.net.answers(t[rows]) == self.y[rows]).mean()
                top = np.sort(np.c_[t[rows], 1 - t[rows]] if t.shape[1] == 1 else t[rows], 1)
                unsure = (top[:, -1] - top[:, -2] < 2 * EDGE).mean()
            check("loss", self.f["loss_" + name][self.r, e], loss, 2e-7, name)
            check("accuracy", self.f["accuracy_" + name][self.r, e], accuracy, unsure + 1e-12, name)

    def check_gradients(self, w, e, gradient_batch):
        n = len(self.train)
        batch = max(1, min(gradient_batch, n // 4))
        batches = n // batch
        rows = self.train[permutation(self.seed, self.replicate, GRADIENT, 0, n)][:batch * batches]
        delta, t = self.net.deltas(w, self.x[rows], self.y[rows])
        for l in range(1, self.net.layers + 1):
            names = ("gradient_mean_norm", "gradient_std_norm", "gradient_sample_std_norm")
            want = [np.nan] * 3
            if batches >= 2:
                single = (delta[l][:, :, None] * t[l - 1][:, None, :]).reshape(batch * batches, -1)
                means = single.reshape(batches, batch, -1).mean(1)
                want = [np.linalg.norm(means.mean(0))]
                want += [np.sqrt(g.var(0).sum()) for g in (means, single)]
            for name, value in zip(names, want):
                scale = 1 if np.isnan(value) else max(value, want[2] * 1e-2)
                check(name, self.f[name][self.r, e, l - 1] / scale, value / scale, 5e-6, f"layer {l}")

    def check_weights(self, w, e):
        for l, (matrix, _) in enumerate(self.net.unpack(w)):
            value = np.nan
            if min(matrix.shape) > 1:
                varied = matrix[matrix.std(1) > 0]
                if len(varied) > 1:
                    value = np.abs(np.corrcoef(varied)[np.triu_indices(len(varied), 1)]).mean()
            norm = np.linalg.norm(matrix)
            check("weight_norm", self.f["weight_norm"][self.r, e, l], norm, 1e-9 * max(1, norm))
            check("weight_correlation", self.f["weight_correlation"][self.r, e, l], value, 1e-9)


# ---- what a run says of itself at its end --------------------------------------------------------------


def event(epochs, hits):
    """Looks before and at the first hit."""
    hits = np.flatnonzero(hits)
    return (-1, -1) if len(hits) == 0 else (epochs[max(hits[0] - 1, 0)], epochs[hits[0]])


def lasting(held, length):
    """True where `length` looks in a row hold."""
    held = np.concatenate([np.asarray(held, bool), np.zeros(length - 1, bool)])
    return np.lib.stride_tricks.sliding_window_view(held, length).all(1)


def check_event(f, name, at, want, where):
    events[name] = events.get(name, 0) + (want[0] >= 0)
    check(name, f[name][at], want, 0, where)


events = {}


def check_events(f, r, layers, looks, columns, where):
    epochs = f["epoch"][...][looks]
    for l in range(layers):
        for c, column in enumerate(columns):
            at, x, y = (r, c, l), f["i_xt"][r, c, looks, l], f["i_ty"][r, c, looks, l]
            name = f"{where} {column.name} layer {l + 1}"
            peak, fallen = (-1, -1), (-1, -1)
            with np.errstate(invalid="ignore"):
                if x.max() - x[-1] >= 0.25:
                    peak = event(epochs, x >= x.max() - 0.02)
                    after = np.arange(len(x)) >= x.argmax()
                    fallen = event(epochs, after & (x <= x.max() - 0.9 * (x.max() - x[-1])))
                learned = event(epochs, lasting(y >= 0.9 * f["h_y"][r, c], 3))
            check_event(f, "peak_epoch", at, peak, name)
            check_event(f, "fallen_epoch", at, fallen, name)
            check_event(f, "learned_epoch", at, learned, name)
        snr = f["gradient_mean_norm"][r, looks, l] / f["gradient_std_norm"][r, looks, l]
        medians = np.full(len(snr), np.nan)
        if len(snr) >= 5:
            medians[2:-2] = np.median(np.lib.stride_tricks.sliding_window_view(snr, 5), axis=1)
        with np.errstate(invalid="ignore"):
            drift = np.flatnonzero(medians >= 1)
            noise = (medians < 1) & (np.arange(len(snr)) >= (drift[0] if len(drift) else 0))
            check_event(f, "onset_epoch", (r, l), event(epochs, lasting(noise, 5)), where)
    error = 1 - f["accuracy_train"][r, looks]
    check_event(f, "error_epoch", (r,), event(epochs, error < 0.05), where)


def misfit_of(cells, joint):
    """beta -> mean over x of D_KL[p(t|x) || p_beta(t|x)], bits; T is the function `cells` of X."""
    m = len(joint)
    _, t = np.unique(cells, axis=0, return_inverse=True)
    count = np.bincount(t)
    q = np.zeros((len(count), joint.shape[1]))
    np.add.at(q, t, joint)
    q /= count[:, None]
    kind, row, often = np.unique(joint, axis=0, return_inverse=True, return_counts=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(kind[:, None, :] > 0, kind[:, None, :] * np.log(kind[:, None, :] / q[None]), 0)
    d = terms.sum(2)  # (kinds of x, cells), nats
    own = d[row, t].mean()

    def misfit(beta):
        nearest = d.min(1)  # else a large beta leaves nothing of z
        z = (count / m * np.exp(-beta * (d - nearest[:, None]))).sum(1)
        log2z = np.log2(z) - beta * nearest / np.log(2)
        return -(count / m * np.log2(count / m)).sum() + beta * own / np.log(2) + (often / m * log2z).sum()

    return misfit


def check_beta(f, r, c, l, cells, joint, where):
    best, low, high, least = (f["beta_" + n][r, c, l] for n in ("best", "low", "high", "misfit"))
    misfit = misfit_of(cells, joint)
    check("beta_misfit", least, misfit(best), 1e-7, where)
    for beta in (1, 1000, best * 1.01, best / 1.01):
        assert misfit(min(max(beta, 1), 1000)) >= least - 1e-9, (where, beta, best)
    for end, edge in ((low, 1), (high, 1000)):
        if end != edge:
            check("beta_low, beta_high", misfit(end), least + 0.01, 1e-4, where)
        else:
            assert misfit(end) <= least + 0.01 + 1e-9, where
    check("beta_edge", f["beta_edge"][r, c, l], 1 if best == 1 else 2 if best == 1000 else 0, 0, where)
    betas.append(best)


betas = []


def check_betas(f, r, run, columns, t, last, where):
    """At the last look; columns whose cells are beyond doubt."""
    for l in range(1, run.net.layers + 1):
        for c, column in enumerate(columns):
            rows, at = run.on[column.on], (r, c, l - 1)
            if run.p is None or column.kind == "kde" or len(rows) == 0:
                check("beta_best", [f["beta_best"][at], f["beta_edge"][at]], [np.nan, -1], 0, where)
                continue
            low, high = (float(f[n][r, c, last, l - 1]) for n in ("bin_low", "bin_high"))
            v, margin = t[l][rows], EDGE
            down, up = column.cells(v - margin, low, high), column.cells(v + margin, low, high)
            if (down == up).all():
                check_beta(f, r, c, l - 1, down, run.joint[rows], f"{where} layer {l} {column.name}")


def check_run(f, r, columns):
    run = Run(f, r)
    gradient_batch = int(f.attrs["config"].split("gradient_batch: ")[1].split()[0])
    epochs = f["epoch"][...]
    looks = np.flatnonzero(f["updates"][r] >= 0)
    assert epochs[looks[0]] == 0 and epochs[looks[-1]] == run.how["epochs"]
    n_weights = sum((i + 1) * o for i, o in zip(run.net.widths, run.net.widths[1:]))
    flat = {e: f["weights"][r, e, :n_weights].astype(float) for e in looks}
    run.check_entropies(columns)
    check("initial weights", flat[looks[0]], run.initial(), 0)
    after = run.replay([int(epochs[e]) for e in looks])
    seen = {e: run.net.forward(flat[e], run.x) for e in looks}
    for e in looks:
        where = f"{f.filename} run {r} epoch {epochs[e]}"
        span = max(1, np.abs(after[epochs[e]]).max())
        name = "weights by replay (" + run.optimizer + ")"
        grown = 2e-6 * max(1, f["updates"][r, e] / 20)  # training magnifies the rounding of float32
        check(name, flat[e] / span, after[epochs[e]] / span, grown, where)
        check("updates", f["updates"][r, e], epochs[e] * -(-len(run.train) // run.batch), 0, where)
        run.check_score(seen[e][0][-1], seen[e][1][-1], e)
        run.check_gradients(flat[e], e, gradient_batch)
        run.check_weights(flat[e], e)
        for l in range(1, run.net.layers + 1):
            check_layer(f, r, run, columns, seen, e, l, where + f" layer {l}")
        for name in ("i_xt", "weight_norm"):
            assert np.isnan(f[name][r, ..., e, run.net.layers:]).all(), (name, "beyond the last layer")
    check_events(f, r, run.net.layers, looks, columns, f"{f.filename} run {r}")
    check_betas(f, r, run, columns, seen[looks[-1]][1], looks[-1], f"{f.filename} run {r}")
    for e in set(range(len(epochs))) - set(looks):
        assert np.isnan(f["i_xt"][r, :, e]).all() and np.isnan(f["loss_train"][r, e])


def check_layer(f, r, run, columns, seen, e, l, where):
    z, t = seen[e][0][l], seen[e][1][l]
    exact = t == 0
    if run.relu and l < run.net.layers:
        exact = z < -10 * EDGE * np.maximum(1, np.abs(z).max())
    squares = {}
    for c, column in enumerate(columns):
        rows, at = run.on[column.on], (r, c, e, l - 1)
        if len(rows) == 0:
            assert np.isnan(f["i_xt"][at]) and np.isnan(f["i_ty"][at]), where
            continue
        if column.kind == "kde":
            if column.on not in squares:
                squares[column.on] = ((t[rows][:, None, :] - t[rows][None, :, :])**2).sum(-1)
            check_kde(f, at, column, squares[column.on], t[rows], run.joint[rows], where + " " + column.name)
        else:
            over = [s[1][l][rows] for s in seen.values()]
            run_range = (min(v.min() for v in over), max(v.max() for v in over))
            check_binning(f, at, column, t[rows], exact[rows], run.joint[rows], run_range, where + " " + column.name)


def main():
    runs = 0
    for name in sys.argv[1:]:
        with h5py.File(name) as f:
            columns = [Column(f, c) for c in range(len(f["column"]))]
            assert (f["status"][...] == 1).all(), "a run is not done"
            for r in range(len(f["run"])):
                check_run(f, r, columns)
                runs += 1
    for name, (gap, tolerance) in sorted(worst.items()):
        print(f"{name:36s} largest deviation {gap:8.1e} of {tolerance:8.1e}")
    print("events seen:", ", ".join(f"{n} {w}" for n, w in events.items()) + ";", len(betas), "betas")
    assert all(events.values()) and len(betas) > 20, "an event, or a beta, was not seen at all"
    print(runs, "runs;", ", ".join(f"{n} {w}" for w, n in how.items()), "binned cells")
    assert how["exact"] > how["bounded"], "too few binned cells could be compared exactly"


main()
