"""power.sh: power cuts by the dozen.  See there.

    power.py PROGRAM CUTS [SEED]       in a folder with `room`, where files can be cloned

A life is one file: a job on a disk, a cut; the copied disk, a job that continues, a cut; and so on, up to
15 cuts, then a job that is left alone.

Acknowledged is what a rank was told is on the disk: fdatasync has returned for it.  From outside one
sees the status in the page cache, which is written just before the last fdatasync of a run.  A rank has
one run in hand, so of the runs seen finished before the copy began all but one per rank must be in it;
and as many as the lock says, which counts runs whose writing has returned.
"""
import collections
import fcntl
import os
import random
import subprocess
import sys
import time

import campaign
from campaign import Failure, need

MOUNTED = os.path.join("room", "disk")
FILE = os.path.join(MOUNTED, "wild.h5")
FICLONE = 0x40049409
MEGABYTES = 64


def command(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    need(done.returncode == 0, f"{' '.join(words)}: {done.stderr}")


class Disk:
    """An image file, mounted through a loop device."""

    def __init__(self, name, of=None):
        """A new one, or the copy of one as it is at this moment."""
        self.path = os.path.join("room", name)
        with open(self.path, "wb") as file:
            if of:
                with open(of.path, "rb") as source:
                    fcntl.ioctl(file.fileno(), FICLONE, source.fileno())
            else:
                file.truncate(MEGABYTES << 20)
        if not of:
            command("mkfs.ext4", "-q", "-F", self.path)

    def mount(self):
        os.makedirs(MOUNTED, exist_ok=True)
        command("mount", "-o", "loop", self.path, MOUNTED)

    def throw_away(self):
        """Once the last of the killed processes is gone from it."""
        deadline = time.monotonic() + campaign.PATIENCE
        while subprocess.run(["umount", MOUNTED], capture_output=True).returncode:
            need(time.monotonic() < deadline, "killed processes do not end")
            time.sleep(0.02)
        os.unlink(self.path)


class Campaign:
    def __init__(self, program, cuts, seed, litter):
        self.program, self.left, self.random = program, cuts, random.Random(seed)
        self.litter, self.env = litter, campaign.environment(litter.folder)
        self.options = campaign.options_of(program)
        self.count = collections.Counter()
        self.acknowledged = self.beyond = self.unsealed = self.no_file = self.lives = self.launches = 0
        self.longest = 0.0  # seconds to copy a disk
        self.disk, self.disks = None, 0
        self.began = time.monotonic()

    def prepare(self):
        self.truths = [campaign.Truth(self.program, name, self.env) for name in campaign.STUDIES]

    def choose_study(self):
        self.truth = self.random.choice(self.truths)
        self.moment = campaign.Moment(self.random, FILE, self.truth)
        self.arguments = [self.truth.study, "-o", FILE] + self.options

    def new_disk(self, of=None):
        self.disks += 1
        return Disk(f"disk{self.disks}.img", of)

    # ---- one cut ----

    def cut(self, job):
        """The disk as it is now; what had been seen before: runs finished, the lock's word."""
        lock = campaign.lock_of(FILE)
        seen = self.truth.finished(FILE) if campaign.number(lock.get("runs", "")) else None
        began = time.monotonic()
        copy = self.new_disk(of=self.disk)
        self.longest = max(self.longest, time.monotonic() - began)
        job.kill([job.pid] + job.ranks())
        return copy, seen, campaign.number(lock.get("done", ""))

    def switch_on(self, copy):
        self.disk.throw_away()
        self.disk = copy
        copy.mount()

    def one_cut(self):
        """Launch, cut, look. True: the job had ended by itself."""
        held = self.truth.proved(FILE)[0] if os.path.exists(FILE) else None
        ranks = self.random.choice((0, 1, 2, 2, 3, 4))
        job = campaign.Job(self.program, ranks, self.arguments, self.env)
        try:
            self.launches += 1
            phase = self.moment.await_one(job, campaign.Watch(job, FILE, self.truth))
            ended = phase == "ended"
            if not ended:
                copy, seen, told = self.cut(job)
            code = job.wait()
            said = job.said()
        finally:
            job.end()
        if ended:
            need(code == 0, f"exit code {code}:\n{said}")
            return True
        self.switch_on(copy)
        self.check(held, seen, told, max(ranks, 1))
        self.count["cut", phase] += 1
        self.left -= 1
        return False

    def check(self, held, seen, told, ranks):
        """held: runs proved when the launch began; None: there was no file. seen: None: it was not
        known to be complete."""
        if not os.path.exists(FILE):
            need(held is None and seen is None, "the file is gone")
            self.no_file += 1
            return
        proved, wrong = self.truth.proved(FILE)
        held, seen = held or set(), seen or set()
        need(held <= proved, f"runs of earlier launches are lost: {sorted(held - proved)}")
        need(not wrong or not self.truth.sealed(FILE, wrong), "a run is sealed, but its bytes are not there")
        missing = seen - proved
        need(len(missing) <= ranks, f"{len(missing)} finished runs are lost, with {ranks} ranks: {sorted(missing)}")
        need(told <= len(proved), f"the lock counted {told} runs, {len(proved)} are there")
        self.acknowledged += len(seen - held) - len(missing)
        self.beyond += len(missing)
        self.unsealed += len(wrong)

    # ---- one file ----

    def finish(self):
        before = len(self.truth.proved(FILE)[0]) if os.path.exists(FILE) else 0
        said = campaign.launch(self.program, self.random.choice((1, 2, 3, 4)), self.arguments, self.env)
        self.launches += 1
        if before < self.truth.runs:
            need(campaign.continued(said) >= before, f"{before} runs were done, and it says:\n{said}")
        with open(FILE, "rb") as file:
            need(file.read() == self.truth.bytes, "the file differs from the undisturbed one")
        others = campaign.left_over(FILE)
        need(not others, f"left over: {others}")

    def life(self):
        began, cuts = time.monotonic(), self.left
        self.choose_study()
        wanted = min(self.left, self.random.randint(5, 15))
        self.disk = self.new_disk()
        self.disk.mount()
        complete = False
        while not complete and cuts - self.left < wanted:
            complete = self.one_cut()
        self.finish()
        self.disk.throw_away()
        self.litter.clear()
        self.lives += 1
        print(f"file {self.lives}: {cuts - self.left} cuts, {self.left} to go, "
              f"{time.monotonic() - began:.0f} s", flush=True)

    def summary(self):
        print(f"\n{sum(self.count.values())} cuts, {self.launches} launches, {self.lives} files, "
              f"{time.monotonic() - self.began:.0f} s")
        print("\n".join(campaign.table("", ["cut"], self.count)))
        print(f"runs finished in a launch before its cut and found after it: {self.acknowledged}; "
              f"still in the hands of their rank: {self.beyond}; half written seals: {self.unsealed}")
        print(f"cuts before the file was there: {self.no_file}; longest copy: {self.longest * 1e3:.0f} ms")
        print("files unreadable 0, acknowledged runs lost 0, sealed runs wrong 0, "
              "files different at the end 0, left over 0")


def main(program, cuts, seed=""):
    seed = campaign.seed_of(seed)
    print(f"power.sh: {cuts} cuts, seed {seed}", flush=True)
    litter = campaign.Litter()
    try:
        c = Campaign(program, int(cuts), seed, litter)
        c.prepare()
        while c.left > 0:
            c.life()
        c.summary()
    except Failure as failure:
        sys.exit(f"FAILED (seed {seed}): {failure}")
    finally:
        litter.remove()


main(*sys.argv[1:])
