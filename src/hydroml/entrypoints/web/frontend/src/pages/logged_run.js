// A run that somebody logged with MLflow: what its client said, to be read only.
import { api } from "../lib/api.js";
import { metric } from "../lib/format.js";
import { resource } from "../lib/resource.js";
import { enterProject, setCrumbs, setTitle } from "../lib/ui.js";

const pairs = (of, text = String) => Object.entries(of ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => ({ name, text: text(value) }));

function loggedRunPage() {
  let id = "";
  return {
    head: resource(() => null, { empty: () => false }),
    init() {
      id = this.$root.dataset.id;
      this.head = resource(() => this.fetch(), { empty: () => false });
      this.head.load();
    },
    async fetch() {
      const run = await api.get(`/logged-runs/${id}`);
      setTitle(run.name);
      enterProject(run.project_id);
      setCrumbs([{ label: "Experiments", href: `/projects/${run.project_id}/experiments` }]);
      return run;
    },
    get run() {
      return this.head.data;
    },
    get metrics() {
      return pairs(this.run?.metrics, (value) => (value === null ? "not finite" : metric(value)));
    },
    get params() {
      return pairs(this.run?.params);
    },
    get tags() {
      return pairs(this.run?.tags, (value) => value || "∅");
    },
    get facts() {
      const { source, user, logged_by: by, mlflow_run_id: run, mlflow_experiment_id: experiment } = this.run ?? {};
      return [["Logged by", by ?? "not through HydroML"], ["User, as it says", user || "∅"], ["Source, as it says", source || "∅"], ["MLflow run", run], ["MLflow experiment", experiment]].map(([name, text]) => ({ name, text }));
    },
  };
}

export function register(Alpine) {
  Alpine.data("loggedRunPage", loggedRunPage);
}
