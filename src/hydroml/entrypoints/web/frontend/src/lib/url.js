// What a page shows is in its address: tabs, filters, what is chosen. Reload and Back give the same page.

export function param(name, fallback = "") {
  return new URLSearchParams(location.search).get(name) ?? fallback;
}

/** Writes parameters; empty ones go. `push` makes a step Back can undo. */
export function setParams(values, { push = false } = {}) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === "" || value === null || value === undefined) query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  const target = location.pathname + (text ? `?${text}` : "") + location.hash;
  if (target === location.pathname + location.search + location.hash) return;
  history[push ? "pushState" : "replaceState"](null, "", target);
}

/** Names as the API takes several: with commas between them, or as a JSON list when one holds a comma. */
export const listed = (names) => (names.some((name) => /[,[]|^\s|\s$/.test(name)) ? JSON.stringify(names) : names.join(","));
