// A form drawn from a JSON schema: what a kind of step needs is asked for by the role and the type of each parameter.
import { attachCompletion } from "./complete.js";
import { h, icon } from "./dom.js";
import { isNumeric, literal, quoted, typeOf } from "./types.js";

const MOST_SHOWN = 300;
const SUCH_AS = { formula: "ln(flow + 1)", condition: "flow > 3 AND station = 'north'", sql: "SELECT station, max(flow) AS peak FROM this GROUP BY station" };
const OPERATORS = [["=", "is"], ["!=", "is not"], [">", "greater than"], [">=", "at least"], ["<", "less than"], ["<=", "at most"], ["IS NULL", "is missing"], ["IS NOT NULL", "is not missing"]];

const SPELT = { iqr: "Interquartile range", z_score: "z-score", min_max: "Min-max", one_hot: "One-hot", log: "Logarithm", power: "Power (Yeo-Johnson)" };
const sentence = (name) => SPELT[name] ??  name.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());
/** A copy of plain data, also of what a framework has wrapped. */
export const copied = (value) => JSON.parse(JSON.stringify(value ?? null));
const words = (value) => String(value).replaceAll("_", " ");

/** What is asked for by each parameter. */
export function fieldsOf(schema, definitions = schema.$defs ?? {}) {
  const required = schema.required ?? [];
  return Object.entries(schema.properties).filter(([name]) => name !== "op").map(([name, described]) => {
    const resolve = (one) => (one.$ref ? definitions[one.$ref.split("/").at(-1)] : one);
    const options = (described.anyOf ?? [described]).map(resolve);
    const nullable = options.some(({ type }) => type === "null");
    const main = options.find(({ type }) => type !== "null") ?? {};
    const items = main.items ? resolve(main.items) : null;
    const field = {
      name, nullable, types: described["x-types"] ?? [], when: described["x-when"] ?? null, help: described.description ?? "", required: required.includes(name) && !nullable,
      label: described.title && described.title.toLowerCase() !== name.replaceAll("_", " ") ? described.title : sentence(name),
      initial: described.default !== undefined ? described.default : null, choices: main.enum ?? items?.enum ?? [], least: main.minimum, parts: items?.properties ? fieldsOf(items, definitions) : [],
    };
    const role = described["x-role"];
    if (["column", "columns", "new_column", "formula", "condition", "sql", "version", "other_column", "value", "time_zone"].includes(role)) field.kind = role;
    else if (main.enum) field.kind = "choice";
    else if (main.type === "boolean") field.kind = "flag";
    else if (main.type === "integer" || main.type === "number") field.kind = "number";
    else if (main.type === "array") field.kind = items?.properties ? "objects" : items?.enum ? "choices" : items?.type === "number" ? "numbers" : "texts";
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
    else if (["choices", "texts", "numbers"].includes(field.kind)) value[field.name] = copied(field.initial ?? []);
    else value[field.name] = field.initial ?? (field.kind === "flag" ? false : "");
  }
  return value;
}

export const isAsked = (field, value) => !field.when || Object.entries(field.when).every(([name, wanted]) => wanted.includes(value[name]));

/** Why the form cannot be tried yet, or nothing. */
export function lackOf(fields, value) {
  for (const field of fields.filter((one) => isAsked(one, value))) {
    const given = value[field.name];
    const needed = field.required || (field.when && field.kind === "value");
    if (needed && (given === "" || given === null || given === undefined || (Array.isArray(given) && !given.length && field.required))) return `${field.label}: ${["column", "columns", "choices", "version"].includes(field.kind) ? "choose" : field.kind === "objects" ? "add one" : "write something"}.`;
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
 * `help`: {columns, gaps(name), completions(), functions, versions()}.
 */
export function drawForm(fields, value, help, changed) {
  const errors = new Map();
  const root = h("div", { class: "stack" });
  const rows = [];
  let number = 0;
  const set = (target, name, to) => {
    target[name] = to;
    for (const { field, row, of } of rows) if (of === target) row.hidden = !isAsked(field, target);
    changed();
  };

  function fieldRow(field, target, path) {
    const id = `sf-${(number += 1)}-${field.name}`;
    const fault = h("p", { class: "error-text", id: `${id}-e`, hidden: true }, icon("error"), h("span"));
    const described = [field.help ? `${id}-h` : "", `${id}-e`].filter(Boolean).join(" ");
    const { control, grouped, extra = null } = controlOf(field, target, id, described, path);
    const about = field.help ? h("p", { class: "help", id: `${id}-h` }, field.help) : null;
    const row = field.kind === "flag"
      ? h("div", { class: "field" }, h("label", { class: "check" }, control, field.label), about, fault)
      : grouped
        ? h("fieldset", { class: "field" }, h("legend", {}, field.label), control, about, fault)
        : h("div", { class: "field" }, h("label", { for: id }, field.label), h("div", {}, control), about, fault, extra);
    row.hidden = !isAsked(field, target);
    rows.push({ field, row, of: target });
    errors.set(path.join("."), { fault, control: () => row.querySelector("input, select, textarea") });
    return row;
  }

  const suiting = (field) => help.columns.filter(({ type }) => !field.types.length || field.types.includes(type));

  function columnSelect(field, target, id, described) {
    const found = suiting(field);
    if (found.length > MOST_SHOWN) {
      const list = h("datalist", { id: `${id}-l` }, ...found.map(({ name }) => h("option", { value: name })));
      const input = h("input", { class: "input", id, list: `${id}-l`, autocomplete: "off", spellcheck: "false", "aria-describedby": described, oninput: () => set(target, field.name, input.value) });
      input.value = target[field.name] ?? "";
      return h("span", { class: "contents" }, input, list);
    }
    const select = h("select", { class: "input", id, "aria-describedby": described, onchange: () => set(target, field.name, select.value) },
      field.required ? null : h("option", { value: "" }, "none"), found.length ? null : h("option", { value: "" }, "no column is of a type that suits"),
      ...found.map(({ name }) => h("option", { value: name }, name)));
    select.value = target[field.name] ?? "";
    return select;
  }

  function checks(options, chosen, change, label) {
    const box = h("div", { class: "checks", tabindex: "0", role: "group", "aria-label": label });
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

  function columnsPicker(field, target) {
    const found = suiting(field).map(({ name, type }) => ({ name, note: help.gaps(name) ? `${help.gaps(name).toLocaleString("en")} ∅` : typeOf(type).label, gaps: help.gaps(name) }));
    const change = (name, on) => set(target, field.name, on ? [...target[field.name], name] : target[field.name].filter((one) => one !== name));
    const { box, draw } = checks(found, () => target[field.name], change, field.label);
    const all = (names) => {
      set(target, field.name, names);
      draw(search?.value);
    };
    const search = found.length > 10 ? h("input", { class: "input", type: "search", "aria-label": "Find a column", placeholder: "Find a column", oninput: () => draw(search.value) }) : null;
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
    const box = h("div", {}, area);
    attachCompletion(area, help.completions);
    if (field.kind === "condition") return { control: box, extra: conditionBuilder(area, field, target) };
    const list = h("details", { class: "more" }, h("summary", {}, "Functions"), h("dl", { class: "kv is-left" }, ...help.functions.map((one) => h("div", { class: "contents" }, h("dt", { class: "mono xs" }, one.signature), h("dd", { class: "xs left" }, one.help)))));
    return { control: box, extra: list };
  }

  function conditionBuilder(area, field, target) {
    const column = h("select", { class: "input", "aria-label": "Column" }, ...help.columns.slice(0, MOST_SHOWN).map(({ name }) => h("option", { value: name }, name)));
    const operator = h("select", { class: "input", "aria-label": "Comparison", onchange: () => (right.hidden = operator.value.includes("NULL")) }, ...OPERATORS.map(([code, text]) => h("option", { value: code }, text)));
    const right = h("input", { class: "input", "aria-label": "Value", onkeydown: (event) => event.key === "Enter" && (event.preventDefault(), event.stopPropagation(), add("AND")) });
    const add = (glue) => {
      const chosen = help.columns.find(({ name }) => name === column.value);
      if (!chosen) return;
      const text = right.value.trim();
      const end = operator.value.includes("NULL") ? "" : ` ${isNumeric(chosen.type) && Number.isFinite(Number(text)) ? text || "0" : literal(text, "text")}`;
      const part = `${quoted(chosen.name)} ${operator.value}${end}`;
      area.value = area.value.trim() ? `${area.value.trim()} ${glue} ${part}` : part;
      set(target, field.name, area.value);
    };
    return h("fieldset", { class: "field" }, h("legend", {}, "Build a condition"), column, h("div", { class: "row" }, operator, right),
      h("div", { class: "row" }, h("button", { class: "btn btn-s", type: "button", onclick: () => add("AND") }, icon("plus"), "And"), h("button", { class: "btn btn-s", type: "button", onclick: () => add("OR") }, icon("plus"), "Or")));
  }

  function objects(field, target, path) {
    const list = h("div", { class: "stack-s" });
    const draw = () => {
      list.replaceChildren(...target[field.name].map((part, index) => h("div", { class: "form-part", role: "group", "aria-label": `${field.label} ${index + 1}` },
        ...field.parts.map((one) => fieldRow(one, part, [...path, index, one.name])),
        target[field.name].length > (field.required ? 1 : 0) ? h("button", { class: "btn btn-quiet btn-s", type: "button", "aria-label": `Remove ${index + 1}`, onclick: () => { target[field.name].splice(index, 1); draw(); changed(); } }, icon("x"), "Remove") : null)));
    };
    draw();
    const add = () => {
      const used = target[field.name].map(({ column }) => column);
      target[field.name].push(blankOf(field.parts, help.columns, help.columns.find((one) => !used.includes(one.name)) ?? null));
      draw();
      changed();
      list.lastElementChild?.querySelector("input, select, textarea")?.focus();
    };
    return h("div", { class: "stack-s" }, list, h("div", { class: "row" }, h("button", { class: "btn btn-s", type: "button", onclick: add }, icon("plus"), "Add")));
  }

  function versionSelect(field, target, id, described) {
    const select = h("select", { class: "input", id, "aria-describedby": described, onchange: () => set(target, field.name, select.value) }, h("option", { value: "" }, "loading …"));
    help.versions().then((versions) => {
      select.replaceChildren(h("option", { value: "" }, versions.length ? "choose a data source" : "the project has no other data source"), ...versions.map(({ id: version, name }) => h("option", { value: version }, name)));
      select.value = target[field.name] ?? "";
    }, () => select.replaceChildren(h("option", { value: "" }, "the data sources could not be read")));
    return select;
  }

  /** The columns of the version that is chosen. */
  async function offerColumns(list) {
    const chosen = (await help.versions().catch(() => [])).find(({ id: version }) => version === value.version);
    list.replaceChildren(...(chosen?.columns ?? []).slice(0, MOST_SHOWN).map(({ name }) => h("option", { value: name })));
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
      case "columns": return { control: columnsPicker(field, target), grouped: true };
      case "formula": case "condition": case "sql": return formula(field, target, id, described);
      case "objects": return { control: objects(field, target, path), grouped: true };
      case "version": return { control: versionSelect(field, target, id, described) };
      case "choices": {
        const change = (name, on) => set(target, field.name, on ? [...target[field.name], name] : target[field.name].filter((one) => one !== name));
        return { control: checks(field.choices.map((name) => ({ name, text: words(name) })), () => target[field.name], change, field.label).box, grouped: true };
      }
      case "choice": {
        const select = h("select", { class: "input", id, "aria-describedby": described, onchange: () => set(target, field.name, select.value) }, field.nullable ? h("option", { value: "" }, "none") : null, ...field.choices.map((one) => h("option", { value: one }, sentence(one))));
        select.value = target[field.name] ?? "";
        return { control: select };
      }
      case "flag": {
        const input = h("input", { type: "checkbox", id, onchange: () => set(target, field.name, input.checked) });
        input.checked = Boolean(target[field.name]);
        return { control: input };
      }
      case "texts": return { control: lines(field, target, id, described, (text) => text.split("\n").filter((line) => line.trim()), (given) => given.join("\n")) };
      case "numbers": return { control: lines(field, target, id, described, (text) => text.split(/[\s;]+|,\s+/).filter(Boolean), (given) => given.join("\n")) };
      case "number": return plain({ inputmode: "decimal" });
      case "time_zone": {
        const list = h("datalist", { id: `${id}-l` }, ...(Intl.supportedValuesOf?.("timeZone") ?? []).map((zone) => h("option", { value: zone })));
        const { control } = plain({ list: `${id}-l`, placeholder: "Europe/Berlin" });
        return { control: h("span", { class: "contents" }, control, list) };
      }
      case "other_column": {
        const list = h("datalist", { id: `${id}-l` });
        const { control } = plain({ list: `${id}-l`, spellcheck: "false", placeholder: "a column of the other table", onfocus: () => offerColumns(list) });
        return { control: h("span", { class: "contents" }, control, list) };
      }
      case "new_column": return plain({ class: "input mono", spellcheck: "false" });
      default: return plain({ spellcheck: "false" });
    }
  }

  root.append(...fields.map((field) => fieldRow(field, value, [field.name])));
  return {
    element: root,
    /** Shows refusals at their fields, by path; gives those that have no field. */
    refuse(found, { focus = false } = {}) {
      for (const { fault, control } of errors.values()) {
        fault.hidden = true;
        control()?.removeAttribute("aria-invalid");
      }
      const rest = [];
      let first = null;
      for (const [path, text] of found) {
        const parts = path.split(".");
        let place = null;
        while (parts.length && !(place = errors.get(parts.join(".")))) parts.pop();
        if (!place) {
          rest.push(text);
          continue;
        }
        place.fault.hidden = false;
        place.fault.querySelector("span").textContent = text;
        place.control()?.setAttribute("aria-invalid", "true");
        first ??= place.control();
      }
      if (focus) first?.focus();
      return rest;
    },
  };
}
