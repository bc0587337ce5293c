// Rules of a data source: checked on each new version, with what each has said so far.
import { api, asProblem } from "../../lib/api.js";
import { watchJob } from "../../lib/events.js";
import { ago, count, plural } from "../../lib/format.js";
import { isActive } from "../../lib/jobs.js";
import { mix } from "../../lib/mix.js";
import { ask, toast, toastError } from "../../lib/ui.js";
import { formDialog } from "../../components/shared.js";
import { tabOf } from "./tab.js";

const PASSED = { icon: "#i-check", tone: "t-success", text: "kept" };
const UNKNOWN = { icon: "#i-info", tone: "subtle", text: "not checked yet" };

/** What has to be typed for a parameter of a rule, by its JSON schema. */
function fieldOf([name, schema], required) {
  const one = schema.anyOf?.find(({ type }) => type !== "null") ?? schema;
  const kind = one.enum ? "choice" : one.type === "boolean" ? "flag" : one.type === "array" ? "list" : one.type === "integer" || one.type === "number" ? "number" : "text";
  return { name, id: `rule-${name}`, kind, label: (schema.title ?? name).replaceAll("_", " "), help: schema.description ?? (kind === "list" ? "Separated by commas" : ""), choices: one.enum ?? [], required: required.includes(name) };
}
const asList = (text) => text.split(",").map((part) => part.trim()).filter(Boolean);
function asValue(field, text) {
  if (field.kind === "flag") return Boolean(text);
  if (text === "" || text === undefined) return undefined;
  if (field.kind === "list") return asList(text);
  return field.kind === "number" ? Number(text) : text;
}

export function rulesTab() {
  return mix(
    tabOf("rules", function () {
      return this.fetchRules();
    }),
    {
      checking: null,
      open: "",
      async fetchRules() {
        const [rules, results] = await Promise.all([api.get(`/sources/${this.source.id}/rules`), api.get(`/sources/${this.source.id}/rules/results`, { limit: 200 })]);
        return { items: rules.items, results: results.items };
      },
      begun() {
        addEventListener("hydroml:rule-made", () => this.made());
      },
      async made() {
        await this.found.load({ quiet: true });
        this.check();
      },
      get rules() {
        return this.found.items.map((rule) => {
          const history = (this.found.data.results ?? []).filter(({ rule_id: id }) => id === rule.id);
          const here = history.find(({ version_id: id }) => id === this.version.id);
          return { ...rule, state: this.stateOf(here), here, what: this.whatOf(rule), isOpen: this.open === rule.id, history: history.slice(0, 20).map((one) => ({ ...one, state: this.stateOf(one), when: ago(one.checked_at) })), filter: here?.filter ?? "" };
        });
      },
      stateOf(result) {
        if (!result) return UNKNOWN;
        if (result.error) return { icon: "#i-warn", tone: "t-warning", text: `could not be checked: ${result.error}` };
        if (result.passed) return PASSED;
        return { icon: "#i-error", tone: result.severity === "error" ? "t-danger" : "t-warning", text: `${plural(result.failing_rows, "row fails", "rows fail")}` };
      },
      whatOf(rule) {
        const given = Object.entries(rule.parameters).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && !value.length)).map(([name, value]) => `${name.replaceAll("_", " ")} ${Array.isArray(value) ? value.join(", ") : value}`);
        return [rule.kind.replaceAll("_", " "), rule.columns.join(", "), given.join("; ")].filter(Boolean).join(" · ");
      },
      toggleHistory(rule) {
        this.open = this.open === rule.id ? "" : rule.id;
      },
      get none() {
        return this.found.state === "done" && !this.found.items.length;
      },
      add() {
        dispatchEvent(new CustomEvent("hydroml:add-rule", { detail: { source: this.source, columns: this.version.columns } }));
      },
      async check() {
        try {
          const { job } = await api.post(`/versions/${this.version.id}/rules/check`);
          this.checking = job;
          const stop = watchJob(job, (now) => {
            this.checking = isActive(now) ? now : null;
            if (isActive(now)) return;
            stop?.();
            this.found.load({ quiet: true });
          });
        } catch (error) {
          toastError(error, "They were not checked.");
        }
      },
      async enable(rule, enabled) {
        try {
          await api.patch(`/rules/${rule.id}`, { enabled });
          toast(enabled ? "It is checked on each new version." : "It is not checked any more.", { tone: "success", title: `${rule.name}:` });
        } catch (error) {
          toastError(error, "It was not changed.");
        }
        this.found.load({ quiet: true });
      },
      async drop(rule) {
        const yes = await ask({ title: `Delete the rule “${rule.name}”?`, text: "What it has said so far goes with it.", yes: "Delete", danger: true });
        if (!yes) return;
        try {
          await api.delete(`/rules/${rule.id}`);
        } catch (error) {
          toastError(error, "It was not deleted.");
        }
        this.found.load({ quiet: true });
      },
    },
  );
}

export function ruleDialog() {
  let source = null;
  return mix(
    formDialog({
      fields: { name: "", kind: "not_null", severity: "error", columns: [], parameters: {} },
      send(form) {
        return api.post(`/sources/${source.id}/rules`, form);
      },
      done: () => {
        toast("It is checked on each new version.", { tone: "success", title: "The rule is there:" });
        dispatchEvent(new CustomEvent("hydroml:rule-made"));
      },
    }),
    {
      kinds: [],
      columns: [],
      kind: "not_null",
      severity: "error",
      name: "",
      picked: [],
      typed: {},
      search: "",
      init() {
        addEventListener("hydroml:add-rule", ({ detail }) => this.begin(detail));
      },
      async begin(detail) {
        source = detail.source;
        Object.assign(this, { columns: detail.columns, picked: [], typed: {}, name: "", search: "", kind: "not_null", severity: "error" });
        try {
          if (!this.kinds.length) this.kinds = (await api.get("/rules/kinds")).items;
        } catch (error) {
          toastError(asProblem(error), "The kinds of rules did not come.");
          return;
        }
        this.show({});
      },
      get current() {
        return this.kinds.find(({ kind }) => kind === this.kind) ?? null;
      },
      get help() {
        return this.current?.help ?? "";
      },
      get fields() {
        return this.current ? Object.entries(this.current.schema.properties ?? {}).map((entry) => fieldOf(entry, this.current.schema.required ?? [])) : [];
      },
      get takesColumns() {
        return this.current?.columns !== "none";
      },
      get shownColumns() {
        const wanted = this.search.trim().toLowerCase();
        return this.columns.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, 100).map(({ name, type }, index) => ({ name, type, id: `rule-column-${index}`, on: this.picked.includes(name) }));
      },
      pickKind(kind) {
        this.kind = kind;
        this.typed = {};
        if (!this.takesColumns) this.picked = [];
        else if (this.current.columns === "one") this.picked = this.picked.slice(0, 1);
      },
      pickColumn(name, on) {
        if (this.current.columns === "one") this.picked = on ? [name] : [];
        else this.picked = on ? [...this.picked, name] : this.picked.filter((one) => one !== name);
      },
      type(field, value) {
        this.typed = { ...this.typed, [field.name]: value };
      },
      errorOf(field) {
        const key = Object.keys(this.errors).find((path) => path === `parameters.${field.name}` || path.startsWith(`parameters.${field.name}.`) || path === field.name);
        return key ? this.errors[key] : "";
      },
      get cannot() {
        if (this.busy) return "It is being made";
        if (!this.name.trim()) return "A name is needed";
        return this.takesColumns && !this.picked.length ? "Choose a column" : "";
      },
      save() {
        if (this.cannot) return;
        const parameters = Object.fromEntries(this.fields.map((field) => [field.name, asValue(field, this.typed[field.name])]).filter(([, value]) => value !== undefined));
        Object.assign(this.form, { name: this.name.trim(), kind: this.kind, severity: this.severity, columns: this.takesColumns ? this.picked : [], parameters });
        this.submit();
      },
      get pickedText() {
        return this.picked.length ? count(this.picked.length) + " chosen" : "none chosen";
      },
    },
  );
}
