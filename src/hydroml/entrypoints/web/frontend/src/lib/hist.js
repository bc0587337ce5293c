import { cell, number, percent } from "./format.js";
import { s } from "./dom.js";
import { literal, quoted } from "./types.js";

/** The bars of a column's distribution: `[{share, kept, label, filter}]`, from its profile; `kept` where it knows what a filter keeps. */
export function bars(profile) {
  const name = quoted(profile.name);
  const { type } = profile;
  const drawn = [];
  if (profile.histogram?.counts?.length) {
    const { counts, edges, kept } = profile.histogram;
    const inner = type === "integer" ? (value) => value : short;
    counts.forEach((amount, index) => {
      const [low, high] = [edges[index], edges[index + 1]];
      const last = index === counts.length - 1;
      drawn.push({
        amount, kept: kept?.[index], label: low === high ? text(low, type) : `${text(low, type)} to ${text(high, type)}`,
        filter: `(${name} >= ${literal(index ? inner(low) : low, type)} AND ${name} ${last ? "<=" : "<"} ${literal(last ? high : inner(high), type)})`,
      });
    });
  } else for (const [value, amount, kept] of (profile.top ?? []).slice(0, 12)) drawn.push({ amount, kept, label: text(value, type), filter: `${name} = ${literal(value, type)}` });
  const most = Math.max(...drawn.map(({ amount }) => amount), 1);
  const mostKept = Math.max(...drawn.map(({ kept }) => kept ?? 0), 1);
  return drawn.map(({ amount, kept, label, filter }) => ({
    filter, share: amount / most, kept: kept === undefined ? null : kept / mostKept,
    label: `${label}: ${profile.estimated ? "about " : ""}${number(kept ?? amount, 9)}${kept !== undefined && kept !== amount ? ` of ${number(amount, 9)}` : ""}`,
  }));
}
/** An inner edge without the noise of binary fractions; the outer ones stay exact, so that no extreme is lost. */
const short = (value) => (typeof value === "number" ? Number(value.toPrecision(9)) : value);
const text = (value, type) => (typeof value === "number" ? number(value) : cell(value, type));

/** The mini-histogram of headers and tables: pale over all rows, dark over those a filter keeps. `onBar` makes its bars buttons for the mouse; the menu offers the same by keyboard. */
export function histogram(profile, { quiet = false, onBar = null, isOn = null } = {}) {
  const drawn = bars(profile);
  const svg = s("svg", { class: `hist${quiet ? " is-quiet" : ""}`, viewBox: "0 0 240 24", preserveAspectRatio: "none", "aria-hidden": "true" });
  const width = 240 / Math.max(drawn.length, 1);
  const filtered = drawn.some(({ share, kept }) => kept !== null && kept !== share);
  drawn.forEach((bar, index) => {
    const x = (index * width).toFixed(1);
    const rect = (share, classes) => {
      const height = share ? Math.max(0.8, 24 * share) : 0;
      svg.append(s("rect", { class: classes, x, y: (24 - height).toFixed(1), width: Math.max(width - 1.5, 0.5).toFixed(1), height: height.toFixed(1) }));
    };
    if (filtered) rect(bar.share, "all");
    rect(filtered ? bar.kept : bar.share, isOn?.(bar.filter) ? "on" : null);
    if (!onBar) return;
    svg.append(s("rect", { class: "hit", x, y: 0, width: width.toFixed(1), height: 24, onclick: (event) => { event.stopPropagation(); onBar(bar.filter); } }, s("title", {}, `${bar.label}. Click to filter`)));
  });
  return svg;
}

export function missingBar(profile, rows) {
  const share = rows ? (100 * (profile.missing ?? 0)) / rows : 0;
  return s("svg", { class: "missbar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" }, s("rect", { width: share ? Math.max(2, share).toFixed(1) : 0, height: 6 }, s("title", {}, `${percent(profile.missing ?? 0, rows)} missing`)));
}
