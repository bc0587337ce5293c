// A form drawn from a JSON schema: what a kind of step needs is asked for by the role and the type of each parameter.
import { attachCompletion } from "./complete.js";
import { builderOf } from "./condition_builder.js";
import { h, icon } from "./dom.js";
import { attachFormula } from "./formula_field.js";
import { goTogether, likelyAxis, likelyKeys, tablePicker } from "./other_table.js";
import { roving } from "./roving.js";
import { isNumeric, typeOf } from "./types.js";

const MOST_SHOWN = 300;
const SUCH_AS = { formula: "ln(flow + 1)", condition: "flow > 3 AND station = 'north'", sql: "SELECT station, max(flow) AS peak FROM this GROUP BY station" };

const SPELT = { iqr: "Interquartile range", z_score: "z-score", min_max: "Min-max", one_hot: "One-hot", log: "Logarithm", power: "Power (Yeo-Johnson)" };
const sentence = (name) => SPELT[name] ??  name.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());
/** A copy of plain data, also of what a framework has wrapped. */
export const copied = (value) => JSON.parse(JSON.stringify(value ?? null));
const words = (value) => String(value).replaceAll("_", " ");

/** What is asked for by each parameter. */
export function fieldsOf(schema, definitions = schema.$defs ?? {}) {
  const required = schema.required ?? [];
  return Object.entries(schema.properties).filter(([name]) => name !== "op" && name !== "kind").map(([name, described]) => {
    const resolve = (one) => (one.$ref ? definitions[one.$ref.split("/").at(-1)] : one);
    const options = (described.anyOf ?? [described]).map(resolve);
    const nullable = options.some(({ type }) => type === "null");
    const main = options.find(({ type }) => type !== "null") ?? {};
    const items = main.items ? resolve(main.items) : null;
    const field = {
      name, nullable, types: described["x-types"] ?? [], when: described["x-when"] ?? null, help: described.description ?? "", required: required.includes(name) && !nullable,
      label: described.title && described.title.toLowerCase() !== name.replaceAll("_", " ") ? described.title : sentence(name),
      initial: described.default !== undefined ? described.default : null, choices: main.enum ?? items?.enum ?? [], words: described["x-choices"] ?? {}, more: Boolean(described["x-more"]), suggest: described["x-suggest"] ?? "", least: main.minimum, whole: items?.type === "integer", parts: items?.properties ? fieldsOf(items, definitions) : main.properties ? fieldsOf(main, definitions) : [],
    };
    const role = described["x-role"];
    if (["column", "columns", "new_column", "formula", "condition", "sql", "version", "other_column", "other_columns", "value", "time_zone"].includes(role)) field.kind = role;
    else if (main.enum) field.kind = "choice";
    else if (main.properties) field.kind = "object";
    else if (main.type === "boolean") field.kind = "flag";
    else if (main.type === "integer" || main.type === "number") field.kind = "number";
    else if (main.type === "array") field.kind = items?.properties ? "objects" : items?.enum ? "choices" : items?.type === "number" || items?.type === "integer" ? "numbers" : "texts";
    else field.kind = "text";
    return field;
  });
}

/** A new value for the fields: their defaults, and what suits where one must be chosen. */
export function blankOf(fields, columns, column = null) {
  const value = {};
  for (const field of fields) {
    const suits = (one) => !field.types.length || field.types.includes(one.type);
    if (field.kind === "column") value[field.name] = field.required ? ((column && suits(column) ? column : columns.find(suits))?.name ?? "") : "";
    else if (field.kind === "columns") value[field.name] = field.required && column && suits(column) ? [column.name] : [];
    else if (field.kind === "objects") value[field.name] = field.initial?.length ? copied(field.initial) : field.required ? [blankOf(field.parts, columns, column)] : [];
    else if (field.kind === "choice" && field.required && field.initial === null) value[field.name] = field.choices[0];
    else if (["choices", "texts", "numbers", "other_columns"].includes(field.kind)) value[field.name] = copied(field.initial ?? []);
    else if (field.kind === "object") value[field.name] = copied(field.initial) ?? blankOf(field.parts.map((part) => ({ ...part, required: part.required && part.kind === "choice" })), columns);
    else value[field.name] = field.initial ?? (field.kind === "flag" ? false : typeof field.suggest === "number" ? field.suggest : "");
  }
  return value;
}

export const isAsked = (field, value) => !field.when || Object.entries(field.when).every(([name, wanted]) => wanted.includes(value[name]));

/** Why the form cannot be tried yet, or nothing. */
export function lackOf(fields, value) {
  for (const field of fields.filter((one) => isAsked(one, value))) {
    const given = value[field.name];
    const needed = field.required || (field.when && field.kind === "value");
    if (needed && (given === "" || given === null || given === undefined || (Array.isArray(given) && !given.length && field.required))) return `${["column", "columns", "choices", "version", "other_column"].includes(field.kind) ? "Choose" : field.kind === "objects" ? "Add one under" : "Fill in"} “${field.label}”.`;
    if (field.kind === "objects") for (const part of given ?? []) {
      const lack = lackOf(field.parts, part);
      if (lack) return lack;
    }
  }
  return "";
}

/** What the API takes. `columns` tell the type of a value. */
export function documentOf(fields, value, columns, outer = value) {
  const known = new Map(columns.map(({ name, type }) => [name, type]));
  const of = [outer.columns, outer.column].flat().filter(Boolean).map((name) => known.get(name));
  const typed = (text) => {
    if (typeof text !== "string") return text;
    const plain = text.trim();
    if (of.length && of.every((type) => isNumeric(type)) && plain !== "" && Number.isFinite(Number(plain))) return Number.isSafeInteger(Number(plain)) || plain.includes(".") ? Number(plain) : plain;
    if (of.length && of.every((type) => type === "boolean") && ["true", "false"].includes(plain.toLowerCase())) return plain.toLowerCase() === "true";
    return text;
  };
  const found = {};
  for (const field of fields) {
    if (!isAsked(field, value)) continue;
    const given = value[field.name];
    if (field.kind === "objects") found[field.name] = given.map((part) => documentOf(field.parts, part, columns, outer));
    else if (field.kind === "object") found[field.name] = field.parts.some((part) => part.required && part.kind !== "choice" && (given?.[part.name] ?? "") === "") ? null : documentOf(field.parts, given, columns, outer);
    else if (field.kind === "value") found[field.name] = given === "" || given === null ? null : typed(given);
    else if (field.kind === "number") {
      if (given !== "" && given !== null) found[field.name] = Number.isFinite(Number(given)) ? Number(given) : given;
    } else if (field.kind === "numbers") found[field.name] = given.map((one) => (Number.isFinite(Number(one)) ? Number(one) : one));
    else if (field.nullable && (given === "" || given === null)) found[field.name] = null;
    else if (["formula", "condition", "sql", "new_column"].includes(field.kind)) found[field.name] = String(given).trim();
    else found[field.name] = copied(given);
  }
  return found;
}

/**
 * Draws the fields and keeps `value` as they are filled in; `changed` hears of it.
 * `help`: {columns, gaps(name), top(name), completions(), functions, tables, version, check(formula, kind, signal)}.
 */
export function drawForm(fields, value, help, changed) {
  const errors = new Map();
  const root = h("div", { class: "stack" });
  const rows = [];
  let number = 0;
  let other = []; // the columns of the other table
  const waiting = []; // what is drawn anew when another one is chosen
  const partners = new WeakMap(); // by what is filled in: draws the columns there, by whether they go together with the one here
  const fitting = (types, columns) => columns.filter(({ type }) => !types.length || types.includes(type));

  async function readOther() {
    const id = value.version;
    const found = id ? await help.tables.version(id).catch(() => null) : null;
    if (id !== value.version) return;
    other = found?.columns ?? [];
    for (const draw of waiting) draw();
    changed();
  }
  /** What is likely the same in both tables, where nothing is chosen yet; what only the table before had is forgotten. */
  function suggest() {
    const there = new Set(other.map(({ name }) => name));
    const keys = fields.find(({ parts, required, name }) => parts.some(({ kind }) => kind === "other_column") && (required || name === "keys"));
    const axis = fields.find(({ kind }) => kind === "other_column");
    for (const { name } of fields.filter(({ kind }) => kind === "other_columns")) value[name] = value[name].filter((one) => there.has(one));
    if (axis && !there.has(value[axis.name])) value[axis.name] = "";
    if (keys) {
      const kept = value[keys.name].filter(({ right }) => !right || there.has(right));
      value[keys.name] = kept.length || !keys.required ? kept : [blankOf(keys.parts, help.columns)];
    }
    if (axis && !value[axis.name]) Object.assign(value, likelyAxis(help.columns, other, value.left) ?? {});
    if (keys && value[keys.name].every(({ right }) => !right)) {
      const found = likelyKeys(help.columns, other, { without: axis ? [value.left, value.right] : [] });
      if (found.length) value[keys.name] = found;
    }
  }

  const suggested = new WeakMap(); // by what is filled in: names that were made up here
  /** Names for new columns, after what is chosen, for as long as nobody writes another. */
  function suggestNames(target, parts) {
    const known = suggested.get(target) ?? {};
    suggested.set(target, known);
    for (const field of parts.filter(({ suggest }) => typeof suggest === "string" && suggest)) {
      if (target[field.name] && target[field.name] !== known[field.name]) continue;
      const chosen = (_, name) => (name === "column" ? target.column || target.columns?.[0] : target[name]) ?? "";
      target[field.name] = known[field.name] = field.suggest.replace(/\{(\w+)\}/g, chosen).replace(/^_+|_+$/g, "");
      const row = rows.find((one) => one.of === target && one.field === field)?.row.querySelector("input");
      if (row) row.value = target[field.name];
    }
  }

  const set = (target, name, to) => {
    target[name] = to;
    if (target === value && ["column", "columns", "function"].includes(name)) suggestNames(target, fields);
    for (const { field, row, of } of rows) if (of === target) row.hidden = !isAsked(field, target);
    changed();
  };

  function fieldRow(field, target, path) {
    const id = `${help.prefix ?? "sf"}-${(number += 1)}-${field.name}`;
    const fault = h("p", { class: "error-text", id: `${id}-e`, hidden: true }, icon("error"), h("span"));
    const described = [field.help ? `${id}-h` : "", `${id}-e`].filter(Boolean).join(" ");
    const { control, grouped, extra = null, attach = null } = controlOf(field, target, id, described, path);
    const about = field.help ? h("p", { class: "help", id: `${id}-h` }, field.help) : null;
    const row = field.kind === "flag"
      ? h("div", { class: "field" }, h("label", { class: "check" }, control, field.label), about, fault)
      : grouped
        ? h("fieldset", { class: "field" }, h("legend", {}, field.label), control, about, fault)
        : h("div", { class: "field" }, h("label", { for: id }, field.label), h("div", {}, control), about, fault, extra);
    row.hidden = !isAsked(field, target);
    rows.push({ field, row, of: target });
    errors.set(path.join("."), { fault, control: () => row.querySelector("input, select, textarea"), formula: attach?.(fault) });
    return row;
  }

  const suiting = (field) => fitting(field.types, help.columns);

  function columnSelect(field, target, id, described) {
    const found = suiting(field);
    if (found.length > MOST_SHOWN) {
      const list = h("datalist", { id: `${id}-l` }, ...found.map(({ name }) => h("option", { value: name })));
      const input = h("input", { class: "input", id, list: `${id}-l`, autocomplete: "off", spellcheck: "false", "aria-describedby": described, oninput: () => set(target, field.name, input.value) });
      input.value = target[field.name] ?? "";
      return h("span", { class: "contents" }, input, list);
    }
    const select = h("select", { class: "input", id, "aria-describedby": described, onchange: () => { set(target, field.name, select.value); partners.get(target)?.(); } },
      field.required ? null : h("option", { value: "" }, "none"), found.length ? null : h("option", { value: "" }, "no column is of a type that suits"),
      ...found.map(({ name }) => h("option", { value: name }, name)));
    select.value = target[field.name] ?? "";
    if (field.name === "left") waiting.push(() => (select.value = target.left ?? ""));
    return select;
  }

  function checks(options, chosen, change, label) {
    const box = h("div", { class: "checks", role: "group", "aria-label": label });
    roving(box, "input", { back: "ArrowUp", on: "ArrowDown" });
    const draw = (search = "") => {
      const wanted = search.trim().toLowerCase();
      const shown = options.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, MOST_SHOWN);
      box.replaceChildren(...shown.map(({ name, text, note }) => {
        const input = h("input", { type: "checkbox", onchange: () => change(name, input.checked) });
        input.checked = chosen().includes(name);
        return h("label", { class: "check" }, input, h("span", { class: "truncate" }, text ?? name), h("span", { class: "end subtle xs tnum nowrap" }, note ?? ""));
      }));
    };
    draw();
    return { box, draw };
  }

  /** Columns that need not be chosen: a line that says which are, and opens. */
  function foldedColumns(field, target) {
    const said = h("span", { class: "truncate" });
    const tell = () => (said.textContent = target[field.name].length ? target[field.name].join(", ") : "none chosen");
    const box = columnsPicker(field, target, tell);
    tell();
    return h("details", { class: "more fold-columns", open: target[field.name].length > 0 }, h("summary", {}, said), box);
  }

  function columnsPicker(field, target, told = () => {}) {
    const found = suiting(field).map(({ name, type }) => ({ name, note: help.gaps(name) ? `${help.gaps(name).toLocaleString("en")} ∅` : typeOf(type).label, gaps: help.gaps(name) }));
    const change = (name, on) => {
      set(target, field.name, on ? [...target[field.name], name] : target[field.name].filter((one) => one !== name));
      told();
    };
    const { box, draw } = checks(found, () => target[field.name], change, field.label);
    const all = (names) => {
      set(target, field.name, names);
      told();
      draw(search?.value);
    };
    const down = (event) => {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      box.querySelector("input")?.focus();
    };
    const search = found.length > 10 ? h("input", { class: "input", type: "search", "aria-label": "Find a column", placeholder: "Find a column", oninput: () => draw(search.value), onkeydown: down }) : null;
    const gappy = found.filter(({ gaps }) => gaps).map(({ name }) => name);
    const buttons = h("div", { class: "row" },
      gappy.length ? h("button", { class: "btn btn-quiet btn-s", type: "button", onclick: () => all(gappy) }, "All with missing values") : null,
      found.length > 1 ? h("button", { class: "btn btn-quiet btn-s", type: "button", onclick: () => all(found.map(({ name }) => name)) }, "All") : null,
      found.length > 1 ? h("button", { class: "btn btn-quiet btn-s", type: "button", onclick: () => all([]) }, "None") : null);
    if (!found.length) box.append(h("p", { class: "help" }, "No column is of a type that suits."));
    return h("div", { class: "stack-s" }, search, box, buttons);
  }

  function formula(field, target, id, described) {
    const area = h("textarea", { class: "input formula", id, rows: field.kind === "sql" ? 8 : 4, spellcheck: "false", "aria-describedby": described, placeholder: SUCH_AS[field.kind], oninput: () => set(target, field.name, area.value) });
    area.value = target[field.name] ?? "";
    const note = h("p", { class: "help formula-note", hidden: true });
    const functions = h("details", { class: "more" }, h("summary", {}, "Functions"), h("p", { class: "help" }, h("a", { href: "/reference/formulas", target: "_blank" }, "All of them with examples")), h("dl", { class: "kv is-left" }, ...help.functions.map((one) => h("div", { class: "contents" }, h("dt", { class: "mono xs" }, one.signature), h("dd", { class: "xs left" }, one.help)))));
    const builder = field.kind === "condition" ? builderOf(area, { columns: () => help.columns, top: help.top }) : null;
    const built = builder && h("fieldset", { class: "field" }, h("legend", {}, "Or choose"), builder.element);
    const attach = (fault) => {
      const check = field.kind === "sql" ? null : (formula, signal) => help.check(formula, field.kind === "condition" ? "condition" : "value", signal);
      const attached = attachFormula(area, { check, fault, note: field.kind === "formula" ? note : null, told: (answer) => builder?.told(answer) });
      attachCompletion(area, help.completions);
      if (area.value.trim()) attached.ask();
      return attached;
    };
    return { control: h("div", {}, area), extra: h("div", { class: "stack-s" }, note, built, field.kind === "sql" ? null : functions), attach };
  }

  function objects(field, target, path) {
    const list = h("div", { class: "stack-s" });
    const draw = () => {
      list.replaceChildren(...target[field.name].map((part, index) => h("div", { class: `form-part${field.parts.some(({ kind }) => kind === "other_column") ? " is-pair" : ""}`, role: "group", "aria-label": `${field.label} ${index + 1}` },
        ...withMore(field.parts, part, [...path, index]),
        target[field.name].length > (field.required ? 1 : 0) ? h("button", { class: "btn btn-quiet btn-s", type: "button", "aria-label": `Remove ${index + 1}`, onclick: () => { target[field.name].splice(index, 1); draw(); changed(); } }, icon("x"), "Remove") : null)));
    };
    draw();
    if (field.parts.some(({ kind }) => kind === "other_column")) waiting.unshift(draw);
    const add = () => {
      const used = target[field.name].map(({ column }) => column);
      target[field.name].push(blankOf(field.parts, help.columns, help.columns.find((one) => !used.includes(one.name)) ?? null));
      draw();
      changed();
      list.lastElementChild?.querySelector("input, select, textarea")?.focus();
    };
    return h("div", { class: "stack-s" }, list, h("div", { class: "row" }, h("button", { class: "btn btn-s", type: "button", onclick: add }, icon("plus"), "Add")));
  }

  function otherSelect(field, target, id, described) {
    const select = h("select", { class: "input", id, "aria-describedby": described, onchange: () => set(target, field.name, select.value) });
    const draw = () => {
      const left = help.columns.find(({ name }) => name === target.left)?.type;
      const found = fitting(field.types, other).map((one) => ({ ...one, fits: !left || goTogether(left, one.type) })).sort((a, b) => b.fits - a.fits);
      select.replaceChildren(h("option", { value: "" }, other.length ? "choose a column" : value.version ? "reading …" : "choose the other table first"), ...found.map(({ name, type, fits }) => h("option", { value: name }, fits ? name : `${name} (${typeOf(type).label})`)));
      select.value = target[field.name] ?? "";
    };
    draw();
    waiting.push(draw);
    partners.set(target, draw);
    return select;
  }

  function otherChecks(field, target) {
    const place = h("div", {});
    const change = (name, on) => set(target, field.name, on ? [...target[field.name], name] : target[field.name].filter((one) => one !== name));
    const draw = () => {
      place.replaceChildren(other.length ? checks(other.map(({ name, type }) => ({ name, note: typeOf(type).label })), () => target[field.name], change, field.label).box : h("p", { class: "help" }, "Choose the other table first."));
    };
    draw();
    waiting.push(draw);
    return place;
  }

  function lines(field, target, id, described, split, join) {
    const area = h("textarea", { class: "input mono", id, rows: 3, spellcheck: "false", "aria-describedby": described, oninput: () => set(target, field.name, split(area.value)) });
    area.value = join(target[field.name] ?? []);
    return area;
  }

  function controlOf(field, target, id, described, path) {
    const plain = (attributes = {}) => {
      const input = h("input", { class: "input", id, autocomplete: "off", "aria-describedby": described, oninput: () => set(target, field.name, input.value), ...attributes });
      input.value = target[field.name] ?? "";
      return { control: input };
    };
    switch (field.kind) {
      case "column": return { control: columnSelect(field, target, id, described) };
      case "columns": return { control: field.required ? columnsPicker(field, target) : foldedColumns(field, target), grouped: true };
      case "object": return { control: h("div", { class: "form-part is-pair" }, ...field.parts.map((part) => fieldRow(part, target[field.name], [...path, part.name]))), grouped: true };
      case "formula": case "condition": case "sql": return formula(field, target, id, described);
      case "objects": return { control: objects(field, target, path), grouped: true };
      case "version": {
        const chosen = (version) => {
          set(target, field.name, version);
          readOther().then(() => {
            suggest();
            for (const draw of waiting) draw();
            changed();
          });
        };
        return { control: tablePicker({ id, label: field.label, describedBy: described, value: target[field.name], tables: help.tables, mine: help.version, chosen }), grouped: true };
      }
      case "other_columns": return { control: otherChecks(field, target), grouped: true };
      case "choices": {
        const change = (name, on) => set(target, field.name, on ? [...target[field.name], name] : target[field.name].filter((one) => one !== name));
        return { control: checks(field.choices.map((name) => ({ name, text: words(name) })), () => target[field.name], change, field.label).box, grouped: true };
      }
      case "choice": {
        const select = h("select", { class: "input", id, "aria-describedby": described, onchange: () => set(target, field.name, select.value) }, field.nullable ? h("option", { value: "" }, "none") : null, ...field.choices.map((one) => h("option", { value: one }, field.words[one] ? field.words[one].replace(/^./, (letter) => letter.toUpperCase()) : sentence(one))));
        select.value = target[field.name] ?? "";
        const whole = h("p", { class: "help" });
        const tell = () => {
          whole.textContent = field.words[select.value] ?? "";
          whole.hidden = whole.textContent.length < 32; // a narrow list cuts longer ones off
        };
        tell();
        select.addEventListener("change", tell);
        return { control: select, extra: whole };
      }
      case "flag": {
        const input = h("input", { type: "checkbox", id, onchange: () => set(target, field.name, input.checked) });
        input.checked = Boolean(target[field.name]);
        return { control: input };
      }
      case "texts": return { control: lines(field, target, id, described, (text) => text.split("\n").filter((line) => line.trim()), (given) => given.join("\n")) };
      case "numbers": return { control: lines(field, target, id, described, (text) => text.split(field.whole ? /[\s;,]+|\band\b/ : /[\s;]+|,\s+/).filter(Boolean), (given) => given.join("\n")) };
      case "number": return plain({ inputmode: "decimal" });
      case "time_zone": {
        const list = h("datalist", { id: `${id}-l` }, ...(Intl.supportedValuesOf?.("timeZone") ?? []).map((zone) => h("option", { value: zone })));
        const { control } = plain({ list: `${id}-l`, placeholder: "Europe/Berlin" });
        return { control: h("span", { class: "contents" }, control, list) };
      }
      case "other_column": return { control: otherSelect(field, target, id, described) };
      case "new_column": return plain({ class: "input mono", spellcheck: "false" });
      default: return plain({ spellcheck: "false" });
    }
  }

  /** The fields, those that most people leave as they are folded away. */
  function withMore(of, target, path) {
    const drawn = (some) => some.map((field) => fieldRow(field, target, [...path, field.name]));
    const rare = of.filter(({ more }) => more);
    const shown = drawn(of.filter(({ more }) => !more));
    if (!rare.length) return shown;
    const open = rare.some(({ name, initial }) => JSON.stringify(target[name] ?? null) !== JSON.stringify(initial ?? null) && target[name] !== "" && target[name]?.length !== 0);
    return [...shown, h("details", { class: "more", open }, h("summary", {}, "More"), h("div", { class: "stack" }, ...drawn(rare)))];
  }

  root.append(...withMore(fields, value, []));
  suggestNames(value, fields);
  if (value.version) readOther();
  return {
    element: root,
    /** Shows refusals at their fields, by path; gives those that have no field. */
    refuse(found, { focus = false } = {}) {
      for (const { fault, control, formula } of errors.values()) {
        if (formula?.checks) continue; // it tells of itself
        formula?.show([]);
        fault.hidden = true;
        control()?.removeAttribute("aria-invalid");
      }
      const rest = [];
      let first = null;
      for (const [path, text, at] of found) {
        const parts = path.split(".");
        let place = null;
        while (parts.length && !(place = errors.get(parts.join(".")))) parts.pop();
        if (!place) {
          rest.push(text);
          continue;
        }
        if (place.formula) place.formula.show([{ msg: text, at }]);
        place.fault.hidden = false;
        place.fault.closest("details:not([open])")?.setAttribute("open", "");
        place.fault.querySelector("span").textContent = text;
        place.control()?.setAttribute("aria-invalid", "true");
        first ??= place.control();
      }
      if (focus) first?.focus();
      return rest;
    },
  };
}
