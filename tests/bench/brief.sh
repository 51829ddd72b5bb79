#!/bin/sh
# The benchmark in its briefest form: every row is there, its CSV can be read, and what is compared computes the
# same; so too without torch and without numpy, whose rows say so.
#   brief.sh PROGRAM SCRATCH
bench=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../cli/lib.sh
. "$bench/../cli/lib.sh"
one_at_a_time

# measure NAME MISSING ...: NAME.csv and its table, on a machine without these modules
measure() {
  name=$1
  shift
  mkdir "without_$name"
  for module in "$@"; do echo 'raise ImportError("not here")' >"without_$name/$module.py"; done
  expect 0 env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$scratch/without_$name" "$python" "$bench/run.py" "$(dirname "$program")" \
    --brief --csv "$name.csv"
  expect 0 "$python" "$bench/run.py" --table "$name.csv"
  "$python" - "$bench" "$name.csv" out "$@" <<'END_'
import csv, math, sys
sys.dont_write_bytecode = True
bench, path, table, *missing = sys.argv[1:]
sys.path.insert(0, bench)
import run
rows = list(csv.DictReader(open(path, newline="")))
have = {module: module not in missing for module in ("numpy", "torch")}
for module in have:
    try:
        __import__(module)
    except ImportError:
        have[module] = False
have["torch"] = have["torch"] and have["numpy"]
compared = {(name, what) for name, _, _, _, others in run.work for _, what, _, _ in others}
assert compared <= {(row["work"], row["other"]) for row in rows}, compared
assert len(rows) == len(compared) + len(run.users) + 2 # memory, two cores
assert len(open(table).read().splitlines()) == len(rows) + 3
module = {what: kernel.split("_")[0] for *_, others in run.work for kernel, what, kind, _ in others if kind == run.PYTHON}
for row in rows:
    assert list(row) == run.COLUMNS and all(row[name] for name in run.COLUMNS if name not in run.MAY_LACK), row
    wanted = module.get(row["other"], "torch" if row["work"].startswith("a network") else "numpy")
    if row["kind"] == run.PYTHON and not have[wanted]:
        assert "not measured" in row["note"], row
    elif not row["note"]:
        assert all(math.isfinite(float(row[name])) and float(row[name]) > 0 for name in ("ours_value", "other_value", "ratio")), row
        assert float(row["quartile_1"]) <= float(row["ratio"]) <= float(row["quartile_3"]) and int(row["turns"]) > 0, row
    else:
        assert row["kind"] in (run.LIMIT, "share"), row # other processors have no probe; one core
if have["torch"]:
    same = [row for row in rows if row["tolerance"]]
    assert len(same) == sum(tolerance is not None for *_, others in run.work for *_, tolerance in others), len(same)
    assert all(float(row["difference"]) <= float(row["tolerance"]) for row in same)
print(f"{path}: {len(rows)} rows, {sum(not row['note'] for row in rows)} measured")
END_
}

measure all
measure torch torch
measure numpy numpy torch
