// A directed graph without circles, drawn in layers from left to right: what comes before stands further left.
import { s } from "./dom.js";

const WIDTH = 236;
const HEIGHT = 52;
const APART = 72;
const BETWEEN = 18;
const EDGE = 8;
const LETTERS = 24;

const cut = (text) => (text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text);

/** Each node's layer: one more than the last of what leads to it. */
export function layers(nodes, edges) {
  const layer = new Map(nodes.map(({ id }) => [id, 0]));
  for (let round = 0; round < nodes.length; round += 1) {
    let moved = false;
    for (const [from, to] of edges) {
      if (!layer.has(from) || !layer.has(to) || layer.get(to) > layer.get(from)) continue;
      layer.set(to, layer.get(from) + 1);
      moved = true;
    }
    if (!moved) break;
  }
  return layer;
}

/** Where each node stands: in its layer, beside what leads to it. */
function places(nodes, edges) {
  const layer = layers(nodes, edges);
  const columns = [];
  for (const node of nodes) (columns[layer.get(node.id)] ??= []).push(node.id);
  const row = new Map();
  for (const column of columns.filter(Boolean)) {
    const pull = (id) => {
      const before = edges.filter(([, to]) => to === id).map(([from]) => row.get(from)).filter((at) => at !== undefined);
      return before.length ? before.reduce((sum, at) => sum + at, 0) / before.length : 0;
    };
    const wanted = new Map(column.map((id) => [id, pull(id)]));
    column.sort((a, b) => wanted.get(a) - wanted.get(b)).forEach((id, index) => row.set(id, index));
  }
  return new Map(nodes.map(({ id }) => [id, { x: EDGE + layer.get(id) * (WIDTH + APART), y: EDGE + row.get(id) * (HEIGHT + BETWEEN) }]));
}

/** `nodes`: {id, label, detail, icon, href, here}; `edges`: [from, to, how]. An SVG whose nodes are links. */
export function graph(nodes, edges, label) {
  const at = places(nodes, edges);
  const spots = [...at.values()];
  const width = Math.max(...spots.map(({ x }) => x)) + WIDTH + EDGE;
  const height = Math.max(...spots.map(({ y }) => y)) + HEIGHT + EDGE;
  const lines = edges.filter(([from, to]) => at.has(from) && at.has(to)).map(([from, to, how]) => {
    const [a, b] = [at.get(from), at.get(to)];
    const [x1, y1, x2, y2] = [a.x + WIDTH, a.y + HEIGHT / 2, b.x, b.y + HEIGHT / 2];
    const bend = (x2 - x1) / 2;
    return s("path", { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, class: "graph-edge" }, how ? s("title", {}, how) : null);
  });
  const boxes = nodes.map((node) => {
    const { x, y } = at.get(node.id);
    const icon = s("svg", { x: x + 10, y: y + 10, width: 16, height: 16, class: "i", "aria-hidden": "true" }, s("use", { href: node.icon }));
    const title = s("title", {}, `${node.label} ${node.detail}`);
    const box = s("g", { class: `graph-node${node.here ? " is-here" : ""}` }, node.href ? null : title,
      s("rect", { x, y, width: WIDTH, height: HEIGHT, rx: 6 }), icon,
      s("text", { x: x + 34, y: y + 22, class: "graph-label" }, cut(node.label)),
      s("text", { x: x + 34, y: y + 39, class: "graph-detail" }, cut(node.detail)));
    return node.href ? s("a", { href: node.href, "aria-current": node.here ? "true" : null }, title, box) : box;
  });
  return s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": label, class: "graph" }, ...lines, ...boxes);
}
