import { jobActions } from "../components/job_actions.js";
import { api } from "../lib/api.js";
import { followJobs, onJob, onStatus } from "../lib/events.js";
import { zone } from "../lib/format.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { param, setParams } from "../lib/url.js";

const STATES = [["", "All"], ["running", "Running"], ["queued", "Queued"], ["succeeded", "Succeeded"], ["failed", "Failed"], ["cancelled", "Cancelled"]];

function jobsPage() {
  return mix(jobActions(function take(job) {
    this.take(job);
  }), {
    state: param("state"),
    status: "connecting",
    zone: zone(),
    now: Date.now(),
    next: null,
    jobs: resource(() => null),
    init() {
      this.jobs = resource(() => this.part());
      this.jobs.load().then((page) => (this.next = page?.next_cursor ?? null));
      onStatus((status) => (this.status = status));
      onJob((job) => this.take(job));
      setInterval(() => (this.now = Date.now()), 1000);
    },
    async part(cursor) {
      const page = await api.get("/jobs", { limit: 100, state: this.state, cursor });
      followJobs(page.items);
      return page;
    },
    take(job) {
      const { items } = this.jobs;
      const index = items.findIndex(({ id }) => id === job.id);
      if (index >= 0) items[index] = job;
      else if (this.jobs.data && (!this.state || this.state === job.state)) {
        items.unshift(job);
        this.jobs.state = "done";
      }
    },
    async more() {
      const page = await this.part(this.next);
      this.jobs.data.items.push(...page.items);
      this.next = page.next_cursor;
    },
    choose(state) {
      this.state = state;
      setParams({ state });
      this.jobs.load().then((page) => (this.next = page?.next_cursor ?? null));
    },
    get states() {
      return STATES.map(([value, title]) => ({ value, title }));
    },
    get connection() {
      return { live: "live, connected", polling: "live connection lost, asking every few seconds", connecting: "connecting …" }[this.status];
    },
  });
}

export function register(Alpine) {
  Alpine.data("jobsPage", jobsPage);
}
