import { demo } from "../components/shared.js";
import { api } from "../lib/api.js";
import { followJobs, onJob } from "../lib/events.js";
import { date, metric, zone } from "../lib/format.js";
import { isActive } from "../lib/jobs.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { command } from "../lib/ui.js";
import { headline } from "../lib/verdict.js";

function dashboard() {
  return mix(demo(), {
    projects: resource(() => api.get("/projects", { limit: 8 })),
    jobs: resource(() => api.get("/jobs", { limit: 20 })),
    runs: resource(() => api.get("/runs", { limit: 7 })),
    today: `${date(Date.now())}, ${zone()}`,
    init() {
      this.projects.load();
      this.runs.load();
      this.jobs.load().then(() => followJobs(this.jobs.items));
      onJob((job) => {
        const items = this.jobs.items;
        const index = items.findIndex(({ id }) => id === job.id);
        if (index >= 0) items[index] = job;
        else if (this.jobs.data) items.unshift(job);
        if (this.jobs.state === "empty" && items.length) this.jobs.state = "done";
        if (!isActive(job)) this.later();
      });
      command("New project", "plus", () => this.newProject());
      command("Load the sample project", "gallery", () => this.makeDemo());
    },
    later() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.projects.load({ quiet: true });
        this.runs.load({ quiet: true });
      }, 800);
    },
    projectOf(run) {
      return this.projects.items.find(({ id }) => id === run.project_id)?.name ?? "";
    },
    newProject() {
      dispatchEvent(new CustomEvent("hydroml:new-project"));
    },
    get active() {
      return this.jobs.items.filter(isActive);
    },
    get failed() {
      return this.jobs.items.filter(({ state }) => state === "failed").slice(0, 4);
    },
    get isNew() {
      return this.projects.state === "empty";
    },
    score(run) {
      const best = headline(run);
      return best ? `${best.title} ${metric(best.value)}` : "";
    },
    against(run) {
      const best = headline(run);
      return best?.baseline ? `${best.baseline.name} ${metric(best.baseline.value)}` : "";
    },
    better(run) {
      const best = headline(run);
      return best?.baseline ? (best.beats ? "t-success" : "t-warning") : "subtle";
    },
  });
}

export function register(Alpine) {
  Alpine.data("dashboard", dashboard);
}
