// Runs laid over each other, from what each has stored. Every function answers `make()` for charts.draw.
import { goodness } from "./verdict.js";

const MARKS = ["circle", "diamond", "square", "cross"];
const DASHES = ["solid", "dash", "dot", "dashdot"];
/** Plotly reads a little markup: names must stay text. */
const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const short = (text) => plain(text.length > 40 ? `${text.slice(0, 39)}…` : text);
export const stroke = (charts, place, width = 1.5) => ({ color: charts.colour(`series-${(place % 8) + 1}`), width, dash: DASHES[Math.floor(place / 8) % DASHES.length] });
const legend = { showlegend: true, legend: { orientation: "h", y: -0.18, x: 0, yanchor: "top", font: { size: 11 } }, margin: { l: 56, r: 16, t: 8, b: 48 } };

/** Where a track was chosen, its part of the series. */
function part({ time, observed, predicted, row_numbers: rows }, track) {
  const of = (values) => (values && track ? track.at.map((place) => values[place]) : values);
  return { time: of(time), observed: of(observed), predicted: of(predicted), rows: of(rows) };
}

export function hydrographs(charts, runs, { target, track, log }) {
  return () => {
    const series = runs.map((run) => ({ ...run, ...part(run.data, run.tracks[track] ?? run.tracks[0]) }));
    const longest = series.reduce((best, one) => (one.observed.length > best.observed.length ? one : best));
    const line = (one, y) => ({ type: "scatter", mode: "lines", x: one.time ?? one.rows ?? y.map((_, index) => index + 1), y, connectgaps: false });
    return {
      traces: [{ ...line(longest, longest.observed), name: "Observed", line: { color: charts.colour("observed"), width: 2 } }, ...series.map((one) => ({ ...line(one, one.predicted), name: short(one.name), line: stroke(charts, one.place) }))],
      layout: { ...legend, yaxis: { title: { text: plain(target) }, type: log ? "log" : "linear", rangemode: log ? "normal" : "tozero" }, xaxis: longest.time ? { type: "date" } : { title: { text: "row" } } },
    };
  };
}

/** Share of the time (%) in which a value is exceeded: Weibull's plotting position i / (n + 1). */
export function exceedance(values) {
  const sorted = values.filter((value) => typeof value === "number" && Number.isFinite(value)).sort((a, b) => b - a);
  return { x: sorted.map((_, index) => (100 * (index + 1)) / (sorted.length + 1)), y: sorted };
}

export function durationCurves(charts, runs, { target, log }) {
  return () => {
    const longest = runs.reduce((best, one) => (one.data.observed.length > best.data.observed.length ? one : best));
    const curve = (values, name, line) => ({ type: "scatter", mode: "lines", name, ...exceedance(values), line });
    return {
      traces: [curve(longest.data.observed, "Observed", { color: charts.colour("observed"), width: 2 }), ...runs.map((one) => curve(one.data.predicted, short(one.name), stroke(charts, one.place)))],
      layout: { ...legend, xaxis: { title: { text: "share of the test rows that exceed it (%)" }, range: [0, 100] }, yaxis: { title: { text: plain(target) }, type: log ? "log" : "linear" } },
    };
  };
}

export function residualCurves(charts, runs, { target }) {
  return () => ({
    traces: runs.map(({ name, place, data: { edges, counts } }) => {
      const all = counts.reduce((sum, n) => sum + n, 0) || 1;
      const width = edges[1] - edges[0] || 1;
      return { type: "scatter", mode: "lines", name: short(name), x: counts.map((_, index) => (edges[index] + edges[index + 1]) / 2), y: counts.map((n) => n / all / width), line: { ...stroke(charts, place), shape: "hvh" } };
    }),
    layout: { ...legend, xaxis: { title: { text: `residual of ${plain(target)}, observed − predicted` } }, yaxis: { title: { text: "density" }, rangemode: "tozero" }, shapes: [{ type: "line", x0: 0, x1: 0, yref: "paper", y0: 0, y1: 1, line: { color: charts.colour("line-strong"), width: 1 } }] },
  });
}

export function rocCurves(charts, runs) {
  return () => ({
    traces: [...runs.map(({ name, place, data: { fpr, tpr, auc } }) => ({ type: "scatter", mode: "lines", name: `${short(name)} (${auc.toFixed(3)})`, x: fpr, y: tpr, line: stroke(charts, place, 2) })), { type: "scatter", mode: "lines", name: "Chance", x: [0, 1], y: [0, 1], line: { color: charts.colour("baseline"), width: 1.25, dash: "dash" }, hoverinfo: "skip" }],
    layout: { ...legend, hovermode: "closest", xaxis: { title: { text: "false positive rate" }, range: [0, 1] }, yaxis: { title: { text: "true positive rate" }, range: [0, 1.02] } },
  });
}

export function precisionRecallCurves(charts, runs) {
  return () => ({
    traces: runs.map(({ name, place, data: { true_positive: hits, false_positive: wrong, false_negative: missed, average_precision: area } }) => ({ type: "scatter", mode: "lines", name: `${short(name)} (${area.toFixed(3)})`, x: hits.map((n, at) => n / (n + missed[at])), y: hits.map((n, at) => (n + wrong[at] ? n / (n + wrong[at]) : null)), line: stroke(charts, place, 2) })),
    layout: { ...legend, hovermode: "closest", xaxis: { title: { text: "recall" }, range: [0, 1.02] }, yaxis: { title: { text: "precision" }, range: [0, 1.02] } },
  });
}

/** How often it happened against how sure each model was. */
export function calibrationCurves(charts, runs) {
  return () => ({
    traces: [...runs.map(({ name, place, data: { predicted, observed, rows } }) => ({ type: "scatter", mode: "lines+markers", name: short(name), x: predicted, y: observed, customdata: rows, line: stroke(charts, place, 2), marker: { size: 6 }, hovertemplate: "said %{x:.3f}, was %{y:.3f}<br>%{customdata:,} rows" })), { type: "scatter", mode: "lines", name: "As sure as right", x: [0, 1], y: [0, 1], line: { color: charts.colour("baseline"), width: 1.25, dash: "dash" }, hoverinfo: "skip" }],
    layout: { ...legend, hovermode: "closest", xaxis: { title: { text: "mean probability" }, range: [0, 1] }, yaxis: { title: { text: "share in which it happened" }, range: [0, 1.02] } },
  });
}

/** A dot for each run on the line of each feature, as shares of what all of a run's features are worth together. */
export function importances(charts, runs, _, most = 15) {
  const shares = runs.map(({ data: { items } }) => {
    const all = items.reduce((sum, { mean }) => sum + Math.max(mean, 0), 0) || 1;
    return new Map(items.map(({ feature, mean }) => [feature, (100 * Math.max(mean, 0)) / all]));
  });
  const greatest = (feature) => Math.max(...shares.map((one) => one.get(feature) ?? 0));
  const features = [...new Set(shares.flatMap((one) => [...one.keys()]))].sort((a, b) => greatest(b) - greatest(a)).slice(0, most).reverse();
  return () => ({
    traces: runs.map(({ name, place }, at) => ({ type: "scatter", mode: "markers", name: short(name), x: features.map((feature) => shares[at].get(feature) ?? null), y: features.map((_, index) => index), customdata: features.map(plain), marker: { size: 9, color: stroke(charts, place).color, symbol: MARKS[Math.floor(place / 8) % MARKS.length] }, hovertemplate: "%{customdata}: %{x:.3~g} %" })),
    layout: { ...legend, hovermode: "closest", xaxis: { title: { text: "share of the loss when the column is shuffled (%)" }, rangemode: "tozero" }, yaxis: { tickmode: "array", tickvals: features.map((_, index) => index), ticktext: features.map(short) }, margin: { ...legend.margin, l: 140 } },
  });
}

/** What each model predicts on average as one feature moves. */
export function dependences(charts, runs, { target, feature }) {
  const known = runs.map((run) => ({ ...run, item: run.data.items.find((item) => item.feature === feature) })).filter(({ item }) => item);
  const label = known[0].item.lines[0].label; // of several classes the first one
  return () => ({
    traces: known.map(({ name, place, item: { values, lines } }) => {
      const texts = typeof values[0] === "string";
      return { type: "scatter", mode: texts ? "markers" : "lines+markers", name: short(name), x: texts ? values.map(short) : values, y: (lines.find((one) => one.label === label) ?? lines[0]).mean, line: stroke(charts, place, 2), marker: { size: texts ? 9 : 4 } };
    }),
    layout: { ...legend, xaxis: { title: { text: plain(feature) } }, yaxis: { title: { text: label ? `mean probability of ${plain(label)}` : `mean of predicted ${plain(target)}` } } },
  });
}

const middle = (low, high, value) => (high === low ? 0.5 : (value - low) / (high - low));
/** One axis of the parallel coordinates: where each value stands between 0 and 1, and what the ends are called. */
function axis({ title, values, better }) {
  const known = values.filter((value) => value !== null && value !== undefined);
  if (known.every((value) => typeof value === "number")) {
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const flip = better === "lower";
    return { title, at: values.map((value) => (typeof value === "number" ? (flip ? 1 - middle(low, high, value) : middle(low, high, value)) : null)), ends: flip ? [high, low] : [low, high], text: values };
  }
  const words = [...new Set(values.map((value) => (value === null || value === undefined ? "∅" : typeof value === "object" ? JSON.stringify(value) : String(value))))];
  const place = (value) => words.indexOf(value === null || value === undefined ? "∅" : typeof value === "object" ? JSON.stringify(value) : String(value));
  return { title, at: values.map((value) => middle(0, words.length - 1, place(value))), words, text: values.map((value) => (value === null || value === undefined ? "∅" : value)) };
}

/** A line for each run across the axes; metrics stand so that up is better. `format` writes a number. */
export function parallel(charts, runs, axes, format) {
  return () => {
    const drawn = axes.map(axis);
    const last = axes.at(-1);
    const goods = last.values.map((value) => (typeof value === "number" ? goodness(value, last.better) : null));
    const known = goods.filter((good) => good !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const tone = (place) => (runs.length <= 8 ? charts.colour(`series-${place + 1}`) : goods[place] === null ? charts.colour("baseline") : charts.colour(`ramp-${1 + Math.round(4 * middle(low, high, goods[place]))}`));
    const label = (value) => (typeof value === "number" ? format(value) : plain(String(typeof value === "object" ? JSON.stringify(value) : value)).slice(0, 40));
    const traces = runs.map(({ name }, place) => ({
      type: "scatter", mode: "lines+markers", name: short(name), x: drawn.map((_, index) => index), y: drawn.map(({ at }) => at[place]), text: drawn.map(({ title, text }) => `${plain(title)}: ${label(text[place] ?? "∅")}`), line: { color: tone(place), width: runs.length > 20 ? 1 : 2 }, marker: { size: 6, color: tone(place) }, hovertemplate: `${short(name)}<br>%{text}<extra></extra>`, connectgaps: true,
    }));
    const ends = drawn.flatMap(({ ends: found, words }, index) => (words
      ? (words.length <= 12 ? words.map((word, place) => ({ x: index, y: middle(0, words.length - 1, place), text: plain(word.length > 16 ? `${word.slice(0, 15)}…` : word) })) : [])
      : found[0] === found[1] ? [{ x: index, y: 0.5, text: format(found[0]) }] : [{ x: index, y: 0, text: format(found[0]) }, { x: index, y: 1, text: format(found[1]) }]
    ).map((one) => ({ ...one, xref: "x", yref: "y", showarrow: false, xanchor: "left", xshift: 8, font: { size: 10, color: charts.colour("ink-subtle") }, bgcolor: charts.faded("surface", 0.7) })));
    return {
      traces,
      layout: { hovermode: "closest", margin: { l: 24, r: 72, t: 12, b: 48 }, showlegend: false, annotations: ends, shapes: drawn.map((_, index) => ({ type: "line", x0: index, x1: index, y0: 0, y1: 1, line: { color: charts.colour("line-strong"), width: 1 } })), xaxis: { tickmode: "array", tickvals: drawn.map((_, index) => index), ticktext: drawn.map(({ title }) => plain(title.length > 18 ? `${title.slice(0, 17)}…` : title)), showgrid: false, range: [-0.15, drawn.length - 0.75] }, yaxis: { visible: false, range: [-0.06, 1.06] } },
    };
  };
}
