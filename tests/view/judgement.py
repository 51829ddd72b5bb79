"""A second implementation, in numpy, of the claims and tables that `infoplane figures` writes.

    judgement.py FILE.h5 FOLDER

Written from the definitions in claims_defined.csv and the headers of the tables, not from the
program.  What it takes from the file are curves, events and coordinates, which recompute.py and the
unit tests check; resamples are drawn again with a Philox of its own, so that intervals must agree to
the digits that are printed.  The last lines say how many cells were compared.
"""
import collections
import csv
import sys

import h5py
import numpy as np

count = collections.Counter()


def close(what, got, want):
    """A printed cell of nine digits; empty is NaN."""
    got = float(got) if got != "" else np.nan
    count[what] += 1
    if np.isnan(got) and np.isnan(want):
        return
    assert got == want or abs(got - want) <= 2e-8 * max(1, abs(want)), f"{what}: {got}, recomputed {want}"


# ---- resamples ---------------------------------------------------------------------------------------


def key_of(text):  # FNV-1a, 64 bits
    h = 14695981039346656037
    for byte in text.encode():
        h = (h ^ byte) * 1099511628211 % 2**64
    return h


def philox(key, counter, purpose):
    low = np.uint64(0xFFFFFFFF)
    c = [counter & low, counter >> np.uint64(32), counter * 0, counter * 0 + np.uint64(purpose)]
    k = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [b >> np.uint64(32) ^ c[1] ^ np.uint64(k[0]), b & low,
             a >> np.uint64(32) ^ c[3] ^ np.uint64(k[1]), a & low]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c, -1)


def resamples(text, n):
    """Places of 10,000 resamples: shape (10000, n)."""
    blocks = n // 4 + 1
    counter = np.arange(10000, dtype=np.uint64)[:, None] << np.uint64(32)
    words = philox(key_of(text), counter + np.arange(blocks, dtype=np.uint64), 8).reshape(10000, -1)
    product = words[:, :n] * np.uint64(n)
    refused = (product & np.uint64(0xFFFFFFFF)) < 2**32 % n
    assert not refused.any(), "a resample needs a word more: use another study"
    return (product >> np.uint64(32)).astype(int)


def mean(text, values):
    v = np.array([x for x in values if not np.isnan(x)])
    if len(v) == 0:
        return 0, np.nan, np.nan, np.nan
    if len(v) == 1:
        return 1, v[0], np.nan, np.nan
    return (len(v), v.mean(), *np.quantile(v[resamples(text, len(v))].mean(1), [0.025, 0.975]))


def midranks(v):  # of the last axis
    return (v[..., :, None] > v[..., None, :]).sum(-1) + ((v[..., :, None] == v[..., None, :]).sum(-1) + 1) / 2


def spearman(a, b):
    a, b = (x - x.mean(-1, keepdims=True) for x in (midranks(a), midranks(b)))
    with np.errstate(invalid="ignore"):
        return (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))


def correlation(text, a, b):
    kept = ~(np.isnan(a) | np.isnan(b))
    a, b = np.asarray(a)[kept], np.asarray(b)[kept]
    n = len(a)
    if n < 3 or np.isnan(spearman(a, b)):
        return n, np.nan, np.nan, np.nan
    at = resamples(text, n)
    drawn = spearman(a[at], b[at])
    if np.isnan(drawn).sum() > 500:
        return n, spearman(a, b), np.nan, np.nan
    return (n, spearman(a, b), *np.nanquantile(drawn, [0.025, 0.975]))


def kaplan_meier(time, seen):
    """Median, low, high: from S and Greenwood's variance just after each event."""
    order = sorted(zip(time, [not s for s in seen]))
    s, v, out = 1.0, 0.0, [np.inf] * 3
    for i, (t, censored) in enumerate(order):
        n = len(order) - i
        if censored:
            continue
        s *= 1 - 1 / n
        v = v + 1 / (n * (n - 1)) if n > 1 else np.inf
        band = [s, 0.0, 1.0]
        if n > 1:
            g, error = np.log(-np.log(s)), 1.959963984540054 * np.sqrt(v) / -np.log(s)
            band = [s, np.exp(-np.exp(g + error)), np.exp(-np.exp(g - error))]
        out = [t if o == np.inf and b <= 0.5 + 1e-12 else o for o, b in zip(out, band)]
    return out if order else [np.nan] * 3


# ---- the file ----------------------------------------------------------------------------------------


class Results:
    def __init__(self, name):
        f = self.f = {}
        with h5py.File(name) as h:
            h.visititems(lambda k, v: f.update({k: v[...]}) if isinstance(v, h5py.Dataset) else None)
            words = {k: h[k].attrs["flag_meanings"].split() for k in ("activation", "labels", "output")}
        text = lambda k: [x.decode() for x in f[k]]
        self.columns, self.kind, self.on, self.range = map(text, ("column", "column_kind", "column_on", "column_range"))
        self.studies, self.architectures = text("study"), text("architecture")
        self.word = {k: [words[k][int(v)] for v in f[k]] for k in words}
        self.architecture = [self.architectures[i] for i in f["architecture_index"]]
        self.done = f["status"][:, 0] == 1
        self.groups = {s: self.group(i) for i, s in enumerate(self.studies)}

    def group(self, study):
        """Runs of a study by everything but seed and replicate, in order of their first."""
        keys = ["architecture_index", "data_index", "activation", "labels", "output", "train_fraction",
                "batch_size", "learning_rate", "weight_decay", "optimizer", "epochs"]
        groups = collections.OrderedDict()
        for r in np.flatnonzero(self.f["in_study"][:, study] == 1):
            groups.setdefault(tuple(str(self.f[k][r]) for k in keys), []).append(r)
        return list(groups.values())

    def finished(self, group):
        runs = [r for r in group if self.done[r]]
        return sorted(runs, key=lambda r: (self.f["seed"][r], self.f["replicate"][r]))

    def says(self, r, token):
        """A label's token is true of run r."""
        name, _, value = token.rpartition(" ")
        if token == "full batch":
            return self.f["batch_size"][r] == self.f["train_size"][r]
        if token.endswith(" %"):
            return abs(self.f["train_fraction"][r] - float(name) / 100) < 1e-9
        if name == "batch":
            full = self.f["batch_size"][r] == self.f["train_size"][r] < int(value)
            return self.f["batch_size"][r] == int(value) or full
        if name in ("lr", "decay"):
            return self.f[{"lr": "learning_rate", "decay": "weight_decay"}[name]][r] == float(value)
        return token in (self.architecture[r], self.word["activation"][r], self.word["labels"][r], "symmetric",
                         "symmetric " + self.word["labels"][r]) or token.startswith("symmetric")

    def find(self, study, label):
        """The one group of the study that a label describes."""
        tokens = [t for t in label.split(", ") if t]
        fits = [g for g in self.groups[study] if all(self.says(g[0], t) for t in tokens)]
        exact = [g for g in fits if all("batch " not in t or self.f["batch_size"][g[0]] == int(t.split()[1])
                                        for t in tokens if t != "full batch")]
        fits = exact if len(fits) > 1 else fits
        assert len(fits) == 1, (study, label, len(fits))
        return fits[0]

    # ---- a run: curves over its looks, numbers of layers --------------------------------------------

    def looks(self, r):
        return np.flatnonzero(self.f["updates"][r] >= 0)

    def layers(self, r):
        return int((self.f["width"][self.f["architecture_index"][r]] > 0).sum())

    def curve(self, name, r, column, layer):
        return self.f[name][r, self.columns.index(column), self.looks(r), layer]

    def updates(self, r, epoch):
        at = np.flatnonzero(self.f["epoch"] == epoch)
        return float(self.f["updates"][r, at[0]]) if epoch >= 0 else np.nan

    def event(self, name, r, layer, column=None):
        cell = self.f[name][r]
        cell = cell[self.columns.index(column), layer] if column else cell[layer] if cell.ndim > 1 else cell
        return [float(e) if e >= 0 else np.nan for e in cell]

    def measured(self, runs, column):
        return any(not np.isnan(self.curve("i_xt", r, column, self.layers(r) - 1)[-1]) for r in runs)

    def inputs(self, r):
        return [int(w) for w in self.architecture[r].split("-")][:-1]


R = Results(sys.argv[1])
folder = sys.argv[2]


def table(name):
    with open(f"{folder}/{name}.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    assert rows and all(None not in row and None not in row.values() for row in rows), name
    return rows


# ---- effects -----------------------------------------------------------------------------------------

deep = lambda r: R.layers(r) - 2
xt = lambda r, c, l: R.curve("i_xt", r, c, l)
ty = lambda r, c, l: R.curve("i_ty", r, c, l)


def hidden(r):
    return range(R.layers(r) - 1)


def label_gained(r, c):
    top = xt(r, c, deep(r)).argmax()
    v = ty(r, c, deep(r))
    return v[:top + 1].max() - v[0]


def label_lost(r, c):
    if np.isnan(R.event("peak_epoch", r, deep(r), c)[0]):
        return np.nan
    v = ty(r, c, deep(r))
    return v[xt(r, c, deep(r)).argmax()] - v[-1]


def fall(r, c):
    v = xt(r, c, deep(r))
    return v.max() - v[-1]


def has_onset(r, c):
    if len(R.looks(r)) < 9:
        return np.nan
    return float(not np.isnan(R.event("onset_epoch", r, deep(r))[0]))


def distances(r, c, l):
    """Along I(X;T), along I(T;Y)."""
    x, y = xt(r, c, l)[-1], ty(r, c, l)[-1]
    data = R.f["data_index"][r]
    if "curve_i_xt" not in R.f or np.isnan(R.f["curve_i_xt"][data, -1]):
        return x - y, min(x, R.f["i_xy"][r, R.columns.index(c)]) - y
    cx, cy = np.r_[0, R.f["curve_i_xt"][data]], np.r_[0, R.f["curve_i_ty"][data]]
    grows = np.r_[True, np.diff(cx) > 0]
    cx, cy = cx[grows], cy[grows]
    along = x - np.interp(min(y, cy[-1]), cy, cx) if y <= cy[-1] + 0.01 else np.nan
    return along, np.interp(x, cx, cy) - y if x <= cx[-1] + 1e-9 else np.nan


def expected(n):
    from math import lgamma
    return np.exp(lgamma((n - 1) / 2) - lgamma(n / 2)) / np.sqrt(np.pi)


def opposite(r, l):
    w = R.f["width"][R.f["architecture_index"][r], l]
    return l == R.layers(r) - 1 and w == 2 and R.word["output"][r] == "softmax"


def neurons(r, c):
    over = [R.f["weight_correlation"][r, R.looks(r)[-1], l] / expected(n) - 1
            for l, n in enumerate(R.inputs(r)) if not opposite(r, l)]
    return np.nanmean(over)


def rises(r, c, l):
    return (xt(r, c, l) - xt(r, c, l - 1) > 1e-6).mean()


def networks(a, b, l):
    at = R.f["weight_offset"][R.f["architecture_index"][a], l]
    n, units = R.inputs(a)[l], R.f["width"][R.f["architecture_index"][a], l]
    w = [R.f["weights"][r, -1, at:at + n * units].astype(float).reshape(units, n) for r in (a, b)]
    return np.abs(np.corrcoef(*w)[:units, units:]).mean()


def first_seen(name, layer):
    return lambda r, c: R.updates(r, R.event(name, r, layer(r), c)[1])


out = lambda r: R.layers(r) - 1
accuracy = lambda r, c: float(R.f["accuracy_test"][r, R.looks(r)[-1]])
EFFECT = {
    "fitting_label": label_gained,
    "fitting_input": lambda r, c: xt(r, c, deep(r)).max() - xt(r, c, deep(r))[0],
    "compression": fall,
    "compression_keeps_label": label_lost,
    "gradients_become_noise": has_onset,
    "little_data_loses_label": lambda r, c: ty(r, c, out(r)).max() - ty(r, c, out(r))[-1],
    "depth_learns_sooner": first_seen("learned_epoch", out),
    "depth_compresses_sooner": first_seen("fallen_epoch", deep),
    "depth_performs_better": accuracy,
    "layers_on_the_bound": lambda r, c: np.mean([distances(r, c, l)[0] for l in hidden(r)]),
    "layers_solve_the_bottleneck": lambda r, c: np.mean([R.f["beta_misfit"][r, R.columns.index(c), l] for l in hidden(r)]),
    "weights_uncorrelated": neurons,
    "full_batches_compress": fall,
    "data_processing": lambda r, c: np.mean([rises(r, c, l) for l in range(1, R.layers(r))]),
}
RANKS = {
    "onset_goes_with_peak": (first_seen("peak_epoch", deep),
                             lambda r, c: R.updates(r, R.event("onset_epoch", r, deep(r))[1])),
    "compression_generalizes": (fall, accuracy),
}
PAIRED = {"noise_compresses": fall, "saturation_compresses": fall, "decay_compresses": fall,
          "random_labels_compress": fall, "little_data_loses_label": EFFECT["little_data_loses_label"],
          "depth_performs_better": accuracy}
SOONER = ("depth_learns_sooner", "depth_compresses_sooner")
NO_COLUMN = ("gradients_become_noise", "depth_performs_better", "weights_uncorrelated", "networks_uncorrelated")


def verdict(row, n, value, low, high):
    margin = float(row["margin"])
    if np.isnan(value):
        return "not tested"
    if n < 8:
        return "undecided"
    if np.isnan(low):
        return "not tested"
    if row["claimed"] == "at most":
        low, high, margin = -high, -low, -margin
    return "agrees" if low >= margin else "disagrees" if high < margin else "undecided"


def partners(study, setting, compared):
    a, b = compared.split(" - ")
    join = lambda side: ", ".join(t for t in (setting, side) if t)
    return R.find(study, join(a)), R.find(study, join(b))


def sooner(a, b, end_a, end_b):
    if np.isnan(a) and np.isnan(b):
        return np.nan
    if np.isnan(a) or np.isnan(b):
        return 1.0 if np.isnan(b) else -1.0
    return np.sign(b - a)


def effect_of_pairs(row, text):
    a, b = partners(row["study"], row["setting"], row["compared"])
    at = lambda g: {(R.f["seed"][r], R.f["replicate"][r]): r for r in R.finished(g)}
    at_a, at_b = at(a), at(b)
    both = sorted(set(at_a) & set(at_b))
    f = PAIRED.get(row["claim"]) or EFFECT[row["claim"]]
    values = [(f(at_a[k], row["column"]), f(at_b[k], row["column"])) for k in both]
    if row["claim"] in SOONER:
        close("censored", row["censored"], np.isnan(values).sum())
        values = [sooner(*v, 0, 0) for v in values]
    else:
        values = [x - y for x, y in values]
    found = mean(text, values)
    close("left out", row["left_out"], len(at_a) + len(at_b) - 2 * len(both) + len(both) - found[0])
    return found, a + (b if a is not b else [])


def effect_of_group(row, text):
    group = R.find(row["study"], row["setting"])
    runs, claim, c = R.finished(group), row["claim"], row["column"]
    if claim in RANKS:
        found = correlation(text, *(np.array([f(r, c) for r in runs]) for f in RANKS[claim]))
    elif claim == "networks_uncorrelated":
        pairs = list(zip(runs[::2], runs[1::2]))
        found = mean(text, [np.mean([networks(a, b, l) / expected(n) - 1 for l, n in enumerate(R.inputs(a))])
                            for a, b in pairs])
        close("left out", row["left_out"], len(runs) % 2 + len(pairs) - found[0])
        return found, group
    elif claim == "bins_decide":
        fixed, adaptive = row["compared"].split(" - ")
        found = mean(text, [fall(r, fixed) - fall(r, adaptive) for r in runs])
    else:
        found = mean(text, [EFFECT[claim](r, c) for r in runs])
    close("left out", row["left_out"], len(runs) - found[0])
    return found, group


def check_claim(row):
    text = "|".join(row[k] for k in ("claim", "study", "setting", "compared", "column"))
    paired = row["claim"] in SOONER or row["claim"] in PAIRED and row["compared"]
    if row["note"].startswith("no finished run"):
        assert not R.finished(R.find(row["study"], row["setting"])) and row["verdict"] == "not tested", row
        count["claims: none finished"] += 1
        return
    if "updates: equal epochs" in row["note"] or "alone" in row["note"]:
        assert row["verdict"] == "not tested" and row["value"] == "", row
        return
    found, group = (effect_of_pairs if paired else effect_of_group)(row, text)
    for name, want in zip(("n", "value", "low", "high"), found):
        close("claims: " + name, row[name], want)
    assert row["verdict"] == verdict(row, *found), (row, found)
    status = R.f["status"][group, 0]
    for name, code in (("diverged", 2), ("failed", 3), ("pending", 0)):
        close("claims: " + name, row[name], (status == code).sum())


def check_all(rows):
    """The rows of several columns below them."""
    blocks = collections.OrderedDict()
    for row in rows:
        if row["study"] and row["column"]:
            compared = "" if row["claim"] == "bins_decide" else row["compared"]
            blocks.setdefault((row["claim"], row["study"], row["setting"], compared), []).append(row)
    for block in blocks.values():
        said = [row["verdict"] for row in block[:-1] if row["verdict"] != "not tested"]
        want = ("not tested" if not said else said[0] if len(set(said)) == 1 else
                "depends on the estimator" if {"agrees", "disagrees"} <= set(said) else "undecided")
        assert block[-1]["column"] == "all" and block[-1]["verdict"] == want, block[-1]
        for row in block[:-1]:
            listed = [part.split(": ")[1].split() for part in block[-1]["note"].split("; ")
                      if part.startswith(row["verdict"] + ":")]
            assert len(listed) == 1 and row["column"] in listed[0], (block[-1]["note"], row["column"])
        count["claims: common verdicts"] += 1


def check_complete(rows):
    """Every group with finished runs and every column on all patterns has its row."""
    have = collections.Counter((r["claim"], r["study"], r["setting"], r["column"]) for r in rows
                               if r["column"] != "all" and not r["compared"] and not r["note"].startswith("no f"))
    assert max(have.values()) == 1
    assert {(r["study"], r["setting"]) for r in rows if r["note"].startswith("no f")} == {("wild", "lr 4")}
    labels = {(r["study"], r["setting"]) for r in rows if not r["compared"] and not r["note"].startswith("no f")}
    groups = {s: {str(R.find(s, l)) for t, l in labels if t == s} for s in R.studies}
    for study in R.studies:
        alive = [g for g in R.groups[study] if R.finished(g)]
        assert groups[study] == {str(g) for g in alive}, study
    for claim in ("compression", "data_processing", "layers_on_the_bound"):
        want = {(claim, s, l, c) for s, l in labels for c, on in zip(R.columns, R.on)
                if on == "full" and R.measured(R.finished(R.find(s, l)), c)}
        assert want == {k for k in have if k[0] == claim}, claim
    count["claims: rows that must be there"] += len(have)


# By hand, from the studies of judgement.sh.
CONTRASTS = {
    "noise_compresses": {("sizes", "50 %", "batch 64 - full batch"), ("sizes", "85 %", "batch 64 - full batch"),
                         ('noise, "loud"', "lr 0.01", "batch 16 - full batch"),
                         ('noise, "loud"', "lr 0.03", "batch 16 - full batch")},
    "little_data_loses_label": {("sizes", "batch 64", "10 % - 85 %"), ("sizes", "full batch", "10 % - 85 %")},
    "depth_learns_sooner": {("depth", "", "12-5-4-3-1 - 12-4-1"), ("quick", "", "12-8-6-1 - 12-8-1")},
    "depth_compresses_sooner": {("depth", "", "12-5-4-3-1 - 12-4-1"), ("quick", "", "12-8-6-1 - 12-8-1")},
    "depth_performs_better": {("depth", "", "12-5-4-3-1 - 12-4-1"), ("quick", "", "12-8-6-1 - 12-8-1")},
    "saturation_compresses": {("activations", "", "tanh - relu")},
    "decay_compresses": {("decay", "", "decay 0.01 - decay 0")},
    "random_labels_compress": {("labels", "", "shuffled - deterministic")},
}


def check_claims():
    rows = table("claims")
    for row in rows:
        if row["study"] and row["column"] != "all":
            check_claim(row)
    check_all(rows)
    check_complete([r for r in rows if r["study"]])
    for claim, want in CONTRASTS.items():
        have = {(r["study"], r["setting"], r["compared"]) for r in rows if r["claim"] == claim}
        assert have == want, (claim, have)
    twins = {(r["column"], r["compared"]) for r in rows if r["claim"] == "bins_decide" and r["column"] not in ("", "all")}
    assert twins == {(c, c + " - bin30_snapshot") for c in ("bin30", "bin30_-1_1")}, twins
    full = {(r["study"], r["setting"]) for r in rows if r["claim"] == "full_batches_compress"}
    assert full == {(r["study"], r["setting"]) for r in rows if r["claim"] == "compression" and "full batch" in r["setting"]}
    unequal = [r for r in rows if "equal epochs" in r["note"]]
    assert {r["study"] for r in unequal} == {"sizes"} and {r["claim"] for r in unequal} == {"noise_compresses"}
    defined = table("claims_defined")
    assert {r["claim"] for r in rows} == {r["claim"] for r in defined} and all(r["reason"] for r in defined)


# ---- tables ------------------------------------------------------------------------------------------


def check_means(name, row, where, values):
    """values: cell -> numbers of the runs; its interval is keyed by where the row stands."""
    for cell, v in values.items():
        base = cell.replace("_bit", "")
        found = mean("|".join(("table",) + where), v)
        for column, want in zip((cell, base + "_low", base + "_high"), found[1:]):
            close(f"{name}.csv", row[column], want)


def of_row(row):
    runs = R.finished(R.find(row["study"], row["setting"]))
    layer = int(row["layer"]) - 1 if row.get("layer") not in (None, "", "all") else 0
    return runs, layer, (row["study"], row["setting"], row.get("column", ""))


def check_too_little_data():
    rows = table("too_little_data")
    for row in rows:
        runs, l, place = of_row(row)
        v = [ty(r, row["column"], l) for r in runs]
        check_means("too_little_data", row, place + (str(l),),
                    {"peak_bit": [x.max() for x in v], "end_bit": [x[-1] for x in v],
                     "fall_bit": [x.max() - x[-1] for x in v]})
        assert int(row["train_size"]) == R.f["train_size"][runs[0]] and int(row["n"]) == len(runs)
    assert {r["study"] for r in rows} == {"sizes"} and {"bin30", "bin30_train"} <= {r["column"] for r in rows}
    assert {r["layer"] for r in rows} == {"1", "2", "3", "4"}


def check_advice():
    rows = table("advice")
    for row in rows:
        runs, _, (study, setting, c) = of_row(row)
        l = R.layers(runs[0]) - 1
        end = np.array([[ty(r, c + "_train", l)[-1], ty(r, c, l)[-1], R.f["i_xy"][r, R.columns.index(c)]] for r in runs])
        place = (study, setting, c + "_train", str(l))
        check_means("advice", row, place, {"training_gap_bit": end[:, 2] - end[:, 0],
                                           "generalization_gap_bit": end[:, 0] - end[:, 1]})
        t, g = ([float(row[k + "_low"]), float(row[k + "_high"])] for k in ("training_gap", "generalization_gap"))
        assert row["advice"] == ("more data" if g[0] > t[1] else "a better network" if t[0] > g[1] else "undecided")
        bias = [R.f["i_ty_bias"][r, R.columns.index(c + "_train"), R.looks(r)[-1], l].astype(float) for r in runs]
        close("advice.csv", row["bias_of_train_bit"], np.mean(bias))
    assert {r["advice"] for r in rows} >= {"a better network"} and {r["column"] for r in rows} == {"bin30"}


def check_depth():
    rows = table("depth")
    for row in rows:
        runs, _, place = of_row(row)
        c, l = row["column"], R.layers(runs[0]) - 1
        for name, event, layer in (("learned", "learned_epoch", l), ("fallen", "fallen_epoch", l - 1)):
            at = [R.updates(r, R.event(event, r, layer, c)[1]) for r in runs]
            seen = [not np.isnan(t) for t in at]
            end = float(R.f["updates"][runs[0]].max())
            found = kaplan_meier([t if s else end for t, s in zip(at, seen)], seen)
            for cell, want in zip(("_updates", "_low", "_high"), found):
                close("depth.csv", row[name + cell], want)
            assert int(row[name + "_censored"]) == len(seen) - sum(seen)
        check_means("depth", row, place + ("0",), {"seconds": [R.f["timing/seconds"][r] for r in runs]})
        found = mean("|".join(("table",) + place + ("0",)), [accuracy(r, c) for r in runs])
        for cell, want in zip(("accuracy_test", "accuracy_low", "accuracy_high"), found[1:]):
            close("depth.csv", row[cell], want)
        check_means("depth", row, place + (str(l),), {"i_ty_bit": [ty(r, c, l)[-1] for r in runs]})
        widths = [int(w) for w in row["architecture"].split("-")]
        assert int(row["parameters"]) == sum((i + 1) * o for i, o in zip(widths, widths[1:]))
        assert int(row["hidden_layers"]) == len(widths) - 2
    assert {(r["study"], r["hidden_layers"]) for r in rows} == {("depth", n) for n in "123"} | {("quick", n) for n in "12"}


def check_transitions():
    rows = table("transitions")
    for i, row in enumerate(rows):
        runs, l, place = of_row(row)
        c = row["column"] or None
        event = lambda name, column=None: [R.event(name + "_epoch", r, l, column) for r in runs]
        v = np.array(event(row["event"], c))
        has = sorted((after, before) for before, after in v if not np.isnan(after))
        close("transitions.csv", row["n"], len(has))
        close("transitions.csv", row["none"], len(v) - len(has))
        after, before = has[(len(has) - 1) // 2] if has else (np.nan, np.nan)
        up = lambda e: R.updates(runs[0], e) if not np.isnan(e) else np.nan
        km = kaplan_meier([up(a) for a, _ in has], [True] * len(has))
        for cell, want in zip(("epoch_before", "epoch_after", "updates_before", "updates_after", "updates_after_low",
                               "updates_after_high"), (before, after, up(before), up(after), km[1], km[2])):
            close("transitions.csv", row[cell], want)
        for other in ("onset", "error") if i % 5 == 0 else ():  # correlations take long
            found = correlation(row["event"], v[:, 1], np.array(event(other))[:, 1])
            for cell, want in zip((f"n_with_{other}", f"rho_{other}", f"rho_{other}_low", f"rho_{other}_high"), found):
                close("transitions.csv", row[cell], want)
    events = collections.Counter(r["event"] for r in rows)
    assert set(events) == {"peak", "fallen", "learned", "onset", "error"} and events["peak"] == events["learned"]


def check_weights():
    rows = table("weights")
    for row in rows:
        runs, l, place = of_row(row)
        n = R.inputs(runs[0])[l]
        at = lambda name, i: [R.f[name][r, R.looks(r)[i], l] for r in runs]
        check_means("weights", row, place + (str(l),), {
            "norm_start": at("weight_norm", 0), "norm_end": at("weight_norm", -1),
            "neurons_start": np.array(at("weight_correlation", 0)) * n**0.5,
            "neurons_end": np.array(at("weight_correlation", -1)) * n**0.5})
        close("weights.csv", row["expected"], expected(n) * n**0.5)
        assert row["opposite_by_construction"] == ("yes" if opposite(runs[0], l) else "no")
        kept = not np.isnan(R.f["weights"][runs[0]]).all()
        pairs = list(zip(runs[::2], runs[1::2])) if kept else []
        found = mean("networks", [networks(a, b, l) * n**0.5 for a, b in pairs])
        for cell, want in zip(("network_pairs", "networks_end", "networks_end_low", "networks_end_high"), found):
            close("weights.csv", row[cell], want)
    assert any(int(r["network_pairs"]) == 4 for r in rows if r["study"] == "kept")
    close("expectation", str(expected(3) * 3**0.5), 1.1026577908435842)  # acceptance 19


def check_dpi():
    for row in table("dpi"):
        runs, l, place = of_row(row)
        c = row["column"]
        layers = range(1, R.layers(runs[0])) if row["layer"] == "all" else [l]
        check_means("dpi", row, place + (str(l),), {"share": [np.mean([rises(r, c, k) for k in layers]) for r in runs]})
        most = max((xt(r, c, k) - xt(r, c, k - 1)).max() for r in runs for k in layers)
        close("dpi.csv", row["largest_rise_bit"], most if most > 1e-6 else 0)


def check_bound():
    rows = table("bound")
    for row in rows:
        runs, l, place = of_row(row)
        c = row["column"]
        d = np.array([distances(r, c, l) for r in runs])
        beta = [[R.f[k][r, R.columns.index(c), l] for k in ("beta_best", "beta_edge", "beta_misfit")] for r in runs]
        check_means("bound", row, place + (str(l),), {
            "i_xt_bit": [xt(r, c, l)[-1] for r in runs], "i_ty_bit": [ty(r, c, l)[-1] for r in runs],
            "horizontal_bit": d[:, 0], "vertical_bit": d[:, 1], "misfit_bit": [b[2] for b in beta]})
        has = [b for b in beta if not np.isnan(b[0])]
        found = kaplan_meier([b[0] for b in has], [b[1] != 2 for b in has])
        for cell, want in zip(("beta", "beta_low", "beta_high"), found):
            close("bound.csv", row[cell], want)
        close("bound.csv", row["beta_at_low_edge"], sum(b[1] == 1 for b in has))
        close("bound.csv", row["beta_at_high_edge"], sum(b[1] == 2 for b in has))
    assert {r["study"] for r in rows} == {"drawn"} and {r["layer"] for r in rows} == {"1", "2", "3", "4"}


check_claims()
check_too_little_data()
check_advice()
check_depth()
check_transitions()
check_weights()
check_dpi()
check_bound()
for name, n in sorted(count.items()):
    print(f"{name:34s} {n:6d} agree")
