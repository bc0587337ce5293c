// The kinds of step the Studio can make: how each is drawn, started, checked and put into words.
import { plural } from "./format.js";
import { isNumeric } from "./types.js";

export const OPS = {
  filter: { title: "Filter rows", short: "Filter", icon: "filter", help: "Keep the rows for which a condition holds." },
  fill_missing: { title: "Fill missing", short: "Fill missing", icon: "clean", help: "Put something where nothing is." },
  derive: { title: "Derive a column", short: "Formula", icon: "fx", help: "Compute a column from others." },
  drop_columns: { title: "Drop columns", short: "Drop columns", icon: "cols", help: "Leave columns out of the table." },
  sort: { title: "Sort rows", short: "Sort", icon: "sort", help: "Put the rows in order." },
};
export const opOf = (op) => OPS[op] ?? { title: op, short: op, icon: "stepi", help: "" };

export const METHODS = [
  { value: "median", title: "Median", numeric: true }, { value: "mean", title: "Mean", numeric: true }, { value: "mode", title: "Most frequent value" },
  { value: "previous", title: "Previous row's value" }, { value: "next", title: "Next row's value" }, { value: "constant", title: "A constant" },
];

export function blank(op, schema, column) {
  switch (op) {
    case "filter": return { op, condition: "" };
    case "fill_missing": return { op, columns: column ? [column.name] : [], method: column && !isNumeric(column.type) ? "previous" : "median", value: "", flag: false };
    case "derive": return { op, column: "", formula: "" };
    case "drop_columns": return { op, columns: column ? [column.name] : [] };
    case "sort": return { op, by: [{ column: column?.name ?? schema[0]?.name ?? "", descending: false }] };
    default: return { op };
  }
}

/** What the API takes, from what the form holds. */
export function document_(form, schema) {
  if (form.op === "fill_missing") {
    const numeric = form.columns.length > 0 && form.columns.every((name) => isNumeric(schema.find((one) => one.name === name)?.type));
    const text = String(form.value ?? "").trim();
    const value = form.method !== "constant" ? null : numeric && text !== "" && Number.isFinite(Number(text)) ? Number(text) : form.value;
    return { op: form.op, columns: [...form.columns], method: form.method, value, flag: Boolean(form.flag) };
  }
  if (form.op === "filter") return { op: form.op, condition: form.condition.trim() };
  if (form.op === "derive") return { op: form.op, column: form.column.trim(), formula: form.formula.trim() };
  if (form.op === "sort") return { op: form.op, by: form.by.filter(({ column }) => column).map(({ column, descending }) => ({ column, descending: descending === true || descending === "true" })) };
  return JSON.parse(JSON.stringify(form));
}

/** Why a step cannot be tried yet, or nothing. */
export function lacks(form) {
  if (form.op === "filter" && !form.condition.trim()) return "Write a condition, or build one above.";
  if (form.op === "fill_missing" && !form.columns.length) return "Choose at least one column.";
  if (form.op === "fill_missing" && form.method === "constant" && String(form.value ?? "").trim() === "") return "Type the value to put in.";
  if (form.op === "derive" && !form.column.trim()) return "Name the new column.";
  if (form.op === "derive" && !form.formula.trim()) return "Write a formula.";
  if (form.op === "drop_columns" && !form.columns.length) return "Choose at least one column.";
  if (form.op === "sort" && !form.by.some(({ column }) => column)) return "Choose a column to sort by.";
  return "";
}

export function describe(step) {
  switch (step.op) {
    case "filter": return step.condition;
    case "fill_missing": return `${step.columns.length > 2 ? plural(step.columns.length, "column") : step.columns.join(", ")}: ${(METHODS.find(({ value }) => value === step.method)?.title ?? step.method).toLowerCase()}${step.method === "constant" ? ` ${step.value}` : ""}${step.flag ? ", flagged" : ""}`;
    case "derive": return `${step.column} = ${step.formula}`;
    case "drop_columns": return step.columns.join(", ");
    case "sort": return step.by.map(({ column, descending }) => `${column} ${descending ? "↓" : "↑"}`).join(", ");
    default: return "";
  }
}
