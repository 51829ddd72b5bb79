"""The page in a real browser.
  page_browser.py NAME ...      the first: NAME.html of NAME.h5; of the others, that they open
What the page says of itself it says through spots(): where each layer stands, in bits and in pixels."""
import io, json, os, pathlib, sys, tarfile, tempfile, time, urllib.request
import h5py, numpy as np
import browser

why = browser.missing()
if why:
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(77)

name, others = sys.argv[1], sys.argv[2:]
file = h5py.File(f"{name}.h5")
here = pathlib.Path.cwd()
profile = tempfile.mkdtemp(prefix="profile")
b = browser.Browser(here / profile)


def open_page(of, words=""):
    b.open("about:blank")
    b.open((here / f"{of}.html").as_uri() + words)
    b.wait("return document.documentElement.dataset.ready === 'yes'")
    said = [line for line in b.complaints() if "willReadFrequently" not in line] # that is us, looking at pixels
    assert not said, said


def spots():
    return b.js("return spots()")


def means(study, group_runs, column, epoch):
    """Mean over runs (their numbers) of I(X;T), I(T;Y) for every layer at an epoch."""
    rows = [np.flatnonzero(file["run"][:] == n)[0] for n in group_runs]
    e = file["epoch"][:].tolist().index(epoch)
    return [np.mean([file[f][r, column, e] for r in rows], axis=0) for f in ("i_xt", "i_ty")]


def expect_plane(column, epoch):
    """All that is drawn stands where the file says."""
    groups = b.js("return shown.map(g => [g.label, g.layers, g.runs.map(r => data.runs[r].number)])")
    tolerance = 2e-3
    seen = 0
    for spot in spots():
        label, layers, numbers = groups[spot["panel"]]
        at = numbers if spot["run"] < 0 else [b.js("return data.runs[arguments[0]].number", spot["run"])]
        x, y = means(None, at, column, epoch)
        assert abs(spot["i_xt"] - x[spot["layer"]]) < tolerance, (spot, x)
        assert abs(spot["i_ty"] - y[spot["layer"]]) < tolerance, (spot, y)
        seen += 1
    assert seen >= sum(g[1] for g in groups)
    return groups


def expect_pixels():
    """Marks are really drawn there: the output is a disk in the color of ink, above all others."""
    for spot in spots():
        last = b.js("return shown[arguments[0]].layers - 1", spot["panel"])
        if spot["layer"] != last or spot["run"] >= 0:
            continue
        pixel = b.js("""const r = devicePixelRatio, c = $('plane').getContext('2d');
          return [...c.getImageData(arguments[0] * r, arguments[1] * r, 1, 1).data]""", spot["x"], spot["y"])
        ink = b.js("return ink('--ink')")
        want = [int(ink[i:i + 2], 16) for i in (1, 3, 5)]
        assert max(abs(p - w) for p, w in zip(pixel, want)) < 40, (spot, pixel, ink)
    # and the place in pixels is linear in bits, from the corner of the panel to its reach
    for p, s in enumerate(b.js("return plane.panels.map(p => [p.left, p.top, p.w, p.h, p.far.x, p.far.y])")):
        left, top, w, h, far_x, far_y = s
        for spot in (q for q in spots() if q["panel"] == p and q["i_ty"] > 0):
            assert abs(spot["x"] - (left + spot["i_xt"] / far_x * w)) < 1e-3
            assert abs(spot["y"] - (top + h - spot["i_ty"] / far_y * h)) < 1e-3


# ---- it opens, and stands at the beginning --------------------------------------------------------------
open_page(name)
assert b.js("return window.hacked") is None
assert b.js("return epoch_now()") == 0
columns = [c.decode() for c in file["column"][:]]
main = columns.index("bin30")
groups = expect_plane(main, 0)
assert len(groups) == 3, groups
expect_pixels()
assert b.js("""const s = document.createElement('script'); s.textContent = 'window.hacked = 2';
  document.body.append(s); s.remove(); return window.hacked""") is None, "the policy lets a script in"
b.complaints()

# ---- the slider, the film -------------------------------------------------------------------------------
looks = b.js("return looks.map(p => data.epoch[p])")
for at in (3, len(looks) // 2, len(looks) - 1):
    b.js("const s = $('look'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))", at)
    assert b.js("return epoch_now()") == looks[at]
    assert f"epoch {looks[at]}," in b.js("return $('now').textContent")
    expect_plane(main, looks[at])
    expect_pixels()
b.js("state.speed = 4; $('play').click()") # from the end: from the beginning again
assert b.js("return $('play').textContent") == "Pause"
b.wait("return !state.playing")
assert b.js("return state.look") == len(looks) - 1 and b.js("return $('play').textContent") == "Play"
expect_plane(main, looks[-1])

# who wants no motion gets steps: two looks a second, not a film
b.media(prefers_reduced_motion="reduce")
b.js("state.speed = 1; window.counted = 0; const f = step; step = by => { window.counted++; f(by); }; $('play').click()")
b.wait("return window.counted >= 2")
assert b.js("return state.look === window.counted && state.playing")
b.js("play(false)")
b.media()

# ---- keys ------------------------------------------------------------------------------------------------
left, right, home, end, space, escape = "\ue012", "\ue014", "\ue011", "\ue010", " ", "\ue00c"
b.js("document.activeElement.blur()")
b.press(home)
assert b.js("return state.look") == 0
b.press(right), b.press(right), b.press(left)
assert b.js("return state.look") == 1
b.press(end)
assert b.js("return state.look") == len(looks) - 1
b.press(space)
assert b.js("return state.playing")
b.press(space)
assert not b.js("return state.playing")
b.press("l")
assert b.js("return state.time") == "linear"
b.press("s")
assert b.js("return state.runs")
expect_plane(main, b.js("return epoch_now()"))
b.press("2")
assert b.js("return lit()") == 1
b.press(escape)
assert b.js("return lit()") == -1
reached = set()
for _ in range(60): # everything can be reached with the tabulator
    b.press("\ue004")
    reached.add(b.js("return document.activeElement.id || document.activeElement.tagName"))
assert {"column", "run", "runs", "plane", "play", "look", "speed", "time", "claims"} <= reached, reached

# ---- filters, columns, studies ---------------------------------------------------------------------------
b.js("show_single(false)")
box = "[...document.querySelectorAll('#filters label')].find(l => l.textContent.includes('60 %')).querySelector('input')"
b.js(f"{box}.click()")
assert len(expect_plane(main, b.js("return epoch_now()"))) == 2
b.js(f"{box}.click()")
kde = columns.index("kde_upper_0.1")
b.js("const c = $('column'); c.value = arguments[0]; c.dispatchEvent(new Event('change'))", kde)
expect_plane(kde, b.js("return epoch_now()"))
studies = b.js("return data.studies.map(s => s.name)")
hostile = next(i for i, s in enumerate(studies) if "hacked" in s)
b.js("const c = $('study'); c.value = arguments[0]; c.dispatchEvent(new Event('change'))", hostile)
assert b.js("return $('study').selectedOptions[0].textContent") == studies[hostile]
assert len(expect_plane(kde, b.js("return epoch_now()"))) == 4
assert b.js("return window.hacked") is None

# ---- a run, its line of the grid, the address --------------------------------------------------------------
b.js("const c = $('run'); c.value = 2; c.dispatchEvent(new Event('change'))")
number = b.js("return data.runs[state.run].number")
chosen = b.js("return $('chosen').textContent")
assert f"Run {number}:" in chosen and f"'only=[{number}]'" in chosen and "replicate 1" in chosen, chosen
of_run = [s for s in spots() if s["panel"] == 0]
x, y = means(None, [number], kde, b.js("return epoch_now()"))
for s in of_run:
    assert abs(s["i_xt"] - x[s["layer"]]) < 2e-3 and abs(s["i_ty"] - y[s["layer"]]) < 2e-3
b.js("stop_at(-4)")
before = b.js("return [state.study, state.column, epoch_now(), state.run, state.time]")
words = b.js("return location.hash")
open_page(name, words)
assert b.js("return [state.study, state.column, epoch_now(), state.run, state.time]") == before
assert b.js("return window.hacked") is None

# a click on a point chooses its run
open_page(name, "#single=yes&epoch=40")
target = next(s for s in spots() if s["run"] >= 0 and s["layer"] == 2
              and all((q["x"] - s["x"]) ** 2 + (q["y"] - s["y"]) ** 2 > 9 for q in spots() if q["run"] != s["run"]))
b.js("$('plane').scrollIntoView({block: 'center'})")
corner = b.js("const r = $('plane').getBoundingClientRect(); return [r.left, r.top]")
b.click(corner[0] + target["x"], corner[1] + target["y"])
assert b.js("return state.run") == target["run"], target

# ---- panels, tables, claims ----------------------------------------------------------------------------------
open_page(name, "#epoch=40")
titles = b.js("return [...document.querySelectorAll('.panel h3')].map(h => h.textContent)")
assert len(titles) == 5, titles
b.js("document.querySelectorAll('details').forEach(d => d.open = true)")
b.wait("return document.querySelectorAll('.panel table').length === 5 && document.querySelector('#plane-table table')")
loss = b.js("return [...document.querySelectorAll('.panel table')][0].textContent")
assert "training" in loss and "test" in loss
line = b.js("return [...document.querySelectorAll('#plane-table tbody tr')].map(r => [...r.children].map(c => c.textContent))")
x, y = means(None, b.js("return shown[0].runs.map(r => data.runs[r].number)"), main, 40)
assert abs(float(line[0][3]) - x[0]) < 2e-3 and abs(float(line[0][5]) - y[0]) < 2e-3, (line[0], x, y)
assert b.js("return document.querySelectorAll('#claims tbody tr').length") > 20
verdicts = b.js("return [...$('verdict').options].map(o => o.value)")
assert len(verdicts) > 2, verdicts
b.js("$('verdict').value = arguments[0]; $('verdict').dispatchEvent(new Event('change'))", verdicts[1])
assert set(b.js("return [...document.querySelectorAll('#claims tbody tr')].map(r => r.children[7].textContent)")) == {verdicts[1]}
b.js("hovered = -1; light(2)")
alpha = b.js("return panels.at(-1).plot.series.map(s => s.alpha)")
assert 1 in alpha and 0.15 in alpha, alpha
b.js("light(-1)")

# ---- accessibility, by axe-core, light and dark, wide and narrow ------------------------------------------------
version = "4.14.1"
try:
    packed = urllib.request.urlopen(f"https://registry.npmjs.org/axe-core/-/axe-core-{version}.tgz", timeout=60).read()
    axe = tarfile.open(fileobj=io.BytesIO(packed)).extractfile("package/axe.min.js").read().decode()
except OSError as error:
    axe = None
    print(f"axe-core is not at hand ({error}): accessibility was not judged")
for scheme in "light", "dark":
    for width, height in (1200, 1400), (400, 1400):
        b.media(prefers_color_scheme=scheme)
        b.size(width, height)
        open_page(name, "#epoch=10")
        assert b.js("return document.documentElement.scrollWidth <= innerWidth"), f"wider than {width}"
        expect_pixels()
        b.picture(f"{scheme}-{width}.png")
        if not axe:
            continue
        b.js(axe)
        b.js("window.judged = null; axe.run().then(r => { window.judged = r; }, e => { window.judged = String(e); })")
        b.wait("return window.judged !== null")
        bad = b.js("return typeof judged === 'string' ? judged : judged.violations.filter(v => "
                   "v.impact === 'serious' || v.impact === 'critical').map(v => [v.id, v.nodes.map(n => n.html.slice(0, 120))])")
        assert bad == [], json.dumps(bad, indent=1)

for other in others:
    open_page(other)
b.close()
print(f"{name}.html: it opens, plays, filters, obeys keys; {len(others)} more open")
