"""kill.sh: kills by the hundred.  See there.

    kill.py PROGRAM KILLS [SEED]       in an empty folder

A sweep is one file: up to 25 launches, each killed, then one that is left alone.  When is drawn too: at
any time, or while the file is made, while runs train, just after a write, or at the end, when all runs
are done and are being read back.
"""
import collections
import os
import random
import statistics
import sys
import time

import campaign
from campaign import Failure, need

FILE = "wild.h5"
KINDS = ("a rank", "mpirun", "all at once", "a program alone")


class Campaign:
    def __init__(self, program, kills, seed, litter):
        self.program, self.left, self.random = program, kills, random.Random(seed)
        self.litter = litter
        self.env = campaign.environment(litter.folder)
        self.options = campaign.options_of(program)
        self.count = collections.Counter()  # (kind, phase)
        self.codes = collections.Counter()
        self.done = []  # share of the runs done at each kill
        self.launches = self.refused = self.sweeps = self.by_themselves = 0
        self.began = time.monotonic()

    def prepare(self):
        self.truths = [campaign.Truth(self.program, name, self.env) for name in campaign.STUDIES]

    def choose_study(self):
        self.truth = self.random.choice(self.truths)
        self.moment = campaign.Moment(self.random, FILE, self.truth)
        self.arguments = [self.truth.study, "-o", FILE] + self.options

    # ---- one kill ----

    def victims(self, job):
        """Kind and processes to kill."""
        ranks = job.ranks()
        if job.alone:
            return "a program alone", [job.pid]
        kind = self.random.choice(("a rank", "a rank", "mpirun", "all at once"))
        if kind == "a rank" and ranks:
            return kind, [self.random.choice(ranks)]
        everyone = [job.pid] + ranks
        self.random.shuffle(everyone)
        return ("all at once", everyone) if kind == "all at once" else ("mpirun", [job.pid])

    def one_kill(self):
        """Launch, kill, look. True: the job had ended by itself."""
        before = self.truth.proved(FILE)[0] if os.path.exists(FILE) else None
        ranks = self.random.choice((0, 1, 2, 2, 3, 4))
        job = campaign.Job(self.program, ranks, self.arguments, self.env)
        try:
            self.launches += 1
            phase = self.moment.await_one(job, campaign.Watch(job, FILE, self.truth))
            kind, pids = self.victims(job)
            ended = not job.running()
            if not ended:
                job.kill(pids)
            code = job.wait()
            said = job.said()
        finally:
            job.end()
        self.check(before)
        if ended or code == 0:
            return self.judge_end(code, said)
        self.codes[code] += 1
        self.count[kind, phase] += 1
        self.left -= 1
        return False

    def judge_end(self, code, said):
        """A launch that ended before its kill: done, or refused for ranks that outlive their mpirun."""
        if code == 77 and "in use by process" in said:
            self.refused += 1
            return False
        need(code == 0, f"exit code {code}:\n{said}")
        self.by_themselves += 1
        return True

    def check(self, before):
        """No file, or one that opens, with every run that was finished before and no wrong one."""
        if not os.path.exists(FILE):
            need(before is None, "the file is gone")
            return
        after, wrong = self.truth.proved(FILE)
        need(not wrong, f"finished runs with other bytes than those of the undisturbed file: {sorted(wrong)}")
        need(before is None or before <= after, f"lost: {sorted((before or set()) - after)}")
        self.done.append(len(after) / self.truth.runs)

    # ---- one file ----

    def finish(self):
        """The last launch of a sweep; then the file is the undisturbed one and stands alone."""
        before = len(self.truth.proved(FILE)[0]) if os.path.exists(FILE) else 0
        ranks = self.random.choice((1, 2, 3, 4))
        said = campaign.launch(self.program, ranks, self.arguments, self.env)
        self.launches += 1
        if before < self.truth.runs:
            need(campaign.continued(said) >= before, f"{before} runs were done, and it says:\n{said}")
        with open(FILE, "rb") as file:
            need(file.read() == self.truth.bytes, "the file differs from the undisturbed one")
        others = campaign.left_over(FILE)
        need(not others, f"left over: {others}")
        os.unlink(FILE)

    def sweep(self):
        began, kills = time.monotonic(), self.left
        self.choose_study()
        wanted = min(self.left, self.random.randint(10, 25))
        complete = False
        while not complete and kills - self.left < wanted:
            complete = self.one_kill()
        self.finish()
        self.litter.clear()
        self.sweeps += 1
        print(f"sweep {self.sweeps}: {kills - self.left} kills, {self.left} to go, "
              f"{time.monotonic() - began:.0f} s", flush=True)

    def summary(self):
        total = sum(self.count.values())
        print(f"\n{total} kills, {self.launches} launches, {self.sweeps} files, "
              f"{time.monotonic() - self.began:.0f} s")
        print("\n".join(campaign.table("killed", KINDS, self.count)))
        if self.done:
            print(f"runs done at a kill: {min(self.done):.0%} to {max(self.done):.0%}, "
                  f"median {statistics.median(self.done):.0%}")
        print("exit codes of killed launches:",
              ", ".join(f"{code} ({n})" for code, n in sorted(self.codes.items())))
        print(f"launches that ended before their kill: {self.by_themselves}, refused while ranks of a "
              f"killed mpirun lived: {self.refused}")
        print("files unreadable 0, runs lost 0, runs wrong 0, files different at the end 0, left over 0")


def main(program, kills, seed=""):
    seed = campaign.seed_of(seed)
    print(f"kill.sh: {kills} kills, seed {seed}", flush=True)
    litter = campaign.Litter()
    try:
        c = Campaign(program, int(kills), seed, litter)
        c.prepare()
        while c.left > 0:
            c.sweep()
        c.summary()
    except Failure as failure:
        sys.exit(f"FAILED (seed {seed}, files kept in {os.getcwd()}): {failure}")
    finally:
        litter.remove()


main(*sys.argv[1:])
