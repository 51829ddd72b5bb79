/* What the page knows and what of it is shown. Texts of users are only ever set as text. */
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/* study, column: places in data; off: values of keys that are not shown, "key=value"; look: place in
   looks; group: place in shown, of the panels; run: place in data.runs or -1 for the mean; layer: lit or -1 */
const state = {
  study: 0, column: Math.max(0, data.main), off: new Set(), look: 0, group: 0, run: -1, layer: -1,
  runs: false, time: "log", speed: 1, playing: false
};
let shown = [], looks = []; /* groups that are drawn; places on data.epoch at which one of them is looked at */

function element(name, text, attributes) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const key in attributes || {}) made.setAttribute(key, attributes[key]);
  return made;
}

/* ---- numbers ------------------------------------------------------------------------------------------ */

/* Every run has the looks of the group that it was met in first. */
for (const study of data.studies)
  for (const group of study.groups) {
    group.layers = group.width.length - 1;
    for (const r of group.runs) if (!data.runs[r].home) data.runs[r].home = group;
  }
for (let r = 0, layered = 0, plain = 0; r < data.runs.length; r++) {
  const run = data.runs[r], home = run.home;
  [run.number, run.seed, run.replicate] = run;
  run.onset = run.slice(3);
  run.layered = layered;
  run.plain = plain;
  layered += home.look.length * home.layers;
  plain += home.look.length;
}
const per_run = new Set(["loss_train", "loss_test", "accuracy_train", "accuracy_test"]);

async function unpack(name, field) {
  const packed = Uint8Array.from(atob(field.bytes), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const n = bytes.length / 2, value = new Float32Array(n), step = (field.high - field.low) / 65534;
  for (let r = 0, at = 0; r < data.runs.length; r++) {
    const cells = per_run.has(name) ? 1 : data.runs[r].home.layers, all = data.runs[r].home.look.length * cells;
    const before = new Uint16Array(cells);
    for (let i = 0; i < all; i++, at++) {
      const q = before[i % cells] = before[i % cells] + 256 * bytes[at] + bytes[n + at];
      const v = before[i % cells] === 65535 ? NaN : field.low + before[i % cells] * step;
      value[at] = field.log ? 10 ** v : v;
    }
  }
  return value;
}

async function unpack_all() {
  for (const name in data.fields)
    data.fields[name] = await Promise.all(data.fields[name].map(field => unpack(name, field)));
}

/* Place of the last look of a list at or before a place on data.epoch. */
function look_at(list, place) {
  let low = 0, high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle] <= place) low = middle; else high = middle - 1;
  }
  return low;
}

/* A number of one run at a place on data.epoch. */
function value_of(name, column, r, place, layer) {
  const run = data.runs[r], field = data.fields[name][column], look = look_at(run.home.look, place);
  return per_run.has(name) ? field[run.plain + look] : field[run.layered + look * run.home.layers + layer];
}

/* Mean and standard deviation over the runs of a group: shape (looks, cells). */
const kept = new Map();
function band(name, column, group) {
  const key = name + " " + column;
  if (!kept.has(group)) kept.set(group, {});
  if (kept.get(group)[key]) return kept.get(group)[key];
  const cells = per_run.has(name) ? 1 : group.layers, n = group.look.length * cells, runs = group.runs.length;
  const mean = new Float64Array(n), deviation = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const place = group.look[Math.floor(i / cells)];
    let m = 0, squares = 0;
    for (let k = 0; k < runs; k++) {
      const v = value_of(name, column, group.runs[k], place, i % cells), d = v - m;
      m += d / (k + 1);
      squares += d * (v - m);
    }
    mean[i] = runs ? m : NaN;
    deviation[i] = runs > 1 ? Math.sqrt(squares / (runs - 1)) : 0;
  }
  return kept.get(group)[key] = { mean, deviation, cells };
}

const digits = (value, n = 3) => Number.isFinite(value) ? value.toFixed(n) : "-";
const significant = value => Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "-";

/* ---- what is shown ------------------------------------------------------------------------------------- */

const study = () => data.studies[state.study];
const current = () => shown[state.group] || shown[0];
const epoch_now = () => looks.length ? data.epoch[looks[state.look]] : 0;
const most_shown = 6;

function is_on(group) {
  return group.runs.length > 0 &&
    group.key.every((value, k) => !study().varies[k] || !state.off.has(data.keys[k] + "=" + value));
}

/* After another study or filter: which groups, which looks. */
function choose() {
  const before = epoch_now(), all = study().groups.filter(is_on);
  shown = all.slice(0, most_shown);
  looks = [...new Set(shown.flatMap(group => group.look))].sort((a, b) => a - b);
  state.group = Math.min(state.group, Math.max(0, shown.length - 1));
  state.look = nearest(before);
  if (!current() || !current().runs.includes(state.run)) state.run = -1;
  $("more").textContent = all.length > shown.length
    ? `${shown.length} of ${all.length} settings are drawn: the filters choose.` : "";
}

function nearest(epoch) {
  let best = 0;
  looks.forEach((place, i) => {
    if (Math.abs(data.epoch[place] - epoch) < Math.abs(data.epoch[looks[best]] - epoch)) best = i;
  });
  return best;
}

/* ---- the address ----------------------------------------------------------------------------------------- */

function write_address() {
  const words = new URLSearchParams();
  words.set("study", study().name);
  if (data.columns.length) words.set("column", data.columns[state.column].name);
  words.set("epoch", epoch_now());
  words.set("setting", state.group);
  words.set("time", state.time);
  if (state.runs) words.set("single", "yes");
  if (state.run >= 0) words.set("run", data.runs[state.run].number);
  if (state.layer >= 0) words.set("layer", state.layer + 1);
  for (const value of state.off) words.append("off", value);
  history.replaceState(null, "", "#" + words);
}

function read_address() {
  const words = new URLSearchParams(location.hash.slice(1));
  const place = (list, name, fall) => { const i = list.findIndex(x => x.name === name); return i < 0 ? fall : i; };
  state.study = place(data.studies, words.get("study"), 0);
  state.column = place(data.columns, words.get("column"), Math.max(0, data.main));
  state.off = new Set(words.getAll("off"));
  state.group = Number(words.get("setting")) || 0;
  state.time = words.get("time") === "linear" ? "linear" : "log";
  state.runs = words.get("single") === "yes";
  state.layer = (Number(words.get("layer")) || 0) - 1;
  state.run = words.has("run") ? data.runs.findIndex(run => run.number === Number(words.get("run"))) : -1;
  choose();
  state.look = words.has("epoch") ? nearest(Number(words.get("epoch"))) : 0;
}

/* ---- controls --------------------------------------------------------------------------------------------- */

function fill(select, names, chosen) {
  select.replaceChildren(...names.map((name, i) => new Option(name, i, false, i === chosen)));
  select.disabled = names.length < 2;
}

function fill_filters() {
  const made = [];
  data.keys.forEach((key, k) => {
    if (!study().varies[k]) return;
    const field = element("fieldset");
    field.append(element("legend", key));
    for (const value of new Set(study().groups.map(group => group.key[k]))) {
      const label = element("label"), box = element("input", undefined, { type: "checkbox" }), word = key + "=" + value;
      box.checked = !state.off.has(word);
      box.addEventListener("change", () => {
        if (box.checked) state.off.delete(word); else state.off.add(word);
        choose();
        show_all();
      });
      label.append(box, value);
      field.append(label);
    }
    made.push(field);
  });
  $("filters").replaceChildren(...made);
}

function fill_layers() {
  const most = shown.reduce((a, b) => a.layers > b.layers ? a : b, { layers: 0, width: [] });
  const made = [];
  for (let l = 0; l < most.layers; l++) {
    const button = element("button", undefined, { type: "button", "aria-pressed": String(state.layer === l) });
    const last = l === most.layers - 1;
    button.append(layer_icon(l, most.layers), shown.length > 1 ? (last ? "output" : `layer ${l + 1}`)
      : (last ? `output (${most.width[l + 1]})` : `layer ${l + 1} (${most.width[l + 1]})`));
    button.addEventListener("pointerenter", () => light(l, false));
    button.addEventListener("pointerleave", () => light(-1, false));
    button.addEventListener("click", () => { state.layer = state.layer === l ? -1 : l; show_layers(); write_address(); });
    made.push(button);
  }
  $("layers").replaceChildren(...made);
}

/* A layer is lit while the pointer is on it, or until it is chosen again. */
let hovered = -1;
const lit = () => hovered >= 0 ? hovered : state.layer;
function light(layer) {
  if (hovered === layer) return;
  hovered = layer;
  show_layers();
}
function show_layers() {
  [...$("layers").children].forEach((button, l) => button.setAttribute("aria-pressed", String(state.layer === l)));
  draw_plane();
  light_panels();
}

function quoted(text) {
  return /^[\w./-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'";
}

function show_chosen() {
  const group = current(), run = data.runs[state.run], box = $("chosen");
  fill($("group"), shown.map(g => g.label), state.group);
  if (!group) { box.textContent = "No finished network is chosen."; fill($("run"), ["-"], 0); return; }
  const names = group.runs.map(r => `run ${data.runs[r].number}: seed ${data.runs[r].seed}, replicate ${data.runs[r].replicate}`);
  fill($("run"), [`mean of ${group.runs.length}`, ...names], group.runs.indexOf(state.run) + 1);
  $("run").disabled = false;
  if (!run) {
    const rest = [["diverged", group.diverged], ["failed", group.failed], ["not finished", group.pending]]
      .filter(pair => pair[1] > 0).map(pair => `${pair[1]} ${pair[0]}`);
    box.textContent = `${group.label}: ${group.n} finished network${group.n === 1 ? "" : "s"}` +
      (rest.length ? `; left out: ${rest.join(", ")}` : "");
    return;
  }
  const grid = data.keys.map((key, k) => study().varies[k] ? `${key}=${group.key[k]}` : "").filter(Boolean);
  box.replaceChildren(`Run ${run.number}: ${[...grid, `seed=${run.seed}`, `replicate ${run.replicate}`].join(", ")}. Again: `,
    element("code", `infoplane run INPUT 'only=[${run.number}]' -o again_${run.number}.h5`));
}

function show_now() {
  const group = current();
  if (!group) return $("now").textContent = "";
  const place = looks[state.look], updates = group.updates[look_at(group.look, place)];
  const text = `epoch ${data.epoch[place]}, ${significant(updates)} updates; look ${state.look + 1} of ${looks.length}`;
  $("look").value = state.look;
  $("look").setAttribute("aria-valuetext", text);
  $("now").setAttribute("aria-live", state.playing ? "off" : "polite");
  $("now").textContent = text;
}

/* One step of the film. */
function show_look() {
  show_now();
  draw_plane();
  move_panels();
  if ($("plane-table").open) fill_plane_table();
}

function show_all() {
  $("look").max = Math.max(0, looks.length - 1);
  $("runs").checked = state.runs;
  $("time").value = state.time;
  fill($("study"), data.studies.map(s => s.name), state.study);
  fill($("column"), data.columns.map(c => c.name + (c.on === "full" ? "" : `, on ${c.on}`)), state.column);
  fill_filters();
  fill_layers();
  show_chosen();
  lay_plane();
  make_panels();
  show_look();
  light_panels();
  write_address();
}

/* ---- the film --------------------------------------------------------------------------------------------- */

const film_seconds = 12;
/* Time on the slider of a place on data.epoch, as the film counts it. */
const film_time = place => state.time === "log" ? Math.log(1 + data.epoch[place]) : data.epoch[place];

let film_at = 0, film_before = 0;
function frame(now) {
  if (!state.playing) return;
  const first = film_time(looks[0]), last = film_time(looks[looks.length - 1]);
  const passed = Math.min(0.1, (now - film_before) / 1000);
  if (calm.matches) { /* from look to look, slowly */
    film_at += passed * 2 * state.speed;
    if (film_at >= 1) { film_at = 0; step(1); }
  } else {
    film_at += passed * state.speed * (last - first) / film_seconds;
    let look = state.look;
    while (look + 1 < looks.length && film_time(looks[look + 1]) <= film_at) look++;
    if (look !== state.look) { state.look = look; show_look(); }
  }
  film_before = now;
  if (state.look === looks.length - 1) return play(false);
  requestAnimationFrame(frame);
}

function play(on) {
  if (on && looks.length < 2) return;
  if (on && state.look === looks.length - 1) state.look = 0;
  state.playing = on;
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", String(on));
  film_at = calm.matches || !looks.length ? 0 : film_time(looks[state.look]);
  film_before = performance.now();
  if (on) requestAnimationFrame(frame); else { show_look(); write_address(); }
}

function step(by) {
  state.look = Math.min(looks.length - 1, Math.max(0, state.look + by));
  show_look();
}
function stop_at(by) {
  if (state.playing) play(false);
  step(by);
  write_address();
}

/* ---- what people do ----------------------------------------------------------------------------------------- */

function listen() {
  $("play").addEventListener("click", () => play(!state.playing));
  $("look").addEventListener("input", () => {
    if (state.playing) play(false);
    state.look = Number($("look").value);
    show_look();
  });
  $("look").addEventListener("change", write_address);
  $("study").addEventListener("change", event => {
    Object.assign(state, { study: Number(event.target.value), group: 0, run: -1 });
    choose();
    show_all();
  });
  $("column").addEventListener("change", event => { state.column = Number(event.target.value); show_all(); });
  $("group").addEventListener("change", event => choose_group(Number(event.target.value)));
  $("run").addEventListener("change", event => choose_run(event.target.value > 0 ? current().runs[event.target.value - 1] : -1));
  $("runs").addEventListener("change", event => show_single(event.target.checked));
  $("speed").addEventListener("change", event => { state.speed = Number(event.target.value); });
  $("time").addEventListener("change", event => set_time(event.target.value));
  $("plane-table").addEventListener("toggle", fill_plane_table);
  document.addEventListener("keydown", on_key);
  addEventListener("resize", () => { lay_plane(); draw_plane(); size_panels(); });
  addEventListener("hashchange", () => { read_address(); show_all(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show_all);
}

function choose_group(i) { state.group = i; state.run = -1; show_all(); }
function choose_run(r) { state.run = r; show_chosen(); make_panels(); show_look(); light_panels(); write_address(); }
function show_single(on) { state.runs = $("runs").checked = on; draw_plane(); write_address(); }
function set_time(time) { state.time = $("time").value = time; make_panels(); show_look(); light_panels(); write_address(); }

function on_key(event) {
  const at = event.target, typing = at.matches("select, textarea, input:not([type=range])");
  if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
  const keys = {
    ArrowLeft: () => stop_at(-1), ArrowRight: () => stop_at(1),
    Home: () => stop_at(-looks.length), End: () => stop_at(looks.length),
    l: () => set_time(state.time === "log" ? "linear" : "log"), s: () => show_single(!state.runs),
    Escape: () => { state.layer = hovered = -1; choose_run(-1); show_layers(); }
  };
  if (!at.matches("button, summary, a")) keys[" "] = () => play(!state.playing);
  const layer = Number(event.key) - 1;
  if (event.key.length === 1 && layer >= 0 && layer < $("layers").children.length) keys[event.key] = () => $("layers").children[layer].click();
  if (!keys[event.key] || (at.matches(".scroll, pre") && event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  keys[event.key]();
}

/* ---- claims --------------------------------------------------------------------------------------------------- */

/* rows: cells are texts, or numbers already written, which stand to the right */
function table_of(caption, head, rows, numbers) {
  const table = element("table"), top = element("tr"), body = element("tbody");
  table.append(element("caption", caption));
  for (const name of head) top.append(element("th", name, { scope: "col" }));
  for (const row of rows) {
    const line = element("tr");
    row.forEach((cell, i) => line.append(element("td", cell, numbers.has(i) ? { class: "number" } : {})));
    body.append(line);
  }
  const thead = element("thead");
  thead.append(top);
  table.append(thead, body);
  return table;
}

/* What a row shares with the row above it is not said again. */
function fill_claims() {
  const wanted = $("verdict").value;
  let above = "";
  const rows = data.claims.filter(f => !wanted || f.verdict === wanted).map(f => {
    const [value, low, high, margin] = f.numbers, known = Number.isFinite(value);
    const where = [f.study, f.setting, f.compared].filter(Boolean).join(": "), head = f.number + where, same = head === above;
    above = head;
    return [same ? "" : f.number, same ? "" : f.sentence, same ? "" : where, f.column,
      margin === null ? "" : `${f.claimed} ${significant(margin)} ${f.unit}`,
      known ? `${significant(value)} [${significant(low)}, ${significant(high)}]` : "", known ? String(f.n) : "",
      f.verdict, f.note];
  });
  $("claims").replaceChildren(table_of(`${rows.length} of ${data.claims.length}`,
    ["No.", "Claim", "Where", "Estimator", "Claimed", "Effect [95 %]", "n", "Verdict", "Note"], rows, new Set([5, 6])));
}

function fill_verdicts() {
  const verdicts = [...new Set(data.claims.map(f => f.verdict))];
  $("verdict").replaceChildren(new Option("all", ""), ...verdicts.map(name => new Option(name, name)));
  $("verdict").addEventListener("change", fill_claims);
  fill_claims();
}

async function begin() {
  $("title").textContent = data.title || data.file;
  const finished = data.runs.length;
  $("about").textContent = `${data.file}: ${finished} network${finished === 1 ? "" : "s"}` +
    (data.thinned ? `; to keep this page small it holds ${data.thinned}` : "");
  $("config").textContent = data.config;
  await unpack_all();
  fill_verdicts();
  read_address();
  listen();
  show_all();
  document.documentElement.dataset.ready = "yes";
}

addEventListener("DOMContentLoaded", () => begin().catch(error => {
  $("trouble").hidden = false;
  $("trouble").textContent = `This page cannot be drawn here: ${error.message}. It needs a browser of 2023 or newer.`;
  throw error;
}));
