import { uploader } from "../components/uploader.js";
import { api } from "../lib/api.js";
import { onJob } from "../lib/events.js";
import { bytes, count } from "../lib/format.js";
import { errorText, isActive } from "../lib/jobs.js";
import { openMenu } from "../lib/menu.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { ask, command, setTitle, shortcut, toast, toastError } from "../lib/ui.js";

function projectPage() {
  let id = "";
  return mix(uploader(() => id), {
    project: resource(() => api.get(`/projects/${id}`), { empty: () => false }),
    sources: resource(() => api.get(`/projects/${id}/sources`, { limit: 200, sort: "-updated_at" })),
    editing: false,
    draft: { name: "", description: "" },
    init() {
      id = this.$root.dataset.id;
      this.project.load().then((project) => project && setTitle(project.name));
      this.sources.load();
      onJob((job) => this.jobMoved(job));
      command("Upload a file", "upload", () => this.choose());
      shortcut("u", "Upload a file", () => this.choose());
      addEventListener("dragover", (event) => event.preventDefault()); // a file dropped beside the zone must not replace the page
      addEventListener("drop", (event) => event.preventDefault());
    },
    jobMoved(job) {
      if (job.subject?.kind !== "source") return;
      const source = this.sources.items.find((one) => one.id === job.subject.id);
      if (!source) return;
      source.job = job;
      if (!isActive(job)) this.refresh();
    },
    refresh() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.sources.load({ quiet: true }), 300);
    },
    uploaded(source, job) {
      source.job ??= job;
      if (this.sources.data) {
        this.sources.data.items.unshift(source);
        this.sources.state = "done";
      }
      toast(`${source.name} is being imported.`, { tone: "success", title: "Uploaded.", href: `/sources/${source.id}`, link: "Watch it" });
      this.refresh();
    },
    get canEdit() {
      return this.project.data?.role !== "viewer";
    },
    isBusy(source) {
      return source.status === "processing" || Boolean(source.job && isActive(source.job));
    },
    toneOf(source) {
      return this.isBusy(source) ? "t-accent" : source.status === "failed" ? "t-danger" : "t-success";
    },
    iconOf(source) {
      return this.isBusy(source) ? "#i-play" : source.status === "failed" ? "#i-error" : "#i-check";
    },
    wordOf(source) {
      return this.isBusy(source) ? "Importing" : source.status === "failed" ? "Failed" : "Ready";
    },
    errorOf(source) {
      return typeof source.error === "string" ? source.error : source.error?.detail || source.error?.message || (source.job ? errorText(source.job) : "");
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
      openMenu(event.currentTarget, [
        ...(version ? [
          { title: "Train a model", icon: "flask", run: () => location.assign(`/projects/${id}/experiments/new?version=${version.id}`) },
          { title: "Open in Studio", icon: "studio", run: () => this.openStudio(version) },
          "-",
        ] : []),
        ...(source.status === "failed" ? [{ title: "Upload it again", icon: "upload", run: () => this.choose() }] : []),
        { title: "Delete", icon: "trash", danger: true, run: () => this.remove(source) },
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
    async remove(source) {
      const yes = await ask({ title: `Delete “${source.name}”?`, text: "Its versions go with it. Runs and models made from it keep their results.", yes: "Delete", danger: true });
      if (!yes) return;
      try {
        await api.delete(`/sources/${source.id}`);
        this.sources.load({ quiet: true });
        toast(`${source.name} was deleted.`);
      } catch (error) {
        toastError(error, "Not deleted.");
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
