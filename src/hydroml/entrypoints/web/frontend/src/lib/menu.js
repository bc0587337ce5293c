import { h, icon } from "./dom.js";

/** A floating menu at an element: items `{title, icon, run, note, help, danger}`, `{heading}` or `"-"`. Arrows move, Esc closes and gives the focus back; with `search`, what is typed narrows it. */
export function openMenu(anchor, items, label = "Menu", { search = "" } = {}) {
  document.querySelector(".menu-list.is-fixed")?.remove();
  const list = h("div", { class: "menu-list is-fixed", role: "menu", "aria-label": label });
  const close = (refocus = true) => {
    list.remove();
    removeEventListener("pointerdown", outside, true);
    removeEventListener("resize", close);
    if (refocus) anchor.focus?.();
  };
  const outside = (event) => list.contains(event.target) || close(false);
  const field = search ? h("input", { class: "input", type: "search", "aria-label": search, placeholder: search, oninput: () => narrow(field.value) }) : null;
  if (field) list.append(field);
  const narrow = (typed) => {
    const wanted = typed.trim().toLowerCase();
    let heading = null;
    for (const child of [...list.children].slice(1)) {
      if (child.tagName === "H3") {
        heading = child;
        child.hidden = true;
        continue;
      }
      child.hidden = !`${child.textContent} ${child.title}`.toLowerCase().includes(wanted);
      if (heading && !child.hidden) heading.hidden = false;
    }
  };
  for (const item of items) {
    if (item === "-") list.append(h("hr"));
    else if (item.heading) list.append(h("h3", { class: "truncate" }, item.heading));
    else {
      list.append(h("button", { type: "button", role: "menuitem", title: item.help ?? null, class: `menu-item${item.danger ? " is-danger" : ""}`, onclick: () => { close(); item.run(); } },
        item.icon ? icon(item.icon) : null, h("span", { class: "truncate grow" }, item.title), item.note ? h("span", { class: "subtle xs nowrap" }, item.note) : null));
    }
  }
  list.addEventListener("keydown", (event) => {
    const all = [...list.querySelectorAll(".menu-item:not([hidden])")];
    if (event.target === field && event.key === "Enter") all[0]?.click();
    if (event.target === field && ["Home", "End"].includes(event.key)) return undefined;
    const at = all.indexOf(document.activeElement);
    if (event.key === "Escape") close();
    else if (event.key === "Tab") return close();
    else if (event.key === "ArrowDown") all[(at + 1) % all.length].focus();
    else if (event.key === "ArrowUp") all[(at + all.length - 1) % all.length].focus();
    else if (event.key === "Home") all[0].focus();
    else if (event.key === "End") all.at(-1).focus();
    else return undefined;
    event.preventDefault();
    event.stopPropagation();
    return undefined;
  });
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
