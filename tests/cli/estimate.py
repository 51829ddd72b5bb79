"""Files of activations that estimate.sh measures, and what it compares.

make FOLDER   writes them with h5py and numpy, as an exporter of PyTorch or Keras would
"""

import sys

import h5py
import numpy as np


def hand(folder):
    """Numbers that can be checked by hand: 4 samples, 2 classes, 3 epochs.

    epoch 0: all samples in one cell           I(X;T) = 0,   I(T;Y) = 0
    epoch 3: two cells, which are the classes  I(X;T) = 1,   I(T;Y) = 1
    epoch 7: 1 and 3 samples                   I(X;T) = H(1/4), I(T;Y) = H(Y) - 3/4 H(1/3)
    """
    y = np.array([0, 0, 1, 1])
    one = np.array([[0.5] * 4, [-0.9, -0.9, 0.9, 0.9], [-0.9, 0.9, 0.9, 0.9]])[:, :, None]
    two = np.concatenate([one, np.zeros_like(one)], axis=2)
    arrays = {"layer_1": one.astype("f4"), "layer_2": two.astype("f4"), "y": y,
              "epoch": np.array([0, 3, 7]), "x_id": np.arange(4)}
    double = dict(arrays, layer_1=one, layer_2=two, y=np.eye(2)[y])
    for name, a in (("hand", arrays), ("double", double)):
        with h5py.File(f"{folder}/{name}.h5", "w") as f:
            for key, value in a.items():
                f[key] = value
        np.savez(f"{folder}/{name}.npz", **a)
        np.savez_compressed(f"{folder}/{name}_packed.npz", **a)
    with h5py.File(f"{folder}/chunked.h5", "w") as f:
        for key, value in arrays.items():
            f.create_dataset(key, data=value, chunks=True, compression="gzip")
    import os
    os.makedirs(f"{folder}/hand_npy")
    for key, value in arrays.items():
        np.save(f"{folder}/hand_npy/{key}.npy", value)
    with h5py.File(f"{folder}/flat.h5", "w") as f:  # (sample, unit): one epoch
        f["layer_1"], f["y"] = one[1], y.astype("f8")


def larger(folder):
    """Several epochs and layers, as many as ranks can share."""
    r = np.random.default_rng(5)
    n, epochs = 300, 9
    x = r.standard_normal((n, 4)).astype("f4")
    y = (x[:, 0] > 0).astype("i8")
    with h5py.File(f"{folder}/large.h5", "w") as f:
        f["layer_0"], f["y"] = x, y
        for k, d in enumerate((6, 3, 2)):
            f[f"layer_{k + 1}"] = np.stack(
                [np.tanh(x @ r.standard_normal((4, d)) * (1 + e)) for e in range(epochs)]).astype("f4")
        f["train"], f["test"] = np.arange(200), np.arange(200, n)


def write(path, **arrays):
    with h5py.File(path, "w") as f:
        for key, value in arrays.items():
            f[key] = value


def refused(folder):
    t, y = np.zeros((2, 4, 1), "f4"), np.array([0, 1, 0, 1])
    write(f"{folder}/no_layer.h5", hidden=t, y=y)
    write(f"{folder}/gap.h5", layer_1=t, layer_3=t, y=y)
    write(f"{folder}/no_y.h5", layer_1=t)
    write(f"{folder}/short_y.h5", layer_1=t, y=y[:3])
    write(f"{folder}/half_y.h5", layer_1=t, y=y + 0.5)
    write(f"{folder}/row_y.h5", layer_1=t, y=np.full((4, 2), 0.4))
    write(f"{folder}/other_n.h5", layer_1=t, layer_2=np.zeros((2, 5, 1), "f4"), y=y)
    write(f"{folder}/epochs.h5", layer_1=t, y=y, epoch=np.array([3, 3]))
    write(f"{folder}/text.h5", layer_1=np.array([b"a", b"b"]), y=y)
    broken = t.copy()
    broken[1, 2, 0] = np.nan
    write(f"{folder}/nan.h5", layer_1=broken, y=y)
    write(f"{folder}/huge.h5", layer_1=t.astype("f8") + 1e300, y=y)
    np.savez(f"{folder}/object.npz", layer_1=np.array([[None], [1]], dtype=object), y=y)
    np.savez(f"{folder}/fortran.npz", layer_1=np.asfortranarray(np.zeros((2, 4, 3), "f4")), y=y)
    write(f"{folder}/wide.h5", layer_1=np.array([[-3.0], [0.1], [0.2], [5.0]], "f4"), y=y)
    write(f"{folder}/twins.h5", layer_1=t, layer_0=np.zeros((4, 2), "f4"), y=y)


def text(values):
    return [v.decode() if isinstance(v, bytes) else v for v in values]


def check_hand(path):
    h = lambda p: -p * np.log2(p) - (1 - p) * np.log2(1 - p)
    with h5py.File(path) as f:
        assert text(f["column"][...]) == ["bin30", "kde_upper_0.0001"], f["column"][...]
        assert list(f["epoch"][...]) == [0, 3, 7]
        assert f["i_xt"].shape == (1, 2, 3, 2) and f["status"].shape == (1, 4)
        for column, close in ((0, 1e-12), (1, 1e-6)):
            for layer in (0, 1):
                np.testing.assert_allclose(f["i_xt"][0, column, :, layer], [0, 1, h(0.25)], atol=close)
                np.testing.assert_allclose(f["i_ty"][0, column, :, layer],
                                           [0, 1, 1 - 0.75 * h(1 / 3)], atol=close)
        np.testing.assert_allclose(f["h_x"][0], 2)
        np.testing.assert_allclose(f["h_y"][0], 1)
        assert list(f["width"][0]) == [1, 2] and (f["status"][...] == 1).all()


PER_LOOK = "i_xt i_ty h_t i_ty_bias clipped_fraction bin_low bin_high".split()
PER_COLUMN = "h_x h_y i_xy".split()
PER_LAYER = ("peak_epoch fallen_epoch learned_epoch beta_best beta_low beta_high beta_misfit "
             "beta_edge").split()


def same_as_run(run, number, estimate):
    """Every estimator column of a run, bit by bit, in what estimate makes of its activations."""
    with h5py.File(run) as a, h5py.File(estimate) as b:
        layers, compared = b["layer"].size, 0
        assert text(a["column"][...]) == text(b["column"][...])
        assert list(a["epoch"][...]) == list(b["epoch"][...])
        for name in PER_LOOK + PER_COLUMN + PER_LAYER:
            x, y = a[name][number], b[name][0]
            x = x[..., :layers] if name in PER_LOOK else x[:, :layers] if name in PER_LAYER else x
            assert x.tobytes() == y.tobytes(), (name, number)
            compared += x.size
        assert np.isfinite(b["i_xt"][...]).all() and compared > 500, compared


def main():
    verb, *rest = sys.argv[1:]
    if verb == "make":
        hand(*rest)
        larger(*rest)
        refused(*rest)
    elif verb == "hand":
        check_hand(*rest)
    elif verb == "same":
        same_as_run(rest[0], int(rest[1]), rest[2])


main()
