// How the columns of a grid are laid out: their order, which are pinned or hidden, and widths that were changed. By names, so that it fits a table with other columns too.

export const plainLayout = () => ({ order: [], hidden: [], pinned: [], widths: {} });
export const isPlain = (layout) => !layout.order.length && !layout.hidden.length && !layout.pinned.length && !Object.keys(layout.widths).length;

/** The names in the order of a layout; those it does not know stand behind the one they follow in the table. */
export function arranged(names, order) {
  if (!order.length) return names;
  const there = new Set(names);
  const placed = order.filter((name) => there.has(name));
  const known = new Set(placed);
  names.forEach((name, at) => {
    if (known.has(name)) return;
    placed.splice(at ? placed.indexOf(names[at - 1]) + 1 : 0, 0, name);
    known.add(name);
  });
  return placed;
}

const without = (names, name) => names.filter((one) => one !== name);
export const pin = (layout, name) => ({ ...layout, pinned: [...without(layout.pinned, name), name], hidden: without(layout.hidden, name) });
export const unpin = (layout, name) => ({ ...layout, pinned: without(layout.pinned, name) });
export const hide = (layout, name) => ({ ...layout, hidden: [...without(layout.hidden, name), name], pinned: without(layout.pinned, name) });
export const show = (layout, name) => ({ ...layout, hidden: without(layout.hidden, name) });

/** A column one place towards the beginning (-1) or the end (1). */
export function move(layout, names, name, by) {
  const order = [...arranged(names, layout.order)];
  const at = order.indexOf(name);
  const to = at + by;
  if (to < 0 || to >= order.length) return layout;
  [order[at], order[to]] = [order[to], order[at]];
  return { ...layout, order };
}
