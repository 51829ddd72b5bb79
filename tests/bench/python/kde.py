"""Both KDE bounds of I(X;T), and what they say of I(T;Y), in bits (Kolchinsky and Tracey, Entropy 19 (2017) 361):

    M_c(S) = -1/m sum_i log2( 1/m sum_j exp(-|t_i - t_j|^2 / (c s)) )      c = 2: upper, 8: lower
"""
import numpy as np
try:
    import torch
except ImportError:
    torch = None # by_formula does without

BOUNDS = (("upper", 2), ("lower", 8))


def mixture(t, cs):
    """M of one set by its formula: all squared distances, then the logarithm of a sum of exponentials."""
    squares = (t * t).sum(1)
    exponent = (squares[:, None] + squares[None, :] - 2 * t @ t.T) / -cs
    top = exponent.max(1, keepdims=True)
    log_mean = top[:, 0] + np.log(np.exp(exponent - top).mean(1))
    return -log_mean.mean() / np.log(2)


def by_formula(layers, y, s, dtype):
    out = {}
    for l, t in enumerate(layers, 1):
        t = t.astype(dtype)
        for bound, c in BOUNDS:
            whole = mixture(t, dtype(c * s))
            within = sum((y == k).mean() * mixture(t[y == k], dtype(c * s)) for k in np.unique(y))
            out[f"{bound}_i_xt_{l}"], out[f"{bound}_i_ty_{l}"] = float(whole), float(whole - within)
    return out


def product(a, b, cs, out):
    """-|a - b|^2 / cs as one matrix product, [a, |a|^2, 1] . [2b, -1, -|b|^2]: fast, and rounds what is close."""
    squares = lambda t: (t * t).sum(1, keepdim=True)
    ones = lambda t: torch.ones(len(t), 1)
    left, right = torch.cat([a, squares(a), ones(a)], 1).div_(cs), torch.cat([2 * b, -ones(b), -squares(b)], 1)
    return torch.mm(left, right.T, out=out).clamp_(max=0)


def difference(a, b, cs, out):
    """The same from differences."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").square_().div_(-cs)


def one_exp(exponent, layers, y, s, rows=256):
    """One exponential a pair: exp(-D/2s) is exp(-D/8s) squared twice; pairs of two classes once, in blocks that
    stay in the cache.  float32."""
    out, order = {}, np.argsort(y, kind="stable")
    m = np.bincount(y)
    room = torch.empty(rows * m.max())
    for l, t in enumerate(layers, 1):
        t = torch.from_numpy(t[order])
        part = (t - t.mean(0)).split(m.tolist())
        sums = [[torch.zeros(2, k) for k in m] for _ in m] # class of j, class of i: lower, upper
        for a in range(len(m)):
            for b in range(a, len(m)):
                for at in range(0, int(m[a]), rows):
                    i = slice(at, min(at + rows, int(m[a])))
                    e = room[:(i.stop - i.start) * int(m[b])].view(i.stop - i.start, int(m[b]))
                    e = exponent(part[a][i], part[b], 8 * s, e).exp_()
                    for bound in range(2):
                        sums[b][a][bound, i] += e.sum(1)
                        if b > a:
                            sums[a][b][bound] += e.sum(0)
                        if bound == 0:
                            e.square_().square_()
        for bound, (name, _) in enumerate(reversed(BOUNDS)):
            mean = lambda kernel, k: -(kernel[bound].double() / k).log2().mean().item()
            share = m / len(t)
            whole = sum(p * mean(sum(sums[b][a] for b in range(len(m))), len(t)) for a, p in enumerate(share))
            within = sum(p * mean(sums[a][a], m[a]) for a, p in enumerate(share))
            out[f"{name}_i_xt_{l}"], out[f"{name}_i_ty_{l}"] = whole, whole - within
    return out
