"""damage.sh: results files with changed bytes.  See there.

    damage.py PROGRAM FILES [SEED]       beside d.yaml and the files that damage.sh makes
"""
import collections
import os
import random
import subprocess
import sys

FILE = "damaged.h5"
WHOLE = ("whole.h5", "compact.h5", "half.h5", "share.h5")
PATIENCE = 300  # seconds; a child that reads has a minute of processor time
CODES = (0, 1, 65, 66, 73, 74, 75, 77, 78)  # of infoplane help exit; 70 would be a mistake of ours
READING = (
    ["status", FILE],
    ["check", FILE],
    ["cite", FILE],
    ["report", FILE, "-o", "page.html"],
    ["figures", FILE, "-o", "pictures", "columns=all"],
    ["diff", "whole.h5", FILE],
    ["diff", FILE, "whole.h5"],
    ["compact", FILE, "-o", "new.h5"],
    ["merge", FILE, "other.h5", "-o", "new.h5"],
    ["merge", "other.h5", FILE, "-o", "new.h5"],
    ["remeasure", FILE, "estimate=[{kind: binning, bins: 10}]", "-o", "new.h5"],
)
WRITING = (
    ["run", "d.yaml", "-o", FILE],
    ["grow", FILE, "repeat=3"],
    ["compact", FILE, "replace=yes"],
)
LITTER = ("new.h5", "new.h5.partial", "page.html", FILE + ".lock")


def places(content):
    """Bytes that do not just repeat the eight before: metadata and numbers, without fill."""
    rows = [content[i:i + 8] for i in range(0, len(content), 8)]
    return [i for r in range(1, len(rows)) if rows[r] != rows[r - 1]
            for i in range(8 * r, 8 * r + len(rows[r]))]


def damage(content, at, chance):
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        changed[chance.choice(at)] = chance.choice((0, 1, 0x7f, 0x80, 0xff, chance.randrange(256)))
    if chance.random() < 0.05:
        del changed[chance.randrange(len(changed)):]
    return bytes(changed)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(program, files, seed):
    chance = random.Random(seed)
    whole = {name: read(name) for name in WHOLE}
    at = {name: places(content) for name, content in whole.items()}
    codes, wrong = collections.Counter(), 0
    for n in range(files):
        changed = damage(whole[name := chance.choice(WHOLE)], at[name], chance)
        with open(FILE, "wb") as file:
            file.write(changed)
        verb = chance.choice(READING + WRITING)
        try:
            done = subprocess.run([program, *verb], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=PATIENCE, errors="replace")
            code, words = done.returncode, done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            code, words = "endless", ""
        problem = None
        if code not in CODES:
            problem = f"exit code {code}"
        elif code not in (0, 1, 75) and not words.strip():
            problem = f"exit code {code} without a word"
        elif verb in READING and read(FILE) != changed:
            problem = "the file was changed"
        codes[code] += 1
        if problem:
            wrong += 1
            with open(f"wrong{n}.h5", "wb") as file:
                file.write(changed)
            print(f"wrong{n}.h5: {name}, {' '.join(verb)}: {problem}\n{words[-3000:]}", flush=True)
        for path in LITTER:
            if os.path.lexists(path):
                os.unlink(path)
    print(f"{files} damaged files, seed {seed}: exit codes",
          ", ".join(f"{code} ({n})" for code, n in sorted(codes.items(), key=str)) + f"; {wrong} wrong")
    return wrong > 0


if __name__ == "__main__":
    seed = int(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3] else random.SystemRandom().randrange(10**6)
    sys.exit(main(sys.argv[1], int(sys.argv[2]), seed))
