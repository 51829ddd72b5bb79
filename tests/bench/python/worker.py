"""The Python user, one unit of work at a time, by the protocol of kernels.c: a line "look EPOCH" or "NAME COUNT",
answered by the seconds of this process, which has one thread, and by what was computed.
  worker.py FOLDER      where bench_kernels leaves its arrays
A first line says which libraries there are; "kernels" asks what can be timed, "memory" for the MiB that were resident
at most."""
import pathlib
import resource
import sys
import time
import types

try:
    import numpy as np
except ImportError:
    sys.exit("worker.py: python3-numpy is not installed")
try:
    import torch
except ImportError:
    torch = None

import binning
import kde
if torch:
    import network
    torch.set_num_threads(1)
    torch.set_flush_denormal(True) # small kernels are zero

NOISE, ENSEMBLE = 1e-3, 50
folder = pathlib.Path(sys.argv[1])


def array(name, kind, to=None):
    return np.fromfile(folder / name, kind).astype(to or kind)


class User:
    def __init__(self):
        self.y = array("y", "i4")
        self.x = array("x", "f4").reshape(len(self.y), -1)
        self.train, self.order, self.partition = (array(name, "u4", "i8") for name in ("train", "order", "partition"))
        self.start = array("start", "f4")
        if torch:
            self.data = network.Data(self)
            self.eager, self.hand = network.Eager(self.data, self.data.start), network.ByHand(self.data)
            self.ensemble = network.ByHand(self.data, ENSEMBLE)

    def look(self):
        self.layers = [np.ascontiguousarray(array(f"layer_{l}", "f4").reshape(-1, len(self.y)).T) for l in range(1, 7)]
        if torch:
            self.weights = torch.from_numpy(array("weights", "f4"))
            self.seen = network.Eager(self.data, self.weights)

    def forward_loss(self):
        return {"loss": self.data.loss(self.seen.logits)}


user = User()
# name: what is timed, what tells the answer (None: it is what was returned), units of work in one call
kernels = {
    "numpy_unique": (lambda: binning.measure(binning.unique_rows, user.layers, user.y), None, 1),
    "numpy_loops": (lambda: binning.measure(binning.loops, user.layers, user.y), None, 1),
    "numpy_packed": (lambda: binning.measure(binning.packed, user.layers, user.y), None, 1),
    "numpy_kde64": (lambda: kde.by_formula(user.layers, user.y, NOISE, np.float64), None, 1),
    "numpy_kde32": (lambda: kde.by_formula(user.layers, user.y, NOISE, np.float32), None, 1),
}
if torch:
    kernels |= {
        "torch_eager": (user.eager.train, user.eager.loss, 1),
        "torch_hand": (user.hand.train, user.hand.loss, 1),
        "torch_bmm": (user.ensemble.train, user.ensemble.loss, ENSEMBLE),
        "torch_forward": (lambda: user.seen.look(), user.forward_loss, 1),
        "torch_gradients": (lambda: network.gradient_statistics(user.data, user.weights), None, 1),
        "torch_product": (lambda: kde.one_exp(kde.product, user.layers, user.y, NOISE), None, 1),
        "torch_difference": (lambda: kde.one_exp(kde.difference, user.layers, user.y, NOISE), None, 1),
    }
print(f"Python {sys.version.split()[0]}, numpy {np.__version__}" + (f", torch {torch.__version__}" if torch else ""), flush=True)
for line in sys.stdin:
    name, *number = line.split()
    if name == "memory":
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
    elif name == "look":
        user.look()
        print(0, flush=True)
    elif name == "kernels":
        print(*kernels, flush=True)
    else:
        run, tell, units = kernels[name]
        count = int(number[0])
        begun = time.process_time()
        for _ in range(count):
            answer = run()
        seconds = (time.process_time() - begun) / count / units
        print(seconds, *(f"{key}={value:.15g}" for key, value in (tell() if tell else answer).items()), flush=True)
