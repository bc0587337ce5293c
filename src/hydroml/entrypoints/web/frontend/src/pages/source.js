import { tableView } from "../components/table.js";
import { api, upload } from "../lib/api.js";
import { watchJob } from "../lib/events.js";
import { bytes, cell, count, number, percent, plural } from "../lib/format.js";
import { histogram } from "../lib/hist.js";
import { isActive } from "../lib/jobs.js";
import { openMenu } from "../lib/menu.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { ask, command, enterProject, setCrumbs, setTitle, shortcut, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

const TABS = ["profile", "rows", "versions"];

function sourcePage() {
  return mix(tableView(), {
    id: "",
    tab: TABS.includes(param("tab")) ? param("tab") : "profile",
    source: null,
    versionId: param("version"),
    version: null,
    job: null,
    busy: false,
    head: resource(() => null, { empty: () => false }),
    versions: resource(() => null),
    lineage: resource(() => null, { empty: () => false }),
    sending: null,
    profile: resource(() => null, { empty: () => false }),
    init() {
      this.id = this.$root.dataset.id;
      this.head = resource(() => this.fetchSource(), { empty: () => false });
      this.versions = resource(() => api.get(`/sources/${this.id}/versions`, { limit: 200 }));
      this.profile = resource(() => api.get(`/versions/${this.version.id}/profile`), { empty: () => false });
      this.lineage = resource(() => api.get(`/versions/${this.version.id}/lineage`), { empty: ({ nodes }) => !nodes?.length });
      this.head.load();
      this.$watch("tab", () => this.showTab());
      addEventListener("popstate", () => (this.tab = param("tab", "profile")));
      command("Open in Studio", "studio", () => this.openStudio(), { when: () => this.ready });
      command("Train a model on this", "flask", () => location.assign(this.trainUrl), { when: () => this.ready });
      shortcut("/", "Filter the rows", () => this.go("rows", () => this.$refs.filter?.focus()));
    },
    async fetchSource() {
      const source = await api.get(`/sources/${this.id}`);
      this.source = source;
      setTitle(source.name);
      const project = param("project") || source.project_ids?.[0];
      if (project) {
        enterProject(project);
        setCrumbs([{ label: "Projects", href: "/projects" }, { label: "Data", href: `/projects/${project}` }]);
      }
      if (source.job) this.follow(source.job);
      if (source.current_version) await this.useVersion(this.versionId || source.current_version.id);
      return source;
    },
    follow(job) {
      this.job = job;
      if (this.stop || !isActive(job)) return;
      this.stop = watchJob(job, (now) => {
        this.job = now;
        if (isActive(now)) return;
        this.stop?.();
        this.stop = null;
        if (now.state === "succeeded") toast(`${this.source.name} is ready.`, { tone: "success" });
        this.head.load({ quiet: true });
      });
    },
    async useVersion(id) {
      const known = this.source.current_version?.id === id ? this.source.current_version : null;
      this.version = known?.columns && known.origin && known.created_at ? known : await api.get(`/versions/${id}`);
      this.versionId = id;
      setParams({ version: id === this.source.current_version?.id ? "" : id });
      this.profile.load().then(() => this.grid?.setProfile(this.profile.data));
      this.versions.load({ quiet: true });
      if (this.lineage.data || this.tab === "versions") this.lineage.load();
      this.closeTable();
      this.grid = null;
      this.showTab();
    },
    go(tab, then) {
      this.tab = tab;
      setParams({ tab: tab === "profile" ? "" : tab }, { push: true });
      if (then) this.$nextTick(then);
    },
    showTab() {
      if (this.tab === "versions" && this.version && !this.lineage.data) this.lineage.load();
      if (this.tab !== "rows" || !this.version || this.opened) return;
      this.$nextTick(async () => {
        if (!this.$refs.grid) return;
        this.grid = await this.openTable(this.$refs.grid, { schema: this.version.columns, rows: (query) => api.get(`/versions/${this.version.id}/rows`, query) });
        if (this.profile.data) this.grid.setProfile(this.profile.data);
      });
    },
    profileOf(name) {
      return this.profile.data?.columns.find((one) => one.name === name);
    },
    chooseVersion(event) {
      const items = this.versions.items.map((one) => ({ title: `Version ${one.number}`, note: `${plural(one.rows, "row")}`, icon: one.id === this.version.id ? "check" : "data", run: () => this.useVersion(one.id) }));
      openMenu(event.currentTarget, items, "Versions");
    },
    get ready() {
      return Boolean(this.version);
    },
    get failed() {
      return this.source?.status === "failed";
    },
    get processing() {
      return Boolean(this.job && isActive(this.job));
    },
    get statusTone() {
      return { ready: "is-success", failed: "is-danger" }[this.source?.status] ?? "is-accent";
    },
    get statusIcon() {
      return { ready: "#i-check", failed: "#i-error" }[this.source?.status] ?? "#i-jobs";
    },
    get statusWord() {
      return { ready: "Ready", failed: "Failed", processing: "Importing" }[this.source?.status] ?? this.source?.status;
    },
    get reason() {
      const error = this.source?.error ?? this.job?.error;
      return (typeof error === "string" ? error : error?.detail || error?.message || error?.title) || "The import stopped without saying why; its log may tell.";
    },
    get originText() {
      const origin = this.version?.origin;
      if (!origin) return "";
      const kinds = { recipe: `made in the Data Studio by ${plural(origin.steps?.length ?? 0, "step")}`, query: "made by a query", prediction: "predicted by a model", import: "imported from a connection" };
      return kinds[origin.kind] ?? (origin.filename ? "uploaded as" : "uploaded");
    },
    get filename() {
      return this.version?.origin?.kind === "upload" ? this.version.origin.filename : "";
    },
    get size() {
      return bytes(this.version?.bytes);
    },
    get fingerprint() {
      const whole = this.version?.fingerprint ?? "";
      return whole.length > 20 ? `${whole.slice(0, 8)}…${whole.slice(-6)}` : whole;
    },
    get missingCells() {
      return this.profile.data?.columns.reduce((sum, { missing }) => sum + (missing ?? 0), 0);
    },
    get missingShare() {
      const cells = (this.profile.data?.rows ?? 0) * (this.profile.data?.columns.length ?? 0);
      return this.missingCells ? percent(this.missingCells, cells) : "";
    },
    get period() {
      const time = this.profile.data?.columns.find(({ type, min }) => (type === "date" || type === "timestamp") && min);
      return time ? `${String(time.min).slice(0, 10)} to ${String(time.max).slice(0, 10)}` : "";
    },
    get columnsShown() {
      return this.profile.data ? this.profile.data.columns : (this.version?.columns ?? []).map((column) => ({ ...column, waiting: true }));
    },
    value(column, fact) {
      const value = column[fact];
      if (column.waiting) return "";
      if (value === null || value === undefined) return "";
      return typeof value === "number" ? number(value, 5) : cell(value, column.type, column.name);
    },
    drawHistogram(element, column) {
      element.replaceChildren(...(column.waiting ? [] : [histogram(column, { quiet: true })]));
    },
    missingTone(column) {
      return column.missing ? "t-warning strong" : "subtle";
    },
    get projectUrl() {
      return `/projects/${param("project") || this.source?.project_ids?.[0] || ""}`;
    },
    get trainUrl() {
      const project = param("project") || this.source?.project_ids?.[0];
      return `/projects/${project}/experiments/new?version=${this.version?.id}`;
    },
    async openStudio() {
      if (this.busy) return;
      this.busy = true;
      try {
        const { items } = await api.get(`/versions/${this.version.id}/sessions`);
        const session = items[0] ?? (await api.post(`/versions/${this.version.id}/sessions`, { project_id: this.source.project_ids?.[0] }));
        location.assign(`/studio/${session.id}`);
      } catch (error) {
        toastError(error, "The Studio did not open.");
        this.busy = false;
      }
    },
    async cancel() {
      try {
        await api.post(`/jobs/${this.job.id}/cancel`);
        this.job.cancel_requested = true;
      } catch (error) {
        toastError(error, "Not cancelled.");
      }
    },
    async remove() {
      const name = this.source.name;
      const yes = await ask({ title: `Delete “${name}”?`, text: "Its versions go with it. Runs and models made from it keep their results.", yes: "Delete", danger: true });
      if (!yes) return;
      try {
        await api.delete(`/sources/${this.id}`);
        location.assign(`/projects/${this.source.project_ids?.[0] ?? ""}`);
      } catch (error) {
        toastError(error, "Not deleted.");
      }
    },
    more(event) {
      openMenu(event.currentTarget, [
        { title: "Upload a new version", icon: "upload", run: () => this.$refs.next.click() },
        ...(this.version.origin?.filename ? [{ title: "Download the original", icon: "download", run: () => location.assign(`/api/v1/versions/${this.version.id}/original`) }] : []),
        { title: "Copy the fingerprint", icon: "copy", run: () => navigator.clipboard?.writeText(this.version.fingerprint).then(() => toast("Copied.", { tone: "success" })) },
        "-",
        { title: "Delete this data source", icon: "trash", danger: true, run: () => this.remove() },
      ]);
    },
    /** The next version, read like the one that is shown. */
    async uploadNext(event) {
      const [file] = event.target.files;
      event.target.value = "";
      if (!file) return;
      const form = new FormData();
      if (this.version.origin?.options) form.append("options", JSON.stringify(this.version.origin.options));
      form.append("file", file, file.name);
      this.sending = { name: file.name, percent: 0 };
      try {
        const { job } = await upload(`/sources/${this.id}/versions`, form, (loaded, total) => (this.sending.percent = total ? Math.round((100 * loaded) / total) : 0)).done;
        this.versionId = "";
        setParams({ version: "" });
        this.follow(job);
      } catch (error) {
        toastError(error, "No new version was made.");
      } finally {
        this.sending = null;
      }
    },
    get lineageShown() {
      const { nodes = [], edges = [] } = this.lineage.data ?? {};
      const icons = { file: "file", original: "file", version: "data", run: "flask", model: "cube", prediction: "activity" };
      const pages = { run: "/runs/", model: "/models/" };
      const children = (id) => edges.filter(([from]) => from === id).length;
      return nodes.map((node) => ({ ...node, icon: `#i-${icons[node.kind] ?? "file"}`, href: node.kind === "version" ? `/sources/${node.source_id ?? this.id}?version=${node.id}` : pages[node.kind] ? pages[node.kind] + node.id : null, here: node.id === this.version?.id, leads: children(node.id) }));
    },
    rowsOf(version) {
      return count(version.rows);
    },
    originOf(version) {
      const { kind, filename, steps } = version.origin ?? {};
      if (kind === "recipe") return `Studio, ${plural(steps?.length ?? 0, "step")}`;
      return { upload: filename ? `upload of ${filename}` : "upload", prediction: "prediction", query: "query", import: "import" }[kind] ?? kind;
    },
    stepsOf(version) {
      return (version.origin?.steps ?? []).map((step) => stepText(step.step ?? step));
    },
  });
}

/** A step in one line, for lineage. */
export function stepText(step) {
  switch (step.op) {
    case "filter": return `Filter: ${step.condition}`;
    case "fill_missing": return `Fill ${step.columns?.join(", ")} by ${step.method}${step.method === "constant" ? ` ${step.value}` : ""}`;
    case "derive": return `${step.column} = ${step.formula}`;
    case "drop_columns": return `Drop ${step.columns?.join(", ")}`;
    case "sort": return `Sort by ${step.by?.map(({ column, descending }) => column + (descending ? ", largest first" : "")).join("; ")}`;
    default: return step.op;
  }
}

export function register(Alpine) {
  Alpine.data("sourcePage", sourcePage);
}
