import { api } from "../lib/api.js";
import { mix } from "../lib/mix.js";
import { openMenu } from "../lib/menu.js";
import { resource } from "../lib/resource.js";
import { ask, command, shortcut, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

function experimentsPage() {
  let project = "";
  return mix({
    id: "",
    mlflowCode: "",
    tab: param("tab", "runs"),
    experiments: resource(() => api.get(`/projects/${project}/experiments`, { limit: 200 })),
    init() {
      this.id = project = this.$root.dataset.project;
      this.experiments.load();
      command("New experiment", "plus", () => location.assign(this.newUrl));
      command("Log runs with MLflow", "activity", () => this.showMlflow());
      shortcut("n", "New experiment", () => location.assign(this.newUrl));
    },
    get newUrl() {
      return `/projects/${project}/experiments/new`;
    },
    async showMlflow() {
      this.$refs.mlflow.showModal();
      try {
        const { path, experiment } = await api.get(`/projects/${project}/mlflow`);
        this.mlflowCode = `# export MLFLOW_TRACKING_TOKEN=…\nimport mlflow\n\nmlflow.set_tracking_uri("${location.origin}${path}")\nmlflow.set_experiment(${JSON.stringify(experiment)})\nwith mlflow.start_run():\n    mlflow.log_params({"depth": 3})\n    mlflow.log_metric("test_rmse", 0.42)\n`;
      } catch (error) {
        toastError(error, "The project's experiment could not be read.");
      }
    },
    hideMlflow() {
      this.$refs.mlflow.close();
    },
    go(tab) {
      this.tab = tab;
      setParams({ tab: tab === "runs" ? "" : tab }, { push: true });
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
        { title: "Tune, compare or ablate", icon: "star", run: () => location.assign(`/projects/${project}/suites/new?experiment=${experiment.id}`) },
        "-",
        { title: "Delete", icon: "trash", danger: true, run: () => this.remove(experiment) },
      ], `Menu of ${experiment.name}`);
    },
    async remove(experiment) {
      if (!(await ask({ title: `Delete “${experiment.name}”?`, text: "Its runs go with it; registered models stay.", yes: "Delete", danger: true }))) return;
      try {
        await api.delete(`/experiments/${experiment.id}`);
        this.experiments.load({ quiet: true });
        dispatchEvent(new CustomEvent("hydroml:runs-changed"));
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
