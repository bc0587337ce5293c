// What a recipe would do to a version of a data source, step by step, and the ways to go on from there.
import { api } from "../lib/api.js";
import { plural } from "../lib/format.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { loadSteps, opOf } from "../lib/steps.js";
import { typeOf } from "../lib/types.js";
import { toast } from "../lib/ui.js";
import { followSave, target } from "./target.js";

/** Opens the dialog; with a `version` ({id, source}) it begins with that one. */
export const applyRecipe = (recipe, version = null) => dispatchEvent(new CustomEvent("hydroml:apply-recipe", { detail: { recipe, version } }));

const MARKS = { ok: ["#i-check", "t-success"], disabled: ["#i-eyeoff", "subtle"], failed: ["#i-error", "t-danger"], waiting: ["#i-clock", "t-warning"] };

function recipeReport() {
  let versionAsked = null;
  return mix(target(), {
    recipe: null,
    sourceId: "",
    versionId: "",
    versions: [],
    way: "session",
    relearn: "no",
    partial: false,
    check: resource(() => null, { empty: () => false }),
    init() {
      addEventListener("hydroml:apply-recipe", ({ detail }) => this.show(detail));
    },
    async show({ recipe, version }) {
      this.recipe = recipe;
      versionAsked = version;
      this.sourceId = this.versionId = "";
      this.versions = [];
      this.way = "session";
      this.relearn = "no";
      this.partial = false;
      this.check = resource(() => this.look(), { empty: () => false, start: "waiting" });
      this.$refs.dialog.showModal();
      await Promise.all([this.prepareTarget(recipe.project_id, ""), loadSteps().catch(() => {})]);
      if (version) await this.chooseSource(version.source.id, version.id);
      this.$nextTick(() => this.$refs.sources.focus());
    },
    hide() {
      this.$refs.dialog.close();
    },
    async chooseSource(id, version = "") {
      this.sourceId = id;
      const found = this.targetBase;
      this.saveName = found ? `${found.name}, ${this.recipe.name}` : "";
      this.versions = [];
      this.chooseVersion(version || found?.current_version.id || "");
      if (!id) return;
      try {
        const { items } = await api.get(`/sources/${id}/versions`);
        if (this.sourceId === id) this.versions = items.map((one) => ({ id: one.id, title: `Version ${one.number}${one.id === found?.current_version.id ? ", the newest" : ""}` }));
      } catch {
        this.versions = []; // the version that was chosen stays
      }
    },
    chooseVersion(id) {
      this.versionId = id;
      this.partial = false;
      if (id) this.check.load();
      else this.check.state = "waiting";
    },
    look() {
      return api.post(`/versions/${this.versionId}/apply/check`, { recipe_id: this.recipe.id, project_id: this.recipe.project_id });
    },
    get targetBase() {
      return this.others.find(({ id }) => id === this.sourceId) ?? (versionAsked?.source.id === this.sourceId ? versionAsked.source : null);
    },
    get title() {
      return this.recipe?.name ?? "";
    },
    get known() {
      return this.check.state === "done" ? this.check.data : null;
    },
    get lines() {
      return (this.known?.steps ?? []).map((one, at) => {
        const [icon, tone] = MARKS[one.status] ?? MARKS.failed;
        return { key: at, number: at + 1, title: opOf(one.step.op).title, summary: one.summary, icon, tone, word: one.status === "ok" ? "runs" : one.status === "waiting" ? "waits" : one.status === "disabled" ? "is off" : "cannot run", why: this.whyOf(one) };
      });
    },
    whyOf({ status, error, missing, changed, waits_for: place }) {
      if (status === "waiting") return `For step ${place + 1}, which cannot run.`;
      const types = changed.map(({ name, was, now }) => `${name} is ${typeOf(now).label.toLowerCase()} here, was ${typeOf(was).label.toLowerCase()}`);
      if (status === "ok") return types.join("; ");
      const lacks = missing.length ? `There is no column ${missing.map((name) => `“${name}”`).join(", ")}` : "";
      return [lacks, ...types].filter(Boolean).join("; ") || error || "";
    },
    get verdict() {
      const { known } = this;
      if (!known) return "";
      const total = known.steps.length;
      if (!known.runs) return total === 1 ? "The step cannot run on this table." : `None of the ${total} steps can run on this table.`;
      return known.complete ? `${total === 1 ? "The step runs" : `All ${total} steps run`}; the table has ${plural(known.schema.length, "column")} then.` : `${known.runs} of ${plural(total, "step")} can run; the table has ${plural(known.schema.length, "column")} then.`;
    },
    get isPart() {
      return Boolean(this.known && !this.known.complete);
    },
    get learns() {
      return Boolean(this.known?.steps.some(({ learns }) => learns));
    },
    get isOpening() {
      return this.way === "session";
    },
    get lack() {
      if (!this.sourceId) return "Choose a data source.";
      if (this.check.state === "loading") return "The steps are being checked.";
      if (!this.known) return "The steps could not be checked.";
      if (this.isOpening) return "";
      if (!this.known.runs) return "None of its steps can run on this table.";
      if (this.isPart && !this.partial) return "Not all steps can run: allow a part, or open it as a session and mend them.";
      return this.targetLack;
    },
    get act() {
      return this.isOpening ? "Open the session" : "Apply";
    },
    async go() {
      if (this.lack || this.saveBusy) {
        this.saveProblem = this.lack;
        return;
      }
      this.saveBusy = true;
      this.saveProblem = "";
      const common = { recipe_id: this.recipe.id, project_id: this.recipe.project_id, relearn: this.relearn === "yes" };
      try {
        if (this.isOpening) {
          const made = await api.post(`/versions/${this.versionId}/sessions`, { ...common, name: this.recipe.name });
          location.assign(`/studio/${made.id}`);
          return;
        }
        const accepted = await api.post(`/versions/${this.versionId}/apply`, { ...common, ...this.targetBody, partial: this.partial });
        this.hide();
        toast("It appears in the project's data when it is done.", { title: "The recipe runs in the background.", href: `/jobs/${accepted.job.id}`, link: "Follow it", topic: accepted.job.id });
        followSave(accepted, { done: (source) => {
          toast(`${source.name} has a new version.`, { tone: "success", title: "Done.", href: `/sources/${source.id}`, topic: accepted.job.id });
          dispatchEvent(new CustomEvent("hydroml:recipe-applied", { detail: { recipe: this.recipe, source } }));
        } });
      } catch (error) {
        this.targetRefused(error);
      } finally {
        this.saveBusy = false;
      }
    },
    choose(way) {
      this.way = way;
      this.saveAs = way === "session" ? "version" : way;
      this.saveProblem = "";
    },
  });
}

export function registerRecipeReport(Alpine) {
  Alpine.data("recipeReport", recipeReport);
}
