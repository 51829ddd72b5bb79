"""Follows the README of a clone word by word.
  first_hour.py CLONE
Every line "$ ..." of its console blocks runs, in the clone, with the program that its first command builds;
what a block shows below it must be printed, but for numbers, times, and names of this machine. Code of
the other languages runs too. What does not run stands in the tables here, with the reason."""
import os, pathlib, re, shutil, subprocess, sys

clone = pathlib.Path(sys.argv[1]).resolve()
readme = (clone / "README.md").read_text()

# The README's own input, with fewer and shorter runs.
shorter = {"epochs: 10000": "epochs: 3", "repeat: 50": "repeat: 1", "look: saxe": "look: [1]"}
# What is shown of an input with mistakes.
mistaken = "dataset: {name: symmetric}\nnetwork:\n  activation: tahn\ntrain: {epochs: 3}\nlerning_rate: 1e-3\n"

not_run = {
    "tests/run.sh": "it is what runs this",
    "sbatch": "cluster/jobs does it in a real Slurm",
}
not_followed = {"## On a cluster": "cluster/jobs does it in a real Slurm"}
# Exit codes other than 0, as the README's text explains.
codes = {"infoplane merge": 1, "infoplane grow": 0}


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
    done = subprocess.run(["bash", "-c", words], cwd=clone, capture_output=True, text=True)
    printed = done.stdout + done.stderr
    wanted = next((code for start, code in codes.items() if words.startswith(start)), 0)
    return words, printed, done.returncode, wanted


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
        words, printed, code, wanted = result
        assert code == (78 if bad else wanted), f"$ {words}\nexit code {code}\n{printed}"
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


def follow_r(code):
    if not shutil.which("Rscript") or subprocess.run(["Rscript", "-e", "library(ncdf4)"], capture_output=True).returncode:
        print("not run: R, which is not here with ncdf4 (Debian: r-cran-ncdf4)")
        return
    subprocess.run(["Rscript", "-e", code], cwd=clone, check=True, capture_output=True)


os.environ["PATH"] = f"{clone}/build:{os.environ['PATH']}"
section, blocks = "", []
for match in re.finditer(r"^## .*$|^```(\w*)\n(.*?)^```$", readme, flags=re.M | re.S):
    if match[0].startswith("##"):
        section = match[0]
    else:
        blocks.append((section, match[1], match[2]))
followed = 0
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
