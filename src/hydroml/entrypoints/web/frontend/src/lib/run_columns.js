// Columns of the table of runs: those every run has, and metrics and parameters under their places in the run's document.
import { about } from "./verdict.js";

/** What every run has; the name of the run is always there. */
export const FIXED = [
  ["status", "State"], ["algorithm", "Algorithm"], ["source", "Data"], ["target", "Target"], ["split", "Split"], ["seed", "Seed", true], ["score", "Result on test rows"], ["baseline", "Strongest baseline"], ["tags", "Tags"], ["seconds", "Time", true], ["created_at", "Started"],
].map(([name, title, numeric = false]) => ({ name, title, numeric, part: "" }));
export const USUAL = ["status", "algorithm", "source", "score", "baseline", "tags", "seconds", "created_at"];
const UNSORTED = ["baseline", "tags"];

const plain = (text) => text.replaceAll("_", " ");

/** How a column is called, and where better lies, from its place: `metrics.test.rmse`, `metrics.baselines.mean.rmse`, `parameters.max_depth`. */
export function describe(name, catalogue = {}) {
  const fixed = FIXED.find((one) => one.name === name);
  if (fixed) return { ...fixed, better: "", definition: "", sortable: !UNSORTED.includes(name) };
  const [kind, part, ...rest] = name.split(".");
  if (kind === "parameters") return { name, title: name.slice("parameters.".length), part: "parameter", numeric: true, better: "", definition: "", sortable: true };
  if (part === "logged") return { name, title: rest.join("."), part: "logged", numeric: true, better: "", definition: "Logged with MLflow under a name that is none of HydroML's.", sortable: true };
  const metric = rest.at(-1) ?? part;
  const { title, better, definition = "" } = about(metric, catalogue);
  const where = part === "baselines" ? `baseline ${plain(rest.slice(0, -1).join(" "))}` : part === "test" ? "test" : plain(part);
  return { name, title, part: where, numeric: true, better, definition, sortable: true };
}

/** The value of a column in a row of the table; undefined where the run does not have it. */
export function valueOf(row, name) {
  let at = row;
  let rest = name;
  while (at && typeof at === "object") {
    if (Object.hasOwn(at, rest)) return at[rest];
    const dot = rest.indexOf(".");
    if (dot < 0) return undefined;
    at = at[rest.slice(0, dot)];
    rest = rest.slice(dot + 1);
  }
  return undefined;
}
