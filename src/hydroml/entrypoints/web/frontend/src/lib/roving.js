// Many things of one kind as one stop of the Tab key: arrows go among them.

/**
 * Of the `items` (a selector) in the box one is a stop: the one that had the focus last, else the first; with `prefer`,
 * whoever comes from outside meets what it answers. `back` and `on` are the arrows, for those who do not read keys themselves.
 * Answers a function that gives the stop the focus.
 */
export function roving(box, items, { prefer = null, back = "", on = "" } = {}) {
  let last = null;
  const shown = () => [...box.querySelectorAll(items)].filter((one) => !one.disabled && one.checkVisibility());
  function settle() {
    const all = shown();
    const stop = all.includes(last) ? last : (all.find((one) => one === prefer?.()) ?? all[0]);
    for (const one of all) one.tabIndex = one === stop ? 0 : -1;
    return stop;
  }
  box.addEventListener("focusin", ({ target }) => {
    if (!target.matches(items)) return;
    last = target;
    settle();
  });
  box.addEventListener("focusout", ({ relatedTarget }) => {
    if (!prefer || box.contains(relatedTarget)) return;
    last = null;
    settle();
  });
  if (on) {
    box.addEventListener("keydown", (event) => {
      const all = shown();
      const at = all.indexOf(event.target);
      const to = { [back]: at - 1, [on]: at + 1, Home: 0, End: all.length - 1 }[event.key];
      if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      all[to]?.focus();
      event.preventDefault();
    });
  }
  new MutationObserver(settle).observe(box, { childList: true, subtree: true, attributeFilter: ["class", "style", "disabled"] });
  settle();
  return () => settle()?.focus();
}
