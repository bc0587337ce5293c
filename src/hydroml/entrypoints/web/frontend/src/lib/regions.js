// The parts of a page, gone through by F6 as those of a desktop program.
import { shortcut } from "./ui.js";

/** `parts`: {title, element(), enter()}, in their order; one without an element is passed over. `enter` gives it the focus. */
export function regions(parts) {
  const go = (step) => {
    if (document.querySelector("dialog[open]")) return false;
    const there = parts.filter(({ element }) => element());
    const at = there.findIndex(({ element }) => element().contains(document.activeElement));
    there.at(at < 0 && step < 0 ? -1 : (at + step) % there.length).enter();
    return true;
  };
  shortcut("F6", `Go on to the next part: ${parts.map(({ title }) => title).join(", ")}`, () => go(1), { inInputs: true });
  shortcut("shift+F6", "Go back to the part before", () => go(-1), { inInputs: true });
}
