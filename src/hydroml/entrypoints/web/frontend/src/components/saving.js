// A session's table as a version: saved in the background, kept up to date, and trained on.
import { api } from "../lib/api.js";
import { plural } from "../lib/format.js";
import { mix } from "../lib/mix.js";
import { ask, toast, toastError } from "../lib/ui.js";
import { followSave, target } from "./target.js";

export function saving() {
  return mix(target(), {
    saveJob: null,
    get targetBase() {
      return this.session?.source ?? null;
    },
    openSave() {
      if (!this.editable) return;
      this.saveAs = "version";
      this.prepareTarget(this.session.project_id, this.session.name || `${this.session.source.name}, cleaned`);
      this.$refs.save.showModal();
    },
    closeSave() {
      this.$refs.save.close();
    },
    /** What the new version tells of itself. */
    get savedSteps() {
      return this.steps.filter(({ applied, status }) => applied && status === "ok").map((entry, at) => ({ key: entry.id, text: `${at + 1}. ${this.titleOf(entry)}: ${entry.summary}` }));
    },
    get leftOut() {
      const left = this.steps.filter(({ applied, status }) => applied && status !== "ok").length;
      return left ? `${plural(left, "step")} ${left === 1 ? "is" : "are"} off or cannot run, and left out.` : "";
    },
    async save() {
      this.saveProblem = this.targetLack;
      if (this.saveProblem || this.saveBusy) return;
      this.saveBusy = true;
      try {
        const accepted = await this.sendSave(this.targetBody);
        this.closeSave();
        toast("It appears in the project's data when it is done.", { title: "Saving in the background.", href: `/jobs/${accepted.job.id}`, link: "Follow it", topic: accepted.job.id });
        followSave(accepted, { moved: (job) => (this.saveJob = job) });
      } catch (error) {
        this.targetRefused(error);
      } finally {
        this.saveBusy = false;
      }
    },
    async sendSave(body) {
      const accepted = await api.post(`/sessions/${this.id}/save`, body);
      this.saveJob = accepted.job;
      return accepted;
    },
    async train() {
      if (!this.session) return;
      const page = `/projects/${this.session.project_id}/experiments/new?version=`;
      const changed = this.steps.filter(({ applied, enabled }) => applied && enabled).length;
      if (!changed) {
        location.assign(page + this.session.version_id);
        return;
      }
      if (!(await ask({ title: "Save, then train?", text: `A model learns from a saved version. This saves ${plural(changed, "step")} as a new version of ${this.session.source.name}, with its lineage, and opens the experiment on it.`, yes: "Save and train" }))) return;
      try {
        const accepted = await this.sendSave({});
        toast("Saving first; training opens when it is done.", { title: "Saving in the background.", href: `/jobs/${accepted.job.id}`, link: "Follow it", topic: accepted.job.id });
        followSave(accepted, { moved: (job) => (this.saveJob = job), done: async ({ id }) => location.assign(page + (await api.get(`/sources/${id}`)).current_version.id) });
      } catch (error) {
        toastError(error, "Not saved.");
      }
    },
  });
}
