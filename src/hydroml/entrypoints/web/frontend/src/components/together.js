// Work on steps with others: what is said of a step, steps copied to another session, recipes kept and applied.
import { api, asProblem } from "../lib/api.js";
import { plural } from "../lib/format.js";
import { openMenu } from "../lib/menu.js";
import { ask, toast, toastError } from "../lib/ui.js";
import { applyRecipe } from "./recipe_report.js";

export function together() {
  return {
    role: "", // in the project of the session
    // Comments ------------------------------------------------------------------------------------------------------------
    threadOf: "", // the step that is spoken of
    said: "",
    threadProblem: "",
    threadBusy: false,
    openThread(entry) {
      if (this.threadOf !== entry.id) this.said = "";
      this.threadOf = entry.id;
      this.threadProblem = "";
      this.$refs.thread.showModal();
      this.$nextTick(() => this.$refs.said.focus());
    },
    closeThread() {
      this.$refs.thread.close();
    },
    get thread() {
      return this.sameStep(this.threadOf);
    },
    get threadTitle() {
      return this.thread ? this.titleOf(this.thread) : "the step";
    },
    get comments() {
      const me = document.body.dataset.user;
      return (this.thread?.comments ?? []).map((one) => ({ ...one, mine: one.author.username === me || this.editable }));
    },
    async say() {
      if (this.threadBusy) return;
      if (!this.said.trim()) {
        this.threadProblem = "Write something first.";
        return;
      }
      await this.speak(() => api.post(`/sessions/${this.id}/steps/${this.threadOf}/comments`, { text: this.said.trim() }), () => (this.said = ""));
    },
    unsay(comment) {
      return this.speak(() => api.delete(`/sessions/${this.id}/comments/${comment.id}`), () => {});
    },
    async speak(send, done) {
      this.threadBusy = true;
      this.threadProblem = "";
      try {
        await send();
        done();
        const now = await api.get(`/sessions/${this.id}`);
        if (now.revision === this.session.revision) this.session = now; // the table is the same
        else await this.lookForChanges();
      } catch (error) {
        const problem = asProblem(error);
        this.threadProblem = problem.errors[0]?.msg || problem.detail || problem.title;
      } finally {
        this.threadBusy = false;
      }
    },
    commentsTitle(entry) {
      return `${plural(entry.comments.length, "comment")} on this step`;
    },

    // Copies ----------------------------------------------------------------------------------------------------------------
    copyFrom: [],
    copyTo: "new",
    copyTargets: [],
    copyProblem: "",
    copyBusy: false,
    async openCopy(entry = null) {
      this.copyFrom = entry ? [entry.id] : this.steps.filter(({ applied }) => applied).map(({ id }) => id);
      this.copyTo = "new";
      this.copyProblem = "";
      this.$refs.copy.showModal();
      try {
        const { items } = await api.get(`/projects/${this.session.project_id}/sessions`, { limit: 500 });
        this.copyTargets = items.filter(({ id }) => id !== this.id).map(({ id, name, source, version, applied_steps: steps }) => ({ id, title: `${name ? `${name}, on ` : ""}${source.name}, version ${version.number}, ${plural(steps, "step")}` }));
      } catch (error) {
        this.copyTargets = [];
        this.copyProblem = asProblem(error).detail || asProblem(error).title;
      }
    },
    closeCopy() {
      this.$refs.copy.close();
    },
    get copyText() {
      return `Copy ${plural(this.copyFrom.length, "step")}`;
    },
    async copySteps() {
      if (this.copyBusy) return;
      const steps = this.steps.map(({ id }) => id).filter((id) => this.copyFrom.includes(id));
      this.copyProblem = steps.length ? "" : "Choose a step.";
      if (this.copyProblem) return;
      this.copyBusy = true;
      try {
        let target = this.copyTo;
        if (target === "new") target = (await api.post(`/versions/${this.session.version_id}/sessions`, { project_id: this.session.project_id })).id;
        await api.post(`/sessions/${target}/steps/copy`, { session_id: this.id, steps });
        this.closeCopy();
        toast("They stand after its newest step, and have learnt from its table.", { title: `${plural(steps.length, "step")} copied.`, tone: "success", href: `/studio/${target}` });
      } catch (error) {
        const problem = asProblem(error);
        this.copyProblem = problem.detail || problem.title;
      } finally {
        this.copyBusy = false;
      }
    },
    async copySession() {
      try {
        const name = `${this.session.name || this.session.source.name}, copy`;
        const { id } = await api.post(`/versions/${this.session.version_id}/sessions`, { project_id: this.session.project_id, session_id: this.id, name });
        location.assign(`/studio/${id}`);
      } catch (error) {
        toastError(error, "Not copied.");
      }
    },

    // Recipes ---------------------------------------------------------------------------------------------------------------
    async saveRecipe() {
      const name = await ask({ title: "Save the steps as a recipe", text: "A recipe can be applied to other tables, and taken elsewhere.", label: "Name", value: this.session.name || this.session.source.name, yes: "Save" });
      if (!name) return;
      try {
        const { id } = await api.post(`/projects/${this.session.project_id}/recipes`, { name, session_id: this.id });
        toast("It can be applied to any table of the project.", { tone: "success", title: `Recipe “${name}” saved.`, href: `/recipes/${id}` });
      } catch (error) {
        toastError(error, "Not saved.");
      }
    },
    async recipeMenu(anchor) {
      try {
        const { items } = await api.get(`/projects/${this.session.project_id}/recipes`, { limit: 500 });
        const version = { id: this.session.version_id, source: this.session.source };
        if (!items.length) toast("The project has no recipe yet: save the steps of a session as one.", { tone: "info" });
        else openMenu(anchor, items.map((recipe) => ({ title: recipe.name, note: plural(recipe.step_count, "step"), icon: "stepi", help: recipe.description, run: () => applyRecipe(recipe, version) })), "Recipes", { search: "Find a recipe" });
      } catch (error) {
        toastError(error, "The recipes could not be read.");
      }
    },
  };
}
