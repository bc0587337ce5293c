import { api } from "../lib/api.js";
import { metric } from "../lib/format.js";
import { resource } from "../lib/resource.js";
import { about, verdicts } from "../lib/verdict.js";

/** The metric a model's version is known by. */
export function versionScore(version) {
  const metrics = version?.metrics?.test ? version.metrics : { test: version?.metrics ?? {} };
  const [first] = verdicts({ metrics });
  return first ? `${about(first.name).title} ${metric(first.value)}` : "";
}

function modelsPage() {
  let project = "";
  return {
    models: resource(() => api.get(project ? `/projects/${project}/models` : "/models", { limit: 200 })),
    init() {
      project = this.$root.dataset.project ?? "";
      this.models.load();
    },
    aliasesOf(model) {
      return Object.entries(model.aliases ?? {}).map(([name, version]) => ({ name, text: `${name}: ${version}` }));
    },
    waitingOf({ versions }) {
      const waiting = (versions ?? []).filter(({ approval }) => approval === "pending").length;
      return waiting ? `${waiting} to be approved` : "";
    },
    made(model) {
      return model.versions?.[0]?.created_at;
    },
  };
}

export function register(Alpine) {
  Alpine.data("modelsPage", modelsPage);
}
