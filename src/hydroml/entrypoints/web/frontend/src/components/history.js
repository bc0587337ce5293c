// The history of a session: its steps looked at, undone, changed and moved; its branches, comments and recipes.
import { api } from "../lib/api.js";
import { count, plural } from "../lib/format.js";
import { openMenu } from "../lib/menu.js";
import { opOf } from "../lib/steps.js";
import { ask, toast, toastError } from "../lib/ui.js";
import { setParams } from "../lib/url.js";
import { applyRecipe } from "./recipe_report.js";

/** `grid()` is the table beside it. */
export function history(grid) {
  return {
    /** Sends a change; a stale revision means another tab or person was faster. */
    async change(send, done) {
      if (this.busy) return null;
      this.busy = true;
      try {
        const answer = await send({ ifMatch: this.session.revision });
        await this.take(answer?.steps ? answer : await api.get(`/sessions/${this.id}`));
        this.saved = Date.now();
        done?.();
        return this.session;
      } catch (error) {
        if (error.status === 412) {
          toast("This session was changed in another tab or by someone else. It is shown as it is now; please repeat your change.", { tone: "warning", title: "Not applied." });
          await this.take(await api.get(`/sessions/${this.id}`));
        } else if (!this.panelRefused?.(error)) toastError(error, "Not applied.");
        return null;
      } finally {
        this.busy = false;
      }
    },
    undo() {
      if (!this.session?.can_undo) return;
      const name = this.current ? opOf(this.current.step.op).title : "step";
      this.change((options) => api.post(`/sessions/${this.id}/undo`, {}, options), () => toast(`Undone: ${name}.`, { action: "Redo", run: () => this.redo() }));
    },
    redo() {
      if (!this.session?.can_redo) return;
      this.change((options) => api.post(`/sessions/${this.id}/redo`, {}, options));
    },
    jump(id) {
      this.change((options) => api.post(`/sessions/${this.id}/jump`, { step: id }, options));
    },
    toggleStep(entry) {
      const enabled = !entry.enabled;
      this.change((options) => api.patch(`/sessions/${this.id}/steps/${entry.id}`, { enabled }, options), () =>
        toast(`${this.titleOf(entry)} ${enabled ? "is on again" : "is off"}; later steps were replayed.`, { action: "Undo", run: () => this.change((options) => api.patch(`/sessions/${this.id}/steps/${entry.id}`, { enabled: !enabled }, options)) }));
    },
    removeStep(entry) {
      this.change((options) => api.delete(`/sessions/${this.id}/steps/${entry.id}`, options), () => toast(`${this.titleOf(entry)} was taken out of the history.`));
    },
    /** The table as of one step; the history stays as it is. */
    async look(id, { push = true } = {}) {
      const wanted = id === this.session.cursor ? "" : id;
      if (wanted === this.seen) return;
      this.closePanel();
      this.seen = wanted;
      setParams({ step: wanted }, { push });
      if (wanted) {
        try {
          const { columns } = await api.get(`/sessions/${this.id}/rows`, { step: wanted, limit: 1, total: "false" });
          this.schema = columns;
        } catch (error) {
          toastError(error, "This step cannot be shown.");
          this.setSeen("");
          this.schema = this.session.schema;
        }
      } else this.schema = this.session.schema;
      grid()?.setSchema(this.schema);
      this.refreshProfile();
    },
    escape() {
      if (this.panel) this.closePanel();
      else if (this.seen) this.look("");
      else return false;
      return true;
    },
    get steps() {
      return this.session?.steps ?? [];
    },
    get current() {
      return this.steps.find(({ id }) => id === this.session.cursor) ?? null;
    },
    get seenIndex() {
      return this.seen === "root" ? 0 : this.steps.findIndex(({ id }) => id === this.seen) + 1;
    },
    get seenText() {
      return this.seen === "root" ? "the original, before any step" : `step ${this.seenIndex}, ${this.titleOf(this.steps[this.seenIndex - 1])}`;
    },
    get branches() {
      return this.session?.branches ?? [];
    },
    titleOf(entry) {
      return entry ? opOf(entry.step.op).title : "";
    },
    whyOf(entry) {
      return this.isStopped(entry) ? entry.error || "cannot run here" : entry.status === "disabled" ? `off: ${entry.summary}` : entry.summary;
    },
    isStopped(entry) {
      return entry.status === "failed" || entry.status === "waiting";
    },
    stepClass(entry) {
      const classes = [];
      if (entry.id === this.session.cursor) classes.push("is-current");
      if (!entry.enabled) classes.push("is-off");
      else if (this.isStopped(entry)) classes.push("is-danger");
      if (!entry.applied) classes.push("is-undone");
      if (entry.id === this.seen) classes.push("is-seen");
      return classes.join(" ");
    },
    nodeIcon(entry) {
      return this.isStopped(entry) ? "#i-warn" : entry.enabled ? "" : "#i-eyeoff";
    },
    entryMenu(entry, event) {
      openMenu(event.currentTarget, [
        { heading: this.titleOf(entry) },
        { title: "Edit", icon: "edit", run: () => this.editStep(entry) },
        { title: "Show the table as of here", icon: "eye", run: () => this.look(entry.id) },
        { title: "Go back to here", icon: "undo", run: () => this.jump(entry.id) },
        ...this.moves(entry),
        { title: entry.comments.length ? `Comments (${entry.comments.length})` : "Comment", icon: "edit", run: () => this.comment(entry) },
        { title: entry.enabled ? "Turn off" : "Turn on", icon: entry.enabled ? "eyeoff" : "eye", run: () => this.toggleStep(entry) },
        "-",
        { title: "Delete", icon: "trash", danger: true, run: () => this.removeStep(entry) },
      ]);
    },
    moves(entry) {
      const at = this.steps.findIndex(({ id }) => id === entry.id);
      const move = (after) => this.change((options) => api.post(`/sessions/${this.id}/steps/${entry.id}/move`, { after }, options), () => toast(`${this.titleOf(entry)} was moved; later steps were replayed.`, { action: "Undo", run: () => this.undo() }));
      return [
        at > 0 ? { title: "Move up", icon: "up", run: () => move(this.steps[at - 2]?.id ?? null) } : null,
        at < this.steps.length - 1 ? { title: "Move down", icon: "down", run: () => move(this.steps[at + 1].id) } : null,
      ].filter(Boolean);
    },
    async comment(entry) {
      const said = entry.comments.map(({ author, text }) => `${author.username}: ${text}`).join("\n");
      const text = await ask({ title: `Comment on ${this.titleOf(entry)}`, text: said, label: "Comment", yes: "Comment" });
      if (!text) return;
      try {
        await api.post(`/sessions/${this.id}/steps/${entry.id}/comments`, { text });
        await this.take(await api.get(`/sessions/${this.id}`), { keepView: true });
      } catch (error) {
        toastError(error, "Not said.");
      }
    },
    async nameBranch(branch) {
      const name = await ask({ title: "Name the branch", label: "Name", value: branch.name, yes: "Name it" });
      if (name) this.change((options) => api.patch(`/sessions/${this.id}/branches/${branch.tip}`, { name }, options));
    },
    branchMenu(branch, event) {
      openMenu(event.currentTarget, [
        { heading: branch.name || "Branch" },
        { title: "Continue on it", icon: "branch", run: () => this.jump(branch.tip) },
        { title: "Compare with it", icon: "eye", run: () => this.compare(branch) },
        { title: "Name it …", icon: "edit", run: () => this.nameBranch(branch) },
        "-",
        { title: "Take it out of view", icon: "eyeoff", run: () => this.change((options) => api.delete(`/sessions/${this.id}/branches/${branch.tip}`, options)) },
      ]);
    },
    async compare(branch) {
      try {
        const found = await api.get(`/sessions/${this.id}/compare`, { with: branch.tip });
        const list = (title, items) => (items.length ? `${title}: ${items.join("; ")}.` : "");
        const rows = (here, there) => (here === null || there === null ? "" : `${count(here)} rows here, ${count(there)} there.`);
        const names = (columns) => columns.map(({ name }) => name);
        const text = [
          `${plural(found.common.length, "step")} in common.`, list("Only here", found.only_here.map(({ summary }) => summary)), list("Only there", found.only_there.map(({ summary }) => summary)),
          list("Columns only here", names(found.columns_only_here)), list("Columns only there", names(found.columns_only_there)), list("Of another type", names(found.columns_retyped)), rows(found.rows_here, found.rows_there),
        ].filter(Boolean).join("\n");
        if (await ask({ title: `This branch and ${branch.name || "the other one"}`, text, yes: "Continue on the other", no: "Stay here" })) this.jump(branch.tip);
      } catch (error) {
        toastError(error, "They were not compared.");
      }
    },
    async saveRecipe() {
      const name = await ask({ title: "Save the steps as a recipe", text: "A recipe can be applied to other tables, and taken elsewhere.", label: "Name", value: this.session.source?.name ?? "", yes: "Save" });
      if (!name) return;
      try {
        await api.post(`/projects/${this.session.project_id}/recipes`, { name, session_id: this.id });
        toast("It can be applied to any table of the project.", { tone: "success", title: `Recipe “${name}” saved.` });
      } catch (error) {
        toastError(error, "Not saved.");
      }
    },
    /** Steps of a recipe behind those that are here; says which cannot run. */
    async recipeMenu(anchor) {
      try {
        const { items } = await api.get(`/projects/${this.session.project_id}/recipes`, { limit: 200 });
        if (!items.length) toast("The project has no recipe yet: save the steps of a session as one.", { tone: "info" });
        else openMenu(anchor, items.map((recipe) => ({ title: recipe.name, note: plural(recipe.step_count, "step"), icon: "stepi", help: recipe.description, run: () => applyRecipe(recipe, { id: this.session.version_id, source: this.session.source }) })), "Recipes", { search: "Find a recipe" });
      } catch (error) {
        toastError(error, "The recipes could not be read.");
      }
    },
    share() {
      const shared = !this.session.shared;
      this.change((options) => api.patch(`/sessions/${this.id}`, { shared }, options), () => toast(shared ? "The project's members can look at it; only you change it." : "Only you see it now.", { tone: "success" }));
    },
    get undoTitle() {
      return this.session?.can_undo && this.current ? `Undo: ${this.titleOf(this.current)} (Ctrl Z)` : "Nothing to undo";
    },
    get redoTitle() {
      return this.session?.can_redo ? "Redo (Shift Ctrl Z)" : "Nothing to redo";
    },
    async discard() {
      const yes = await ask({ title: "Discard this session?", text: "It stays in the trash for thirty days; the data source and its versions stay as they are.", yes: "Discard", danger: true });
      if (!yes) return;
      try {
        await api.delete(`/sessions/${this.id}`);
        location.assign(`/sources/${this.session.source.id}`);
      } catch (error) {
        toastError(error, "Not discarded.");
      }
    },
    historyMenu(event) {
      openMenu(event.currentTarget, [
        { title: "Back to the original", icon: "undo", run: () => this.jump(null) },
        { title: "Show the original", icon: "eye", run: () => this.look("root") },
        "-",
        { title: "Save as a recipe …", icon: "save", run: () => this.saveRecipe() },
        { title: "Open with a recipe …", icon: "stepi", run: () => this.recipeMenu(event.currentTarget ?? this.$refs.toolbar) },
        { title: "Download as Python", icon: "download", run: () => location.assign(`/api/v1/sessions/${this.id}/code`) },
        { title: this.session.shared ? "Stop sharing" : "Share with the project", icon: "members", run: () => this.share() },
        "-",
        { title: "Discard this session", icon: "trash", danger: true, run: () => this.discard() },
      ], "History");
    },
  };
}
