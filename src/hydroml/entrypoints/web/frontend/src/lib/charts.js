// Plotly, loaded only where there is a chart. Colours come from the tokens, resolved for the theme that is on; a change of theme redraws.
import Plotly from "plotly.js-cartesian-dist-min";

let probe = null;
/** A token's colour as the browser computes it (Plotly cannot read `light-dark(…)`). */
export function colour(token) {
  if (!probe) {
    probe = document.createElement("span");
    probe.className = "sr";
    document.body.append(probe);
  }
  probe.style.color = `var(--color-${token})`;
  return getComputedStyle(probe).color;
}
export const faded = (token, share) => colour(token).replace(/^rgb\((.*)\)$/, `rgba($1, ${share})`);

function layoutFor(extra) {
  const axis = { gridcolor: colour("gridline"), linecolor: colour("line-strong"), zeroline: false, automargin: true, tickfont: { color: colour("ink-subtle") }, title: { font: { size: 11, color: colour("ink-subtle") }, standoff: 8 } };
  const merged = { ...extra };
  for (const name of ["xaxis", "yaxis", "yaxis2"]) if (extra[name] || name !== "yaxis2") merged[name] = { ...axis, ...extra[name], title: { ...axis.title, ...extra[name]?.title } };
  return {
    colorway: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => colour(`series-${n}`)), paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 11, color: colour("ink-subtle") }, margin: { l: 48, r: 16, t: 8, b: 36 }, hovermode: "x unified",
    hoverlabel: { bgcolor: colour("raised"), bordercolor: colour("line-strong"), font: { color: colour("ink"), size: 12 } }, showlegend: false, separators: ".,", ...merged,
  };
}

const drawn = new Map(); // element → how to draw it again
const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) if (contentRect.width && target.querySelector(".main-svg") && Math.abs(contentRect.width - (target._fullLayout?.width ?? 0)) > 1) Plotly.Plots.resize(target);
});

/** Draws `make()` → `{traces, layout}` into an element, and again when the theme or the size changes. */
export function draw(element, make) {
  const { traces, layout } = make();
  drawn.set(element, make);
  sizes.observe(element); // it may have been drawn while its tab was hidden
  return Plotly.react(element, traces, layoutFor(layout ?? {}), { displayModeBar: false, responsive: false, scrollZoom: false });
}
export function erase(element) {
  drawn.delete(element);
  sizes.unobserve(element);
  Plotly.purge(element);
}
function again() {
  for (const [element, make] of drawn) if (element.isConnected) draw(element, make);
  else drawn.delete(element);
}
addEventListener("hydroml:theme", again);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);

export const toggleLog = (element, on) => Plotly.relayout(element, { "yaxis.type": on ? "log" : "linear" });
export const picture = (element, name, format) => Plotly.downloadImage(element, { format, scale: format === "png" ? 2 : 1, filename: name });
export const png = (element, name) => Plotly.downloadImage(element, { format: "png", scale: 2, filename: name });
