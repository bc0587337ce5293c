// The charts of a suite. Every function answers `make()` for charts.draw.
import { metric } from "./format.js";
import { valueText } from "./suites.js";
import { goodness } from "./verdict.js";

const plain = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const cut = (text, most = 34) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const label = ({ values }) => Object.entries(values).map(([name, value]) => `${plain(name)} ${plain(valueText(value))}`).join("<br>");
const scoreAxis = ({ measure }) => ({ title: { text: plain(measure.title) } });
const PARALLEL = 300; // more lines than this are one grey surface

export const main = (charts, about) => ({ sweep: bestSoFar, comparison: bars, ablation: bars, selection: byFeatures, cross_validation: divisions, nested: divisions })[about.suite.plan.kind](charts, about);

function bestSoFar(charts, about) {
  const { trials, suite } = about;
  const ordered = [...trials].sort((a, b) => a.number - b.number);
  let best = null;
  const line = ordered.map((trial) => {
    if (trial.within_limits && (best === null || goodness(trial.score, suite.better) > goodness(best, suite.better))) best = trial.score;
    return best;
  });
  const x = ordered.map(({ number }) => number + 1);
  return () => ({
    traces: [
      { type: "scatter", mode: "markers", name: "Trials", x, y: ordered.map(({ score }) => score), text: ordered.map(label), marker: { color: ordered.map((trial) => charts.faded("observed", trial.within_limits ? 0.6 : 0.25)), size: 7 }, hovertemplate: "trial %{x}: %{y:.5~g}<br>%{text}<extra></extra>" },
      { type: "scatter", mode: "lines", name: "Best so far", x, y: line, line: { color: charts.colour("predicted"), width: 2, shape: "hv" }, hoverinfo: "skip" },
    ],
    layout: { hovermode: "closest", xaxis: { title: { text: "trial" }, range: [0, x.at(-1) + 1], ...(x.at(-1) < 12 ? { dtick: 1 } : {}) }, yaxis: scoreAxis(about) },
  });
}

/** One bar for each trial, the best on top. */
function bars(charts, about) {
  const { trials, suite } = about;
  const shown = [...trials].sort((a, b) => goodness(a.score, suite.better) - goodness(b.score, suite.better)).slice(-40);
  const name = ({ values }) => cut(Object.entries(values).map(([key, value]) => (key === "algorithm" || key === "features" ? valueText(value).replaceAll("_", " ") : `${key} ${valueText(value)}`)).join(", "));
  const whole = trials.find(({ values }) => values.features === "all");
  const difference = ({ score }) => (whole ? `<br>${metric(score - whole.score)} against all features` : "");
  return () => ({
    traces: [{
      type: "bar", orientation: "h", x: shown.map(({ score }) => score), y: shown.map((_, index) => index), customdata: shown.map((trial) => [plain(name(trial)), difference(trial)]),
      marker: { color: shown.map((trial) => charts.colour(trial.number === suite.best?.number || trial === whole ? "predicted" : "ramp-2")) }, hovertemplate: "%{customdata[0]}: %{x:.5~g}%{customdata[1]}<extra></extra>",
    }],
    layout: {
      hovermode: "closest", bargap: 0.35, xaxis: scoreAxis(about), yaxis: { tickmode: "array", tickvals: shown.map((_, index) => index), ticktext: shown.map((trial) => plain(name(trial))), gridcolor: "rgba(0,0,0,0)" },
      shapes: whole ? [{ type: "line", x0: whole.score, x1: whole.score, yref: "paper", y0: 0, y1: 1, line: { color: charts.colour("line-strong"), width: 1, dash: "dash" } }] : [],
    },
  });
}

function byFeatures(charts, about) {
  const { trials, suite } = about;
  const best = new Map();
  for (const trial of trials) {
    const there = best.get(trial.values.features);
    if (!there || goodness(trial.score, suite.better) > goodness(there.score, suite.better)) best.set(trial.values.features, trial);
  }
  const counts = [...best.keys()].sort((a, b) => a - b);
  return () => ({
    traces: [{ type: "scatter", mode: "lines", x: counts, y: counts.map((count) => best.get(count).score), line: { color: charts.colour("predicted"), width: 2 }, hoverinfo: "skip" }, { type: "scatter", mode: "markers", x: trials.map(({ values }) => values.features), y: trials.map(({ score }) => score), text: trials.map(label), marker: { size: 8, color: trials.map((trial) => (trial.number === about.suite.best?.number ? charts.colour("predicted") : charts.faded("observed", 0.55))) }, hovertemplate: "%{text}<br>%{y:.5~g}<extra></extra>" }],
    layout: { hovermode: "closest", xaxis: { title: { text: "number of features" }, range: [0, Math.max(...counts) + 0.5], ...(counts.length > 20 ? {} : { dtick: 1 }) }, yaxis: scoreAxis(about) },
  });
}

function divisions(charts, about) {
  const { estimate } = about.suite;
  const scores = estimate?.scores ?? [];
  const chosen = (estimate?.choices ?? []).map(({ chosen_by: by }) => by);
  const nested = chosen.some((score) => score !== null);
  return () => ({
    traces: [{ type: "scatter", mode: "markers", x: scores.map((_, index) => index + 1), y: scores, marker: { size: 9, color: charts.colour("predicted") }, name: "the part that tests", hovertemplate: "division %{x}: %{y:.5~g}<extra></extra>" }, ...(nested ? [{ type: "scatter", mode: "markers", x: scores.map((_, index) => index + 1), y: chosen, name: "the folds that chose", marker: { size: 9, symbol: "circle-open", color: charts.colour("observed") }, hovertemplate: "chosen by %{y:.5~g}<extra></extra>" }] : [])],
    layout: {
      hovermode: "closest", xaxis: { title: { text: "division of the rows" }, dtick: 1 }, yaxis: scoreAxis(about), showlegend: nested, legend: { orientation: "h", y: 1.12 },
      shapes: estimate ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: estimate.mean, y1: estimate.mean, line: { color: charts.colour("line-strong"), width: 1, dash: "dash" } }] : [],
    },
  });
}

export function scatter(charts, about, parameter) {
  const { trials, suite } = about;
  const space = suite.plan.space[parameter];
  const numeric = !space.choices.length;
  const shown = trials.filter(({ values }) => parameter in values);
  return () => ({
    traces: [{ type: "scatter", mode: "markers", x: shown.map(({ values }) => (numeric ? values[parameter] : valueText(values[parameter]))), y: shown.map(({ score }) => score), text: shown.map(label), marker: { size: 8, color: shown.map((trial) => (trial.number === suite.best?.number ? charts.colour("predicted") : charts.faded("observed", 0.55))) }, hovertemplate: "%{text}<br>%{y:.5~g}<extra></extra>" }],
    layout: { hovermode: "closest", xaxis: { title: { text: plain(parameter) }, ...(numeric ? { type: space.log ? "log" : "linear" } : { type: "category" }) }, yaxis: scoreAxis(about) },
  });
}

/** Every trial a line over all that is varied, the better the stronger; drawn here, since the small build of Plotly has none. */
export function parallel(charts, about) {
  const { trials, suite } = about;
  const axes = Object.entries(suite.plan.space).map(([name, space]) => axis(name, space));
  const scores = trials.map(({ score }) => score);
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  axes.push({ name: about.measure.title, of: ({ score }) => (high === low ? 0.5 : (score - low) / (high - low)), ends: [metric(low), metric(high)] });
  const worth = ({ score }) => goodness(score, suite.better);
  const ranked = [...trials].sort((a, b) => worth(a) - worth(b)).slice(-PARALLEL);
  const narrow = matchMedia("(width <= 48rem)").matches;
  return () => ({
    traces: ranked.map((trial, place) => {
      const share = ranked.length > 1 ? place / (ranked.length - 1) : 1;
      const top = trial.number === suite.best?.number;
      return { type: "scatter", mode: "lines", x: axes.map((_, index) => index), y: axes.map((one) => one.of(trial)), line: { color: top ? charts.colour("predicted") : charts.faded("observed", 0.08 + 0.5 * share ** 2), width: top ? 2.5 : 1.25 }, text: axes.map(() => label(trial)), hovertemplate: `trial ${trial.number + 1}: ${metric(trial.score)}<br>%{text}<extra></extra>` };
    }),
    layout: {
      hovermode: "closest", dragmode: false, margin: { l: 24, r: 24, t: narrow ? 44 : 26, b: 44 }, yaxis: { visible: false, range: [-0.04, 1.04], fixedrange: true },
      xaxis: { tickmode: "array", tickvals: axes.map((_, index) => index), ticktext: axes.map(({ name, ends }) => `${plain(cut(name, 18))}<br>${plain(ends[0])}`), fixedrange: true, range: [-0.2, axes.length - 0.8] },
      annotations: axes.map(({ ends }, index) => ({ x: index, y: 1.04, yanchor: "bottom", textangle: narrow ? -90 : 0, text: plain(ends[1]), showarrow: false, font: { size: 11, color: charts.colour("ink-subtle") } })),
    },
  });
}
function axis(name, space) {
  if (space.choices.length) {
    const words = space.choices.map(valueText);
    return { name, of: ({ values }) => (words.length > 1 ? words.indexOf(valueText(values[name])) / (words.length - 1) : 0.5), ends: [words[0], words.at(-1)] };
  }
  const scale = space.log ? Math.log : (value) => value;
  return { name, of: ({ values }) => (scale(values[name]) - scale(space.low)) / (scale(space.high) - scale(space.low)), ends: [metric(space.low), metric(space.high)] };
}

export function importance(charts, shares) {
  const shown = Object.entries(shares).sort(([, a], [, b]) => a - b);
  return () => ({
    traces: [{ type: "bar", orientation: "h", x: shown.map(([, share]) => 100 * share), y: shown.map(([name]) => plain(cut(name))), marker: { color: charts.colour("predicted") }, hovertemplate: "%{y}: %{x:.3~g} %<extra></extra>" }],
    layout: { hovermode: "closest", bargap: 0.35, xaxis: { title: { text: "share of the differences of scores in %" }, rangemode: "tozero" }, yaxis: { type: "category", gridcolor: "rgba(0,0,0,0)" } },
  });
}
