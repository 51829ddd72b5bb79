"""Layers whose information is known exactly, as files of activations, and what must come out.

The labels of the rule, the sums and the integrals are those of theory; nothing is taken from a run.
"""

import sys

import h5py
import numpy as np

GAMMA, MIDDLE = 54.492, 7.63204


def patterns():
    return ((np.arange(4096)[:, None] >> np.arange(11, -1, -1)) & 1).astype("f8")


def vertices():
    v, s5 = np.zeros((12, 3)), 5**-0.5
    v[0], v[9] = (0, 0, 1), (0, 0, -1)
    for bits, z, first in (((1, 3, 10, 5, 11), s5, 0), ((2, 8, 7, 6, 4), -s5, 36)):
        for i, bit in enumerate(bits):
            a = np.radians(first + 72 * i)
            v[bit] = (2 * s5 * np.cos(a), 2 * s5 * np.sin(a), z)
    return v


def rule(x):
    """k, |S| and f of every pattern."""
    k, s = x.sum(1), np.linalg.norm(x @ vertices(), axis=1)
    return k, s.round(9), (k + s).round(9)


def write(path, layers, y, **other):
    with h5py.File(path, "w") as f:
        for i, t in enumerate(layers):
            f[f"layer_{i + 1}"] = t
        f["y"] = y
        for name, value in other.items():
            f[name] = value


def column(*shape):
    return np.concatenate([np.asarray(t, "f8").reshape(len(t), -1) for t in shape], axis=1)


def make():
    r = np.random.default_rng(1)
    x = patterns()
    k, s, f = rule(x)
    y = (f > 7.632).astype(int)
    assert y.sum() == 2118
    write("exact.h5", [x, column(k), column(k, s), column(y), np.ones((4096, 1)), x[:, :1]], y,
          layer_0=x)
    p = 1 / (1 + np.exp(-GAMMA * (f - MIDDLE)))
    write("uncertain.h5", [x], column(1 - p, p), layer_0=x)
    z = r.standard_normal(100000)
    write("neuron.h5", [np.tanh(w * z)[:, None].astype("f4") for w in (0.1, 1, 10, 100)],
          (z > 0).astype(int), x_id=np.arange(100000))
    write("two.h5", [np.array([[-1.0], [1.0]])], [0, 1], x_id=[0, 1])
    write("three.h5", [np.array([[0.0], [0.0], [1.0]]), np.full((3, 2), 0.25)], [0, 1, 1],
          x_id=[0, 1, 2])
    q = r.random((512, 1))
    write("softmax.h5", [np.concatenate([q, 1 - q], axis=1), q], (q[:, 0] > 0.5).astype(int),
          x_id=np.arange(512))
    cells = np.stack([r.permutation(np.arange(4096) % 100) for _ in range(200)])[:, :, None]
    write("bias.h5", [cells.astype("f4")], np.arange(4096) % 2, x_id=np.arange(4096))
    t = np.tanh(x @ r.standard_normal((12, 5)) * 0.4).astype("f4")
    assert len(np.unique(t, axis=0)) == 4096
    write("network.h5", [t, t[:, [3, 0, 4, 1, 2]], t * np.array([1, -1, -1, 1, -1], "f4"),
                         np.tanh(t @ r.standard_normal((5, 2)))], y, layer_0=x)


def results(path):
    with h5py.File(path) as f:
        names = [c.decode() if isinstance(c, bytes) else c for c in f["column"][...]]
        assert (f["status"][...] == 1).all()
        return {name: (f["i_xt"][0, c], f["i_ty"][0, c]) for c, name in enumerate(names)}


def near(have, want, tolerance=1e-6):
    np.testing.assert_allclose(have, want, rtol=0, atol=tolerance)


def check():
    # 3, 8: layers of the rule
    of = results("exact_mi.h5")
    i_xt, i_ty = of["bin_w0.001"]
    near(i_xt[0], [12, 2.838528744, 5.569522432, 0.999157121, 0, 1])
    near(i_ty[0], [0.999157121, 0.627641239, 0.999157121, 0.999157121, 0, 0.033906])
    for name, want in {"kde_upper_0.001": (12, 0.999157), "kde_lower_0.001": (12, 0.999157),
                       "kde_upper_0.1": (11.883742, 0.974375),
                       "kde_lower_0.1": (7.638518, 0.427058)}.items():
        near((of[name][0][0, 0], of[name][1][0, 0]), want)
    # 4: labels that are not certain
    of = results("uncertain_mi.h5")
    near(of["bin_w0.001"][1], 0.990000)
    near(of["kde_upper_0.001"][1], 0.990000)
    near(of["kde_upper_0.1"][1], 0.967232)
    # 6: one neuron
    near(results("neuron_mi.h5")["bin30"][0][0], [2.6445, 4.8771, 2.0442, 1.1506], 0.01)
    # 7: two points
    of = results("two_mi.h5")
    for name, want in {"kde_upper_1": 0.816882, "kde_lower_1": 0.316051, "kde_upper_0.1": 1,
                       "kde_lower_0.1": 0.990312}.items():
        near(of[name][0], want)
    # 9: the multiset {0, 0, 1}, equal points, a softmax and its first unit
    of = results("three_mi.h5")
    near(of["kde_upper_0.001"][0], [[0.918296, 0]])
    near(of["kde_lower_0.001"][0], [[0.918296, 0]])
    of = results("softmax_mi.h5")
    for bound in ("upper", "lower"):
        near(of[f"kde_{bound}_0.002"][0][0, 0], of[f"kde_{bound}_0.001"][0][0, 1], 1e-5)
        near(of[f"kde_{bound}_0.002"][1][0, 0], of[f"kde_{bound}_0.001"][1][0, 1], 1e-5)
    for path in ("softmax_mi.h5", "exact_mi.h5", "network_mi.h5"):
        of = results(path)
        upper = [of[c][0] for c in sorted(c for c in of if c.startswith("kde_upper"))]
        lower = [of[c][0] for c in sorted(c for c in of if c.startswith("kde_lower"))]
        assert len(upper) == len(lower) >= 2
        for low, high in zip(lower, upper):
            assert (low <= high + 1e-9).all()
        for bound in (upper, lower):  # sorted by noise, which is ascending
            for less, more in zip(bound, bound[1:]):
                assert (more <= less + 1e-9).all()
    # 12: labels that have nothing to do with the layer
    i_ty = results("bias_mi.h5")["bin_w1"][1]
    near(i_ty.mean(), 99 / (2 * 4096 * np.log(2)), 0.1 * 0.01743)
    # 13, 14, 15: bounds, nested bins, invariance
    of = results("network_mi.h5")
    bins = [c for c in of if c.startswith("bin")]
    assert len(bins) == 5
    for name in bins:
        i_xt, i_ty = of[name][0][0], of[name][1][0]
        assert (i_ty >= -1e-12).all() and (i_ty <= np.minimum(i_xt, 0.99915712085) + 1e-11).all()
        assert (i_xt <= 12 + 1e-12).all()
        assert i_xt[0] == i_xt[1] and i_ty[0] == i_ty[1], name
        near(i_xt[2], i_xt[0], 1e-12)
        near(i_ty[2], i_ty[0], 1e-12)
    for few, many in (("bin4", "bin8"), ("bin8", "bin32"), ("bin32", "bin96")):
        for which in (0, 1):
            assert (of[many][which] >= of[few][which] - 1e-12).all(), (few, many)
    near(of["bin_w1e-07"][0][0, 0], 12, 1e-12)


{"make": make, "check": check}[sys.argv[1]]()
