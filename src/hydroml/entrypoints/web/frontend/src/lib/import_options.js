// How files can be read, as fields of a form: what each is called, what may be chosen, and for which formats it says anything.

const SIGN = { ",": "comma  ,", ";": "semicolon  ;", "\t": "tab", "|": "bar  |", ":": "colon  :", " ": "space", ".": "point  .", "'": "single  '", '"': 'double  "', "\\": "backslash  \\", "#": "hash  #", "%": "percent  %", "!": "exclamation mark  !" };
export const signName = (sign) => SIGN[sign] ?? sign;
const signs = (text) => [...text].map((sign) => ({ value: sign, title: signName(sign) }));

const isText = (format) => ["csv", "text", ""].includes(format);
const isSheet = (format) => format === "excel";
const isRows = (format) => isText(format) || isSheet(format);
const isWritten = (format) => isRows(format) || format === "json" || format === "jsonl"; // values come as text, at least some

const laid = (layout) => (format, value) => isText(format) && (value("layout") ?? "delimited") === layout;

export const ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "iso-8859-1", "iso-8859-2", "iso-8859-15", "cp1250", "cp1251", "koi8-r", "mac-roman", "utf-16", "shift_jis", "gb18030", "big5"];

/** `kind`: sign (one character), choice, count, flag (yes, no), text, widths. `structure`: the columns are others afterwards. */
export const GROUPS = [
  {
    id: "sheet", title: "Sheet", fields: [
      { key: "sheet", label: "Sheet", kind: "choice", structure: true, when: isSheet, choices: [] },
      { key: "range", label: "Range", kind: "text", structure: true, when: isSheet, help: "Such as B3:F20, or B3:F down to the end", placeholder: "all of it" },
    ],
  },
  {
    id: "lines", title: "Lines", fields: [
      { key: "encoding", label: "Encoding", kind: "text", when: isText, list: "encodings", structure: true },
      { key: "skip", label: "Skip lines", kind: "count", when: isRows, min: 0, max: 10000, structure: true },
      { key: "comment", label: "Comment sign", kind: "sign", when: isText, choices: signs("#%;!"), none: "none", structure: true },
      { key: "header", label: "First row", kind: "flag", when: isRows, yes: "has the names", no: "is data", structure: true },
      { key: "header_rows", label: "Rows with names", kind: "count", when: (format, value) => isRows(format) && value("header") !== false, min: 1, max: 10, structure: true },
      { key: "ragged", label: "Short lines", kind: "choice", when: isText, choices: [{ value: "reject", title: "are rejected" }, { value: "fill", title: "are filled" }] },
    ],
  },
  {
    id: "cells", title: "Cells", fields: [
      { key: "layout", label: "Columns are cut", kind: "choice", when: isText, structure: true, choices: [{ value: "delimited", title: "by a sign" }, { value: "whitespace", title: "by blanks" }, { value: "fixed", title: "at fixed places" }] },
      { key: "delimiter", label: "Delimiter", kind: "sign", when: laid("delimited"), choices: signs(",;\t|: "), structure: true },
      { key: "widths", label: "Widths in characters", kind: "widths", when: laid("fixed"), structure: true, placeholder: "8, 10, 6" },
      { key: "quote", label: "Quote", kind: "sign", when: laid("delimited"), choices: signs("\"'"), structure: true },
      { key: "escape", label: "Quote inside quotes", kind: "sign", when: laid("delimited"), choices: [{ value: '"', title: 'doubled  ""' }, { value: "\\", title: "backslash  \\" }] },
    ],
  },
  {
    id: "values", title: "Numbers and dates", fields: [
      { key: "decimal", label: "Decimal sign", kind: "sign", when: isRows, choices: signs(".,") },
      { key: "thousands", label: "Thousands sign", kind: "sign", when: isRows, choices: signs(",.' "), none: "none" },
      { key: "date_order", label: "Dates", kind: "choice", when: isWritten, none: "as detected", choices: [{ value: "dmy", title: "31.12.2024" }, { value: "mdy", title: "12/31/2024" }, { value: "ymd", title: "2024-12-31" }] },
      { key: "guards", label: "Apostrophe before = + - @", kind: "flag", when: isWritten, yes: "taken off", no: "kept as text" },
    ],
  },
];
const FIELDS = new Map(GROUPS.flatMap(({ fields }) => fields).map((field) => [field.key, field]));
export const fieldOf = (key) => FIELDS.get(key);

/** What stands in the form for a value, and back. */
export function asText(field, value) {
  if (value === null || value === undefined) return "";
  return field.kind === "widths" ? value.join(", ") : String(value);
}
export function fromText(field, text) {
  if (text === "") return null;
  if (field.kind === "flag") return text === "true";
  if (field.kind === "count") return Number(text);
  if (field.kind === "widths") return text.split(/[,;\s]+/).filter(Boolean).map(Number);
  if (field.kind === "sign") return text;
  return text.trim() || null;
}

/** What can be said against a value before the server is asked. */
export function faultOf(field, value) {
  if (value === null) return "";
  if (field.kind === "sign" && [...value].length !== 1) return "A single character";
  if (field.kind === "count" && !(Number.isInteger(value) && value >= field.min && value <= field.max)) return `A whole number, ${field.min} to ${field.max}`;
  if (field.kind === "widths" && !value.every((width) => Number.isInteger(width) && width > 0)) return "Whole numbers, separated by commas";
  if (field.key === "range" && !/^[A-Za-z]{1,3}[1-9][0-9]{0,6}:[A-Za-z]{1,3}([1-9][0-9]{0,6})?$/.test(value)) return "A range looks like B3:F20";
  return "";
}

/** Where the cuts of a fixed layout are, and the widths that make cuts. */
export function cutsOf(widths) {
  let at = 0;
  return (widths ?? []).slice(0, -1).map((width) => (at += width));
}
export function widthsOf(cuts, longest) {
  const sorted = [...new Set(cuts)].sort((a, b) => a - b);
  return [...sorted, Math.max(longest, (sorted.at(-1) ?? 0) + 1)].map((cut, index) => cut - (sorted[index - 1] ?? 0));
}

/** How the columns of a file differ from those of the version that it follows. */
export function schemaChanges(before, after) {
  const old = new Map(before.map(({ name, type }) => [name, type]));
  const now = new Map(after.map(({ name, type }) => [name, type]));
  return {
    added: after.filter(({ name }) => !old.has(name)).map(({ name }) => name),
    absent: before.filter(({ name }) => !now.has(name)).map(({ name }) => name),
    retyped: after.filter(({ name, type }) => old.has(name) && old.get(name) !== type).map(({ name, type }) => ({ name, from: old.get(name), to: type })),
  };
}
