// The other table of a step that brings two together: chosen among the project's sources, and which columns of both are likely the same.
import { api } from "./api.js";
import { h } from "./dom.js";
import { count, plural } from "./format.js";
import { isTemporal } from "./types.js";

const KEYS = ["text", "category", "integer", "date", "timestamp"];
const PAIRS = [["text", "category"], ["integer", "number"], ["integer", "decimal"], ["date", "timestamp"]];
const MOST_KEYS = 3;

/** Whether values of two types can be compared, or stand below each other. */
export const goTogether = (one, other) => one === other || PAIRS.some((pair) => pair.includes(one) && pair.includes(other));
const plain = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
const similar = (one, other) => {
  const [a, b] = [plain(one), plain(other)];
  return a === b ? 2 : Math.min(a.length, b.length) > 2 && (a.includes(b) || b.includes(a)) ? 1 : 0;
};

/** Pairs of columns that are likely the same, the likeliest first: those of the same name, then those whose names hold each other. */
export function likelyKeys(columns, others, { without = [], most = MOST_KEYS } = {}) {
  const known = columns.filter(({ name, type }) => KEYS.includes(type) && !without.includes(name));
  const found = known.flatMap((left) => others.filter(({ type, name }) => KEYS.includes(type) && !without.includes(name) && goTogether(left.type, type)).map((right) => ({ left: left.name, right: right.name, like: similar(left.name, right.name) })));
  const same = found.filter(({ like }) => like === 2);
  return (same.length ? same : found.filter(({ like }) => like === 1).slice(0, 1)).slice(0, most).map(({ left, right }) => ({ left, right }));
}

/** The columns two tables are nearest by: times before numbers, of the same name before others. */
export function likelyAxis(columns, others, left = "") {
  const fits = (one) => others.filter(({ type }) => goTogether(one.type, type));
  const temporal = columns.filter(({ type }) => isTemporal(type));
  const mine = columns.find(({ name, type }) => name === left && !isTemporal(type) && !temporal.length) ?? temporal.find((one) => fits(one).some(({ name }) => plain(name) === plain(one.name))) ?? temporal.find((one) => fits(one).length);
  if (!mine) return null;
  return { left: mine.name, right: (fits(mine).find(({ name }) => plain(name) === plain(mine.name)) ?? fits(mine)[0])?.name ?? "" };
}

/** How the columns of two tables come below each other: together, only here, only there, and what cannot. */
export function appended(columns, others, { by = "name", pairs = [] } = {}) {
  const renamed = new Map(pairs.filter(({ left, right }) => left && right).map(({ left, right }) => [right, left]));
  const found = { together: [], here: [], there: [], clash: [] };
  const told = (left, right) => (goTogether(left.type, right.type) ? found.together : found.clash).push({ left, right });
  if (by === "position") {
    columns.forEach((left, at) => (others[at] ? told(left, others[at]) : found.here.push(left)));
    found.there.push(...others.slice(columns.length));
    return found;
  }
  const there = new Map(others.map((one) => [renamed.get(one.name) ?? one.name, one]));
  for (const left of columns) {
    const right = there.get(left.name);
    if (right) told(left, right);
    else found.here.push(left);
  }
  const names = new Set(columns.map(({ name }) => name));
  found.there.push(...[...there].filter(([name]) => !names.has(name)).map(([, one]) => one));
  return found;
}

const described = ({ id, number, rows, columns }, source) => ({ id, number, rows, columns, source });

/** What can be chosen in a project; what was read once is kept. */
export function otherTables(projectId) {
  let sources = null;
  const versions = new Map();
  return {
    /** The newest version of each source. */
    sources() {
      sources ??= api.get(`/projects/${projectId}/sources`, { limit: 500, sort: "name" }).then(({ items }) => items.filter(({ current_version: version }) => version).map(({ id, name, current_version: version }) => described(version, { id, name })));
      sources.catch(() => (sources = null));
      return sources;
    },
    versionsOf: (source) => api.get(`/sources/${source.id}/versions`, { limit: 100 }).then(({ items }) => items.map((version) => described(version, source))),
    async version(id) {
      const newest = (await this.sources()).find((one) => one.id === id);
      if (newest) return newest;
      if (!versions.has(id)) versions.set(id, api.get(`/versions/${id}`).then((version) => described(version, { id: version.source_id, name: version.source?.name ?? "another table" })));
      return versions.get(id);
    },
  };
}

/** A list to choose a table from, and one of its versions. `chosen(id)` hears of it. */
export function tablePicker({ id, label, describedBy, value, tables, chosen, mine }) {
  const list = h("div", { class: "checks tables", role: "radiogroup", "aria-label": label, "aria-describedby": describedBy, "data-waits": "", tabindex: "-1" });
  const versions = h("div", { class: "field", hidden: true });
  const box = h("div", { class: "stack-s" }, list, versions);
  list.append(h("p", { class: "help" }, "Reading the project's data sources …"));
  let now = value;

  async function offerVersions(source) {
    versions.hidden = true;
    const found = await tables.versionsOf(source).catch(() => []);
    if (found.length < 2) return;
    const select = h("select", { class: "input", id: `${id}-v`, onchange: () => { now = select.value; chosen(now); } }, ...found.map((one, at) => h("option", { value: one.id }, `version ${one.number}${at ? "" : ", the newest"}: ${plural(one.rows, "row")}`)));
    select.value = now;
    versions.replaceChildren(h("label", { for: `${id}-v` }, "Version"), h("div", {}, select));
    versions.hidden = false;
  }

  async function fill() {
    const found = await tables.sources();
    const current = now ? await tables.version(now).catch(() => null) : null;
    const draw = (wanted = "") => {
      const shown = found.filter(({ source }) => source.name.toLowerCase().includes(wanted.trim().toLowerCase()));
      list.replaceChildren(...shown.map((one) => {
        const input = h("input", { type: "radio", name: id, onchange: () => { now = one.id; chosen(now); offerVersions(one.source); } });
        input.checked = one.id === now || current?.source.id === one.source.id;
        return h("label", { class: "check" }, input, h("span", { class: "truncate" }, one.source.name, one.id === mine ? h("span", { class: "subtle" }, " (this table)") : null), h("span", { class: "end subtle xs tnum nowrap" }, `${count(one.rows)} × ${count(one.columns.length)}`));
      }));
      if (!shown.length) list.append(h("p", { class: "help" }, found.length ? "No data source has this name." : "The project has no data source that is ready."));
    };
    draw();
    const awaited = document.activeElement === list;
    list.removeAttribute("data-waits");
    list.removeAttribute("tabindex");
    if (found.length > 8) {
      const search = h("input", { class: "input", type: "search", "aria-label": "Find a data source", placeholder: "Find a data source", oninput: () => draw(search.value) });
      box.prepend(search);
    }
    if (current) offerVersions(current.source);
    if (awaited) box.querySelector("input")?.focus();
  }
  fill().catch(() => list.replaceChildren(h("p", { class: "help" }, "The data sources could not be read.")));
  return box;
}
