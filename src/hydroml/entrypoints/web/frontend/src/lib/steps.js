// The kinds of step the Studio can make: as the server tells them, with an icon and a place in the toolbar.
import { api } from "./api.js";
import { fieldsOf } from "./schema_form.js";

export const GROUPS = [
  { group: "rows", title: "Rows", icon: "filter" },
  { group: "columns", title: "Columns", icon: "cols" },
  { group: "missing", title: "Missing", icon: "clean" },
  { group: "outliers", title: "Outliers", icon: "warn" },
  { group: "scale", title: "Scale", icon: "dec" },
  { group: "time", title: "Time", icon: "clock" },
  { group: "combine", title: "Combine", icon: "join" },
  { group: "reshape", title: "Reshape", icon: "reshape" },
];
const ICONS = { filter: "filter", sort: "sort", derive: "fx", fill_missing: "clean", drop_columns: "cols" };
const UNKNOWN = { title: "Step", help: "", group: "", icon: "stepi", fields: [] };

const known = new Map();
let loading = null;

/** Reads the kinds once. */
export function loadSteps() {
  loading ??= api.get("/steps").then(({ items }) => {
    for (const { op, title, help, group, schema } of items) known.set(op, { op, title, help, group, icon: ICONS[op] ?? GROUPS.find((one) => one.group === group)?.icon ?? "stepi", fields: fieldsOf(schema) });
  });
  loading.catch(() => (loading = null));
  return loading;
}
export const opOf = (op) => known.get(op) ?? { ...UNKNOWN, op, title: op };
export const kinds = (group = "") => [...known.values()].filter((one) => !group || one.group === group);
