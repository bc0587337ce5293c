import { jobActions } from "../components/job_actions.js";
import { api } from "../lib/api.js";
import { copy } from "../lib/dom.js";
import { watchJob } from "../lib/events.js";
import { errorText, jobTitle, subjectUrl } from "../lib/jobs.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { enterProject, setTitle, toast } from "../lib/ui.js";

function jobPage() {
  return mix(jobActions(function take(job) {
    this.take(job);
  }), {
    id: "",
    job: null,
    now: Date.now(),
    head: resource(() => null, { empty: () => false }),
    log: resource(() => null),
    init() {
      this.id = this.$root.dataset.id;
      this.head = resource(() => api.get(`/jobs/${this.id}`), { empty: () => false });
      this.log = resource(() => api.get(`/jobs/${this.id}/log`, { limit: 500 }));
      this.head.load().then((job) => {
        if (!job) return;
        this.take(job);
        setTitle(jobTitle(job));
        if (job.project_id) enterProject(job.project_id);
        watchJob(job, (now) => this.take(now));
      });
      this.log.load();
      setInterval(() => (this.now = Date.now()), 1000);
    },
    take(job) {
      const moved = !this.job || this.job.phase !== job.phase || this.job.state !== job.state;
      this.job = job;
      if (!moved) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.log.load({ quiet: true }), 300);
    },
    get error() {
      return errorText(this.job);
    },
    get subject() {
      return this.job ? subjectUrl(this.job) : "";
    },
    get logLines() {
      return this.log.items.map(({ at, level, message }, key) => ({ key, text: `${at ? new Date(at).toLocaleTimeString("en-GB") : ""}  ${message}\n`, bad: level === "error" || level === "critical" }));
    },
    async copyLog() {
      if (await copy(this.logLines.map(({ text }) => text).join(""))) toast("Copied.", { tone: "success" });
    },
  });
}

export function register(Alpine) {
  Alpine.data("jobPage", jobPage);
}
