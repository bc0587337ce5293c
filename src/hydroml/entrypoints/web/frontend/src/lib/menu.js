import { h, icon } from "./dom.js";
import { rank } from "./rank.js";

/** A floating menu at an element: items `{title, icon, run, note, help, danger}`, `{heading}` or `"-"`. Arrows move, Esc closes and gives the focus back to where it was; with `search`, what is typed narrows it. */
export function openMenu(anchor, items, label = "Menu", { search = "" } = {}) {
  document.querySelector(".menu-list.is-fixed")?.remove();
  const before = document.activeElement === document.body ? anchor : document.activeElement;
  const list = h("div", { class: "menu-list is-fixed", role: "menu", "aria-label": label });
  const close = (refocus = true) => {
    list.remove();
    removeEventListener("pointerdown", outside, true);
    removeEventListener("resize", close);
    if (refocus) before.focus?.();
  };
  const outside = (event) => list.contains(event.target) || close(false);
  const field = search ? h("input", { class: "input", type: "search", "aria-label": search, placeholder: search, oninput: () => narrow(field.value) }) : null;
  if (field) list.append(field);
  const none = h("p", { class: "subtle xs p-2", role: "status" }, "Nothing is called like that.");
  const narrow = (typed) => {
    const wanted = typed.trim().toLowerCase();
    const fits = (child) => (child.matches(".menu-item") ? Math.max(rank(child.querySelector("span").textContent, wanted), `${child.textContent} ${child.title}`.toLowerCase().includes(wanted) ? 0 : -1) : -1);
    const shown = wanted ? all.map((child) => [fits(child), child]).sort(([a], [b]) => b - a) : all.map((child) => [0, child]);
    for (const [score, child] of shown) {
      child.hidden = score < 0;
      list.append(child); // the best first; without a word the menu as it was
    }
    none.hidden = shown.some(([score]) => score >= 0);
    list.append(none);
  };
  for (const item of items) {
    if (item === "-") list.append(h("hr"));
    else if (item.heading) list.append(h("h3", { class: "truncate" }, item.heading));
    else {
      list.append(h("button", { type: "button", role: "menuitem", title: item.help ?? null, class: `menu-item${item.danger ? " is-danger" : ""}`, onclick: () => { close(); item.run(); } },
        item.icon ? icon(item.icon) : null, h("span", { class: "truncate grow" }, item.title), item.note ? h("span", { class: "subtle xs nowrap" }, item.note) : null));
    }
  }
  const all = [...list.children].slice(field ? 1 : 0);
  list.addEventListener("keydown", (event) => {
    const shown = [...list.querySelectorAll(".menu-item:not([hidden])")];
    if (event.target === field && event.key === "Enter") shown[0]?.click();
    if (event.target === field && ["Home", "End"].includes(event.key)) return undefined;
    const at = shown.indexOf(document.activeElement);
    if (event.key === "Escape") close();
    else if (event.key === "Tab" || event.key === "F6") return close();
    else if (!shown.length) return undefined;
    else if (event.key === "ArrowDown") shown[(at + 1) % shown.length].focus();
    else if (event.key === "ArrowUp") shown[(at + shown.length - 1) % shown.length].focus();
    else if (event.key === "Home") shown[0].focus();
    else if (event.key === "End") shown.at(-1).focus();
    else return undefined;
    event.preventDefault();
    event.stopPropagation();
    return undefined;
  });
  // What is drawn anew behind it (a table gives its cell the focus back) must not take what is typed.
  list.addEventListener("focusout", () => queueMicrotask(() => list.isConnected && !list.contains(document.activeElement) && (field ?? list.querySelector(".menu-item"))?.focus()));
  document.body.append(list);
  const place = anchor.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const left = place.width > 2 * width ? place.left : place.right - width; // at a whole bar it begins where the bar does
  list.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  list.style.top = `${place.bottom + height + 8 > innerHeight ? Math.max(8, place.top - height - 4) : place.bottom + 4}px`;
  (field ?? list.querySelector(".menu-item"))?.focus();
  addEventListener("pointerdown", outside, true);
  addEventListener("resize", close);
}
