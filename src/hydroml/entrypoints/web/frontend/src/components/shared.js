// Pieces several pages use: the dialog that makes a project, copying, one job shown live.
import { api, asProblem, fieldErrors } from "../lib/api.js";
import { copy } from "../lib/dom.js";
import { mix } from "../lib/mix.js";
import { toast, toastError } from "../lib/ui.js";

/** A dialog with one form: `open()`, `submit()`, errors by field, nothing typed is lost when it is refused. */
export function formDialog({ fields, send, done }) {
  return {
    form: { ...fields },
    errors: {},
    problem: null,
    busy: false,
    show(values = {}) {
      this.form = { ...fields, ...values };
      this.errors = {};
      this.problem = null;
      this.$refs.dialog.showModal();
      this.$nextTick(() => this.$refs.dialog.querySelector("input, select, textarea")?.focus());
    },
    hide() {
      this.$refs.dialog.close();
    },
    async submit() {
      if (this.busy) return;
      this.busy = true;
      this.errors = {};
      this.problem = null;
      try {
        const answer = await send.call(this, this.form);
        this.hide();
        done?.call(this, answer);
      } catch (error) {
        this.problem = asProblem(error);
        this.errors = fieldErrors(this.problem);
        this.$nextTick(() => this.$refs.dialog.querySelector("[aria-invalid=true]")?.focus());
      } finally {
        this.busy = false;
      }
    },
    get summary() {
      if (!this.problem) return "";
      return this.problem.detail || this.problem.title;
    },
  };
}

function newProject() {
  return mix(
    formDialog({
      fields: { name: "", description: "" },
      send: (form) => api.post("/projects", { name: form.name.trim(), description: form.description.trim() }),
      done: (project) => location.assign(`/projects/${project.id}`),
    }),
    {
      get cannot() {
        return this.busy || !this.form.name.trim();
      },
      init() {
        addEventListener("hydroml:new-project", () => this.show());
      },
    },
  );
}

/** Offers the sample project. */
export function demo() {
  return {
    demoBusy: false,
    async makeDemo() {
      if (this.demoBusy) return;
      this.demoBusy = true;
      try {
        const { project } = await api.post("/demo");
        location.assign(`/projects/${project.id}`); // its imports show there, live
      } catch (error) {
        toastError(error, "The sample project was not made.");
        this.demoBusy = false;
      }
    },
    get demoLabel() {
      return this.demoBusy ? "Making the sample …" : "Load the sample project";
    },
  };
}

function copier() {
  return {
    async copy(text) {
      if (await copy(text)) toast("Copied.", { tone: "success" });
      else toast("The browser did not allow copying; select the text instead.", { tone: "warning" });
    },
  };
}

export function registerShared(Alpine) {
  Alpine.data("newProject", newProject);
  Alpine.data("copier", copier);
}
