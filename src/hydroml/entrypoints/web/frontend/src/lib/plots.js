// What each stored artifact of a run looks like. Every function answers `make()` for charts.draw.
import { count, number } from "./format.js";

const line = (charts, token, dash = "solid", width = 1.5) => ({ color: charts.colour(token), width, dash });

/**
 * The series a table of several sites holds, as lists of places: its times repeat, and one line through all of them would say nothing.
 * In the order of the rows, a site ends where time goes back; rows that stand together by day are told apart by their turn.
 */
export function tracks({ time, row_numbers: rows }) {
  if (!time || !rows || new Set(time).size === time.length) return [];
  const places = time.map((_, place) => place).sort((a, b) => rows[a] - rows[b]);
  const stacks = [[]];
  for (const place of places) {
    const before = stacks.at(-1).at(-1);
    if (before !== undefined && time[place] <= time[before]) stacks.push([]);
    stacks.at(-1).push(place);
  }
  if (stacks.length <= 50) return stacks.map((at) => ({ at, title: `rows ${count(rows[at[0]] + 1)} to ${count(rows[at.at(-1)] + 1)}` }));
  const turns = [];
  const seen = new Map();
  for (const place of places) {
    const turn = seen.get(time[place]) ?? 0;
    seen.set(time[place], turn + 1);
    (turns[turn] ??= []).push(place);
  }
  return turns.slice(0, 50).map((at, turn) => ({ at: at.sort((a, b) => (time[a] < time[b] ? -1 : 1)), title: `row ${turn + 1} of each time` }));
}

export function series(charts, data, target, track) {
  const of = (values) => (values && track ? track.at.map((place) => values[place]) : values);
  const [time, observed, predicted, rows] = [data.time, data.observed, data.predicted, data.row_numbers].map(of);
  const x = time ?? rows ?? observed.map((_, index) => index + 1);
  return () => ({
    traces: [
      { type: "scatter", mode: "lines", name: "Observed", x, y: observed, line: line(charts, "observed"), connectgaps: false },
      { type: "scatter", mode: "lines", name: "Predicted", x, y: predicted, line: line(charts, "predicted", "solid"), connectgaps: false },
    ],
    layout: { yaxis: { title: { text: plain(target) }, rangemode: "tozero" }, xaxis: time ? { type: "date" } : { title: { text: "row" } }, dragmode: "zoom" },
  });
}

const ramp = (charts) => [[0, "rgba(0,0,0,0)"], [0.0001, charts.colour("ramp-1")], [0.25, charts.colour("ramp-2")], [0.5, charts.colour("ramp-3")], [0.75, charts.colour("ramp-4")], [1, charts.colour("ramp-5")]];

/** Predicted against observed: counts in bins when there are many, points otherwise, with the one-to-one line. */
export function scatter(charts, artifact, predictions, target) {
  return () => {
    const binned = artifact?.points ? null : artifact?.counts;
    const points = artifact?.points ?? (predictions ? { observed: predictions.observed, predicted: predictions.predicted } : null);
    const pairs = Array.isArray(points) ? { observed: points.map(([a]) => a), predicted: points.map(([, b]) => b) } : points;
    const ends = binned ? [Math.min(artifact.x_edges[0], artifact.y_edges[0]), Math.max(artifact.x_edges.at(-1), artifact.y_edges.at(-1))] : extent([...(pairs?.observed ?? []), ...(pairs?.predicted ?? [])]);
    const middle = (edges) => edges.slice(1).map((edge, index) => (edge + edges[index]) / 2);
    const traces = binned
      ? [{ type: "heatmap", x: middle(artifact.x_edges), y: middle(artifact.y_edges), z: logged(artifact.counts), customdata: artifact.counts, colorscale: ramp(charts), showscale: false, xgap: 1, ygap: 1, hovertemplate: "observed %{x:.4~g}<br>predicted %{y:.4~g}<br>%{customdata} rows<extra></extra>" }]
      : [{ type: "scatter", mode: "markers", x: pairs?.observed ?? [], y: pairs?.predicted ?? [], marker: { color: charts.faded("predicted", 0.45), size: 5 }, hovertemplate: "observed %{x:.4~g}<br>predicted %{y:.4~g}<extra></extra>" }];
    traces.push({ type: "scatter", mode: "lines", x: ends, y: ends, line: line(charts, "baseline", "dash", 1.25), hoverinfo: "skip" });
    return { traces, layout: { hovermode: "closest", xaxis: { title: { text: `observed ${plain(target)}` } }, yaxis: { title: { text: `predicted ${plain(target)}` } } } };
  };
}
const logged = (counts) => counts.map((row) => row.map((value) => (value ? Math.log1p(value) : null)));
function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) if (value !== null && value !== undefined) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

export function residuals(charts, { edges, counts, definition = "observed − predicted" }, target) {
  return () => ({
    traces: [{ type: "bar", x: edges.slice(1).map((edge, index) => (edge + edges[index]) / 2), y: counts, width: edges.slice(1).map((edge, index) => (edge - edges[index]) * 0.94), marker: { color: charts.colour("ramp-3") }, hovertemplate: "%{x:.4~g}: %{y:,} rows<extra></extra>" }],
    layout: { hovermode: "closest", bargap: 0, xaxis: { title: { text: `residual of ${plain(target)}, ${plain(definition)}` } }, yaxis: { title: { text: "rows" } }, shapes: [{ type: "line", x0: 0, x1: 0, yref: "paper", y0: 0, y1: 1, line: { color: charts.colour("line-strong"), width: 1 } }] },
  });
}

export function residualsOverTime(charts, { time, residual }, target) {
  return () => ({
    traces: [{ type: "scatter", mode: "markers", name: "Residual", x: time, y: residual, marker: { color: charts.faded("predicted", 0.5), size: 4 } }],
    layout: { xaxis: { type: "date" }, yaxis: { title: { text: `residual of ${plain(target)}` }, zeroline: true, zerolinecolor: charts.colour("line-strong") } },
  });
}

export function roc(charts, { fpr, tpr }) {
  return () => ({
    traces: [
      { type: "scatter", mode: "lines", name: "This run", x: fpr, y: tpr, line: line(charts, "predicted", "solid", 2) },
      { type: "scatter", mode: "lines", name: "Chance", x: [0, 1], y: [0, 1], line: line(charts, "baseline", "dash", 1.25), hoverinfo: "skip" },
    ],
    layout: { xaxis: { title: { text: "false positive rate" }, range: [0, 1] }, yaxis: { title: { text: "true positive rate" }, range: [0, 1.02] } },
  });
}

/** Plotly reads a little markup in axis labels: a column's name must stay text. */
const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const cut = (text, most = 26) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

export function importance(charts, { items, metric }, most = 20) {
  const shown = items.slice(0, most).reverse();
  return () => ({
    traces: [{
      type: "bar", orientation: "h", y: shown.map((_, index) => index), x: shown.map(({ mean }) => mean), customdata: shown.map(({ feature, std }) => [plain(feature), number(std, 3)]),
      error_x: { type: "data", array: shown.map(({ std }) => std ?? 0), color: charts.colour("observed"), thickness: 1, width: 3 }, marker: { color: charts.colour("predicted") }, hovertemplate: "%{customdata[0]}<br>%{x:.4~g} ± %{customdata[1]}<extra></extra>",
    }],
    layout: { hovermode: "closest", bargap: 0.35, yaxis: { tickmode: "array", tickvals: shown.map((_, index) => index), ticktext: shown.map(({ feature }) => plain(cut(feature))), gridcolor: "rgba(0,0,0,0)" }, xaxis: { title: { text: `loss of ${metric ?? "score"} when the column is shuffled` } } },
  });
}

/** Precision against recall as the threshold moves; `cut` is the one chosen. */
export function precisionRecall(charts, data, cut) {
  const precision = data.true_positive.map((hits, at) => (hits + data.false_positive[at] ? hits / (hits + data.false_positive[at]) : null));
  const recall = data.true_positive.map((hits, at) => hits / (hits + data.false_negative[at]));
  const share = (data.true_positive[0] + data.false_negative[0]) / (data.true_positive[0] + data.false_negative[0] + data.false_positive[0] + data.true_negative[0]);
  return () => ({
    traces: [
      { type: "scatter", mode: "lines", name: "This run", x: recall, y: precision, customdata: data.thresholds, line: line(charts, "predicted", "solid", 2), hovertemplate: "recall %{x:.3f}, precision %{y:.3f}<br>threshold %{customdata:.3f}<extra></extra>" },
      { type: "scatter", mode: "lines", name: "Chance", x: [0, 1], y: [share, share], line: line(charts, "baseline", "dash", 1.25), hoverinfo: "skip" },
      { type: "scatter", mode: "markers", x: [recall[cut]], y: [precision[cut]], marker: { color: charts.colour("predicted"), size: 10, line: { color: charts.colour("surface"), width: 2 } }, hoverinfo: "skip" },
    ],
    layout: { hovermode: "closest", xaxis: { title: { text: "recall" }, range: [0, 1.02] }, yaxis: { title: { text: "precision" }, range: [0, 1.02] } },
  });
}

/** How often it happened against how sure the model was. */
export function calibration(charts, { predicted, observed, rows, of }) {
  return () => ({
    traces: [
      { type: "scatter", mode: "lines", x: [0, 1], y: [0, 1], line: line(charts, "baseline", "dash", 1.25), hoverinfo: "skip" },
      { type: "scatter", mode: "lines+markers", x: predicted, y: observed, customdata: rows, line: line(charts, "predicted", "solid", 2), marker: { color: charts.colour("predicted"), size: 7 }, hovertemplate: "said %{x:.3f}, was %{y:.3f}<br>%{customdata:,} rows<extra></extra>" },
    ],
    layout: { hovermode: "closest", xaxis: { title: { text: of ? `mean probability of ${plain(of)}` : "mean probability of the predicted class" }, range: [0, 1] }, yaxis: { title: { text: of ? `share that is ${plain(of)}` : "share that is right" }, range: [0, 1.02] } },
  });
}

export function duration(charts, { exceedance, observed, predicted }, target) {
  const x = exceedance.map((share) => share * 100);
  return () => ({
    traces: [
      { type: "scatter", mode: "lines", name: "Observed", x, y: observed, line: line(charts, "observed", "solid", 2) },
      { type: "scatter", mode: "lines", name: "Predicted", x, y: predicted, line: line(charts, "predicted", "solid", 2) },
    ],
    layout: { xaxis: { title: { text: "share of the time it is reached, %" } }, yaxis: { title: { text: plain(target) }, ...(Math.min(...observed) > 0 ? { type: "log", dtick: 1 } : {}) } },
  });
}

/** The mean prediction over rows as one feature takes its values, with the middle 80 % of single rows. */
export function dependence(charts, { feature, values, lines }, target) {
  const several = lines.length > 1;
  const texts = typeof values[0] === "string";
  return () => ({
    traces: lines.flatMap(({ label, mean, low, high }, at) => {
      const colour = several ? `series-${at + 1}` : "predicted";
      const x = texts ? values.map((value) => plain(cut(value))) : values;
      if (texts) return [{ type: "scatter", mode: "markers", name: plain(label), x, y: mean, marker: { color: charts.colour(colour), size: 9 }, error_y: { type: "data", symmetric: false, array: high.map((value, i) => value - mean[i]), arrayminus: low.map((value, i) => mean[i] - value), color: charts.faded(colour, 0.5), thickness: 1.25, width: 4 } }];
      const band = several ? [] : [{ type: "scatter", mode: "lines", x, y: low, line: { width: 0 }, hoverinfo: "skip" }, { type: "scatter", mode: "lines", x, y: high, line: { width: 0 }, fill: "tonexty", fillcolor: charts.faded(colour, 0.15), hoverinfo: "skip" }];
      return [...band, { type: "scatter", mode: "lines+markers", name: plain(label || "prediction"), x, y: mean, line: line(charts, colour, "solid", 2), marker: { size: 4 } }];
    }),
    layout: { showlegend: several, legend: { orientation: "h", y: 1.1 }, xaxis: { title: { text: plain(feature) } }, yaxis: { title: { text: lines[0]?.label && !several ? `probability of ${plain(lines[0].label)}` : several ? "probability" : `predicted ${plain(target)}` } } },
  });
}

/** The score on rows that are new, and on those that trained, by the number of rows that trained; bands hold all folds. */
export function learningCurve(charts, { rows, validation, train }, measure) {
  const drawn = (name, points, colour, dash) => [
    { type: "scatter", mode: "lines", x: rows, y: points.map(({ low }) => low), line: { width: 0 }, hoverinfo: "skip", showlegend: false },
    { type: "scatter", mode: "lines", x: rows, y: points.map(({ high }) => high), line: { width: 0 }, fill: "tonexty", fillcolor: charts.faded(colour, 0.15), hoverinfo: "skip", showlegend: false },
    { type: "scatter", mode: "lines+markers", name, x: rows, y: points.map(({ mean }) => mean), line: line(charts, colour, dash, 2), marker: { size: 6 } },
  ];
  return () => ({
    traces: [...drawn("rows that trained", train, "observed", "dot"), ...drawn("rows that are new", validation, "predicted", "solid")],
    layout: { showlegend: true, legend: { orientation: "h", y: 1.12 }, xaxis: { title: { text: "training rows" }, type: "log", tickvals: rows, ticktext: rows.map((value) => number(value)) }, yaxis: { title: { text: plain(measure) } } },
  });
}

/** Each explained row a dot: how far a feature moved its prediction, coloured by the feature's own value from low to high. */
export function shapley(charts, { features, values, shown }, most = 12) {
  const strength = features.map((_, at) => values.reduce((sum, row) => sum + Math.abs(row[at]), 0));
  const order = features.map((_, at) => at).sort((a, b) => strength[b] - strength[a]).slice(0, most).reverse();
  const spread = (at, i) => (((i * 7919 + at * 104729) % 1000) / 1000 - 0.5) * 0.6; // the same jitter each time
  return () => ({
    traces: order.map((at, place) => {
      const own = shown[at].map((value) => (typeof value === "number" ? value : null));
      const known = own.filter((value) => value !== null);
      const [low, high] = extent(known);
      const numeric = known.length > 0;
      return {
        type: "scatter", mode: "markers", name: plain(features[at]), x: values.map((row) => row[at]), y: values.map((_, i) => place + spread(at, i)), customdata: shown[at].map((value) => plain(value === null ? "∅" : typeof value === "number" ? number(value, 4) : cut(value))),
        marker: numeric ? { size: 6, color: own.map((value) => (value === null ? 0.5 : high > low ? (value - low) / (high - low) : 0.5)), colorscale: [[0, charts.colour("ramp-2")], [1, charts.colour("series-2")]], cmin: 0, cmax: 1 } : { size: 6, color: charts.faded("predicted", 0.6) },
        hovertemplate: `${plain(features[at])} = %{customdata}<br>%{x:+.4~g}<extra></extra>`,
      };
    }),
    layout: { hovermode: "closest", yaxis: { tickmode: "array", tickvals: order.map((_, place) => place), ticktext: order.map((at) => plain(cut(features[at]))), gridcolor: "rgba(0,0,0,0)" }, xaxis: { title: { text: "moves the prediction by" }, zeroline: true, zerolinecolor: charts.colour("line-strong") } },
  });
}

/** One row's prediction, put together from its features. */
export function oneRow(charts, { features, values, shown, base, predicted }, row, most = 12) {
  const order = features.map((_, at) => at).sort((a, b) => Math.abs(values[row][b]) - Math.abs(values[row][a])).slice(0, most).reverse();
  const text = (at) => (shown[at][row] === null ? "∅" : typeof shown[at][row] === "number" ? number(shown[at][row], 4) : cut(String(shown[at][row]), 16));
  return () => ({
    traces: [{ type: "bar", orientation: "h", y: order.map((_, place) => place), x: order.map((at) => values[row][at]), marker: { color: order.map((at) => charts.colour(values[row][at] < 0 ? "ramp-2" : "series-2")) }, customdata: order.map((at) => plain(`${features[at]} = ${text(at)}`)), hovertemplate: "%{customdata}<br>%{x:+.4~g}<extra></extra>" }],
    layout: { hovermode: "closest", bargap: 0.35, yaxis: { tickmode: "array", tickvals: order.map((_, place) => place), ticktext: order.map((at) => plain(cut(`${features[at]} = ${text(at)}`, 34))), gridcolor: "rgba(0,0,0,0)" }, xaxis: { title: { text: `from ${number(base[row], 4)} to ${number(predicted[row], 4)}` }, zeroline: true, zerolinecolor: charts.colour("line-strong") } },
  });
}
