// Where a table is to go: the next version of its source, a new one, or another of the project; and whether it is made
// anew. Save as and the recipes ask it the same way.
import { api, asProblem, fieldErrors } from "../lib/api.js";
import { watchJob } from "../lib/events.js";
import { isActive } from "../lib/jobs.js";
import { toast } from "../lib/ui.js";

/** Whoever takes it tells as `targetBase` the data source that the table is made from: {id, name}. */
export function target() {
  return {
    saveAs: "version",
    saveName: "",
    saveInto: "",
    saveFollow: false,
    saveProblem: "",
    saveBusy: false,
    others: [],
    async prepareTarget(project, name) {
      this.saveName = name;
      this.saveInto = "";
      this.saveFollow = false;
      this.saveProblem = "";
      this.saveBusy = false;
      try {
        const { items } = await api.get(`/projects/${project}/sources`, { limit: 500, sort: "name" });
        this.others = items.filter(({ current_version: version }) => version);
      } catch {
        this.others = []; // the two other choices are there
      }
    },
    /** Those that the table could become the next version of, beside its own. */
    get intoChoices() {
      return this.others.filter(({ id }) => id !== this.targetBase?.id);
    },
    get baseName() {
      return this.targetBase?.name ?? "";
    },
    get canFollow() {
      return this.saveAs === "source" || this.saveAs === "other";
    },
    get targetLack() {
      if (this.saveAs === "source" && !this.saveName.trim()) return "A name is needed.";
      return this.saveAs === "other" && !this.saveInto ? "Choose the data source." : "";
    },
    get targetBody() {
      const body = this.canFollow && this.saveFollow ? { follow: true } : {};
      if (this.saveAs === "source") return { ...body, name: this.saveName.trim() };
      return this.saveAs === "other" ? { ...body, source_id: this.saveInto } : body;
    },
    targetRefused(error) {
      const problem = asProblem(error);
      this.saveProblem = Object.values(fieldErrors(problem))[0] || problem.detail || problem.title;
    },
  };
}

/** Tells how a save comes to its end; `moved` hears of the job, `done` of the source when it has succeeded. */
export function followSave({ job, source }, { moved = () => {}, done = null } = {}) {
  const stop = watchJob(job, (now) => {
    moved(now);
    if (isActive(now)) return;
    stop();
    if (now.state !== "succeeded") return;
    if (done) done(source);
    else toast(`${source.name} has a new version.`, { tone: "success", title: "Saved.", href: `/sources/${source.id}`, topic: job.id });
  });
}
