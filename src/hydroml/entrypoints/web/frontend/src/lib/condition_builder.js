// A condition put together by choosing: all or any of some comparisons, groups within groups. The server writes it as a formula.
import { api } from "./api.js";
import { h, icon } from "./dom.js";
import { isNumeric, isTemporal } from "./types.js";

const EVERY = [["missing", "is missing"], ["not_missing", "is not missing"]];
const ORDERED = [["is", "is"], ["is_not", "is not"], ["greater", "is greater than"], ["at_least", "is at least"], ["less", "is less than"], ["at_most", "is at most"], ["between", "is between"], ["not_between", "is not between"], ["one_of", "is one of"], ["not_one_of", "is none of"]];
const TIMES = ORDERED.map(([test, title]) => [test, { greater: "is after", at_least: "is from … on", less: "is before", at_most: "is up to" }[test] ?? title]);
const TEXTS = [["is", "is"], ["is_not", "is not"], ["contains", "contains"], ["not_contains", "does not contain"], ["starts_with", "starts with"], ["ends_with", "ends with"], ["one_of", "is one of"], ["not_one_of", "is none of"], ["matches", "matches the pattern"], ["less", "is before"], ["greater", "is after"]];
const FLAGS = [["is", "is"], ["is_not", "is not"]];
const ALL = [...new Map([...TEXTS, ...ORDERED]).entries()];
const MOST_COLUMNS = 1000;
let number = 0;

const testsOf = (type) => [...(type === "boolean" ? FLAGS : isNumeric(type) ? ORDERED : isTemporal(type) ? TIMES : TEXTS), ...EVERY];
const countOf = (test) => ({ missing: 0, not_missing: 0, between: 2, not_between: 2, one_of: Infinity, not_one_of: Infinity })[test] ?? 1;

/** What was typed as the value the formula is to hold; of a column of numbers it is one if it reads as one. */
function valueOf(text, type) {
  if (type === "boolean") return text === "true";
  const number = Number(text.trim());
  return isNumeric(type) && text.trim() && Number.isFinite(number) ? number : text;
}

/**
 * `columns()` are the table's; `top(name)` its frequent values, if they are known; `changed(tree)` hears of every change, with
 * null while something is not filled in yet. `show(tree)` sets what is seen, null an empty one.
 */
export function conditionBuilder({ columns, top, changed }) {
  const root = h("div", { class: "builder" });
  let tree = empty();

  function empty() {
    return { of: "all", negated: false, parts: [] };
  }
  const typeOf = (name) => columns().find((one) => one.name === name)?.type ?? "text";
  const complete = (part) => (part.parts ? part.parts.length > 0 && part.parts.every(complete) : part.column && (countOf(part.test) === Infinity ? part.values.length > 0 : part.values.length === countOf(part.test) && part.values.every((value) => value !== "")));
  const tell = () => changed(complete(tree) ? tree : null, tree.parts.length === 0);
  const fresh = () => {
    const [first] = columns();
    const type = first?.type ?? "text";
    return { column: first?.name ?? "", test: isNumeric(type) ? "greater" : "is", values: type === "boolean" ? [true] : [""] };
  };
  /** After the tree has changed its shape: drawn anew, the focus where it makes sense. */
  function redraw(focus = null) {
    draw();
    tell();
    if (focus) root.querySelector(`[data-part="${focus.id}"] select`)?.focus();
  }

  function group(part, remove) {
    const of = h("select", { class: "input", "aria-label": "Keep rows where", onchange: () => { part.negated = of.value.startsWith("not"); part.of = of.value.replace("not-", ""); redraw(); } },
      ...[["all", "all of these are true"], ["any", "any of these is true"], ["not-all", "not all of these are true"], ["not-any", "none of these is true"]].map(([value, title]) => h("option", { value }, title)));
    of.value = `${part.negated ? "not-" : ""}${part.of}`;
    const add = (one) => {
      part.parts.push(one);
      redraw(one);
    };
    return h("div", { class: `builder-group${part.of === "any" ? " is-any" : ""}${part.negated ? " is-not" : ""}`, role: "group", "aria-label": "Conditions" },
      h("div", { class: "builder-head" }, of, h("span", { class: "end row" },
        remove ? h("button", { class: "btn btn-icon btn-s", type: "button", "aria-label": "Remove the group", title: "Remove the group", onclick: remove }, icon("x")) : null)),
      ...part.parts.map((one, index) => {
        const gone = () => {
          part.parts.splice(index, 1);
          redraw();
        };
        return one.parts ? group(one, gone) : comparison(one, gone);
      }),
      h("div", { class: "row" }, h("button", { class: "btn btn-s", type: "button", onclick: () => add(fresh()) }, icon("plus"), "Condition"), h("button", { class: "btn btn-quiet btn-s", type: "button", onclick: () => add({ of: part.of === "all" ? "any" : "all", negated: false, parts: [fresh()] }) }, icon("plus"), "Group")));
  }

  function comparison(part, remove) {
    part.id ??= `p${(number += 1)}`;
    const type = typeOf(part.column);
    const column = h("select", { class: "input", "aria-label": "Column", onchange: () => {
      const before = typeOf(part.column);
      part.column = column.value;
      const now = typeOf(part.column);
      if (before !== now) Object.assign(part, { test: testsOf(now).some(([test]) => test === part.test) ? part.test : "is" });
      if (before !== now) part.values = countOf(part.test) === Infinity ? [] : Array(countOf(part.test)).fill(now === "boolean" ? true : "");
      redraw(part);
    } }, ...columns().slice(0, MOST_COLUMNS).map(({ name }) => h("option", { value: name }, name)));
    column.value = part.column;
    const offered = testsOf(type);
    const tests = offered.some(([test]) => test === part.test) ? offered : [...offered, ALL.find(([test]) => test === part.test)];
    const test = h("select", { class: "input", "aria-label": "Comparison", onchange: () => {
      part.test = test.value;
      const wanted = countOf(part.test);
      if (wanted === Infinity) part.values = part.values.filter((value) => value !== "");
      else part.values = Array.from({ length: wanted }, (_, at) => part.values[at] ?? (type === "boolean" ? true : ""));
      redraw(part);
    } }, ...tests.map(([value, title]) => h("option", { value }, title)));
    test.value = part.test;
    return h("div", { class: "builder-part", "data-part": part.id, role: "group", "aria-label": `Condition on ${part.column}` }, column, test, values(part, type),
      h("button", { class: "btn btn-icon btn-s", type: "button", "aria-label": `Remove the condition on ${part.column}`, title: "Remove", onclick: remove }, icon("x")));
  }

  function values(part, type) {
    const wanted = countOf(part.test);
    if (!wanted) return h("span", { class: "builder-values" });
    if (type === "boolean" && wanted === 1) {
      const select = h("select", { class: "input", "aria-label": "Value", onchange: () => { part.values = [select.value === "true"]; tell(); } }, h("option", { value: "true" }, "true"), h("option", { value: "false" }, "false"));
      select.value = String(part.values[0] ?? true);
      return h("span", { class: "builder-values" }, select);
    }
    const known = (top(part.column) ?? []).map(([value]) => value).filter((value) => value !== null && value !== undefined);
    const list = known.length ? h("datalist", { id: `${part.id}-l` }, ...known.map((value) => h("option", { value: String(value) }))) : null;
    const field = (label, attributes) => h("input", { class: "input", "aria-label": label, autocomplete: "off", spellcheck: "false", list: list ? `${part.id}-l` : null, inputmode: isNumeric(type) ? "decimal" : null, placeholder: type === "date" ? "2020-12-31" : type === "timestamp" ? "2020-12-31 12:00" : null, ...attributes });
    if (wanted === Infinity) {
      const take = () => {
        const text = input.value;
        if (!text.trim()) return;
        const value = valueOf(text, type);
        if (!part.values.includes(value)) part.values.push(value);
        redraw();
        root.querySelector(`[data-part="${part.id}"] .builder-values > .input`)?.focus();
      };
      const input = field("One more value", { onkeydown: (event) => { if (event.key !== "Enter") return; event.preventDefault(); event.stopPropagation(); take(); }, onchange: take });
      return h("span", { class: "builder-values" }, ...part.values.map((value, at) => h("span", { class: "chip" }, h("span", { class: "truncate" }, String(value)), h("button", { class: "chip-x", type: "button", "aria-label": `Leave out ${value}`, onclick: () => { part.values.splice(at, 1); redraw(); } }, icon("x")))), input, list);
    }
    const fields = part.values.map((value, at) => {
      const input = field(wanted === 2 ? (at ? "To" : "From") : "Value", { oninput: () => { part.values[at] = valueOf(input.value, type); tell(); } });
      input.value = String(value);
      return input;
    });
    return h("span", { class: "builder-values" }, ...(wanted === 2 ? [fields[0], "and", fields[1]] : fields), list);
  }

  function draw() {
    root.replaceChildren(group(tree, null));
  }
  draw();
  return {
    element: root,
    show(next) {
      tree = next ? JSON.parse(JSON.stringify(next)) : empty();
      draw();
    },
    begin() {
      if (!tree.parts.length) tree.parts.push(fresh());
      draw();
      root.querySelector(".builder-part select")?.focus();
    },
  };
}

/**
 * A builder beside a field: what is chosen is written into it, what is written there is shown where it can be. `told` takes
 * what the field's check has answered.
 */
export function builderOf(field, { columns, top }) {
  const more = h("p", { class: "help", hidden: true }, "The text says more than can be chosen here, and stays as it is.");
  let turn = 0;
  let mine = null; // what the builder wrote last
  const write = (formula) => {
    mine = formula;
    field.value = formula;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const builder = conditionBuilder({ columns, top, changed: async (tree, isEmpty) => {
    const now = (turn += 1);
    if (isEmpty) return write("");
    if (!tree) return undefined;
    const { formula } = await api.post("/formulas/condition", documentOf(tree)).catch(() => ({})); // refused: it cannot be said like this yet
    return formula === undefined || now !== turn ? undefined : write(formula);
  } });
  return {
    element: h("div", { class: "stack-s" }, more, builder.element),
    begin: () => builder.begin(),
    told(answer) {
      const text = field.value.trim();
      if (text === mine) return;
      const shows = !text || Boolean(answer?.condition);
      if (text && !answer?.type) return; // not a condition yet
      more.hidden = shows;
      builder.element.hidden = !shows;
      if (shows) builder.show(answer?.condition ?? null);
    },
  };
}

/** The tree as the API takes it: without what only the page knows. */
const documentOf = (part) => (part.parts ? { of: part.of, negated: part.negated, parts: part.parts.map(documentOf) } : { column: part.column, test: part.test, values: part.values });
