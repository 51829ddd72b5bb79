"""Follows the README of a clone word by word.
  first_hour.py CLONE
Every line "$ ..." of its console blocks runs, in the clone, with the program that its first command builds;
what a block shows below it must be printed, but for numbers, times, and names of this machine. Code of
the other languages runs too. What does not run stands in the tables here, with the reason."""
import contextlib, os, pathlib, re, shutil, subprocess, sys, types
import h5py, numpy as np

clone = pathlib.Path(sys.argv[1]).resolve()
readme = (clone / "README.md").read_text()

# The quickstart with shorter runs, and the README's own input with fewer as well.
quickstart = clone / "inputs/quickstart.yaml"
whole = quickstart.read_text()
assert "epochs: 10000 " in whole
shorter = {"epochs: 10000": "epochs: 3", "repeat: 50": "repeat: 2", "look: saxe": "look: [1]"}
# What is shown of an input with mistakes.
mistaken = "dataset: {name: symmetric}\nnetwork:\n  activation: tahn\ntrain: {epochs: 3}\nlerning_rate: 1e-3\n"

not_run = {
    "tests/run.sh": "it is what runs this",
    "mpirun -n 16 infoplane run inputs/paper/all.yaml": "hours; campaign/inputs does it in short",
    "infoplane figures all.h5": "of that",
    "jobs/install.sh bench": "PyTorch is large; without it rows say so",
    "tests/bench/run.sh": "minutes; bench/run does it in short",
    "tests/bench/memory.sh": "bench/memory does it",
    "sbatch": "cluster/jobs does it in a real Slurm",
}
not_followed = {"## On a cluster": "cluster/jobs does it in a real Slurm"}
# What a user has by then.
prepare = {
    "jobs/quickstart.sh": lambda: quickstart.write_text(whole.replace("epochs: 10000 ", "epochs: 500 ")),
    "infoplane plan inputs/quickstart.yaml": lambda: quickstart.write_text(whole),
    "infoplane merge": lambda: [subprocess.run(["infoplane", "run", "my.yaml", f"share={i}/8", "-q"], cwd=clone, check=True)
                                for i in range(1, 9)],
    "infoplane diff a.h5 b.h5": lambda: [shutil.copy(clone / "my.h5", clone / name) for name in ("a.h5", "b.h5")],
    "infoplane doctor results/": lambda: (clone / "results").mkdir(),
}


def plain(line):
    """A line without what differs from machine to machine."""
    line = re.sub(r"\[[#-]{30}\]", "BAR", line)
    line = re.sub(r"\d+(\.\d+)? (d|h|m|s)\b( \d+ (h|m|s)\b)?", "TIME", line)
    line = re.sub(r"AVX\S*|baseline", "ISA", line)
    line = re.sub(r"\(AMD [^)]*\)|as measured on .*|\([0-9a-f]{7}(-dirty)?\)|\(unknown\)|\(\.\.\.\)", "MACHINE", line)
    line = re.sub(r"[-+]?\d[\d,.]*(e[-+]?\d+)?", "#", line)
    line = re.sub(r"\d{4}-\d\d-\d\d", "#", line)
    return re.sub(r"\s+", " ", line).strip()


def run(command):
    words = re.sub(r"\s+# .*", "", command)
    for start, why in not_run.items():
        if words.startswith(start):
            print(f"not run: {words}: {why}")
            return None
    words = re.sub(r"&& sbatch .*", "", words)
    for start, make in prepare.items():
        if words.startswith(start):
            make()
    done = subprocess.run(["bash", "-c", words], cwd=clone, capture_output=True, text=True)
    printed = done.stdout + done.stderr
    return words, printed, done.returncode


def follow(block, shown_below=""):
    """A block: commands, each with what it shows."""
    parts = re.split(r"^\$ ", block, flags=re.M)[1:]
    for i, part in enumerate(parts):
        command, _, shown = part.partition("\n")
        shown = shown or (shown_below if i == 0 else "")
        bad = "error:" in shown
        my = (clone / "my.yaml")
        kept = my.read_text() if my.exists() else None
        if bad:
            my.write_text(mistaken)
        result = run(command)
        if bad:
            my.write_text(kept)
        if result is None:
            continue
        words, printed, code = result
        assert code == (78 if bad else 0), f"$ {words}\nexit code {code}\n{printed}"
        have = {plain(line) for line in printed.splitlines()}
        for line in shown.splitlines():
            if line.strip() in ("", "..."):
                continue
            assert plain(line) in have, (f"$ {words}\ndoes not print:\n{line}\nas {plain(line)!r}; but:\n{printed}\n"
                                         + "\n".join(sorted(have)))
        print(f"$ {words}: as the README says")


def follow_python(code):
    lines = [re.sub(r"^(>>>|\.\.\.) ?", "", line) for line in code.splitlines() if line[:3] in (">>>", "...")]
    try:
        import matplotlib
        matplotlib.use("Agg")
    except ImportError:
        lines = [line for line in lines if "needs matplotlib" not in line]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=clone, check=True)


class Tensor:
    """As much of torch's as the README's exporter asks of one."""
    def __init__(self, array):
        self.array = array

    def flatten(self, first):
        return Tensor(self.array.reshape(*self.array.shape[:first], -1))

    def cpu(self):
        return self

    def numpy(self):
        return self.array


rng = np.random.default_rng(1)
x = rng.normal(size=(40, 5)).astype("f4")
y = (x[:, 0] > 0).astype(int)
weights = [rng.normal(size=(5, 4)).astype("f4"), rng.normal(size=(4, 2)).astype("f4")]


def export_from_torch(code):
    """acts.h5, of two epochs of a network of torch, or of one that stands for it."""
    try:
        import torch
        tensor = torch.tensor
        def model(gain):
            layers = [torch.nn.Linear(*w.shape, bias=False) for w in weights]
            for layer, w in zip(layers, weights):
                layer.weight.data = tensor(gain * w.T)
            return torch.nn.Sequential(*(torch.nn.Sequential(layer, torch.nn.Tanh()) for layer in layers))
    except ImportError:
        torch, tensor = types.SimpleNamespace(no_grad=contextlib.nullcontext), Tensor
        def model(gain):
            return [lambda t, w=w: Tensor(np.tanh(gain * t.array @ w)) for w in weights]
    names = {"torch": torch, "np": np, "h5py": h5py}
    exec(code, names)
    for epoch in 0, 5:
        names["keep"](epoch, model(1 + epoch), tensor(x))
    names["save"](clone / "acts.h5", tensor(x), tensor(y))
    with h5py.File(clone / "acts.h5") as f:
        assert f["layer_1"].shape == (2, 40, 4) and f["layer_2"].shape == (2, 40, 2)
        assert np.allclose(f["layer_1"][1], np.tanh(6 * x @ weights[0]), atol=1e-5)


def export_from_keras(code):
    """keras.npz, likewise; and estimate takes it."""
    def model(inputs, outputs):
        return types.SimpleNamespace(predict=lambda x, verbose: outputs)
    keras = types.SimpleNamespace(callbacks=types.SimpleNamespace(Callback=object), Model=model)
    names = {"keras": keras, "np": np}
    exec(code, names)
    keep = names["Keep"](x)
    layers = [types.SimpleNamespace(output=np.tanh(x @ weights[0])), types.SimpleNamespace(output=np.tanh(x[:, :4] @ weights[1]))]
    keep.model = types.SimpleNamespace(inputs=None, layers=layers)
    keep.on_epoch_end(0), keep.on_epoch_end(1)
    np.savez(clone / "keras.npz", y=y, **keep.arrays())
    subprocess.run(["infoplane", "estimate", "keras.npz", "estimate=[{kind: binning, bins: 30}]"], cwd=clone, check=True,
                   capture_output=True)


def follow_r(code):
    if not shutil.which("Rscript") or subprocess.run(["Rscript", "-e", "library(ncdf4)"], capture_output=True).returncode:
        print("not run: R, which is not here with ncdf4 (Debian: r-cran-ncdf4)")
        return
    subprocess.run(["Rscript", "-e", code], cwd=clone, check=True, capture_output=True)


os.environ["PATH"] = f"{clone}/build:{os.environ['PATH']}"
section, blocks = "", []
for match in re.finditer(r"^## [^\n]*$|^```(\w*)\n(.*?)^```$", readme, flags=re.M | re.S):
    if match[0].startswith("##"):
        section = match[0]
    else:
        blocks.append((section, match[1], match[2]))
export_from_torch(next(text for _, language, text in blocks if text.startswith("# PyTorch")))
followed = 1
for i, (section, language, text) in enumerate(blocks):
    if section in not_followed:
        continue
    if language == "yaml":
        if not (clone / "my.yaml").exists():
            for long, short in shorter.items():
                assert long in text, long
                text = text.replace(long, short)
            (clone / "my.yaml").write_text(text)
    elif language == "console":
        below = blocks[i + 1][2] if i + 1 < len(blocks) and blocks[i + 1][1] == "text" else ""
        follow(text, below)
    elif language == "python" and text.startswith("# PyTorch"):
        continue # done before
    elif language == "python" and text.startswith("# Keras"):
        export_from_keras(text)
    elif language == "python":
        follow_python(text)
    elif language == "r":
        follow_r(text)
    else:
        continue
    followed += 1
    # the text below the commands says to do so
    if "infoplane bound" in text:
        subprocess.run(["infoplane", "plan", "--calibrate"], cwd=clone, check=True, capture_output=True)
print(f"{followed} blocks of the README were followed")
