// Numbers, sizes and times in words. Missing is ∅, never blank.

export const MISSING = "∅";
const integer = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const general = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const minus = (text) => text.replace("-", "−");

export function count(value) {
  return value === null || value === undefined ? "" : minus(integer.format(value));
}

export function number(value, digits = 4) {
  if (value === null || value === undefined || value === "") return MISSING;
  if (typeof value === "string") return grouped(value);
  if (!Number.isFinite(value)) return MISSING;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return minus(value.toExponential(Math.max(1, digits - 1)));
  return minus(new Intl.NumberFormat("en", { maximumSignificantDigits: Math.max(digits, size >= 1 ? Math.ceil(Math.log10(size + 1)) : 0) }).format(value));
}

/** Metrics: three decimals below ten, fewer above. */
export function metric(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  if (Math.abs(value) < 1e-9) value = 0; // what rounding left
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return number(value, 3);
  const decimals = size < 10 ? 3 : size < 1000 ? 2 : 0;
  return minus(new Intl.NumberFormat("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value));
}

/** Exact decimal text (from the API, beyond double precision) with thousands separated. */
export function grouped(text) {
  const match = /^(-?)(\d+)(\.\d+)?$/.exec(text);
  if (!match) return text;
  return (match[1] ? "−" : "") + match[2].replace(/\B(?=(\d{3})+$)/g, ",") + (match[3] ?? "");
}

const UNGROUPED = /(^|[_\s])(year|yr|annee|année|jahr|id|code|zip)s?$/i;

/** How a cell of a column is shown. */
export function cell(value, type, column = "") {
  if (value === null || value === undefined) return MISSING;
  if (type === "boolean") return value ? "true" : "false";
  if (type === "integer") return UNGROUPED.test(column) ? minus(String(value)) : typeof value === "number" ? count(value) : grouped(String(value));
  if (type === "number") return typeof value === "number" ? (Number.isInteger(value) && Math.abs(value) < 1e15 ? count(value) : size(value)) : grouped(String(value));
  if (type === "decimal") return grouped(String(value));
  if (type === "timestamp") return String(value).replace("T", " ").replace(/(:\d\d)\.0+(?=$|[Z+-])/, "$1");
  return String(value);
}
function size(value) {
  const absolute = Math.abs(value);
  return absolute !== 0 && (absolute < 1e-4 || absolute >= 1e15) ? minus(value.toExponential(4)) : minus(general.format(value));
}

export function percent(part, whole) {
  if (!whole) return "0 %";
  const share = (100 * part) / whole;
  if (part > 0 && share < 0.1) return "< 0.1 %";
  if (part < whole && share > 99.9) return "> 99.9 %";
  return `${share.toFixed(share < 10 && share > 0 ? 1 : 0)} %`;
}

export function bytes(value) {
  if (value === null || value === undefined) return "";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let power = 0;
  while (value >= 1000 && power < units.length - 1) {
    value /= 1000;
    power += 1;
  }
  return `${value.toFixed(power && value < 10 ? 1 : 0)} ${units[power]}`;
}

export function seconds(value) {
  if (value === null || value === undefined) return "";
  if (value < 1) return `${Math.max(1, Math.round(value * 1000))} ms`;
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 60) return `${Math.round(value)} s`;
  const minutes = Math.floor(value / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(value % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function milliseconds(value) {
  return value === null || value === undefined ? "" : value < 1 ? "< 1 ms" : value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

export function ago(time, now = Date.now()) {
  if (!time) return "";
  const passed = (now - new Date(time)) / 1000;
  if (passed < 10) return "just now";
  if (passed < 60) return `${Math.round(passed)} s ago`;
  if (passed < 3600) return `${Math.round(passed / 60)} min ago`;
  if (passed < 86400) return `${Math.round(passed / 3600)} h ago`;
  if (passed < 7 * 86400) return `${Math.round(passed / 86400)} d ago`;
  return date(time);
}
export const date = (time) => (time ? new Date(time).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" }) : "");
export const moment = (time) => (time ? `${date(time)}, ${new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}` : "");
export const clock = (time) => (time ? new Date(time).toLocaleTimeString("en-GB") : "");
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
export const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1).replaceAll("_", " ") : "");
export const shortId = (id) => (id ? String(id).slice(0, 8) : "");
