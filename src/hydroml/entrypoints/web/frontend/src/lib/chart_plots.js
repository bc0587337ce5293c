// What each kind of chart looks like. `figure` answers `make()` for charts.draw; what it draws is a table of marks that the server made.
import { count, number } from "./format.js";
import { isNumeric, isTemporal, literal, quoted } from "./types.js";

export const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const NONE = "∅ missing";
/** Plotly reads a little markup in text: a column's name must stay text. */
const plain = (text) => String(text ?? NONE).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const cut = (text, most = 24) => (String(text).length > most ? `${String(text).slice(0, most - 1)}…` : String(text));
const series = (charts, index) => charts.colour(`series-${(index % 8) + 1}`);
const title = (text) => ({ title: { text: plain(text) } });

/** The marks as objects, by the names of their fields. */
export const records = ({ columns, marks }) => marks.map((mark) => Object.fromEntries(columns.map(({ name }, index) => [name, mark[index]])));
const column = (data, index) => data.marks.map((mark) => mark[index]);
const figureName = ({ value, aggregate }) => (value && aggregate !== "count" ? `${aggregate} of ${value}` : "rows");
const ramp = (charts) => [1, 2, 3, 4, 5].map((step, index) => [index / 4, charts.colour(`ramp-${step}`)]);
/** From low through none to high; both ends far from the ground in light and dark. */
const diverging = (charts) => [[0, charts.colour("series-2")], [0.5, charts.colour("surface")], [1, charts.colour("series-1")]];
const scaleBar = (charts, text) => ({ title: { text: plain(text), side: "right", font: { size: 11 } }, thickness: 10, outlinewidth: 0, tickfont: { color: charts.colour("ink-subtle") } });
const legend = (lines) => ({ showlegend: lines > 1, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 } });

function histogram(charts, { chart, data }) {
  const [from, to, rows] = [0, 1, 2].map((index) => column(data, index));
  const temporal = isTemporal(data.columns[0].type);
  const at = (value) => (temporal ? Date.parse(`${value}${value.length === 10 ? "T00:00:00" : ""}Z`) : value);
  const middle = from.map((low, index) => (at(low) + at(to[index])) / 2);
  return {
    traces: [{ type: "bar", x: temporal ? middle.map((value) => new Date(value).toISOString().slice(0, 23)) : middle, y: rows, width: from.map((low, index) => (at(to[index]) - at(low)) * 0.96), customdata: from.map((low, index) => [show(low), show(to[index])]), marker: { color: charts.colour("series-1") }, hovertemplate: "%{customdata[0]} to %{customdata[1]}: %{y:,} rows<extra></extra>" }],
    layout: { hovermode: "closest", bargap: 0, xaxis: { ...title(chart.column), ...(temporal ? { type: "date" } : {}) }, yaxis: { ...title("rows"), fixedrange: true } },
  };
}
const show = (value) => (typeof value === "number" ? number(value) : String(value).replace("T", " "));

function boxes(charts, { chart, data, log }) {
  const all = records(data);
  const names = all.map((one) => (data.columns[0].name === "month" ? MONTHS[one.month - 1] : cut(one.category ?? NONE)));
  const of = (name) => all.map((one) => one[name]);
  return {
    traces: [{ type: "box", x: names.map(plain), q1: of("quartile 1"), median: of("median"), q3: of("quartile 3"), lowerfence: of("lower whisker"), upperfence: of("upper whisker"), mean: of("mean"), marker: { color: charts.colour("series-1") }, line: { width: 1.25 }, fillcolor: charts.faded("series-1", 0.25), hoverinfo: "x+y" },
      { type: "scatter", mode: "markers", name: "largest and smallest", x: [...names, ...names].map(plain), y: [...of("maximum"), ...of("minimum")], marker: { color: charts.faded("series-1", 0.6), size: 4, symbol: "circle-open" }, hovertemplate: "%{x}: %{y:.4~g}<extra></extra>" }],
    layout: { hovermode: "closest", xaxis: { type: "category", gridcolor: "rgba(0,0,0,0)", ...(chart.by ? title(chart.by) : {}) }, yaxis: { ...title(chart.column), fixedrange: true, ...(log ? { type: "log" } : {}) } },
  };
}

function scatter(charts, { chart, data, log }) {
  const [x, y] = [column(data, 0), column(data, 1)];
  const points = (at, color, name) => ({ type: "scatter", mode: "markers", name: plain(name), x: at.map((i) => x[i]), y: at.map((i) => y[i]), marker: { color, size: 5 }, hovertemplate: `${plain(chart.x)} %{x}<br>${plain(chart.y)} %{y:.4~g}<extra>${chart.colour ? "%{fullData.name}" : ""}</extra>` });
  const every = x.map((_, index) => index);
  let traces = [points(every, charts.faded("series-1", 0.5), chart.y)];
  if (chart.colour && isNumeric(data.columns[2].type)) traces[0].marker = { size: 5, color: column(data, 2), colorscale: ramp(charts), showscale: true, colorbar: scaleBar(charts, chart.colour) };
  else if (chart.colour) {
    const groups = new Map();
    for (const index of every) groups.set(data.marks[index][2], [...(groups.get(data.marks[index][2]) ?? [])]);
    for (const index of every) groups.get(data.marks[index][2]).push(index);
    const largest = [...groups].sort((a, b) => b[1].length - a[1].length);
    const named = largest.slice(0, 7).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    traces = named.map(([name, at], index) => points(at, series(charts, index), cut(name ?? NONE)));
    const rest = largest.slice(7).flatMap(([, at]) => at);
    if (rest.length) traces.push(points(rest, charts.faded("ink-subtle", 0.5), "others"));
  }
  return { traces, layout: { hovermode: "closest", ...legend(traces.length), xaxis: title(chart.x), yaxis: { ...title(chart.y), ...(log ? { type: "log" } : {}) } } };
}

/** Lines by name, in the order they come; a hole in time breaks a line. */
function linesOf(data) {
  const found = new Map();
  for (const [at, name, rows, low, mean, high, sum] of data.marks) {
    if (!found.has(name)) found.set(name, []);
    found.get(name).push({ at, rows, low, mean, high, sum });
  }
  const temporal = isTemporal(data.columns[0].type);
  return [...found].map(([name, points]) => ({ name, points: temporal ? broken(points) : points }));
}
function broken(points) {
  const times = points.map(({ at }) => Date.parse(at.length === 10 ? `${at}T00:00Z` : `${at}Z`));
  const steps = times.slice(1).map((time, index) => time - times[index]).sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)] ?? 0;
  return points.flatMap((point, index) => (index && times[index] - times[index - 1] > usual * 2.5 ? [{ at: new Date((times[index] + times[index - 1]) / 2).toISOString().slice(0, 19), low: null, mean: null, high: null, sum: null }, point] : [point]));
}

/** From smallest to largest, a closed shape for each stretch without a hole. */
function band(points, fillcolor) {
  const [x, y] = [[], []];
  let stretch = [];
  for (const point of [...points, { low: null }]) {
    if (point.low !== null) {
      stretch.push(point);
      continue;
    }
    x.push(...stretch.map(({ at }) => at), ...stretch.toReversed().map(({ at }) => at), null);
    y.push(...stretch.map(({ high }) => high), ...stretch.toReversed().map(({ low }) => low), null);
    stretch = [];
  }
  return { type: "scatter", mode: "lines", x, y, line: { width: 0 }, fill: "toself", fillcolor, hoverinfo: "skip", showlegend: false, connectgaps: false };
}

function lineTraces(charts, line, color, faint, name) {
  const of = (key) => line.points.map((point) => point[key]);
  const wide = line.points.some(({ low, high }) => low !== high);
  const x = of("at");
  const traces = wide ? [band(line.points, faint)] : [];
  return [...traces, { type: "scatter", mode: line.points.length < 60 ? "lines+markers" : "lines", name: plain(name), x, y: of("mean"), line: { color, width: 1.5 }, marker: { size: 4 }, connectgaps: false }];
}

function lines(charts, { chart, data, log }) {
  const all = linesOf(data);
  const x = chart.time ?? chart.x;
  const traces = all.flatMap((line, index) => lineTraces(charts, line, series(charts, index), charts.faded(`series-${(index % 8) + 1}`, 0.22), cut(line.name ?? NONE)));
  return { traces, layout: { ...legend(all.length), xaxis: isTemporal(data.columns[0].type) ? { type: "date" } : title(x), yaxis: { ...title(chart.columns.length === 1 ? chart.columns[0] : ""), fixedrange: true, ...(log ? { type: "log" } : {}) } } };
}

function hydrograph(charts, { chart, data, log }) {
  const all = linesOf(data);
  const flow = all.find(({ name }) => name === chart.flow);
  const rain = all.find(({ name }) => name === chart.rain);
  const traces = flow ? lineTraces(charts, flow, charts.colour("observed"), charts.faded("observed", 0.18), chart.flow) : [];
  if (rain) traces.push({ type: "bar", name: plain(chart.rain), x: rain.points.map(({ at }) => at), y: rain.points.map(({ sum }) => sum), yaxis: "y2", marker: { color: charts.colour("series-1"), line: { width: 0 } } });
  const most = Math.max(0, ...(rain?.points ?? []).map(({ sum }) => sum ?? 0));
  return { traces, layout: { ...legend(2), bargap: 0, xaxis: { type: "date" }, yaxis: { ...title(chart.flow), fixedrange: true, ...(log ? { type: "log" } : { rangemode: "tozero" }) }, yaxis2: { ...title(`${chart.rain}, sum`), overlaying: "y", side: "right", range: [most * 3 || 1, 0], tickmode: "auto", nticks: 6, fixedrange: true, gridcolor: "rgba(0,0,0,0)" } } };
}

function bars(charts, { chart, data }) {
  const shown = data.marks.toSorted((a, b) => (a[1] ?? 0) - (b[1] ?? 0));
  return {
    traces: [{ type: "bar", orientation: "h", y: shown.map((_, index) => index), x: shown.map(([, value]) => value), customdata: shown.map(([name, , rows]) => [plain(name), count(rows)]), marker: { color: charts.colour("series-1") }, hovertemplate: "%{customdata[0]}: %{x:.6~g}, %{customdata[1]} rows<extra></extra>" }],
    layout: { hovermode: "closest", bargap: 0.3, dragmode: false, xaxis: { ...title(figureName(chart)), fixedrange: true }, yaxis: { tickmode: "array", tickvals: shown.map((_, index) => index), ticktext: shown.map(([name]) => plain(cut(name ?? NONE))), gridcolor: "rgba(0,0,0,0)", fixedrange: true } },
  };
}

function grid(charts, { x, y, cells, value, zmin, zmax, colours, text }) {
  const places = { x: new Map(x.map((one, index) => [one, index])), y: new Map(y.map((one, index) => [one, index])) };
  const z = y.map(() => x.map(() => null));
  for (const [a, b, figure] of cells) z[places.y.get(b)][places.x.get(a)] = figure;
  return { type: "heatmap", z, x: x.map((one) => plain(cut(show(one)))), y: y.map((one) => plain(cut(show(one)))), colorscale: colours ?? ramp(charts), zmin, zmax, xgap: 1, ygap: 1, colorbar: scaleBar(charts, value), hoverongaps: false, hovertemplate: `%{x}, %{y}: %{z:.4~g}<extra></extra>`, ...(text ? { text: z.map((row) => row.map((one) => (one === null ? "" : one.toFixed(2).replace(/^-0\.00$/, "0.00").replace("-", "−")))), texttemplate: "%{text}" } : {}) };
}
const GRID = { hovermode: "closest", dragmode: false };
const CATEGORIES = { type: "category", gridcolor: "rgba(0,0,0,0)", fixedrange: true };
const inOrder = (values) => [...new Set(values)].sort((a, b) => (typeof a === "number" ? a - b : String(a) < String(b) ? -1 : 1));

function heatMap(charts, { chart, data }) {
  const trace = grid(charts, { x: inOrder(column(data, 0)), y: inOrder(column(data, 2)), cells: data.marks.map((mark) => [mark[0], mark[2], mark[4]]), value: figureName(chart) });
  return { traces: [trace], layout: { ...GRID, xaxis: { ...CATEGORIES, ...title(chart.x), nticks: 12 }, yaxis: { ...CATEGORIES, ...title(chart.y), nticks: 14 } } };
}
function calendar(charts, { chart, data }) {
  const years = inOrder(column(data, 0));
  const trace = grid(charts, { x: MONTHS, y: years, cells: data.marks.map(([year, month, value]) => [MONTHS[month - 1], year, value]), value: figureName(chart) });
  trace.y = years.map(String);
  return { traces: [trace], layout: { ...GRID, xaxis: CATEGORIES, yaxis: { ...CATEGORIES, autorange: "reversed" } } };
}
function correlation(charts, { chart, data }) {
  const cells = data.marks.flatMap(([a, b, r]) => [[a, b, r], [b, a, r]]).concat(chart.columns.map((name) => [name, name, 1]));
  const few = chart.columns.length <= 10;
  const trace = grid(charts, { x: chart.columns, y: chart.columns, cells, value: chart.method, zmin: -1, zmax: 1, colours: diverging(charts), text: few });
  return { traces: [trace], layout: { ...GRID, xaxis: { ...CATEGORIES, tickangle: -35 }, yaxis: { ...CATEGORIES, autorange: "reversed" } } };
}

function siteMap(charts, { chart, data }) {
  const [x, y, value, rows] = [0, 1, 2, 3].map((index) => column(data, index));
  const most = Math.max(...rows, 1);
  const degrees = Math.max(...y.map(Math.abs)) <= 90 && Math.max(...x.map(Math.abs)) <= 360;
  const stretch = degrees ? 1 / Math.max(Math.cos((y.reduce((sum, one) => sum + one, 0) / y.length) * (Math.PI / 180)), 0.1) : 1;
  return {
    traces: [{ type: "scatter", mode: "markers", x, y, customdata: value.map((one, index) => [number(one), count(rows[index])]), marker: { size: rows.map((one) => 7 + 15 * Math.sqrt(one / most)), color: value, colorscale: ramp(charts), showscale: true, colorbar: scaleBar(charts, figureName(chart)), line: { color: charts.colour("line-strong"), width: 1 } }, hovertemplate: "%{x:.5~g}, %{y:.5~g}<br>%{customdata[0]}, %{customdata[1]} rows<extra></extra>" }],
    layout: { hovermode: "closest", xaxis: title(chart.longitude), yaxis: { ...title(chart.latitude), scaleanchor: "x", scaleratio: stretch } },
  };
}

function flowDuration(charts, { chart, data, log }) {
  const names = [...new Set(column(data, 1))];
  const traces = names.map((name, index) => {
    const own = data.marks.filter((mark) => mark[1] === name);
    return { type: "scatter", mode: "lines", name: plain(cut(name)), x: own.map(([p]) => p), y: own.map((mark) => mark[2]), line: { color: series(charts, index), width: 1.75 } };
  });
  return { traces, layout: { ...legend(names.length), dragmode: false, xaxis: { ...title("reached or exceeded in % of the values"), range: [0, 100], fixedrange: true }, yaxis: { ...title(chart.columns.length === 1 ? chart.columns[0] : ""), fixedrange: true, ...(log ? { type: "log" } : {}) } } };
}

function doubleMass(charts, { chart, data }) {
  const [at, x, y] = [0, 1, 2].map((index) => column(data, index));
  return {
    traces: [{ type: "scatter", mode: "lines+markers", x, y, customdata: at.map(show), line: { color: charts.colour("series-1"), width: 1.5 }, marker: { size: 3 }, hovertemplate: "until %{customdata}<br>%{x:.5~g}, %{y:.5~g}<extra></extra>" },
      { type: "scatter", mode: "lines", x: [0, x.at(-1)], y: [0, y.at(-1)], line: { color: charts.colour("baseline"), width: 1.25, dash: "dash" }, hoverinfo: "skip" }],
    layout: { hovermode: "closest", dragmode: false, xaxis: { ...title(`running sum of ${chart.x}`), fixedrange: true }, yaxis: { ...title(`running sum of ${chart.y}`), fixedrange: true } },
  };
}

function gaps(charts, { chart, data }) {
  const x = inOrder(column(data, 0));
  const trace = grid(charts, { x, y: chart.columns, cells: data.marks.map(([from, , name, present, rows]) => [from, name, rows ? (100 * present) / rows : null]), value: "% present", zmin: 0, zmax: 100 });
  trace.x = x;
  trace.xgap = 0;
  return { traces: [trace], layout: { ...GRID, xaxis: { type: "date", fixedrange: true }, yaxis: { ...CATEGORIES, autorange: "reversed" } } };
}

const FIGURES = { histogram, box: boxes, seasons: boxes, scatter, line: lines, time_series: lines, hydrograph, bar: bars, heat_map: heatMap, calendar, correlation, site_map: siteMap, flow_duration: flowDuration, double_mass: doubleMass, gaps };
export const figure = (charts, drawing) => () => FIGURES[drawing.chart.kind](charts, drawing);

/** Kinds whose figures may be drawn on a logarithmic axis. */
export const LOGS = ["time_series", "line", "hydrograph", "scatter", "box", "seasons", "flow_duration"];

const rangeOf = (name, type, [low, high]) => {
  const edge = (value) => (type === "date" ? String(value).slice(0, 10) : isTemporal(type) ? String(value).slice(0, 19) : Number(Number(value).toPrecision(6)));
  return `${quoted(name)} >= ${literal(edge(low), type)} AND ${quoted(name)} <= ${literal(edge(high), type)}`;
};

/** The part of a chart that is zoomed into, as a condition; empty where there is none. `change` is what Plotly tells. */
export function zoomed(chart, typeOf, change, log) {
  const along = (axis) => (change[`${axis}.range[0]`] === undefined ? null : [change[`${axis}.range[0]`], change[`${axis}.range[1]`]]);
  const [x, y] = [along("xaxis"), along("yaxis")];
  const parts = [];
  const across = { histogram: chart.column, scatter: chart.x, line: chart.x, time_series: chart.time, hydrograph: chart.time, site_map: chart.longitude }[chart.kind];
  const upward = { scatter: chart.y, site_map: chart.latitude }[chart.kind];
  if (x && across) parts.push(rangeOf(across, typeOf(across), x));
  if (y && upward) parts.push(rangeOf(upward, typeOf(upward), log ? y.map((power) => 10 ** power) : y));
  return parts.join(" AND ");
}

/** What a click on a mark asks for, as a condition. */
export function clicked(chart, data, typeOf, point) {
  if (chart.kind === "histogram") {
    const [from, to] = data.marks[point.pointIndex];
    const name = quoted(chart.column);
    const last = point.pointIndex === data.marks.length - 1;
    return `${name} >= ${literal(from, typeOf(chart.column))} AND ${name} ${last ? "<=" : "<"} ${literal(to, typeOf(chart.column))}`;
  }
  const category = { bar: chart.category, box: chart.by }[chart.kind];
  if (!category) return "";
  const name = chart.kind === "bar" ? data.marks.toSorted((a, b) => (a[1] ?? 0) - (b[1] ?? 0))[point.pointIndex][0] : data.marks[point.pointIndex % data.marks.length][0];
  return name === null ? `${quoted(category)} IS NULL` : `${quoted(category)} = ${literal(name, typeOf(category))}`;
}

/** Marks as CSV (RFC 4180); a text that a spreadsheet would take for a formula is marked as text. */
export function csv({ columns, marks }) {
  const cell = (value) => {
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns.map(({ name }) => name), ...marks].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}
