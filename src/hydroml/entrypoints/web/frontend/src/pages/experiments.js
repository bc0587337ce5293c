import { api } from "../lib/api.js";
import { onJob } from "../lib/events.js";
import { metric } from "../lib/format.js";
import { isActive } from "../lib/jobs.js";
import { mix } from "../lib/mix.js";
import { openMenu } from "../lib/menu.js";
import { resource } from "../lib/resource.js";
import { ask, command, shortcut, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";
import { about, headline } from "../lib/verdict.js";

const STATES = [["", "All"], ["running", "At work"], ["succeeded", "Succeeded"], ["failed", "Failed"]];

function experimentsPage() {
  let project = "";
  return mix({
    id: "",
    tab: param("tab", "runs"),
    state: param("state"),
    sortBy: param("sort", "-created_at"),
    experiments: resource(() => api.get(`/projects/${project}/experiments`, { limit: 200 })),
    runs: resource(() => api.get(`/projects/${project}/runs`, { limit: 200 })),
    jobs: {},
    init() {
      this.id = project = this.$root.dataset.project;
      this.experiments.load();
      this.runs.load();
      onJob((job) => {
        if (job.subject?.kind !== "run" || !this.runs.items.some(({ id }) => id === job.subject.id)) {
          if (job.subject?.kind === "run") this.refresh();
          return;
        }
        this.jobs[job.subject.id] = job;
        if (!isActive(job)) this.refresh();
      });
      command("New experiment", "plus", () => location.assign(this.newUrl));
      shortcut("n", "New experiment", () => location.assign(this.newUrl));
    },
    refresh() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.runs.load({ quiet: true }), 500);
    },
    get newUrl() {
      return `/projects/${project}/experiments/new`;
    },
    go(tab) {
      this.tab = tab;
      setParams({ tab: tab === "runs" ? "" : tab }, { push: true });
    },
    get states() {
      return STATES.map(([value, title]) => ({ value, title, n: this.runs.items.filter((run) => this.fits(run, value)).length }));
    },
    fits({ status }, wanted) {
      return !wanted || (wanted === "running" ? status === "running" || status === "queued" : wanted === "failed" ? status === "failed" || status === "cancelled" : status === wanted);
    },
    choose(state) {
      this.state = state;
      setParams({ state });
    },
    get shown() {
      const key = this.sortBy.replace(/^-/, "");
      const way = this.sortBy.startsWith("-") ? -1 : 1;
      const value = (run) => {
        if (key !== "score") return run[key] ?? "";
        const best = headline(run);
        return best ? (about(best.name).better === "lower" ? -best.value : best.value) : -Infinity;
      };
      return this.runs.items.filter((run) => this.fits(run, this.state)).sort((a, b) => (value(a) < value(b) ? -way : value(a) > value(b) ? way : 0));
    },
    sort(key) {
      this.sortBy = this.sortBy === `-${key}` ? key : `-${key}`;
      setParams({ sort: this.sortBy === "-created_at" ? "" : this.sortBy });
    },
    sortIcon(key) {
      return this.sortBy === key ? "#i-up" : this.sortBy === `-${key}` ? "#i-down" : "";
    },
    ariaSort(key) {
      return this.sortBy === key ? "ascending" : this.sortBy === `-${key}` ? "descending" : "none";
    },
    score(run) {
      const best = headline(run);
      return best ? `${best.title} ${metric(best.value)}` : "";
    },
    against(run) {
      const best = headline(run);
      return best?.baseline ? `${best.baseline.name} ${metric(best.baseline.value)}` : "";
    },
    tone(run) {
      const best = headline(run);
      return best?.baseline ? (best.beats ? "t-success" : "t-warning") : "";
    },
    mark(run) {
      const best = headline(run);
      return best?.baseline ? (best.beats ? "#i-check" : "#i-warn") : "";
    },
    jobOf(run) {
      return this.jobs[run.id] ?? null;
    },
    progress(run) {
      const job = this.jobOf(run);
      return job ? Math.round(100 * (job.progress ?? 0)) : 0;
    },
    isLive({ status }) {
      return status === "running" || status === "queued";
    },
    errorOf(run) {
      return typeof run.error === "string" ? run.error : run.error?.detail || run.error?.message || "";
    },
    specLine(experiment) {
      const { algorithm, target, split } = experiment.specification ?? {};
      return [target && `target ${target}`, algorithm?.name?.replaceAll("_", " "), split?.kind].filter(Boolean).join(" · ");
    },
    async runAgain(experiment) {
      try {
        const { run } = await api.post(`/experiments/${experiment.id}/runs`);
        location.assign(`/runs/${run.id}`);
      } catch (error) {
        toastError(error, "The run did not start.");
      }
    },
    experimentMenu(experiment, event) {
      openMenu(event.currentTarget, [
        { title: "Another like this", icon: "flask", run: () => location.assign(`${this.newUrl}?from=${experiment.id}`) },
        { title: "Run again", icon: "play", run: () => this.runAgain(experiment) },
        "-",
        { title: "Delete", icon: "trash", danger: true, run: () => this.remove(experiment) },
      ], `Menu of ${experiment.name}`);
    },
    async remove(experiment) {
      if (!(await ask({ title: `Delete “${experiment.name}”?`, text: "Its runs go with it; registered models stay.", yes: "Delete", danger: true }))) return;
      try {
        await api.delete(`/experiments/${experiment.id}`);
        this.experiments.load({ quiet: true });
        this.runs.load({ quiet: true });
        toast(`${experiment.name} was deleted.`);
      } catch (error) {
        toastError(error, "Not deleted.");
      }
    },
  });
}

export function register(Alpine) {
  Alpine.data("experimentsPage", experimentsPage);
}
