import { api } from "../lib/api.js";
import { onJob } from "../lib/events.js";
import { resource } from "../lib/resource.js";
import { kindTitle, progressText, resultText, share } from "../lib/suites.js";
import { command, shortcut } from "../lib/ui.js";

function suitesPage() {
  let project = "";
  return {
    suites: resource(() => api.get(`/projects/${project}/suites`, { limit: 200 })),
    init() {
      project = this.$root.dataset.project;
      this.suites.load();
      onJob((job) => {
        if (job.kind !== "suite") return;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.suites.load({ quiet: true }), 500);
      });
      command("New suite", "plus", () => location.assign(`/projects/${project}/suites/new`));
      shortcut("n", "New suite", () => location.assign(`/projects/${project}/suites/new`));
    },
    kindTitle,
    progressText,
    resultText: (suite) => resultText(suite),
    width: (suite) => Math.round(100 * share(suite)),
  };
}

export function register(Alpine) {
  Alpine.data("suitesPage", suitesPage);
}
