import { renameSource, onSourceChanged, showProjectsOf } from "../components/source_dialogs.js";
import { uploader } from "../components/uploader.js";
import { api } from "../lib/api.js";
import { debounced } from "../lib/dom.js";
import { followJobs, onJob } from "../lib/events.js";
import { bytes, count } from "../lib/format.js";
import { errorText, isActive } from "../lib/jobs.js";
import { openMenu } from "../lib/menu.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { ask, command, setTitle, shortcut, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

const PART = 50;
const NEWEST = "-updated_at";
const KINDS = {
  upload: { icon: "#i-file", label: "Uploaded" }, import: { icon: "#i-data", label: "Imported" }, query: { icon: "#i-sql", label: "By a query" },
  recipe: { icon: "#i-studio", label: "Made in the Studio" }, prediction: { icon: "#i-cube", label: "Predictions" }, rollback: { icon: "#i-undo", label: "Rolled back" },
};

function projectPage() {
  let id = "";
  return mix(uploader((ids) => location.assign(`/projects/${id}/import?uploads=${ids.join(",")}`)), {
    project: resource(() => api.get(`/projects/${id}`), { empty: () => false }),
    sources: resource(() => null), // its real fetcher needs this component
    search: param("search"),
    sort: param("sort", NEWEST),
    more: { busy: false },
    editing: false,
    draft: { name: "", description: "" },
    init() {
      id = this.$root.dataset.id;
      this.sources = resource(() => this.part());
      this.sources.load();
      this.project.load().then((project) => project && setTitle(project.name));
      this.startUploader();
      onJob((job) => this.jobMoved(job));
      onSourceChanged((source) => this.changed(source));
      this.searched = debounced(() => this.show(), 250);
      command("Upload files", "upload", () => this.choose());
      command("Open the trash", "trash", () => location.assign(this.trashUrl));
      shortcut("u", "Upload files", () => this.choose());
      shortcut("/", "Search the data sources", () => this.$refs.search?.focus());
    },
    async part(cursor) {
      const page = await api.get(`/projects/${id}/sources`, { limit: PART, sort: this.sort, search: this.search.trim(), cursor });
      followJobs(page.items.map(({ job }) => job));
      return page;
    },
    show() {
      setParams({ search: this.search.trim(), sort: this.sort === NEWEST ? "" : this.sort });
      return this.sources.load({ quiet: this.sources.state !== "error" });
    },
    clearSearch() {
      this.search = "";
      this.show();
      this.$refs.search?.focus();
    },
    sortBy(name) {
      this.sort = this.sort === name ? `-${name}` : this.sort === `-${name}` ? name : name === "name" ? name : `-${name}`;
      this.show();
    },
    sortedBy(name) {
      return this.sort === name ? "ascending" : this.sort === `-${name}` ? "descending" : null;
    },
    sortIcon(name) {
      return this.sort === name ? "#i-up" : this.sort === `-${name}` ? "#i-down" : "#i-sort";
    },
    async loadMore() {
      if (this.more.busy) return;
      this.more.busy = true;
      try {
        const { items, next_cursor: cursor } = await this.part(this.sources.data.next_cursor);
        const known = new Set(this.sources.items.map((source) => source.id));
        this.sources.data.items.push(...items.filter((source) => !known.has(source.id)));
        this.sources.data.next_cursor = cursor;
      } catch (error) {
        toastError(error, "No more could be fetched.");
      } finally {
        this.more.busy = false;
      }
    },
    get hasMore() {
      return Boolean(this.sources.data?.next_cursor);
    },
    get shownText() {
      const { data } = this.sources;
      if (!data) return "";
      return data.items.length < data.total ? `${count(data.items.length)} of ${count(data.total)}` : count(data.total);
    },
    get isBare() {
      return this.sources.state === "empty" && !this.search.trim();
    },
    get isUnfound() {
      return this.sources.state === "empty" && Boolean(this.search.trim());
    },
    jobMoved(job) {
      if (job.subject?.kind !== "source") return;
      const source = this.sources.items.find((one) => one.id === job.subject.id);
      if (source) source.job = job;
      if (!isActive(job)) this.refresh(job.subject.id);
    },
    /** Only what moved is fetched again: a list of ten thousand stays where it is. */
    async refresh(moved) {
      if (!this.sources.items.some((source) => source.id === moved)) return;
      try {
        this.changed(await api.get(`/sources/${moved}`));
      } catch (error) {
        if (error.status === 404) this.dropRow(moved);
      }
    },
    changed(source) {
      const at = this.sources.items.findIndex((one) => one.id === source.id);
      if (at < 0) return;
      if (source.project_ids && !source.project_ids.includes(id)) this.dropRow(source.id);
      else this.sources.data.items[at] = source;
    },
    dropRow(gone) {
      const { data } = this.sources;
      if (!data) return;
      data.items = data.items.filter((source) => source.id !== gone);
      data.total = Math.max(0, data.total - 1);
      if (!data.items.length) this.sources.load({ quiet: true });
      dispatchEvent(new CustomEvent("hydroml:project-changed"));
    },
    get canEdit() {
      return this.project.data?.role !== "viewer";
    },
    get trashUrl() {
      return `/projects/${id}/trash`;
    },
    isBusy(source) {
      return source.status === "processing" || Boolean(source.job && isActive(source.job));
    },
    toneOf(source) {
      return this.isBusy(source) ? "t-accent" : source.status === "failed" ? "t-danger" : source.error ? "t-warning" : "t-success";
    },
    iconOf(source) {
      return this.isBusy(source) ? "#i-play" : source.status === "failed" ? "#i-error" : source.error ? "#i-warn" : "#i-check";
    },
    wordOf(source) {
      return this.isBusy(source) ? "Importing" : source.status === "failed" ? "Failed" : source.error ? "Last import failed" : "Ready";
    },
    errorOf(source) {
      return typeof source.error === "string" ? source.error : source.error?.detail || source.error?.message || (source.job ? errorText(source.job) : "");
    },
    hasError(source) {
      return !this.isBusy(source) && Boolean(source.error);
    },
    kindOf(source) {
      return KINDS[source.current_version?.origin?.kind] ?? { icon: "#i-data", label: "Data source" };
    },
    shapeOf(source) {
      const version = source.current_version;
      return version ? `${count(version.rows)} × ${count(version.columns.length)}` : "";
    },
    sizeOf(source) {
      return bytes(source.current_version?.bytes);
    },
    sourceMenu(source, event) {
      const version = source.current_version;
      const more = `/projects/${id}/import?source=${source.id}`;
      const may = this.canEdit;
      openMenu(event.currentTarget, [
        { title: "Open", icon: "right", run: () => location.assign(`/sources/${source.id}`) },
        ...(version ? [
          { title: "Open in Studio", icon: "studio", run: () => this.openStudio(version) },
          { title: "Train a model", icon: "flask", run: () => location.assign(`/projects/${id}/experiments/new?version=${version.id}`) },
          { title: "Export", icon: "download", run: () => location.assign(`/sources/${source.id}?tab=export`) },
        ] : []),
        ...(may ? [
          "-",
          { title: version ? "Upload a new version" : "Upload it again", icon: "upload", run: () => location.assign(more) },
          ...(version ? [{ title: "Append rows", icon: "plus", run: () => location.assign(`${more}&append=1`) }] : []),
          { title: "Rename", icon: "edit", run: () => renameSource(source) },
          { title: "In projects …", icon: "folder", run: () => showProjectsOf(source) },
          "-",
          { title: "Move to the trash", icon: "trash", danger: true, run: () => this.trash(source) },
        ] : []),
      ], `Menu of ${source.name}`);
    },
    async openStudio(version) {
      try {
        const { items } = await api.get(`/versions/${version.id}/sessions`);
        const session = items[0] ?? (await api.post(`/versions/${version.id}/sessions`, { project_id: id }));
        location.assign(`/studio/${session.id}`);
      } catch (error) {
        toastError(error, "The Studio did not open.");
      }
    },
    async trash(source) {
      try {
        await api.delete(`/sources/${source.id}`);
        this.dropRow(source.id);
        toast("is in the trash.", { title: source.name, action: "Undo", run: () => this.restore(source) });
      } catch (error) {
        toastError(error, "Not moved to the trash.");
      }
    },
    async restore(source) {
      try {
        await api.post(`/sources/${source.id}/restore`);
        this.sources.load({ quiet: true });
        dispatchEvent(new CustomEvent("hydroml:project-changed"));
      } catch (error) {
        toastError(error, "Not restored.");
      }
    },
    edit() {
      this.draft = { name: this.project.data.name, description: this.project.data.description ?? "" };
      this.$refs.edit.showModal();
    },
    async saveProject() {
      try {
        await api.patch(`/projects/${id}`, { name: this.draft.name.trim(), description: this.draft.description.trim() });
        this.$refs.edit.close();
        this.project.load({ quiet: true });
      } catch (error) {
        toastError(error, "Not saved.");
      }
    },
    projectMenu(event) {
      openMenu(event.currentTarget, [
        { title: "Rename or describe", icon: "edit", run: () => this.edit() },
        "-",
        { title: "Delete the project", icon: "trash", danger: true, run: () => this.removeProject() },
      ], "Project");
    },
    async removeProject() {
      const yes = await ask({ title: `Delete the project “${this.project.data.name}”?`, text: "Its experiments, runs and models go with it. Data sources that other projects use stay.", yes: "Delete", danger: true });
      if (!yes) return;
      try {
        await api.delete(`/projects/${id}`);
        location.assign("/projects");
      } catch (error) {
        toastError(error, "Not deleted.");
      }
    },
  });
}

export function register(Alpine) {
  Alpine.data("projectPage", projectPage);
}
