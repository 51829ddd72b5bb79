"""How fast the program is, against the limit of the arithmetic, against users of Python, against its own slow
references; see run.sh.
  run.py BUILD [--quick | --brief] [--csv FILE]      measure, print a table, write FILE (bench.csv)
  run.py --table FILE                                the table of a CSV that is there

Ours and the other are timed in turns, ours - other - ours, on one core, in seconds of processor time. A ratio is that
of one turn; printed are its median and quartiles. What both computed is compared: the command fails where they differ
by more than a row's tolerance."""
import argparse
import csv
import datetime
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

top = pathlib.Path(__file__).resolve().parents[2]
EPOCHS, LOOKS = 10000, 212
NETWORK = "12-10-7-5-4-3-2, tanh, batch 256, Adam, 3482 of 4096 patterns"
COLUMNS = ("date commit cpu kernels compiler python form look work unit ours other kind ours_value other_value "
           "ratio quartile_1 quartile_3 turns difference tolerance note").split()
MAY_LACK = COLUMNS[COLUMNS.index("ours_value"):] + ["look"]

# What is compared, kernel by kernel (whole_network, memory and two_cores add rows of their own): work, unit, its factor,
# our kernel, and with whom: (kernel, what it is, kind, tolerance of the difference). Units of information are bits, losses
# nats.
LIMIT, PYTHON, SLOW, OWN = "limit", "Python", "reference", "own"
PROBES = {"issues": "probe", "counts": "probe_count"} # what a kernel needs, and how long one takes
work = [
    ("training, an epoch", "ms", 1e3, "train", [
        (None, "multiply-adds at the peak of the FMA units", LIMIT, None),
        ("torch_eager", "autograd loop", PYTHON, 1e-6),
        ("torch_hand", "derivatives by hand", PYTHON, 1e-6),
        ("torch_bmm", "50 networks at a time, by hand; of one", PYTHON, 1e-6),
        ("slow_train", "reference in double", SLOW, 1e-6)]),
    ("forward pass, a look", "ms", 1e3, "forward", [
        (None, "multiply-adds at the peak of the FMA units", LIMIT, None),
        ("torch_forward", "nn.Sequential", PYTHON, 1e-6),
        ("slow_forward", "reference in double", SLOW, 1e-6)]),
    ("gradient statistics of a look", "ms", 1e3, "gradients", [
        (None, "multiply-adds at the peak of the FMA units", LIMIT, None),
        ("torch_gradients", "derivatives by hand", PYTHON, 1e-5),
        ("slow_gradients", "reference in double, sample by sample", SLOW, 1e-5)]),
    ("binning, a look", "ms", 1e3, "binning", [
        (None, "a multiply-add a unit, two counts a sample, at their peaks", LIMIT, None),
        ("numpy_loops", "loop over the cells", PYTHON, 1e-11),
        ("numpy_unique", "np.unique of rows", PYTHON, 1e-11),
        ("numpy_packed", "np.unique of packed bits", PYTHON, 1e-11),
        ("slow_binning", "reference, every pair compared", SLOW, 1e-11)]),
    ("KDE of all pairs, a look", "ms", 1e3, "kde_all", [
        (None, "(d + 8)/2 clocks for 8 pairs", LIMIT, None),
        ("slow_kde", "reference in double", SLOW, 1e-6)]),
    ("KDE within 1e-6 bit, a look", "ms", 1e3, "kde", [
        ("kde_all", "our own of all pairs", OWN, 2e-6),
        ("numpy_kde64", "the formula in numpy, float64", PYTHON, 2e-6),
        ("numpy_kde32", "the formula in numpy, float32", PYTHON, 1e-4),
        ("torch_difference", "one exp a pair, differences, float32", PYTHON, 2e-5),
        ("torch_product", "one exp a pair, one product, float32", PYTHON, 1e-3)]),
]
# The whole network in Python, put together from the rows above: a plain user and a smart one.
users = [("autograd loop, np.unique of rows, the formula in float64", ("torch_eager", "torch_forward", "numpy_unique", "numpy_kde64")),
         ("50 at a time, packed bits, one exp a pair, differences", ("torch_bmm", "torch_forward", "numpy_packed", "torch_difference")),
         ("50 at a time, packed bits, one exp a pair, one product", ("torch_bmm", "torch_forward", "numpy_packed", "torch_product"))]

# seconds of a row, turns at least and at most; looks; networks and their epochs; patterns (0: all)
forms = {"full": (8.0, 5, 31, (0, 100, 1000), 3, EPOCHS, 0),
         "quick": (0.25, 1, 9, (100,), 1, EPOCHS, 0),
         "brief": (0.0, 1, 1, (20,), 1, 20, 512)}


class Failed(Exception):
    pass


ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def pin_to(core):
    return (lambda: os.sched_setaffinity(0, {core})) if core is not None else None


class Worker:
    """A process that times one unit of work at a time, on one core."""
    def __init__(self, command, core, **environment):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=pin_to(core),
                                        env=os.environ | ENVIRONMENT | environment)
        self.first = {} # what a kernel computed first at a look

    def ask(self, line):
        self.say(line)
        return self.hear(line)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self, line):
        answer = self.process.stdout.readline().split()
        if not answer:
            raise Failed(f"{self.process.args[0]} ended at: {line}")
        return answer

    def time(self, kernel, count=1):
        """Seconds of a unit."""
        seconds, *values = self.ask(f"{kernel} {count}")
        self.first.setdefault(kernel, {name: float(value) for name, value in (v.split("=") for v in values)})
        return float(seconds)

    def limit(self, kernel):
        """Seconds of what a unit needs at least, at the peak."""
        needs = self.first[kernel]
        return sum(needs[name] * self.time(probe) for name, probe in PROBES.items() if name in needs)

    def look(self, epoch):
        self.ask(f"look {epoch}")
        self.first = {}

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Table:
    """The rows, as they come, and what all of them share."""
    def __init__(self, shared):
        self.shared, self.rows, self.wrong = shared, [], []

    def add(self, **row):
        row = dict.fromkeys(COLUMNS, "") | self.shared | row
        if row["difference"] != "" and not row["difference"] <= row["tolerance"]:
            self.wrong.append(row)
        self.rows.append({name: f"{v:.4g}" if isinstance(v, float) else str(v) for name, v in row.items()})
        print(line(self.rows[-1]), flush=True)

    def write(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)


# ---- the table ---------------------------------------------------------------------------------------------------

HEAD = ("| work | ours | compared with | it takes | ratio (quartiles) | largest difference |\n"
        "|---|---|---|---|---|---|")


def line(row):
    work, unit = row["work"], row["unit"]
    if row["look"] != "":
        work += f", epoch {row['look']}"
    if row["note"]:
        return f"| {work} | | {row['other']} | | {row['note']} | |"
    ratio, low, high = (float(row[name]) for name in ("ratio", "quartile_1", "quartile_3"))
    if row["kind"] in (LIMIT, "share"):
        shown = f"{ratio:.0%} ({low:.0%} - {high:.0%})".replace("%", " %")
    else:
        shown = f"{three(ratio)} ({three(low)} - {three(high)})"
    return (f"| {work} | {three(row['ours_value'])} {unit} | {row['other']} | {three(row['other_value'])} {unit} "
            f"| {shown} | {'%.0e' % float(row['difference']) if row['difference'] else ''} |")


def three(value):
    """Three digits, without an exponent."""
    value = float(value)
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def print_table(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    one = rows[0]
    print(HEAD, *map(line, rows), sep="\n")
    print(f"({one['cpu']}, kernels {one['kernels']}, {one['compiler']}; {one['python']}; {one['date']}, {one['commit']}.)")


# ---- turns -------------------------------------------------------------------------------------------------------

def quartiles(values):
    if len(values) == 1:
        return values * 3
    q1, median, q3 = statistics.quantiles(values, n=4, method="inclusive")
    return median, q1, q3


def times(seconds, least):
    """How often, so that it takes long enough for the clock."""
    return max(1, min(1000, int(least / max(seconds, 1e-9))))


def in_turns(form, ours, other):
    """ours(), other(): seconds of a unit. The first call of each is no turn, unless it takes long."""
    budget, fewest, most = forms[form][:3]
    ours()
    a, b, before = [], [], ours()
    spent = first = other()
    if first > 1.0 or form == "brief":
        a.append((before + ours()) / 2)
        b.append(first)
    while len(a) < fewest or (spent < budget and len(a) < most):
        before = ours()
        b.append(other())
        a.append((before + ours()) / 2)
        spent += b[-1] + 2 * a[-1]
    return a, b


def repeated(worker, kernel, form):
    """A function that times a kernel, often enough for the clock from its second call on."""
    count = 1

    def call():
        nonlocal count
        seconds = worker.time(kernel, count)
        if form != "brief":
            count = times(seconds, 0.02)
        return seconds
    return call


def difference(a, b):
    """The largest, of all that both computed."""
    both = [name for name in a if name in b and name not in PROBES]
    if not both:
        raise Failed(f"nothing to compare in {a} and {b}")
    return max(abs(a[name] - b[name]) for name in both)


# ---- rows --------------------------------------------------------------------------------------------------------

def compare(table, form, ours, python, look):
    """All rows of kernels at a look; the median seconds of each kernel."""
    took, looks = {}, forms[form][3]
    first, middle = look == looks[0], look == looks[len(looks) // 2]
    for name, unit, factor, kernel, others in work:
        for other, what, kind, tolerance in others:
            changes = kernel.startswith("kde") and kind in (LIMIT, OWN) # from look to look; training is at none
            if not (first if kernel == "train" else middle or changes):
                continue
            row = {"look": "" if kernel == "train" else look, "work": name, "unit": unit, "ours": kernel, "other": what, "kind": kind}
            worker = python if kind == PYTHON else ours
            if kind == PYTHON and not (python and other in python.kernels):
                table.add(**row, note=f"not measured: {'python3-torch' if python else 'python3-numpy'} is not installed")
                continue
            mine = repeated(ours, kernel, form)
            if kind == LIMIT:
                mine()
                a, b = in_turns(form, mine, lambda: ours.limit(kernel))
            else:
                a, b = in_turns(form, mine, repeated(worker, other, form))
                row |= {"difference": difference(ours.first[kernel], worker.first[other]), "tolerance": tolerance}
            if any(value != value for value in b):
                table.add(**row, note="not measured: no probe for these units")
                continue
            took[kernel], took[other] = statistics.median(a), statistics.median(b)
            median, low, high = quartiles([y / x for x, y in zip(a, b)])
            table.add(**row, ours_value=took[kernel] * factor, other_value=took[other] * factor, ratio=median,
                      quartile_1=low, quartile_3=high, turns=len(a))
    return took


def run_network(program, folder, epochs, samples, core):
    """Processor seconds of the program for one network, from the start of the process to its end, and the MiB that
    were resident at most."""
    out = pathlib.Path(folder) / "network.h5"
    out.unlink(missing_ok=True)
    command = [program, "run", top / "inputs/quickstart.yaml", "repeat=1", f"train.epochs={epochs}", "-q", "-o", out,
               "estimate=[{kind: binning, bins: 30}, {kind: kde, noise_variance: 1e-3}]", "checkpoint=none"]
    command += [f"dataset.samples={samples}"] if samples else []
    process = subprocess.Popen(list(map(str, command)), preexec_fn=pin_to(core),
                               env=os.environ | ENVIRONMENT | {"OMPI_MCA_ess_singleton_isolated": "1"})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"infoplane run ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def whole_network(table, form, took, program, folder, core):
    """Rows of a whole network; what was resident."""
    networks, epochs, samples = forms[form][4:]
    ours, resident = zip(*(run_network(program, folder, epochs, samples, core) for _ in range(networks)))
    for what, kernels in users:
        row = {"work": f"a network, {epochs} epochs", "unit": "s", "ours": "run", "other": what + ": extrapolated", "kind": PYTHON}
        if any(kernel not in took for kernel in kernels):
            table.add(**row, note="not measured: see above")
            continue
        train, *look = (took[kernel] for kernel in kernels)
        other = epochs * train + LOOKS * sum(look)
        median, low, high = quartiles([other / a for a in ours])
        table.add(**row, ours_value=statistics.median(ours), other_value=other, ratio=median, quartile_1=low, quartile_3=high,
                  turns=len(ours))
    return max(resident)


def memory(table, ours, python):
    row = {"work": "memory of a process, at most", "unit": "MiB", "ours": "run", "other": "that of Python after all of the above", "kind": PYTHON}
    if python is None:
        table.add(**row, note="not measured: python3-numpy is not installed")
    else:
        table.add(**row, ours_value=ours, other_value=python, ratio=python / ours, quartile_1=python / ours,
                  quartile_3=python / ours, turns=1)


def two_cores(table, form, bench, folder, samples, cores):
    """What a stretch of a run costs alone, and while the same runs on another core."""
    row = {"work": "47 epochs and a look", "unit": "ms", "ours": "stretch", "other": "alone, share of its speed kept beside another",
           "kind": "share"}
    if len(cores) < 2:
        table.add(**row, note="not measured: there is one core")
        return
    one, two = (Worker([bench, folder, str(samples)], core) for core in cores[:2])
    for worker in one, two:
        worker.look(forms[form][3][-1])
    call = repeated(one, "stretch", form)
    call()

    def beside():
        line = f"stretch {8 * times(took, 0.02)}" # goes on for longer than we look
        two.say(line)
        one.time("stretch") # until the other one is under way
        seconds = call()
        two.hear(line)
        return seconds

    took = call()
    a, b = in_turns(form, beside, call)
    median, low, high = quartiles([y / x for x, y in zip(a, b)])
    table.add(**row, ours_value=1e3 * statistics.median(a), other_value=1e3 * statistics.median(b), ratio=median, quartile_1=low,
              quartile_3=high, turns=len(a))
    one.end(), two.end()


# ---- from the first to the last row ------------------------------------------------------------------------------

def first_match(text, start):
    return next((line[len(start):].strip(" :\t") for line in text.splitlines() if line.strip().startswith(start)), "")


def describe(program, form):
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    cpu = pathlib.Path("/proc/cpuinfo")
    told = {key.strip(): value for key, value in (line.split(None, 1) for line in said.splitlines() if len(line.split()) > 1)}
    return {"date": datetime.date.today().isoformat(), "commit": said.split("(")[1].split(",")[0],
            "cpu": cpu.exists() and first_match(cpu.read_text(), "model name") or platform.machine(), "form": form,
            "kernels": told["kernels"].strip(), "compiler": told["compiler"].strip()}


def start_python(folder, core, kernels):
    """The Python user and what it is made of; None where numpy is missing. Torch 1.13 uses AVX-512 only when told to."""
    wide = {"ATEN_CPU_CAPABILITY": kernels} if kernels in ("avx2", "avx512") else {}
    worker = Worker([os.environ.get("IP_PYTHON", "/usr/bin/python3"), str(top / "tests/bench/python/worker.py"), folder], core, **wide)
    try:
        made_of = " ".join(worker.hear("start"))
        worker.kernels = worker.ask("kernels")
        return worker, made_of
    except Failed:
        worker.end()
        return None, "no numpy"


def measure(build, form, path):
    program, bench = build / "infoplane", str(build / "tests/bench/bench_kernels")
    cores = sorted(os.sched_getaffinity(0), reverse=True) if hasattr(os, "sched_getaffinity") else [None]
    samples = forms[form][-1]
    with tempfile.TemporaryDirectory() as folder:
        ours = Worker([bench, folder, str(samples)], cores[0])
        ours.ask("probe") # all files are there
        described = describe(program, form)
        python, made_of = start_python(folder, cores[0], described["kernels"])
        table = Table(described | {"python": made_of})
        print(f"{NETWORK}\n\n{HEAD}" if not samples else HEAD)
        took = {}
        for look in forms[form][3]:
            ours.look(look)
            if python:
                python.look(look)
            took |= compare(table, form, ours, python, look)
        resident = float(python.ask("memory")[0]) if python else None
        if python:
            python.end()
        ours.end()
        memory(table, whole_network(table, form, took, program, folder, cores[0]), resident)
        two_cores(table, form, bench, folder, samples, cores)
    table.write(path)
    one = table.rows[0]
    print(f"{one['cpu']}, kernels {one['kernels']}, {one['compiler']}; {one['python']}; {one['date']}, {one['commit']}")
    for row in table.wrong:
        print(f"FAILED: {row['work']}: {row['ours']} and {row['other']} differ by {row['difference']:.3g}, more than "
              f"{row['tolerance']:g}", file=sys.stderr)
    return 1 if table.wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", type=pathlib.Path, default=top / "build")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quick", dest="form", action="store_const", const="quick", default="full", help="half a minute")
    form.add_argument("--brief", dest="form", action="store_const", const="brief", help="seconds: only that it works, of 512 patterns")
    parser.add_argument("--csv", default="bench.csv")
    parser.add_argument("--table", metavar="FILE", help="print the table of a CSV")
    given = parser.parse_args()
    if given.table:
        return print_table(given.table)
    try:
        return measure(given.build.resolve(), given.form, given.csv)
    except Failed as failure:
        return f"FAILED: {failure}"


if __name__ == "__main__":
    sys.exit(main())
