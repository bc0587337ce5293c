// Files made of a version: which part of it, in which format, and those that were made.
import { api, asProblem, fieldErrors } from "../../lib/api.js";
import { watchJob } from "../../lib/events.js";
import { ago, bytes, count } from "../../lib/format.js";
import { isActive } from "../../lib/jobs.js";
import { mix } from "../../lib/mix.js";
import { toast, toastError } from "../../lib/ui.js";
import { listed } from "../../lib/url.js";
import { tabOf } from "./tab.js";

const FORMATS = [
  { value: "csv", title: "CSV" }, { value: "tsv", title: "TSV" }, { value: "xlsx", title: "Excel" }, { value: "json", title: "JSON" },
  { value: "jsonl", title: "JSON lines" }, { value: "parquet", title: "Parquet" }, { value: "feather", title: "Feather (Arrow)" },
];
const isText = (format) => format === "csv" || format === "tsv";

function shape() {
  return { format: "csv", chosen: [], filter: "", sort: "", descending: false, limit: "", name: "", delimiter: ",", decimal: ".", missing: "", header: true, bom: false, neutralise: true };
}

export function exportTab() {
  return mix(
    tabOf("export", function () {
      return this.fetchExports();
    }, ({ items }) => !items.length),
    shape(),
    {
      formats: FORMATS,
      templates: [],
      templateName: "",
      search: "",
      errors: {},
      problem: "",
      sending: false,
      turned() {
        Object.assign(this, shape(), { errors: {}, problem: "", templateName: "" });
        this.filter = this.$data.filterDraft ?? "";
      },
      async fetchExports() {
        const project = this.source.project_ids?.[0];
        const [exports, templates] = await Promise.all([api.get(`/versions/${this.version.id}/exports`, { limit: 50 }), project ? api.get(`/projects/${project}/export_templates`) : { items: [] }]);
        this.templates = templates.items;
        for (const one of exports.items) if (one.job && isActive(one.job)) this.follow(one.job);
        return exports;
      },
      follow(job) {
        const stop = watchJob(job, (now) => {
          const one = this.found.items.find(({ job: its }) => its?.id === now.id);
          if (one) one.job = now;
          if (isActive(now)) return;
          stop?.();
          this.found.load({ quiet: true });
        });
      },
      get isText() {
        return isText(this.format);
      },
      get isCsv() {
        return this.format === "csv";
      },
      get takesHeader() {
        return isText(this.format) || this.format === "xlsx";
      },
      get columnsOffered() {
        const wanted = this.search.trim().toLowerCase();
        return this.version.columns.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, 200).map(({ name }, index) => ({ name, id: `export-column-${index}`, on: this.chosen.includes(name) }));
      },
      get chosenText() {
        return this.chosen.length ? `${count(this.chosen.length)} of ${count(this.version.columns.length)}` : `all ${count(this.version.columns.length)}`;
      },
      pick(name, on) {
        this.chosen = on ? [...this.chosen, name] : this.chosen.filter((one) => one !== name);
      },
      get body() {
        const options = {
          ...(this.isCsv ? { delimiter: this.delimiter } : {}),
          ...(this.isText ? { decimal: this.decimal, missing: this.missing, bom: this.bom } : {}),
          ...(this.takesHeader ? { header: this.header, neutralise: this.neutralise } : {}),
        };
        return {
          format: this.format, columns: this.chosen.length ? this.chosen : null, filter: this.filter.trim() || null,
          sort: this.sort ? listed([(this.descending ? "-" : "") + this.sort]) : "", limit: this.limit === "" ? null : Number(this.limit), options,
        };
      },
      async start() {
        if (this.sending) return;
        this.sending = true;
        this.errors = {};
        this.problem = "";
        try {
          await api.post(`/versions/${this.version.id}/exports`, { ...this.body, name: this.name.trim() || null });
          await this.found.load({ quiet: true });
        } catch (error) {
          this.refused(error);
        } finally {
          this.sending = false;
        }
      },
      refused(error) {
        const problem = asProblem(error);
        this.errors = fieldErrors(problem);
        this.problem = Object.values(this.errors)[0] ?? problem.detail ?? problem.title;
      },
      async keepTemplate() {
        const project = this.source.project_ids?.[0];
        try {
          await api.post(`/projects/${project}/export_templates`, { ...this.body, name: this.templateName.trim() });
          toast("It can be chosen for every table of the project.", { title: `Template “${this.templateName.trim()}”:`, tone: "success" });
          this.templateName = "";
          this.found.load({ quiet: true });
        } catch (error) {
          this.refused(error);
        }
      },
      useTemplate(id) {
        const template = this.templates.find((one) => one.id === id);
        if (!template) return;
        const { options } = template;
        const [sort = ""] = template.sort ? (template.sort.startsWith("[") ? JSON.parse(template.sort) : template.sort.split(",")) : [];
        Object.assign(this, shape(), options, { format: template.format, chosen: template.columns ?? [], filter: template.filter ?? "", sort: sort.replace(/^-/, ""), descending: sort.startsWith("-"), limit: template.limit ?? "" });
      },
      get files() {
        return this.found.items.map((one) => ({
          ...one, when: ago(one.created_at), size: one.bytes === null ? "" : bytes(one.bytes), isReady: one.status === "ready", isRunning: one.status === "running", href: `/api/v1/exports/${one.id}/file`,
          text: { ready: one.expires_at ? `kept until ${new Date(one.expires_at).toLocaleDateString()}` : "", failed: one.error ?? "failed", expired: "expired: make it again" }[one.status] ?? "",
        }));
      },
      async retry(one) {
        try {
          await api.post(`/jobs/${one.job.id}/retry`);
          this.found.load({ quiet: true });
        } catch (error) {
          toastError(error, "It was not tried again.");
        }
      },
      async drop(one) {
        try {
          await api.delete(`/exports/${one.id}`);
        } catch (error) {
          toastError(error, "It was not removed.");
        }
        this.found.load({ quiet: true });
      },
    },
  );
}
