// A field that takes a formula: checked as one types, its faults underlined where they are, its type told when it is fine.
import { debounced, h, icon } from "./dom.js";
import { placeIn } from "./places.js";
import { typeOf } from "./types.js";

const WAIT = 300;
const PATIENCE = 900;

/**
 * Puts `field` (an input or a textarea) into a box that can underline a part of its text. `check(formula, signal)` answers
 * `{type, faults: [{msg, at}]}`; without it only what others have found is shown. `told` hears of each answer.
 * `fault` is where faults are said, `note` where the type is.
 */
export function attachFormula(field, { check = null, fault, note = null, told = () => {} }) {
  const mirror = h("div", { class: "formula-mirror", "aria-hidden": "true" });
  let running = null;
  if (!field.parentElement?.classList.contains("formula-box")) {
    const box = h("div", { class: "formula-box" });
    field.replaceWith(box);
    box.append(field);
  }
  field.after(mirror);
  const follow = () => mirror.scrollTo(field.scrollLeft, field.scrollTop);
  field.addEventListener("scroll", follow);

  function underline(at) {
    if (!at) return mirror.replaceChildren();
    const text = field.value;
    const { start, end } = placeIn(text, at);
    mirror.replaceChildren(text.slice(0, start), h("mark", {}, text.slice(start, end) || "\u00a0"), `${text.slice(end)}\u200b`);
    return follow();
  }
  /** Shows the first of some faults of the trimmed text, or that there is none. */
  function show(faults) {
    patient.cancel();
    const lead = Array.from(field.value).length - Array.from(field.value.trimStart()).length;
    const first = faults[0] && { ...faults[0], at: faults[0].at && { start: faults[0].at.start + lead, end: faults[0].at.end + lead } };
    if (fault) {
      fault.hidden = !first;
      fault.lastElementChild.textContent = first?.msg ?? "";
    }
    if (first) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    underline(first?.at);
    if (note && first) note.hidden = true;
  }
  /** A word that is still being typed is not called wrong yet. */
  const isTyped = ({ at }) => at && document.activeElement === field && placeIn(field.value, at).end >= field.selectionStart;
  const patient = debounced(show, PATIENCE);
  async function ask() {
    running?.abort();
    const formula = field.value.trim();
    if (note) note.hidden = true;
    if (!formula || !check) {
      if (!formula) show([]);
      told(null);
      return;
    }
    const mine = (running = new AbortController());
    try {
      const answer = await check(formula, mine.signal);
      if (running !== mine) return;
      if (answer.faults.some(isTyped)) {
        show([]);
        patient(answer.faults);
      } else show(answer.faults);
      if (note && answer.type) {
        note.hidden = false;
        note.replaceChildren(icon(typeOf(answer.type).icon), `gives ${answer.type === "boolean" ? "true or false" : `a value of type ${typeOf(answer.type).label}`}`);
      }
      told(answer);
    } catch (error) {
      if (error.name !== "AbortError") told(null); // whoever uses the formula will say what is wrong
    }
  }
  const later = debounced(ask, WAIT);
  field.addEventListener("input", () => {
    patient.cancel();
    underline(null);
    later();
  });
  return { show, ask, checks: Boolean(check) };
}
