"""What the campaigns share: studies, the job that trains one, and what its file holds.

One study has runs of 20 ms and of seconds, of every optimizer, and keeps the weights of every look; one
has many short runs.  With `reproducible: yes` the file of the disturbed job must equal that of the
undisturbed one.
"""
import os
import random as random_numbers
import re
import shutil
import signal
import subprocess
import tempfile
import time

os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"
import h5py  # after the line above, which it reads

STUDIES = {
    "long": """
network: {hidden: [6, 4]}
estimate: [{kind: binning, bins: [30, 8]}]
save: {weights: looked}
reproducible: yes
studies:
  - {name: short, train.epochs: 60, look: [20, 40], train.fraction: [5%, 85%], repeat: 6}
  - {name: middle, train.epochs: 1000, look: [300, 600], train.optimizer: [sgd, momentum, adam], repeat: 2}
  - {name: long, train.epochs: 5000, look: log, train.optimizer: [momentum, adam], train.fraction: 45%}
  - {name: longest, train.epochs: 12000, look: log, train.fraction: 85%}
""",
    "many": """
network: {hidden: [6, 4]}
estimate: [{kind: binning, bins: 30}]
train: {epochs: [60, 120, 240], optimizer: [sgd, adam]}
look: [20, 60]
reproducible: yes
repeat: 20
""",
}
PENDING = 0
PATIENCE = 120  # seconds after which what should have ended hangs


class Failure(Exception):
    pass


def need(condition, text):
    if not condition:
        raise Failure(text)


def environment(folder):
    """Of every job: what mpirun needs here; what it leaves behind when it is killed lies in folder."""
    wanted = {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
        "OMPI_MCA_hwloc_base_binding_policy": "none",
        "OMPI_MCA_btl_vader_backing_directory": folder,
        "OMPI_MCA_orte_tmpdir_base": folder,
        "OPENBLAS_NUM_THREADS": "1",
    }
    return {**wanted, **os.environ}


class Litter:
    """A folder in memory for what killed jobs leave behind."""

    def __init__(self):
        memory = "/dev/shm"
        self.folder = tempfile.mkdtemp(prefix="infoplane_", dir=memory if os.path.isdir(memory) else None)

    def clear(self):
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) else os.unlink(path)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def options_of(program):
    """Checkpoints come often here, where this program has them."""
    known = subprocess.run([program, "help", "checkpoint"], capture_output=True).returncode == 0
    return ["checkpoint=0.2"] if known else []


class Job:
    """A start of the program on a number of ranks; 0: without mpirun."""

    def __init__(self, program, ranks, arguments, env):
        launcher = ["mpirun", "-n", str(ranks)] if ranks else []
        self.alone = ranks == 0
        self.output = open("output", "w+")
        self.process = subprocess.Popen(launcher + [program, "run"] + arguments, env=env,
                                        stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)
        self.pid = self.process.pid

    def ranks(self):
        """Process numbers of the ranks that live: of the children of our own mpirun, or our child."""
        if self.alone:
            return [self.pid] if self.running() else []
        try:
            with open(f"/proc/{self.pid}/task/{self.pid}/children") as file:
                return [int(word) for word in file.read().split()]
        except OSError:
            return []

    def running(self):
        return self.process.poll() is None

    def kill(self, pids):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def wait(self):
        """Its exit code: 128 + n after signal n."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"the job (process {self.pid}) hangs") from None
        return code if code >= 0 else 128 - code

    def end(self):
        if self.running():
            self.kill([self.pid] + self.ranks())
            self.process.wait()
        self.output.close()

    def said(self):
        self.output.flush()
        with open("output") as file:
            return file.read()


def launch(program, ranks, arguments, env, want=0):
    """A job that nobody disturbs; what it said."""
    job = Job(program, ranks, arguments, env)
    try:
        code = job.wait()
        need(code == want, f"exit code {code}, wanted {want}:\n{job.said()}")
        return job.said()
    finally:
        job.end()


class Truth:
    """A study, its undisturbed file, and where in it each run has its bytes."""

    def __init__(self, program, name, env):
        self.study, path = name + ".yaml", name + ".h5"
        with open(self.study, "w") as file:
            file.write(STUDIES[name])
        launch(program, 2, [self.study, "-o", path], env)
        with open(path, "rb") as file:
            self.bytes = file.read()
        self.rows = []  # (offset, bytes of a run) of every array along the runs
        with h5py.File(path, "r") as file:
            self.runs = file["status"].shape[0]
            self.status = file["status"].id.get_offset()
            self.checksum = file["checksum"][:, 0]
            need(file["status"][:].all(), "the undisturbed job left a run pending")
            file.visititems(self.add)

    def add(self, _, item):
        if isinstance(item, h5py.Dataset) and item.name != "/run" and "run" in item.dims[0].keys():
            size = item.dtype.itemsize * item.size // self.runs if item.size else 0
            self.rows.append((item.id.get_offset() or 0, size))

    def finished(self, path):
        """Runs that the file says are finished, straight from its bytes; None: no file."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            held = os.pread(fd, self.runs, self.status)
        finally:
            os.close(fd)
        return {run for run, status in enumerate(held) if status != PENDING}

    def differs(self, data, run):
        """The bytes of a run are not those of the undisturbed file."""
        return any(data[at + run * size:at + (run + 1) * size] != self.bytes[at + run * size:at + (run + 1) * size]
                   for at, size in self.rows)

    def sealed(self, path, runs):
        """Those of the runs whose checksum is that of the undisturbed file."""
        with h5py.File(path, "r") as file:
            return {run for run in runs if file["checksum"][run, 0] == self.checksum[run]}

    def proved(self, path):
        """Runs that are finished, each with the bytes of the undisturbed file (set), and those that
        only say so (set). The file opens."""
        try:
            with h5py.File(path, "r") as file:
                status = file["status"][:, 0]
        except (OSError, KeyError) as error:
            raise Failure(f"{path} does not open: {error}") from None
        need(len(status) == self.runs, f"{path}: another number of runs")
        with open(path, "rb") as file:
            data = file.read()
        need(len(data) == len(self.bytes), f"{path}: {len(data)} bytes instead of {len(self.bytes)}")
        said = {run for run in range(self.runs) if status[run] != PENDING}
        wrong = {run for run in said if self.differs(data, run)}
        return said - wrong, wrong


def lock_of(path):
    """The lock as a dictionary; empty where there is none."""
    try:
        with open(path + ".lock", errors="replace") as file:
            lines = file.read().split("\n")
    except OSError:
        return {}
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def continued(said):
    """Runs that were done when this launch began, as it says."""
    found = re.search(r"continuing: (\d+) of", said)
    return int(found.group(1)) if found else 0


def number(text):
    return int(text) if text.lstrip("-").isdigit() else 0


class Watch:
    """How far a job is, by what it writes; cheap enough to be asked every millisecond."""

    def __init__(self, job, path, truth):
        self.job, self.path, self.truth = job, path, truth
        self.held = False  # the lock was seen in its hands
        self.ranks = []

    def changes(self):
        """Grows whenever a run or a checkpoint is written."""
        found = []
        for path in (self.path, self.path + ".ckpt"):
            try:
                found.append(os.stat(path).st_mtime_ns)
            except OSError:
                found.append(0)
        return found

    def phase(self):
        lock = lock_of(self.path)
        self.ranks = self.job.ranks() or self.ranks
        ours = number(lock.get("pid", "")) in self.ranks
        self.held = self.held or ours
        finished = self.truth.finished(self.path)
        if finished is None:
            return "creating" if os.path.exists(self.path + ".partial") else "before the file"
        if not self.held:
            return "starting again"
        if ours and number(lock.get("runs", "")) == 0:
            return "opening"
        return "end" if len(finished) == self.truth.runs else "training"


def await_that(job, condition, every=0.001):
    """Until the condition holds, asked every so often; False: the job ended before."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if not job.running():
            return False
        need(time.monotonic() < deadline, f"the job (process {job.pid}) hangs")
        time.sleep(every)
    return True


AIMS = {  # how likely: where no file stands, where one does
    "any time": (20, 20),
    "start": (10, 10),
    "creating": (35, 0),
    "training": (25, 35),
    "writing": (10, 35),
    "end": (0, 10),
}
PHASES = ("before the file", "creating", "starting again", "opening", "training", "writing", "end")


class Moment:
    """A random moment in the life of a job."""

    def __init__(self, random, path, truth):
        self.random, self.path, self.truth = random, path, truth

    def pause(self, longest):
        time.sleep(self.random.uniform(0, longest))

    def just_written(self, job, watch):
        """When the writing of a run or a checkpoint has begun, within 5 ms, mostly sooner."""
        self.pause(0.6)
        before = watch.changes()
        written = await_that(job, lambda: watch.changes() != before, every=0.00002)
        if written:
            time.sleep(10 ** self.random.uniform(-5, -2.3))
        return written

    def await_one(self, job, watch):
        """Wait for it; the phase it fell into, of PHASES, or "ended"."""
        exists = os.path.exists(self.path)
        aim, = self.random.choices(list(AIMS), [weight[exists] for weight in AIMS.values()])
        if aim == "any time":
            self.pause(2)
        elif aim == "start":
            self.pause(0.7)
        elif aim == "creating":
            await_that(job, lambda: watch.phase() != "before the file")
            self.pause(0.04)
        elif aim == "end":
            await_that(job, lambda: watch.phase() == "end")
            self.pause(0.1)
        else:
            await_that(job, lambda: watch.phase() in ("training", "end"))
            if aim == "writing" and self.just_written(job, watch):
                return "writing"
            self.pause(1)
        return watch.phase() if job.running() else "ended"


def seed_of(word):
    """The seed given, or a new one."""
    return int(word) if word else random_numbers.SystemRandom().randrange(10**6)


def table(head, rows, count):
    """Lines of a table of counts by (row, phase)."""
    lines = [f"{head:16}" + "".join(f"{phase:>17}" for phase in PHASES)]
    return lines + [f"{row:16}" + "".join(f"{count[row, phase]:17}" for phase in PHASES) for row in rows]


def left_over(path):
    """What lies beside the file under its name."""
    folder, name = os.path.split(os.path.abspath(path))
    return sorted(other for other in os.listdir(folder) if other.startswith(name) and other != name)
