"use strict";
// Draws the page from the JSON document beside it; see page_data in html.py for its shape.

const data = JSON.parse(document.getElementById("data").textContent);
const SIGNS = {
  "pass": "✓", "fail": "✗", "error": "!", "expected-fail": "~", "unexpected-pass": "?",
  "unsupported": "∅", "unmet": "-", "skipped": "s",
};
const PAGE = 200;
const $ = (id) => document.getElementById(id);

/** An element; children are elements, or strings that become text. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") element.addEventListener("click", value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const stateName = (place) => data.states[place].name;
const sign = (state, title) =>
  make("span", { class: `sign ${stateName(state)}`, title }, SIGNS[stateName(state)]);

// One object a case, with the verdicts of every run.
const cases = data.cases.map(([id, suite, file, line, description], place) => (
  { place, id, suite, file, line, description, verdicts: [] }
));
data.verdicts.forEach((rows, run) => {
  for (const [place, deployment, state, seconds, reason, failure] of rows) {
    cases[place].verdicts.push(
      { run, deployment, state, seconds, reason: data.reasons[reason], failure: data.failures[failure] },
    );
  }
});
cases.sort((a, b) => (a.suite < b.suite ? -1 : a.suite > b.suite ? 1 : a.id < b.id ? -1 : 1));
const suites = [...new Set(cases.map((each) => each.suite))];
const deploymentName = (run, place) => place < 0 ? "no server" : data.runs[run].deployments[place].id;

// ---- what is shown now

const shown = { text: "", suite: "", column: null, states: new Set(), apart: false, differ: false, rows: PAGE };

function columns() {
  const found = [];
  data.runs.forEach((run, place) => {
    const only = run.deployments.length === 1 ? run.deployments[0].id : "";
    if (!shown.apart) return found.push({ run: place, name: run.driver, on: only });
    const used = [...run.deployments.keys()];
    if (data.verdicts[place].some((row) => row[1] < 0)) used.unshift(-1);
    for (const deployment of used) {
      found.push({ run: place, deployment, name: run.driver, on: deploymentName(place, deployment) });
    }
  });
  return found;
}

const within = (verdict, column) =>
  column === null
  || (verdict.run === column.run
    && (column.deployment === undefined || column.deployment === verdict.deployment));

/** The state of a case for each run: differing where a driver has another one on a like deployment. */
function differs(each) {
  const byPlace = new Map();
  for (const verdict of each.verdicts) {
    const on = deploymentName(verdict.run, verdict.deployment);
    byPlace.set(on, (byPlace.get(on) ?? new Set()).add(verdict.state));
  }
  return [...byPlace.values()].some((states) => states.size > 1);
}

function matches(each) {
  if (shown.suite && each.suite !== shown.suite) return false;
  const verdicts = each.verdicts.filter(
    (verdict) => within(verdict, shown.column) && (!shown.states.size || shown.states.has(verdict.state)),
  );
  if (!verdicts.length || (shown.differ && !differs(each))) return false;
  const words = shown.text.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [each.id, ...verdicts.map((verdict) => verdict.reason)].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

// ---- the table of suites

function counts(column, suite) {
  const found = new Array(data.states.length).fill(0);
  for (const each of cases) {
    if (suite !== null && each.suite !== suite) continue;
    for (const verdict of each.verdicts) if (within(verdict, column)) found[verdict.state] += 1;
  }
  return found;
}

function cell(column, suite) {
  const buttons = counts(column, suite).flatMap((number, state) => number ? [make("button", {
    class: stateName(state),
    title: `${number} ${stateName(state)}: ${suite ?? "all suites"}, ${column.name} ${column.on}`,
    onclick: () => choose({ suite: suite ?? "", column, states: new Set([state]) }),
  }, `${number} ${SIGNS[stateName(state)]}`)] : []);
  return make("td", {}, ...buttons.flatMap((button) => [button, " "]));
}

function drawMatrix() {
  const heads = columns();
  const row = (name, suite) => make("tr", {}, make("th", {}, name), ...heads.map((column) => cell(column, suite)));
  const head = heads.map((column) => make("th", {}, column.name, ...(column.on ? [make("br"), column.on] : [])));
  $("matrix").replaceChildren(
    make("thead", {}, make("tr", {}, make("th", {}, "suite"), ...head)),
    make("tbody", {}, ...suites.map((suite) => row(suite, suite))),
    make("tfoot", {}, row("total", null)),
  );
}

// ---- the cases

function drawCases() {
  const found = cases.filter(matches);
  $("count").textContent = `${found.length} of ${cases.length} cases`;
  $("cases").replaceChildren(...found.slice(0, shown.rows).map(item));
  $("more").hidden = found.length <= shown.rows;
}

function item(each) {
  const signs = each.verdicts.map((verdict) => sign(
    verdict.state,
    `${stateName(verdict.state)}: ${data.runs[verdict.run].driver} on ${deploymentName(verdict.run, verdict.deployment)}`,
  ));
  const details = make("details", {}, make("summary", {}, ...signs, each.id));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(describe(each));
  });
  return make("li", { "data-case": each.id }, details);
}

function describe(each) {
  const told = data.excerpts[each.place];
  return make("div", { class: "case" },
    make("div", {}, `${each.file}:${each.line}`),
    ...each.verdicts.map((verdict) => about(each, verdict, told)),
    ...(told ? [source(each, told)] : []),
  );
}

function about(each, verdict, told) {
  const run = data.runs[verdict.run];
  const on = run.deployments[verdict.deployment];
  const where = on ? ` on ${on.id} (server ${on.server})` : " without a server";
  const failure = verdict.failure;
  const parts = [make("h3", {}, sign(verdict.state, ""),
    `${stateName(verdict.state)}: ${run.driver} (${run.language})${where}, ${verdict.seconds} s`)];
  if (verdict.reason && verdict.reason !== failure?.message) parts.push(make("div", {}, verdict.reason));
  if (failure) {
    parts.push(make("div", {}, failure.operation ? `${failure.operation}: ${failure.message}` : failure.message));
    if (failure.expected !== null || failure.actual !== null) {
      parts.push(sides("expected", json(failure.expected), "actual", json(failure.actual)));
    }
    if (told?.operations?.length) parts.push(operations(failure, told.operations));
    const published = Object.keys(failure.events).length > 0;
    const events = published && told?.events?.length ? aligned(failure, told.events) : [];
    parts.push(...events);
    if (failure.details && !events.length) parts.push(make("pre", {}, failure.details));
    parts.push(make("h4", {}, "run it again"), make("pre", {}, failure.command));
  }
  return make("section", {}, ...parts);
}

const json = (value) => JSON.stringify(value, null, 2) ?? "";

const sides = (left, one, right, other, off = false) => make("div", { class: "sides" },
  make("div", {}, make("h4", {}, left), make("pre", {}, one)),
  make("div", off ? { class: "off" } : {}, make("h4", {}, right), make("pre", {}, other)));

function operations(failure, names) {
  const at = Number(/^tests\[\d+\]\.operations\[(\d+)\]/.exec(failure.path)?.[1] ?? names.length);
  const kind = (place) => place < at ? "before" : place === at ? "at" : "after";
  const mark = { before: "", at: "  ◀ here", after: "  (not run)" };
  return make("div", {}, make("h4", {}, "operations"), make("ol", { class: "operations" },
    ...names.map((name, place) => make("li", { class: kind(place) }, name + mark[kind(place)]))));
}

/** Expected and actual events of each client, side by side by their place. */
function aligned(failure, expected) {
  return expected.flatMap(({ client, kinds, events }) => {
    const actual = (failure.events[client] ?? []).filter((event) => kinds.includes(Object.keys(event)[0]));
    const rows = Math.max(events?.length ?? 0, actual.length);
    return [make("h4", {}, `events of ${client}`), ...Array.from({ length: rows }, (_, place) => sides(
      `${place}: expected`, place in (events ?? []) ? json(events[place]) : "nothing",
      "actual", place in actual ? json(actual[place]) : "nothing",
      failure.path.includes(`.events[${place}]`),
    ))];
  });
}

function source(each, told) {
  if (told.missing) return make("p", {}, told.missing);
  const marked = new Set(each.verdicts.map((verdict) => verdict.failure?.line));
  const lines = told.lines.flatMap((line, place) => {
    const number = told.first + place;
    return [
      make("span", { class: "number" }, `${String(number).padStart(5)}  `),
      make("span", marked.has(number) ? { class: "marked" } : {}, line), "\n",
    ];
  });
  return make("div", {}, make("h4", {}, each.file), make("pre", {}, ...lines));
}

// ---- the filter

function choose(changes) {
  Object.assign(shown, { rows: PAGE }, changes);
  $("text").value = shown.text;
  $("suite").value = shown.suite;
  $("apart").checked = shown.apart;
  $("differ").checked = shown.differ;
  for (const box of $("states").querySelectorAll("input")) box.checked = shown.states.has(Number(box.value));
  if ("apart" in changes) drawMatrix();
  $("run").replaceChildren(
    make("option", { value: "" }, "all runs"),
    ...columns().map((column, place) => make("option", { value: place }, `${column.name} ${column.on}`)),
  );
  $("run").value = String(columns().findIndex(
    (column) => shown.column && column.run === shown.column.run && column.deployment === shown.column.deployment,
  )).replace("-1", "");
  drawCases();
}

function begin() {
  $("runs").append(...data.runs.map((run) => make("li", {}, [
    `${run.driver} (${run.language})`,
    run.deployments.map((each) => each.id).join(", ") || "no server",
    run.commits.length ? `specifications at ${run.commits.join(", ")}` : "",
    run.complete ? "" : "interrupted: cases are missing",
  ].filter(Boolean).join(" · "))));
  $("suite").append(make("option", { value: "" }, "all suites"), ...suites.map((suite) => make("option", { value: suite }, suite)));
  $("states").append(...data.states.map((state, place) => make("label", {},
    make("input", { type: "checkbox", value: place }), " ", sign(place, ""), state.name)));
  $("text").addEventListener("input", () => choose({ text: $("text").value }));
  $("suite").addEventListener("change", () => choose({ suite: $("suite").value }));
  $("run").addEventListener("change", () => choose({ column: columns()[$("run").value] ?? null }));
  $("apart").addEventListener("change", () => choose({ apart: $("apart").checked, column: null }));
  $("differ").addEventListener("change", () => choose({ differ: $("differ").checked }));
  $("states").addEventListener("change", () => choose({
    states: new Set([...$("states").querySelectorAll("input:checked")].map((box) => Number(box.value))),
  }));
  $("all").addEventListener("click", () => choose({ text: "", suite: "", column: null, states: new Set(), differ: false }));
  $("more").addEventListener("click", () => choose({ rows: shown.rows + PAGE }));
  const broken = data.states.flatMap((state, place) => state.breaks ? [place] : []);
  const any = data.verdicts.some((rows) => rows.some((row) => broken.includes(row[2])));
  choose({ apart: false, states: new Set(any ? broken : []) });
}

begin();
