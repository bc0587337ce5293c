// Where a fault is: the API counts characters, the browser counts UTF-16 units.

/** The place `{start, end}` of a fault in `text`, for `setSelectionRange` and the like. */
export function placeIn(text, at) {
  const before = Array.from(text);
  const start = before.slice(0, at.start).join("").length;
  return { start, end: start + before.slice(at.start, at.end).join("").length };
}
