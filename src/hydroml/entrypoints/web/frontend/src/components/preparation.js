// How columns are prepared: settings for all, groups of columns that differ, and what is taken from earlier rows.
import { isNumeric, isTemporal } from "../lib/types.js";

const SCALES = [["", "as the algorithm needs"], ["none", "none"], ["standard", "mean 0, deviation 1"], ["robust", "median and quartiles"], ["min_max", "0 … 1"]];
const coded = ({ encode = "one_hot" }) => encode === "one_hot" || encode === "ordinal";
/** The settings of each kind of column, in the order in which they act; `when` says where one matters. */
const KINDS = [
  { kind: "numbers", title: "Numbers", fields: [
    { name: "impute", title: "Missing values", nullable: true, choices: [["", "left to the algorithm, else the median"], ["median", "the median"], ["mean", "the mean"], ["most_frequent", "the most frequent"], ["constant", "a constant"], ["none", "stay missing"]] },
    { name: "fill", title: "Constant", type: "number", step: "any", otherwise: 0, when: ({ impute }) => impute === "constant" },
    { name: "transform", title: "Shape", otherwise: "none", choices: [["none", "as it is"], ["log1p", "log(1 + x), for skewed amounts"], ["power", "Yeo-Johnson, for any skew"], ["quantile", "quantiles, as of a normal"]] },
    { name: "scale", title: "Scale", nullable: true, choices: SCALES },
    { name: "indicator", title: "Mark which were missing", type: "check", otherwise: true, when: ({ impute }) => impute !== "none" },
  ] },
  { kind: "texts", title: "Texts and categories", fields: [
    { name: "impute", title: "Missing values", otherwise: "none", choices: [["none", "a category of their own"], ["most_frequent", "the most frequent"], ["constant", "a constant"]] },
    { name: "fill", title: "Constant", type: "text", otherwise: "missing", when: ({ impute }) => impute === "constant" },
    { name: "encode", title: "Become numbers by", otherwise: "one_hot", choices: [["one_hot", "a column for each category"], ["ordinal", "their place in the alphabet"], ["target", "the mean target of the category"], ["frequency", "the share of the category"], ["hashing", "their words, hashed: for long texts"]] },
    { name: "max_categories", title: "Most categories", type: "number", otherwise: 30, min: 2, max: 1000, when: coded },
    { name: "rare", title: "Rare: share below", type: "number", otherwise: 0, min: 0, max: 0.5, step: 0.005, when: coded },
    { name: "folds", title: "Learnt in folds", type: "number", otherwise: 5, min: 2, max: 20, when: ({ encode }) => encode === "target" },
    { name: "hash_columns", title: "Columns", type: "number", otherwise: 64, min: 2, max: 4096, when: ({ encode }) => encode === "hashing" },
    { name: "indicator", title: "Mark which were missing", type: "check", otherwise: true, when: ({ impute = "none" }) => impute !== "none" },
  ] },
  { kind: "dates", title: "Dates", fields: [
    { name: "parts", title: "Parts that are features", type: "parts", otherwise: [], choices: [["year", "year"], ["month", "month"], ["day_of_year", "day of the year"], ["week_day", "day of the week"], ["hour", "hour"]] },
    { name: "cyclic", title: "As sine and cosine, so that December is beside January", type: "check", otherwise: false, when: ({ parts = [] }) => parts.some((part) => part !== "year") },
  ] },
];
const STATISTICS = ["mean", "sum", "min", "max"];
const kindOf = (type) => (isTemporal(type) ? "dates" : type === "text" || type === "category" ? "texts" : "numbers");
const copied = (value) => JSON.parse(JSON.stringify(value ?? {}));
const whole = (text) => [...new Set((String(text).match(/\d+/g) ?? []).map(Number))];

/** The parts of a specification's preparation that the form edits. */
export const freshPreparation = () => ({ numbers: {}, texts: {}, dates: {}, groups: [], past: [] });

export function preparation() {
  let serial = 0;
  const keyed = new WeakMap();
  const keyOf = (one) => keyed.get(one) ?? keyed.set(one, (serial += 1)).get(one);
  return {
    statistics: STATISTICS,
    opened: false,
    openPreparation(open) {
      this.opened = open;
    },
    /** Faults within it open it. */
    get preparationOpen() {
      return this.opened || this.errorAt("preparation") !== "";
    },
    get prepared() {
      return this.spec.preparation;
    },
    /** “All columns”, then each group, with the kinds of columns there are in it. */
    get scopes() {
      const there = new Set(this.columns.filter(({ name }) => name !== this.spec.target).map(({ type }) => kindOf(type)));
      const all = { key: "all", id: "prep-all", title: "All columns", settings: this.prepared, kinds: KINDS.filter(({ kind }) => there.has(kind)), group: null };
      return [all, ...this.prepared.groups.map((group, index) => ({ key: `group-${keyOf(group)}`, id: `prep-${keyOf(group)}`, title: group.name || `Group ${index + 1}`, settings: group, kinds: KINDS.filter(({ kind }) => group[kind]), group, index }))];
    },
    settingsOf(scope, { kind }) {
      return scope.settings[kind] ?? {};
    },
    fieldsOf(scope, one) {
      const settings = this.settingsOf(scope, one);
      return one.fields.filter(({ when }) => !when || when(settings)).map((field) => ({ ...field, choices: (field.choices ?? []).map(([value, title]) => ({ value, title })), step: field.step ?? 1, look: field.type === "number" ? "num" : "", span: field.type === "parts" ? "span4" : field.type === "number" || field.type === "text" ? "" : "span2", key: `${scope.key}-${one.kind}-${field.name}`, id: `${scope.id}-${one.kind}-${field.name}`, kind: one.kind, isChoice: !field.type, isInput: field.type === "number" || field.type === "text", isCheck: field.type === "check", isParts: field.type === "parts" }));
    },
    valueIn(scope, { kind, name, otherwise }) {
      return scope.settings[kind]?.[name] ?? otherwise ?? "";
    },
    isChosen(scope, field, value) {
      return String(this.valueIn(scope, field)) === value;
    },
    hasPart(scope, field, part) {
      return this.valueIn(scope, field).includes(part);
    },
    set(scope, { kind, name, type, nullable, otherwise }, raw) {
      const settings = (scope.settings[kind] ??= {});
      if (type === "number") settings[name] = raw === "" || !Number.isFinite(Number(raw)) ? otherwise : Number(raw);
      else settings[name] = nullable && raw === "" ? null : raw;
    },
    setPart(scope, field, part, on) {
      const before = this.valueIn(scope, field);
      (scope.settings.dates ??= {}).parts = field.choices.map(({ value }) => value).filter((value) => (value === part ? on : before.includes(value)));
      if (!this.spec.features) return;
      const dates = this.columns.filter(({ name, type }) => isTemporal(type) && name !== this.spec.target && this.datesOf(name).length).map(({ name }) => name);
      const others = this.spec.features.filter((name) => !isTemporal(this.columns.find((column) => column.name === name)?.type));
      this.spec.features = [...new Set([...others, ...dates])];
    },
    datesOf(name) {
      const group = this.prepared.groups.find(({ columns, dates }) => dates && columns.includes(name));
      return (group?.dates ?? this.prepared.dates)?.parts ?? [];
    },

    // Groups of columns ---------------------------------------------------------------------------------------------------
    addGroup() {
      this.prepared.groups.push({ name: "", columns: [] });
      this.$nextTick(() => document.getElementById(`${this.scopes.at(-1).id}-name`)?.focus());
    },
    removeGroup(index) {
      this.prepared.groups.splice(index, 1);
      this.$nextTick(() => document.getElementById("prep-add-group")?.focus());
    },
    nameGroup(group, name) {
      group.name = name.trim();
    },
    /** Columns that this group has or may have: each is in one group at most. */
    groupColumnsFor(group) {
      const elsewhere = new Set(this.prepared.groups.filter((one) => one !== group).flatMap(({ columns }) => columns));
      return this.columns.filter(({ name }) => name !== this.spec.target && !elsewhere.has(name)).slice(0, 400);
    },
    inGroup(group, name) {
      return group.columns.includes(name);
    },
    pickForGroup(group, name) {
      group.columns = group.columns.includes(name) ? group.columns.filter((one) => one !== name) : [...group.columns, name];
      const kinds = new Set(group.columns.map((one) => kindOf(this.columns.find((column) => column.name === one)?.type)));
      for (const { kind } of KINDS) {
        if (kinds.has(kind)) group[kind] ??= copied(this.prepared[kind]);
        else delete group[kind];
      }
    },

    // Earlier rows ----------------------------------------------------------------------------------------------------------
    get pasts() {
      return this.prepared.past.map((past, index) => ({ past, index, key: keyOf(past), id: `past-${keyOf(past)}`, lags: (past.lags ?? []).join(", "), windows: (past.windows ?? []).map((window, at) => ({ window, at, key: keyOf(window), id: `past-${keyOf(past)}-${keyOf(window)}` })) }));
    },
    get pastColumns() {
      return this.columns.filter(({ type }) => isNumeric(type) || type === "boolean" || type === "duration").slice(0, 400);
    },
    addPast() {
      this.prepared.past.push({ columns: [], lags: [1], windows: [] });
    },
    removePast(index) {
      this.prepared.past.splice(index, 1);
      this.$nextTick(() => document.getElementById("prep-add-past")?.focus());
    },
    hasPast(past, name) {
      return past.columns.includes(name);
    },
    pickPast(past, name) {
      past.columns = past.columns.includes(name) ? past.columns.filter((one) => one !== name) : [...past.columns, name];
    },
    setLags(past, text) {
      past.lags = whole(text).filter((lag) => lag > 0);
    },
    addWindow(past) {
      (past.windows ??= []).push({ statistic: "mean", rows: 7, lag: 1 });
    },
    removeWindow(past, at) {
      past.windows.splice(at, 1);
    },
    setWindow(window, name, raw) {
      window[name] = name === "statistic" ? raw : (whole(raw)[0] ?? window[name]);
    },
    get pastOfTarget() {
      return this.prepared.past.some(({ columns }) => columns.includes(this.spec.target));
    },

    // In words --------------------------------------------------------------------------------------------------------------
    get treatments() {
      return this.flight?.preparation ?? [];
    },
    get preparationLine() {
      const { groups, past } = this.prepared;
      const told = [groups.length ? `${groups.length} ${groups.length === 1 ? "group" : "groups"} of columns` : "", past.length ? "earlier rows" : "", this.columns.some(({ name, type }) => isTemporal(type) && this.datesOf(name).length) ? "parts of dates" : ""].filter(Boolean);
      return told.length ? `Settings for all, ${told.join(", ")}` : "Settings for all columns";
    },
  };
}
