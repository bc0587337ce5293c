import { api, asProblem } from "../lib/api.js";
import { modelCard } from "../components/model_card.js";
import { copy } from "../lib/dom.js";
import { watchJob } from "../lib/events.js";
import { count, metric, number } from "../lib/format.js";
import { isActive } from "../lib/jobs.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { isNumeric } from "../lib/types.js";
import { command, enterProject, setCrumbs, setTitle, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";
import { modelVersions } from "./model_versions.js";

function modelPage() {
  return mix(modelVersions(), modelCard(), {
    id: "",
    model: null,
    tab: param("tab", "versions"),
    head: resource(() => null, { empty: () => false }),
    sources: resource(() => null),
    rows: [],
    use: "champion",
    answer: null,
    problem: null,
    predicting: false,
    chosenVersion: "",
    job: null,
    made: null,
    init() {
      this.id = this.$root.dataset.id;
      this.head = resource(() => this.fetchModel(), { empty: () => false });
      this.sources = resource(() => api.get(`/projects/${this.model.project_id}/sources`, { limit: 200 }));
      this.head.load();
      addEventListener("popstate", () => this.showTab(param("tab", "versions")));
      command("Predict rows", "play", () => this.go("rows"));
      command("Predict a data source", "data", () => this.go("source"));
    },
    async fetchModel() {
      const model = await api.get(`/models/${this.id}`);
      await this.fetchProject(model.project_id); // what may be done is known before there is a button for it
      this.model = model;
      setTitle(model.name);
      enterProject(model.project_id);
      setCrumbs([{ label: "Models", href: `/projects/${model.project_id}/models` }]);
      this.use = model.aliases?.champion ? "champion" : String(model.versions?.find(({ approval }) => approval !== "rejected")?.number ?? "");
      if (!this.rows.length) this.addRow();
      this.sources.load();
      this.showTab(this.tab);
      return model;
    },
    showTab(tab) {
      this.tab = tab;
      if (tab === "card") this.showCard(this.cardVersion);
    },
    go(tab) {
      this.showTab(tab);
      setParams({ tab: tab === "versions" ? "" : tab }, { push: true });
    },
    get features() {
      return (this.model?.features ?? []).map((feature) => ({ ...feature, numeric: isNumeric(feature.type), hint: this.hintOf(feature), domId: `f-${feature.name}` }));
    },
    hintOf({ range, categories, type, direct }) {
      if (!direct) return type === "date" || type === "timestamp" ? "a moment" : "of earlier rows";
      if (range) return `trained on ${number(range[0])} to ${number(range[1])}`;
      if (categories) return `${count(categories.length)} known values`;
      return type;
    },
    get choices() {
      return [...Object.entries(this.model?.aliases ?? {}).map(([name, version]) => ({ value: name, title: `${name} (version ${version})` })), ...this.versions.filter(({ approval }) => approval !== "rejected").map(({ number: value }) => ({ value: String(value), title: `version ${value}` }))];
    },

    // Rows -------------------------------------------------------------------------------------------------------------------
    addRow() {
      const last = this.rows.at(-1);
      this.rows.push({ key: Date.now() + this.rows.length, values: last ? { ...last.values } : Object.fromEntries((this.model?.features ?? []).map(({ name }) => [name, ""])) });
    },
    removeRow(index) {
      this.rows.splice(index, 1);
      this.answer = null;
    },
    set(row, name, value) {
      row.values[name] = value;
    },
    get payload() {
      const kinds = Object.fromEntries((this.model?.features ?? []).map(({ name, type }) => [name, type]));
      return this.rows.map(({ values }) => Object.fromEntries(Object.entries(values).map(([name, raw]) => {
        const text = String(raw ?? "").trim();
        if (text === "") return [name, null];
        if (isNumeric(kinds[name])) return [name, Number.isFinite(Number(text)) ? Number(text) : text];
        if (kinds[name] === "boolean") return [name, /^(true|1|yes)$/i.test(text) || (/^(false|0|no)$/i.test(text) ? false : text)];
        return [name, text];
      })));
    },
    get which() {
      return /^\d+$/.test(this.use) ? { version: Number(this.use) } : this.use ? { alias: this.use } : {};
    },
    async predict() {
      if (this.predicting) return;
      this.predicting = true;
      this.problem = null;
      try {
        this.answer = await api.post(`/models/${this.id}/predict`, { rows: this.payload, ...this.which });
      } catch (error) {
        this.answer = null;
        this.problem = asProblem(error);
      } finally {
        this.predicting = false;
      }
    },
    faultAt(index, name) {
      return this.problem?.errors.find(({ loc }) => loc.includes(index) && loc.includes(name))?.msg ?? "";
    },
    warningAt(index, name) {
      return this.answer?.warnings?.find(({ row, column }) => row === index && column === name)?.msg ?? "";
    },
    predictionOf(index) {
      const value = this.answer?.predictions?.[index];
      return value === undefined ? "" : typeof value === "number" ? number(value, 5) : String(value ?? "∅");
    },
    probabilityOf(index) {
      const bounds = this.answer?.intervals?.[index];
      if (bounds) return `${number(bounds[0], 4)} to ${number(bounds[1], 4)}`;
      const shares = this.answer?.probabilities?.[index];
      return shares ? Object.entries(shares).sort(([, a], [, b]) => b - a).slice(0, 3).map(([label, share]) => `${label} ${metric(share)}`).join(", ") : "";
    },
    get warningCount() {
      return this.answer?.warnings?.length ?? 0;
    },
    get curl() {
      const body = JSON.stringify({ rows: this.payload.slice(0, 2), ...this.which });
      return `curl -X POST ${location.origin}/api/v1/models/${this.id}/predict \\\n  -H "Authorization: Bearer $HYDROML_TOKEN" -H "Content-Type: application/json" \\\n  -d '${body.replaceAll("'", "'\\''")}'`;
    },
    async copyCurl() {
      if (await copy(this.curl)) toast("Copied.", { tone: "success" });
    },

    // A data source ------------------------------------------------------------------------------------------------------------
    get readySources() {
      return this.sources.items.filter(({ current_version: version }) => version).map((source) => ({ id: source.current_version.id, title: `${source.name}, version ${source.current_version.number}`, columns: source.current_version.columns, rows: source.current_version.rows }));
    },
    get chosen() {
      return this.readySources.find(({ id }) => id === this.chosenVersion) ?? null;
    },
    get lacking() {
      if (!this.chosen) return [];
      const there = this.chosen.columns.map(({ name }) => name);
      return (this.model?.features ?? []).map(({ name }) => name).filter((name) => !there.includes(name));
    },
    get cannot() {
      if (!this.chosenVersion) return "Choose the data first.";
      return this.job && isActive(this.job) ? "One prediction at a time." : "";
    },
    async predictSource() {
      if (this.cannot) return;
      try {
        const { job, source } = await api.post(`/models/${this.id}/predictions`, { version_id: this.chosenVersion, ...this.which });
        this.made = source;
        this.job = job;
        const stop = watchJob(job, (now) => {
          this.job = now;
          if (!isActive(now)) stop();
        });
      } catch (error) {
        toastError(error, "The prediction did not start.");
      }
    },
  });
}

export function register(Alpine) {
  Alpine.data("modelPage", modelPage);
}
