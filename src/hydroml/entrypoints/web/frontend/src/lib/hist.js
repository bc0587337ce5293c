import { cell, number, percent } from "./format.js";
import { s } from "./dom.js";
import { literal, quoted } from "./types.js";

/** The bars of a column's distribution: `[{share, label, filter}]`, from its profile. */
export function bars(profile) {
  const name = quoted(profile.name);
  if (profile.histogram?.counts?.length) {
    const { counts, edges } = profile.histogram;
    const most = Math.max(...counts, 1);
    return counts.map((amount, index) => {
      const [low, high] = [edges[index], edges[index + 1]];
      const last = index === counts.length - 1;
      const type = profile.type;
      return {
        share: amount / most,
        label: `${text(low, type)} to ${text(high, type)}: ${number(amount, 9)}`,
        filter: `${name} >= ${literal(index ? short(low) : low, type)} AND ${name} ${last ? "<=" : "<"} ${literal(last ? high : short(high), type)}`,
      };
    });
  }
  if (profile.top?.length) {
    const most = Math.max(...profile.top.map(([, amount]) => amount), 1);
    return profile.top.slice(0, 12).map(([value, amount]) => ({
      share: amount / most,
      label: `${text(value, profile.type)}: ${number(amount, 9)}`,
      filter: `${name} = ${literal(value, profile.type)}`,
    }));
  }
  return [];
}
/** An inner edge without the noise of binary fractions; the outer ones stay exact, so that no extreme is lost. */
const short = (value) => (typeof value === "number" ? Number(value.toPrecision(9)) : value);
const text = (value, type) => (typeof value === "number" ? number(value) : cell(value, type));

/** The mini-histogram of headers and tables. `onBar` makes its bars buttons for the mouse; the menu offers the same by keyboard. */
export function histogram(profile, { quiet = false, onBar = null } = {}) {
  const drawn = bars(profile);
  const svg = s("svg", { class: `hist${quiet ? " is-quiet" : ""}`, viewBox: "0 0 240 24", preserveAspectRatio: "none", "aria-hidden": "true" });
  const width = 240 / Math.max(drawn.length, 1);
  drawn.forEach((bar, index) => {
    const height = bar.share ? Math.max(0.8, 24 * bar.share) : 0;
    svg.append(s("rect", { x: (index * width).toFixed(1), y: (24 - height).toFixed(1), width: Math.max(width - 1.5, 0.5).toFixed(1), height: height.toFixed(1) }));
    if (!onBar) return;
    svg.append(s("rect", { class: "hit", x: (index * width).toFixed(1), y: 0, width: width.toFixed(1), height: 24, onclick: (event) => { event.stopPropagation(); onBar(bar.filter); } }, s("title", {}, `${bar.label}. Click to filter`)));
  });
  return svg;
}

export function missingBar(profile, rows) {
  const share = rows ? (100 * (profile.missing ?? 0)) / rows : 0;
  return s("svg", { class: "missbar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" }, s("rect", { width: share ? Math.max(2, share).toFixed(1) : 0, height: 6 }, s("title", {}, `${percent(profile.missing ?? 0, rows)} missing`)));
}
