/* The plane of information: a panel for each setting, drawn on one canvas. What stays is drawn once, on a
   canvas behind; points are stamps. */

const palette = {
  light: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8c6d1f"],
  dark: ["#4ba3e3", "#f0b340", "#2fbf95", "#e0a0c5", "#ef7d3c", "#8fd0f5", "#c7a95a"]
};
const dark = () => matchMedia("(prefers-color-scheme: dark)").matches;
const ink = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* Hidden layers have colors and shapes in turn; the output is a black (white) disk. */
function color_of(layer, layers) {
  const colors = palette[dark() ? "dark" : "light"];
  return layer === layers - 1 ? ink("--ink") : colors[layer % colors.length];
}
const shapes = [
  r => [[-r, -r], [r, -r], [r, r], [-r, r]],
  r => [[0, -1.2 * r], [1.1 * r, 0.8 * r], [-1.1 * r, 0.8 * r]],
  r => [[0, -1.3 * r], [1.3 * r, 0], [0, 1.3 * r], [-1.3 * r, 0]],
  r => [[0, 1.2 * r], [1.1 * r, -0.8 * r], [-1.1 * r, -0.8 * r]],
  r => [0, 1, 2, 3, 4].map(i => [1.2 * r * Math.sin(i * 1.2566), -1.2 * r * Math.cos(i * 1.2566)]),
  r => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(i => [(i % 2 ? 0.6 : 1.4) * r * Math.sin(i * 0.6283), (i % 2 ? -0.6 : -1.4) * r * Math.cos(i * 0.6283)]),
  r => [[-0.5 * r, -1.2 * r], [0.5 * r, -1.2 * r], [0.5 * r, 1.2 * r], [-0.5 * r, 1.2 * r]]
];
const shape_of = (layer, layers, r) => layer === layers - 1 ? null : shapes[layer % shapes.length](r);

function layer_icon(layer, layers) {
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
  const corners = shape_of(layer, layers, 5.5), mark = document.createElementNS(space, corners ? "polygon" : "circle");
  svg.setAttribute("viewBox", "-8 -8 16 16");
  svg.setAttribute("aria-hidden", "true");
  if (corners) mark.setAttribute("points", corners.map(p => p.join()).join(" ")); else mark.setAttribute("r", 6);
  mark.setAttribute("fill", color_of(layer, layers));
  svg.append(mark);
  return svg;
}

/* ---- places ------------------------------------------------------------------------------------------------ */

const plane = { panels: [], back: null, stamps: new Map() };

/* Even steps of 1, 2 or 5. */
function steps(high, most) {
  const raw = high / most, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(x => x * power).find(x => x >= raw * 0.999);
  const all = [];
  for (let i = 0; i * step <= high * 1.0001; i++) all.push(Number((i * step).toPrecision(6)));
  return all;
}

/* Largest coordinates of a group in this column, and its caps. */
function reach(group) {
  const x = band("i_xt", state.column, group), y = band("i_ty", state.column, group);
  const most = b => b.mean.reduce((a, v, i) => Math.max(a, Number.isFinite(v) ? v + b.deviation[i] : 0), 0.01);
  const [h_x, , i_xy] = group.caps[state.column].map(v => v === null ? NaN : v);
  return { x: 1.04 * Math.max(h_x || 0, most(x)), y: 1.1 * Math.max(i_xy || 0, most(y)) };
}

/* After a resize or another choice: where panels stand, and all that does not move. */
function lay_plane() {
  const canvas = $("plane"), width = Math.max(280, canvas.parentElement.clientWidth), n = Math.max(1, shown.length);
  const columns = width < 560 || n === 1 ? 1 : width < 900 || n === 2 || n === 4 ? 2 : 3;
  const wide = (width - 8) / columns, high = Math.min(440, Math.max(250, wide * (n === 1 ? 0.55 : 0.72)));
  const height = high * Math.ceil(n / columns), ratio = devicePixelRatio || 1;
  for (const c of [canvas, plane.back = document.createElement("canvas")]) {
    c.width = Math.round(width * ratio);
    c.height = Math.round(height * ratio);
    c.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
  }
  canvas.style.height = height + "px";
  plane.width = width;
  plane.height = height;
  plane.ratio = ratio;
  plane.stamps.clear();
  const each = data.columns.length ? shown.map(reach) : []; /* settings are compared: one scale for all */
  const far = { x: Math.max(...each.map(r => r.x)), y: Math.max(...each.map(r => r.y)) };
  plane.panels = !data.columns.length ? [] : shown.map((group, i) => {
    const left = (i % columns) * wide + 56, top = Math.floor(i / columns) * high + 30;
    const w = wide - 72, h = high - 78;
    return { group, left, top, w, h, far, x: v => left + v / far.x * w, y: v => top + h - Math.max(-0.02, v / far.y) * h };
  });
  const g = plane.back.getContext("2d");
  g.fillStyle = ink("--paper");
  g.fillRect(0, 0, width, height);
  plane.panels.forEach(panel => draw_still(g, panel));
  $("plane").setAttribute("aria-label", plane.panels.length
    ? `I(T;Y) against I(X;T) of every layer, ${shown.map(s => s.label).join("; ")}; the table below holds the numbers`
    : "no network to draw");
}

function draw_still(g, panel) {
  const { group, left, top, w, h, far } = panel;
  const soft = ink("--soft"), line = ink("--line"), [h_x, h_y, i_xy] = group.caps[state.column];
  g.font = "12px system-ui, sans-serif";
  g.lineWidth = 1;
  g.fillStyle = soft;
  g.strokeStyle = line;
  g.textAlign = "center";
  for (const v of steps(far.x, w < 260 ? 4 : 8)) {
    g.beginPath(); g.moveTo(panel.x(v), top + h); g.lineTo(panel.x(v), top); g.stroke();
    g.fillText(String(v), panel.x(v), top + h + 15);
  }
  g.textAlign = "right";
  for (const v of steps(far.y, 5)) {
    g.beginPath(); g.moveTo(left, panel.y(v)); g.lineTo(left + w, panel.y(v)); g.stroke();
    g.fillText(String(v), left - 6, panel.y(v) + 4);
  }
  g.textAlign = "center";
  g.fillText("I(X;T), bit", left + w / 2, top + h + 32);
  g.save(); g.translate(left - 40, top + h / 2); g.rotate(-Math.PI / 2); g.fillText("I(T;Y), bit", 0, 0); g.restore();
  g.textAlign = "left";
  g.fillStyle = ink("--ink");
  g.font = "600 13px system-ui, sans-serif";
  g.fillText(fitted(g, group.label, w), left, top - 10);
  g.font = "11px system-ui, sans-serif";
  g.fillStyle = g.strokeStyle = soft;
  g.setLineDash([6, 4]);
  if (Number.isFinite(i_xy)) draw_cap(g, [left, panel.y(i_xy)], [left + w, panel.y(i_xy)],
    Math.abs(i_xy - h_y) < 1e-9 ? "H(Y)" : "I(X;Y)", left + 4, panel.y(i_xy) - 4);
  if (Number.isFinite(h_x)) {
    const n = 2 ** h_x, whole = Math.abs(n - Math.round(n)) < 1e-6 * n;
    g.textAlign = "right";
    draw_cap(g, [panel.x(h_x), top], [panel.x(h_x), top + h], whole ? `log2 ${Math.round(n)}` : "H(X)", panel.x(h_x) - 4, top + h - 5);
  }
  g.setLineDash([]);
  const curve = data.curves[group.data];
  if (!curve) return;
  g.strokeStyle = ink("--ink");
  g.beginPath();
  curve.x.forEach((x, i) => i ? g.lineTo(panel.x(x), panel.y(curve.y[i])) : g.moveTo(panel.x(x), panel.y(curve.y[i])));
  g.stroke();
}

function draw_cap(g, from, to, name, x, y) {
  g.beginPath(); g.moveTo(...from); g.lineTo(...to); g.stroke();
  g.fillText(name, x, y);
}

function fitted(g, text, width) {
  if (g.measureText(text).width <= width) return text;
  let n = text.length;
  while (n > 1 && g.measureText(text.slice(0, n) + "…").width > width) n--;
  return text.slice(0, n) + "…";
}

/* ---- what moves --------------------------------------------------------------------------------------------- */

/* A small picture of a layer's mark, drawn once. */
function stamp(layer, layers, r, alpha) {
  const key = `${layer} ${layers} ${r} ${alpha}`;
  if (plane.stamps.has(key)) return plane.stamps.get(key);
  const size = Math.ceil(2 * (1.5 * r + 2)), made = document.createElement("canvas");
  made.width = made.height = Math.ceil(size * plane.ratio);
  const g = made.getContext("2d");
  g.setTransform(plane.ratio, 0, 0, plane.ratio, made.width / 2, made.height / 2);
  g.globalAlpha = alpha;
  g.fillStyle = color_of(layer, layers);
  g.strokeStyle = ink("--paper");
  draw_mark(g, shape_of(layer, layers, r), r);
  g.fill();
  if (r > 4) g.stroke();
  made.size = size;
  plane.stamps.set(key, made);
  return made;
}
function draw_mark(g, corners, r) {
  g.beginPath();
  if (corners) { corners.forEach((p, i) => i ? g.lineTo(...p) : g.moveTo(...p)); g.closePath(); } else g.arc(0, 0, r * 1.1, 0, 7);
}
function put(g, mark, x, y) { g.drawImage(mark, x - mark.size / 2, y - mark.size / 2, mark.size, mark.size); }

const faint = layer => lit() >= 0 && lit() !== layer;

/* Where every layer of a panel stands: the mean of its group or the chosen run. */
function spot(panel, layer, look) {
  const { group } = panel, i = look * group.layers + layer;
  if (state.run >= 0 && group === current()) {
    const at = name => value_of(name, state.column, state.run, group.look[look], layer);
    return { x: at("i_xt"), y: at("i_ty"), dx: 0, dy: 0 };
  }
  const x = band("i_xt", state.column, group), y = band("i_ty", state.column, group);
  return { x: x.mean[i], y: y.mean[i], dx: x.deviation[i], dy: y.deviation[i] };
}

function draw_plane() {
  const g = $("plane").getContext("2d");
  g.globalAlpha = 1;
  g.drawImage(plane.back, 0, 0, plane.width, plane.height);
  for (const panel of plane.panels) {
    const look = look_at(panel.group.look, looks[state.look]);
    if (state.runs) draw_runs(g, panel, panel.group.look[look]);
    for (let layer = 0; layer < panel.group.layers; layer++) draw_layer(g, panel, layer, look);
  }
  g.globalAlpha = 1;
}

/* All networks of a layer in one path: thousands of stamps would take longer than a frame. */
function draw_runs(g, panel, place) {
  const { group } = panel;
  for (let layer = 0; layer < group.layers; layer++) {
    g.globalAlpha = faint(layer) ? 0.08 : 0.5;
    g.fillStyle = color_of(layer, group.layers);
    g.beginPath();
    for (const r of group.runs) {
      const x = value_of("i_xt", state.column, r, place, layer), y = value_of("i_ty", state.column, r, place, layer);
      if (x === x && y === y) g.rect(panel.x(x) - 1.6, panel.y(y) - 1.6, 3.2, 3.2);
    }
    g.fill();
  }
}

function draw_layer(g, panel, layer, look) {
  const { group } = panel, color = color_of(layer, group.layers), now = spot(panel, layer, look);
  g.globalAlpha = faint(layer) ? 0.15 : 0.8;
  g.strokeStyle = color;
  g.lineWidth = lit() === layer ? 3 : 1.5;
  g.beginPath();
  let pen = false;
  for (let l = 0; l <= look; l++) {
    const s = spot(panel, layer, l), there = s.x === s.x && s.y === s.y;
    if (there && pen) g.lineTo(panel.x(s.x), panel.y(s.y)); else if (there) g.moveTo(panel.x(s.x), panel.y(s.y));
    pen = there;
  }
  g.stroke();
  if (now.x !== now.x || now.y !== now.y) return;
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(panel.x(now.x - now.dx), panel.y(now.y)); g.lineTo(panel.x(now.x + now.dx), panel.y(now.y));
  g.moveTo(panel.x(now.x), panel.y(now.y - now.dy)); g.lineTo(panel.x(now.x), panel.y(now.y + now.dy));
  g.stroke();
  put(g, stamp(layer, group.layers, lit() === layer ? 8 : 6, faint(layer) ? 0.25 : 1), panel.x(now.x), panel.y(now.y));
}

/* Where everything stands in pixels of the canvas: what the pointer is near, and what tests look at. */
function spots() {
  const all = [];
  plane.panels.forEach((panel, p) => {
    const { group } = panel, place = looks[state.look], look = look_at(group.look, place);
    for (let layer = 0; layer < group.layers; layer++) {
      const s = spot(panel, layer, look);
      all.push({ panel: p, layer, run: -1, i_xt: s.x, i_ty: s.y, x: panel.x(s.x), y: panel.y(s.y) });
      if (state.runs) for (const r of group.runs) {
        const x = value_of("i_xt", state.column, r, group.look[look], layer), y = value_of("i_ty", state.column, r, group.look[look], layer);
        all.push({ panel: p, layer, run: r, i_xt: x, i_ty: y, x: panel.x(x), y: panel.y(y) });
      }
    }
  });
  return all;
}

function near(event) {
  const box = $("plane").getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  let best = null, least = 12 ** 2;
  for (const s of spots()) {
    const d = (s.x - x) ** 2 + (s.y - y) ** 2;
    if (d < least) { least = d; best = s; }
  }
  const panel = plane.panels.findIndex(p => x >= p.left && x <= p.left + p.w && y >= p.top - 30 && y <= p.top + p.h);
  return { spot: best, panel };
}

$("plane").addEventListener("pointermove", event => { if (!state.playing) light((near(event).spot || { layer: -1 }).layer); });
$("plane").addEventListener("pointerleave", () => light(-1));
$("plane").addEventListener("click", event => {
  const at = near(event);
  if (at.panel < 0 && !at.spot) return;
  state.group = at.spot ? at.spot.panel : at.panel;
  state.run = at.spot ? at.spot.run : -1;
  show_all();
});

function fill_plane_table() {
  const box = $("plane-table"), rows = [];
  box.querySelectorAll("table").forEach(table => table.remove());
  if (!box.open || !data.columns.length) return;
  for (const panel of plane.panels) {
    const look = look_at(panel.group.look, looks[state.look]);
    for (let layer = 0; layer < panel.group.layers; layer++) {
      const s = spot(panel, layer, look);
      rows.push([panel.group.label, String(layer + 1), String(panel.group.width[layer + 1]), digits(s.x), digits(s.dx), digits(s.y), digits(s.dy)]);
    }
  }
  box.append(table_of(`epoch ${epoch_now()}, ${data.columns[state.column].name}`,
    ["Setting", "Layer", "Units", "I(X;T), bit", "s.d.", "I(T;Y), bit", "s.d."], rows, new Set([1, 2, 3, 4, 5, 6])));
}
