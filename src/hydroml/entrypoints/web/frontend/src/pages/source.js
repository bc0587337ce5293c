import { onSourceChanged, renameSource, showProjectsOf } from "../components/source_dialogs.js";
import { tableView } from "../components/table.js";
import { api } from "../lib/api.js";
import { watchJob } from "../lib/events.js";
import { bytes, percent, plural } from "../lib/format.js";
import { isActive } from "../lib/jobs.js";
import { openMenu } from "../lib/menu.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { ask, command, enterProject, setCrumbs, setTitle, shortcut, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";
import { activityTab } from "./source/activity.js";
import { compareTab } from "./source/compare.js";
import { exportTab } from "./source/export.js";
import { lineageTab } from "./source/lineage.js";
import { missingTab } from "./source/missing.js";
import { profileTab } from "./source/profile.js";
import { qualityTab } from "./source/quality.js";
import { ruleDialog, rulesTab } from "./source/rules.js";
import { originText, rejectedDialog, versionsTab } from "./source/versions.js";

const TITLES = { profile: "Profile", rows: "Rows", chart: "Chart", quality: "Quality", missing: "Missing values", rules: "Rules", versions: "Versions", lineage: "Lineage", activity: "Activity", export: "Export" };
const TABS = Object.keys(TITLES);

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
    profile: resource(() => null, { empty: () => false }),
    profileSearch: "",
    profileFrom: 0,
    init() {
      this.id = this.$root.dataset.id;
      this.head = resource(() => this.fetchSource(), { empty: () => false });
      this.versions = resource(() => api.get(`/sources/${this.id}/versions`, { limit: 200 }));
      this.profile = resource(() => this.fetchProfile(), { empty: () => false });
      this.head.load();
      this.$watch("tab", () => this.showTab());
      onSourceChanged((source) => source.id === this.id && (this.source = { ...this.source, name: source.name, project_ids: source.project_ids }));
      addEventListener("popstate", () => (this.tab = param("tab", "profile")));
      addEventListener("hydroml:project-known", ({ detail: { id, name } }) => setCrumbs([{ label: "Projects", href: "/projects" }, { label: name, href: `/projects/${id}/data` }]));
      command("Open in Studio", "studio", () => this.openStudio(), { when: () => this.ready });
      command("Train a model on this", "flask", () => location.assign(this.trainUrl), { when: () => this.ready });
      shortcut("/", "Filter the rows", () => this.go("rows", () => this.$refs.filter?.focus()));
    },
    async fetchSource() {
      const source = await api.get(`/sources/${this.id}`);
      this.source = source;
      setTitle(source.name);
      const project = param("project") || source.project_ids?.[0];
      enterProject(project);
      if (source.job) this.follow(source.job);
      if (source.current_version) await this.useVersion(param("version") || source.current_version.id);
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
      this.profile.load();
      this.versions.load({ quiet: true });
      this.closeTable();
      this.grid = null;
      this.showTab();
    },
    go(tab, then) {
      this.tab = tab;
      setParams({ tab: tab === "profile" ? "" : tab }, { push: true });
      if (then) this.$nextTick(then);
    },
    /** The columns of one part of a wide table; of a large one a sample, until its analysis has ended. */
    async fetchProfile() {
      const found = await api.get(`/versions/${this.version.id}/profile`, { search: this.profileSearch || undefined, offset: this.profileFrom || undefined });
      if (found.job && isActive(found.job) && this.analysis !== found.job.id) {
        this.analysis = found.job.id;
        const stop = watchJob(found.job, (now) => {
          if (isActive(now)) return;
          stop?.();
          if (now.state === "succeeded") this.profile.load({ quiet: true });
        });
      }
      return found;
    },
    showRows(filter) {
      this.filterDraft = filter;
      this.applyFilter();
      this.go("rows");
    },
    showRejected(version) {
      dispatchEvent(new CustomEvent("hydroml:rejected-rows", { detail: { ...version } }));
    },
    get tabs() {
      return TABS.map((name) => ({ name, title: TITLES[name], href: name === "profile" ? "?" : `?tab=${name}`, here: name === this.tab ? "page" : null, amount: name === "versions" ? this.versions.items.length || "" : "" }));
    },
    showTab() {
      if (this.tab !== "rows" || !this.version || this.opened) return;
      this.$nextTick(async () => {
        if (!this.$refs.grid) return;
        this.attachFilter({ columns: () => this.version.columns, check: (body, options) => api.post(`/versions/${this.version.id}/formulas/check`, body, options) });
        this.grid = await this.openTable(this.$refs.grid, { schema: this.version.columns, rows: (query) => api.get(`/versions/${this.version.id}/rows`, query) });
        const row = Number(param("row"));
        if (row > 0) this.grid.goTo(row - 1);
        this.refreshProfile();
      });
    },
    viewsSource() {
      return this.id;
    },
    tableAddress() {
      return { path: `/versions/${this.version.id}`, query: {} };
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
    get originLine() {
      return originText(this.version?.origin, this.versions.items);
    },
    get rejectedLine() {
      const rejected = this.version?.origin?.rejected;
      return rejected ? `${plural(rejected, "row")} could not be read` : "";
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
    get projectUrl() {
      return `/projects/${param("project") || this.source?.project_ids?.[0] || ""}`;
    },
    importUrl(rest) {
      return `/projects/${this.source.project_ids?.[0]}/import?source=${this.id}${rest}`;
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
      const yes = await ask({ title: `Delete “${name}”?`, text: "It goes to the trash of its project, with its versions. Runs and models made from it keep their results.", yes: "Delete", danger: true });
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
        { title: "Upload a new version", icon: "upload", run: () => location.assign(this.importUrl("")) },
        { title: "Append rows", icon: "plus", run: () => location.assign(this.importUrl("&append=1")) },
        { title: "Rename", icon: "edit", run: () => renameSource(this.source) },
        { title: "Projects it is in", icon: "folder", run: () => showProjectsOf(this.source) },
        ...(this.version.origin?.filename ? [{ title: "Download the original", icon: "download", run: () => location.assign(`/api/v1/versions/${this.version.id}/original`) }] : []),
        { title: "Copy the fingerprint", icon: "copy", run: () => navigator.clipboard?.writeText(this.version.fingerprint).then(() => toast("Copied.", { tone: "success" })) },
        "-",
        { title: "Delete this data source", icon: "trash", danger: true, run: () => this.remove() },
      ]);
    },
  });
}

export function register(Alpine) {
  Alpine.data("sourcePage", sourcePage);
  for (const [name, make] of Object.entries({ profileTab, qualityTab, missingTab, rulesTab, ruleDialog, versionsTab, compareTab, lineageTab, activityTab, exportTab, rejectedDialog })) Alpine.data(name, make);
}
