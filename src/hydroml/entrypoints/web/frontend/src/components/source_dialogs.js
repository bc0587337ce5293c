// Two dialogs about a data source that several pages open: its name, and the projects it is in.
import { api, asProblem } from "../lib/api.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { toast, toastError } from "../lib/ui.js";
import { formDialog } from "./shared.js";

const emit = (name, source) => dispatchEvent(new CustomEvent(name, { detail: source }));
export const renameSource = (source) => emit("hydroml:rename-source", source);
export const showProjectsOf = (source) => emit("hydroml:projects-of-source", source);
/** Calls back with a source that was renamed, or is in other projects now. */
export const onSourceChanged = (listener) => addEventListener("hydroml:source-changed", ({ detail }) => listener(detail));

function renameDialog() {
  let source = null;
  return mix(
    formDialog({
      fields: { name: "" },
      send: (form) => api.patch(`/sources/${source.id}`, { name: form.name.trim() }),
      done: (changed) => {
        emit("hydroml:source-changed", changed);
        toast(`It is called “${changed.name}” now.`, { tone: "success" });
      },
    }),
    {
      init() {
        addEventListener("hydroml:rename-source", ({ detail }) => {
          source = detail;
          this.show({ name: source.name });
        });
      },
      get cannot() {
        return this.busy || !this.form.name.trim();
      },
    },
  );
}

function projectsDialog() {
  return {
    source: null,
    chosen: "",
    busy: false,
    mine: resource(() => api.get("/projects", { limit: 500, sort: "name" }), { empty: () => false }),
    init() {
      addEventListener("hydroml:projects-of-source", ({ detail }) => {
        this.source = { ...detail };
        this.chosen = "";
        this.mine.load();
        this.$refs.dialog.showModal();
      });
    },
    get name() {
      return this.source?.name ?? "";
    },
    get inside() {
      const known = new Map(this.mine.items.map((project) => [project.id, project]));
      return (this.source?.project_ids ?? []).map((id) => ({ id, name: known.get(id)?.name ?? "a project of others", href: known.has(id) ? `/projects/${id}` : null, why: this.whyNot(known.get(id)) }));
    },
    whyNot(project) {
      if (this.source.project_ids.length === 1) return "It is in no other project: move it to the trash instead";
      if (!project) return "You are no member of this project";
      return project.role === "viewer" ? "You are a viewer there" : "";
    },
    get offered() {
      return this.mine.items.filter((project) => project.role !== "viewer" && !this.source?.project_ids.includes(project.id));
    },
    get noneOffered() {
      return this.mine.state === "done" && !this.offered.length;
    },
    add() {
      return this.change("put", this.chosen, [...this.source.project_ids, this.chosen], "Not added.");
    },
    take(project) {
      return this.change("delete", project.id, this.source.project_ids.filter((id) => id !== project.id), "Not taken out.");
    },
    async change(how, project, ids, failed) {
      if (this.busy || !project) return;
      this.busy = true;
      try {
        await api[how](`/sources/${this.source.id}/projects/${project}`);
        this.source.project_ids = ids;
        this.chosen = "";
        emit("hydroml:source-changed", { ...this.source });
        dispatchEvent(new CustomEvent("hydroml:project-changed"));
      } catch (error) {
        toastError(asProblem(error), failed);
      } finally {
        this.busy = false;
      }
    },
    hide() {
      this.$refs.dialog.close();
    },
  };
}

export function registerSourceDialogs(Alpine) {
  Alpine.data("renameDialog", renameDialog);
  Alpine.data("projectsDialog", projectsDialog);
}
