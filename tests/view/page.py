"""What a page holds, against its file: every number of every finished run, once more unpacked.
  page.py FILE.h5 PAGE.html [THINNED]
THINNED: what the page says it leaves out, a regular expression of two numbers for each of looks, runs."""
import base64, hashlib, json, re, sys, zlib
import h5py, numpy as np

file, html = h5py.File(sys.argv[1]), open(sys.argv[2], encoding="utf-8").read()

# Scripts and styles are those whose hashes the policy names, and nothing is loaded.
policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1]
assert policy.startswith("default-src 'none'; "), policy
for tag, rule in ("script", "script-src"), ("style", "style-src"):
    parts = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.S)
    assert len(parts) == 1, (tag, len(parts))
    digest = base64.b64encode(hashlib.sha256(parts[0].encode()).digest()).decode()
    assert f"{rule} 'sha256-{digest}'" in policy, (tag, policy)
assert "Permission is hereby granted" in html and "Copyright (c) 2022 Leon Sorokin" in html

inside = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)[1]
assert "<" not in inside
data = json.loads(inside)
left_out = sys.argv[3] if len(sys.argv) > 3 else ""
assert len(html) <= 10_000_000 and re.fullmatch(left_out, data["thinned"]), (len(html), data["thinned"])
assert data["epoch"] == file["epoch"][:].tolist()
assert [c["name"] for c in data["columns"]] == [c.decode() for c in file["column"][:]]
assert data["config"] == file.attrs["config"]

# Every finished run of every study is there, or as many of them as it says.
numbers = [run[0] for run in data["runs"]]
done = file["status"][:, 0] == 1
def there(held, all_of_them):
    if left_out:
        said = list(map(int, re.findall(r"\d+", data["thinned"])))
        looks, of_looks, runs, of_runs = said + 2 * [len(all_of_them)] if len(said) == 2 else said
        assert len(set(held)) == len(held) == runs and of_runs == len(all_of_them), (len(held), said)
        assert {all_of_them[0], all_of_them[-1]} < set(held) <= set(all_of_them)
        look = data["studies"][0]["groups"][0]["look"]
        assert len(set(look)) == len(look) == looks < of_looks == len(data["epoch"])
        assert look == sorted(look) and (look[0], look[-1]) == (0, of_looks - 1)
    else:
        assert sorted(held) == all_of_them, held
there(numbers, file["run"][:][done].tolist())
row = {number: i for i, number in enumerate(file["run"][:].tolist())}
for s, study in enumerate(data["studies"]):
    member = file["in_study"][:, s] == 1
    held = [data["runs"][r][0] for g in study["groups"] for r in g["runs"]]
    there(held, file["run"][:][member & done].tolist())
    assert sum(g["pending"] for g in study["groups"]) == (member & (file["status"][:, 0] == 0)).sum()
    assert sum(g["diverged"] for g in study["groups"]) == (member & (file["status"][:, 0] == 2)).sum()
home = {}
for study in data["studies"]:
    for g in study["groups"]:
        for r in g["runs"]:
            home.setdefault(r, g)
for r, run in enumerate(data["runs"]):
    assert run[1] == file["seed"][row[run[0]]] and run[2] == file["replicate"][row[run[0]]]
    onset = file["onset_epoch"][row[run[0]], :, 1]
    assert run[3:] == onset[:len(home[r]["width"]) - 1].tolist()

checked = 0
for name, fields in data["fields"].items():
    for c, field in enumerate(fields):
        raw = np.frombuffer(zlib.decompress(base64.b64decode(field["bytes"])), np.uint8).astype(int)
        steps, at = 256 * raw[:len(raw) // 2] + raw[len(raw) // 2:], 0
        for r, run in enumerate(data["runs"]):
            g, value = home[r], file[name][row[run[0]]]
            if name in ("i_xt", "i_ty"):
                value = value[c]
            value = value.reshape(len(data["epoch"]), -1)[g["look"]]
            value = value[:, :len(g["width"]) - 1] if value.shape[1] > 1 else value
            if field["log"]:
                with np.errstate(all="ignore"):
                    value = np.where(value > 0, np.log10(value), np.nan)
            q = np.cumsum(steps[at:at + value.size].reshape(value.shape), axis=0) % 65536
            at += value.size
            got = np.where(q == 65535, np.nan, field["low"] + q * (field["high"] - field["low"]) / 65534)
            value = np.where(np.isfinite(value), value, np.nan)
            assert (np.isnan(got) == np.isnan(value)).all(), (name, c, run)
            off = np.nanmax(np.abs(got - value), initial=0)
            assert off <= 0.51 * (field["high"] - field["low"]) / 65534 + 1e-9, (name, c, run, off)
            checked += value.size
        assert at == len(steps)
print(f"{checked} numbers of {len(numbers)} runs are those of the file")
