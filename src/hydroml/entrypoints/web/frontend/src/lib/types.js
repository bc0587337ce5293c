// The nine column types: how each is drawn and what it can do.

const TYPES = {
  integer: { icon: "int", label: "integer", numeric: true },
  number: { icon: "dec", label: "number", numeric: true },
  decimal: { icon: "dec", label: "decimal", numeric: true },
  boolean: { icon: "bool", label: "true or false" },
  text: { icon: "text", label: "text" },
  category: { icon: "tag", label: "category" },
  date: { icon: "cal", label: "date", temporal: true },
  timestamp: { icon: "clock", label: "date and time", temporal: true },
  duration: { icon: "clock", label: "duration" },
};
export const typeOf = (type) => TYPES[type] ?? { icon: "text", label: type };
export const isNumeric = (type) => Boolean(TYPES[type]?.numeric);
export const isTemporal = (type) => Boolean(TYPES[type]?.temporal);

/** A column's name as a formula writes it: bare where it can be, otherwise in double quotes. */
export const quoted = (name) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name.toLowerCase()) ? name : `"${name.replaceAll('"', '""')}"`);
/** Whether it is a word of the formula language itself, whole as it stands. */
export const isReserved = (word) => RESERVED.has(word.toLowerCase());
const RESERVED = new Set("and or not in is null like between case when then else end true false as cast select from where".split(" "));

/** A value as a formula writes it. */
export function literal(value, type) {
  if (value === null || value === undefined) return "NULL";
  if (isNumeric(type)) return String(value);
  if (type === "boolean") return value ? "TRUE" : "FALSE";
  return `'${String(value).replaceAll("'", "''")}'`;
}
