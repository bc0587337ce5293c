// A session's table as a version: saved in the background, and trained on.
import { api } from "../lib/api.js";
import { watchJob } from "../lib/events.js";
import { plural } from "../lib/format.js";
import { isActive } from "../lib/jobs.js";
import { ask, toast, toastError } from "../lib/ui.js";

export function saving() {
  return {
    saveAs: "version",
    saveName: "",
    saveProblem: "",
    saveJob: null,
    openSave() {
      this.saveName = `${this.session.source?.name ?? "Table"}, cleaned`;
      this.saveProblem = "";
      this.$refs.save.showModal();
    },
    async save({ thenTrain = false } = {}) {
      if (this.saveAs === "source" && !this.saveName.trim()) {
        this.saveProblem = "A name is needed.";
        return;
      }
      try {
        const body = this.saveAs === "source" ? { name: this.saveName.trim() } : {};
        const { job, source } = await api.post(`/sessions/${this.id}/save`, body);
        this.$refs.save.close();
        this.saveJob = job;
        toast(thenTrain ? "Saving first; training opens when it is done." : "It appears in the project's data when it is done.", { title: "Saving in the background.", href: `/jobs/${job.id}`, link: "Follow it" });
        const stop = watchJob(job, async (now) => {
          this.saveJob = now;
          if (isActive(now)) return;
          stop();
          if (now.state !== "succeeded") return;
          if (thenTrain) {
            const { current_version: version } = await api.get(`/sources/${source.id}`);
            location.assign(`/projects/${this.session.project_id}/experiments/new?version=${version.id}`);
          } else toast(`${source.name} has a new version.`, { tone: "success", title: "Saved.", href: `/sources/${source.id}` });
        });
      } catch (error) {
        this.saveProblem = error.errors?.[0]?.msg || error.detail || error.title || String(error);
        if (!this.$refs.save.open) toastError(error, "Not saved.");
      }
    },
    async train() {
      if (!this.session) return;
      const changed = this.steps.some(({ applied, enabled }) => applied && enabled);
      if (!changed) {
        location.assign(`/projects/${this.session.project_id}/experiments/new?version=${this.session.version_id}`);
        return;
      }
      const yes = await ask({ title: "Save, then train?", text: `A model learns from a saved version. This saves ${plural(this.steps.filter(({ applied, enabled }) => applied && enabled).length, "step")} as a new version of ${this.session.source?.name}, with its lineage, and opens the experiment on it.`, yes: "Save and train" });
      if (!yes) return;
      this.saveAs = "version";
      this.save({ thenTrain: true });
    },
  };
}
