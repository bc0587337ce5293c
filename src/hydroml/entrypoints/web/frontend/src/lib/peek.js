import { copy, h, icon } from "./dom.js";
import { MISSING, count } from "./format.js";
import { typeOf } from "./types.js";

/** The exact value of a cell beside it, long text readable. Esc, Space or a click elsewhere closes it. */
export function openPeek(anchor, { name, type, value, row }, { onClose } = {}) {
  document.querySelector(".peek-cell")?.remove();
  const missing = value === null || value === undefined;
  const text = missing ? "" : String(value);
  const close = (refocus = true) => {
    box.remove();
    removeEventListener("pointerdown", outside, true);
    if (refocus) onClose?.();
  };
  const outside = (event) => box.contains(event.target) || close(false);
  const copied = h("span", { class: "subtle xs", role: "status" });
  const title = `Row ${count(row)}, ${name}`;
  const copier = h("button", { type: "button", class: "btn btn-s", onclick: async () => { copied.textContent = (await copy(text)) ? "Copied." : "The browser does not allow it."; } }, icon("copy"), "Copy");
  const size = [...text].length;
  const body = missing ? h("p", { class: "subtle" }, `${MISSING} missing`) : h("pre", { class: "peek-text", tabindex: "0", "aria-label": "Value" }, text);
  const box = h("div", { class: "peek-cell", role: "dialog", "aria-label": title },
    h("header", {}, h("b", { class: "truncate grow" }, title), h("button", { type: "button", class: "btn btn-icon btn-s", "aria-label": "Close", onclick: () => close() }, icon("x"))),
    body,
    h("footer", {}, icon(typeOf(type).icon), h("span", { class: "subtle xs" }, [typeOf(type).label, missing ? "" : `${count(size)} ${size === 1 ? "character" : "characters"}`].filter(Boolean).join(", ")), h("span", { class: "end row" }, copied, missing ? null : copier)));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape" || (event.key === " " && event.target.tagName !== "BUTTON")) {
      event.preventDefault();
      close();
    }
    event.stopPropagation();
  });
  document.body.append(box);
  const place = anchor.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  box.style.left = `${Math.max(8, Math.min(place.left, innerWidth - width - 8))}px`;
  box.style.top = `${place.bottom + height + 8 > innerHeight ? Math.max(8, place.top - height - 4) : place.bottom + 4}px`;
  (missing ? box.querySelector("button") : body).focus({ preventScroll: true });
  addEventListener("pointerdown", outside, true);
}
