/* Loss and accuracy, gradients and weights of one setting over its epochs, beside the film. */

const panels = []; /* {plot, now, box, table, series: layer of each curve or -1} */

const panel_rows = [
  { title: "Loss", unit: "nat", log: true, curves: [["loss_train", "training"], ["loss_test", "test"]] },
  { title: "Accuracy", unit: "share of patterns", curves: [["accuracy_train", "training"], ["accuracy_test", "test"]] },
  { title: "Gradients: mean (solid) and deviation (dashed)", unit: "norm", log: true, bare: true, layered: ["gradient_mean_norm", "gradient_std_norm"] },
  { title: "Signal to noise of the gradients", unit: "ratio", log: true, ratio: ["gradient_mean_norm", "gradient_std_norm"] },
  { title: "Weights", unit: "Frobenius norm", layered: ["weight_norm"] }
];

const shown_epoch = epoch => state.time === "log" ? Math.max(0.5, epoch) : epoch;

/* The curve of a field in a layer, with its deviation: of the chosen run, or of the mean. */
function curve_of(name, layer, group) {
  const n = group.look.length, b = band(name, 0, group);
  if (state.run >= 0) return { mean: Array.from({ length: n }, (_, l) => value_of(name, 0, state.run, group.look[l], layer)), deviation: null };
  const pick = from => Array.from({ length: n }, (_, l) => from[l * b.cells + layer]);
  return { mean: pick(b.mean), deviation: group.runs.length > 1 ? pick(b.deviation) : null };
}

function curves_of(row, group) {
  const all = [], ink_colors = [ink("--ink"), color_of(4, 99)];
  if (row.curves) row.curves.forEach(([name, label], i) => {
    if (data.fields[name]) all.push({ label, layer: -1, color: ink_colors[i], dash: i ? [6, 4] : [], ...curve_of(name, 0, group) });
  });
  for (let layer = 0; layer < group.layers; layer++) {
    const label = layer === group.layers - 1 ? "output" : `layer ${layer + 1}`, color = color_of(layer, group.layers);
    if (row.layered) row.layered.forEach((name, i) => {
      if (data.fields[name]) all.push({ label: label + (i ? ", deviation" : ""), layer, color, dash: i ? [5, 4] : [], ...curve_of(name, layer, group) });
    });
    if (row.ratio && row.ratio.every(name => data.fields[name])) {
      const [signal, noise] = row.ratio.map(name => curve_of(name, layer, group).mean);
      all.push({ label, layer, color, dash: [], mean: signal.map((v, i) => v / noise[i]), deviation: null });
    }
  }
  return all.filter(c => c.mean.some(v => Number.isFinite(v) && (!row.log || v > 0)));
}

/* The median epoch at which diffusion sets in, of each layer; null where fewer than half of the runs see it. */
function onsets(group) {
  const runs = state.run >= 0 ? [state.run] : group.runs;
  return Array.from({ length: group.layers }, (_, layer) => {
    const seen = runs.map(r => data.runs[r].onset[layer]).filter(v => v >= 0).sort((a, b) => a - b);
    return 2 * seen.length >= runs.length && seen.length ? seen[Math.ceil(runs.length / 2) - 1] ?? null : null;
  });
}

function make_panels() {
  panels.splice(0).forEach(panel => panel.plot.destroy());
  const group = current(), box = $("panels");
  box.replaceChildren();
  if (!group || group.look.length < 2) { box.textContent = "Nothing was looked at during training."; return; }
  for (const row of panel_rows) {
    const curves = curves_of(row, group);
    if (curves.length) panels.push(make_panel(row, curves, group, box));
  }
  if (!panels.length) box.textContent = "This file holds no training.";
}

/* Axis numbers of a logarithmic time: 0 stands at 0.5. */
const epoch_text = v => v === 0.5 ? "0" : state.time === "linear" || is_power(v) ? String(v) : "";
const is_power = v => v > 0 && Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-6;
/* Of many numbers along a logarithmic axis the powers of ten; of one decade 1, 2 and 5. */
const few = all => {
  const powers = all.filter(is_power).length > 1;
  return all.map(v => is_power(v) || (!powers && is_power(v / 2) || !powers && is_power(v / 5)) ? v : null);
};
const log_text = all => few(all).map(v => v === null ? "" : String(Number(v.toPrecision(1))));

function make_panel(row, curves, group, box) {
  const holder = element("div", undefined, { class: "panel" }), room = element("div", undefined, { class: "room", role: "img" });
  const table = element("details"), x = group.look.map(place => shown_epoch(data.epoch[place]));
  const clean = list => list.map(v => Number.isFinite(v) && (!row.log || v > 0) ? v : null);
  const columns = [x], series = [{}], bands = [], of = [-1];
  for (const c of curves) {
    columns.push(clean(c.mean));
    series.push({ label: c.label, stroke: c.color, width: 1.5, dash: c.dash, points: { show: false } });
    of.push(c.layer);
    if (!c.deviation || row.bare) continue;
    columns.push(clean(c.mean.map((v, i) => v + c.deviation[i])), clean(c.mean.map((v, i) => row.log ? Math.max(v - c.deviation[i], v / 30) : v - c.deviation[i])));
    for (let i = 0; i < 2; i++) { series.push({ width: 0, stroke: c.color, points: { show: false } }); of.push(c.layer); }
    bands.push({ series: [columns.length - 2, columns.length - 1], fill: c.color + "2e" });
  }
  const axis = (log, rest) => {
    const lines = { stroke: ink("--line"), width: 1, ...(log ? { filter: (u, all) => few(all) } : {}) };
    return { stroke: ink("--soft"), grid: lines, ticks: lines, font: "12px system-ui", labelFont: "12px system-ui", labelSize: 16, labelGap: 0, ...rest };
  };
  room.setAttribute("aria-label", `${row.title} of ${group.label} over epochs; the table below holds the numbers`);
  holder.append(element("h3", row.title), room, table);
  box.append(holder);
  const plot = new uPlot({
    width: room.clientWidth || 400, height: 240, series, bands, legend: { show: false }, cursor: { drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: false, distr: state.time === "log" ? 3 : 1, range: (u, low, high) => [low, high > low ? high : low + 1] }, y: { distr: row.log ? 3 : 1 } },
    axes: [axis(state.time === "log", { label: "epoch", size: 28, values: (u, all) => all.map(epoch_text) }),
      axis(row.log, { label: row.unit, size: 54, ...(row.log ? { values: (u, all) => log_text(all) } : {}) })],
    hooks: { draw: [u => { if (row.ratio) draw_onsets(u, group); }] }
  }, columns, room);
  const now = element("div", undefined, { class: "now" });
  plot.over.append(now);
  plot.over.addEventListener("click", event => {
    const epoch = plot.posToVal(event.offsetX, "x");
    state.look = nearest(epoch < 0.8 ? 0 : epoch);
    show_look();
    write_address();
  });
  table.append(element("summary", `Numbers: ${row.title.toLowerCase()}`));
  table.addEventListener("toggle", () => {
    if (!table.open || table.querySelector("table")) return;
    const wrap = element("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": row.title });
    wrap.append(table_of(`${group.label}, ${row.unit}`, ["Epoch", ...curves.map(c => c.label)],
      group.look.map((place, l) => [String(data.epoch[place]), ...curves.map(c => significant(c.mean[l]))]),
      new Set(curves.map((_, i) => i + 1).concat(0))));
    table.append(wrap);
  });
  return { plot, now, room, of };
}

/* Dotted lines where diffusion sets in, in the color of the layer; the line of signal equal to noise. */
function draw_onsets(u, group) {
  const g = u.ctx, { left, top, width, height } = u.bbox;
  const line = (x0, y0, x1, y1, color, dash) => {
    g.strokeStyle = color; g.setLineDash(dash); g.lineWidth = devicePixelRatio || 1;
    g.beginPath(); g.moveTo(x0, y0); g.lineTo(x1, y1); g.stroke();
  };
  g.save();
  const one = u.valToPos(1, "y", true);
  if (one > top && one < top + height) line(left, one, left + width, one, ink("--soft"), []);
  onsets(group).forEach((epoch, layer) => {
    if (epoch === null) return;
    const x = u.valToPos(shown_epoch(epoch), "x", true);
    line(x, top, x, top + height, color_of(layer, group.layers), [2, 4]);
  });
  g.restore();
}

function move_panels() {
  for (const panel of panels) {
    const x = panel.plot.valToPos(shown_epoch(epoch_now()), "x");
    panel.now.style.transform = `translateX(${Math.min(panel.plot.over.clientWidth, Math.max(0, x))}px)`;
  }
}

function light_panels() {
  for (const panel of panels) {
    panel.of.forEach((layer, i) => { panel.plot.series[i].alpha = lit() < 0 || layer < 0 || layer === lit() ? 1 : 0.15; });
    panel.plot.redraw(false, false);
  }
}

function size_panels() {
  for (const panel of panels) panel.plot.setSize({ width: panel.room.clientWidth, height: 240 });
  move_panels();
}
