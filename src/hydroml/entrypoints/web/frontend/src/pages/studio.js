import { tableView } from "../components/table.js";
import { stepPanel } from "../components/step_panel.js";
import { api } from "../lib/api.js";
import { attachCompletion } from "../lib/complete.js";
import { watchJob } from "../lib/events.js";
import { count, plural } from "../lib/format.js";
import { isActive } from "../lib/jobs.js";
import { openMenu } from "../lib/menu.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { OPS, describe, opOf } from "../lib/steps.js";
import { quoted, typeOf } from "../lib/types.js";
import { ask, command, enterProject, setTitle, shortcut, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

function studio() {
  let grid = null; // kept out of Alpine's proxies
  return mix(tableView(), stepPanel(() => grid), {
    id: "",
    session: null,
    seen: param("step"), // the step whose table is looked at; empty is the newest
    schema: [],
    formulas: [],
    profile: null,
    busy: false,
    saved: null,
    head: resource(() => null, { empty: () => false }),
    init() {
      this.id = this.$root.dataset.id;
      this.head = resource(() => this.open(), { empty: () => false });
      this.head.load();
      api.get("/formulas").then(({ functions }) => (this.formulas = functions), () => {});
      shortcut("mod+z", "Undo the last step", () => this.undo());
      shortcut("shift+mod+z", "Redo", () => this.redo());
      shortcut("mod+y", "Redo", () => this.redo(), { hidden: true });
      shortcut("/", "Filter the rows on screen", () => this.$refs.filter?.focus());
      shortcut(".", "Add a step", () => this.stepMenu());
      shortcut("Enter", "Apply the step in the panel", () => (this.panel ? this.apply() : false));
      shortcut("Escape", "Close the panel, or go back to the newest step", () => this.escape());
      for (const [op, { title, icon }] of Object.entries(OPS)) command(title, icon, () => this.addStep(op), { keys: "." });
      command("Save as …", "save", () => this.openSave());
      command("Train a model on this", "flask", () => this.train());
      addEventListener("popstate", () => this.look(param("step"), { push: false }));
    },
    async open() {
      await this.take(await api.get(`/sessions/${this.id}`));
      setTitle(`${this.session.source?.name ?? "Data"} in the Studio`);
      enterProject(this.session.project_id);
      await this.$nextTick();
      grid = await this.openTable(this.$refs.grid, {
        schema: this.schema,
        rows: (query) => api.get(`/sessions/${this.id}/rows`, { ...query, step: this.seen }),
        menuItems: (column) => ["-", ...this.columnSteps(column)],
      });
      if (this.profile) grid.setProfile(this.profile);
      if (this.$refs.filter) attachCompletion(this.$refs.filter, () => this.completions());
      return this.session;
    },
    /** A new state of the session: the table, its columns and the profile follow. */
    async take(session, { keepView = false } = {}) {
      this.session = session;
      if (!keepView) this.setSeen("");
      if (!this.seen) this.schema = session.schema;
      grid?.setSchema(this.schema);
      this.refreshProfile();
    },
    setSeen(id) {
      this.seen = id;
      setParams({ step: id });
    },
    async refreshProfile() {
      const mine = (this.profileTurn = (this.profileTurn ?? 0) + 1);
      try {
        const profile = await api.get(`/sessions/${this.id}/profile`, { filter: this.filter, step: this.seen });
        if (mine !== this.profileTurn) return;
        this.profile = profile;
        if (!this.preview) grid?.setProfile(profile);
      } catch {
        if (mine === this.profileTurn) this.profile = null; // the rows say what is wrong
      }
    },
    filterChanged() {
      this.refreshProfile();
    },
    profileOf(name) {
      return this.profile?.columns.find((one) => one.name === name);
    },
    completions() {
      return [
        ...this.schema.map(({ name, type }) => ({ text: name, insert: quoted(name), note: typeOf(type).label, icon: typeOf(type).icon })),
        ...this.formulas.map(({ name, signature, help }) => ({ text: signature ?? name, insert: `${name}()`, caret: -1, note: help, icon: "fx" })),
      ];
    },

    // History -----------------------------------------------------------------------------------------------------------
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
      grid?.setSchema(this.schema);
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
      return entry.status === "failed" ? entry.error || "cannot run here" : entry.status === "off" ? `off: ${describe(entry.step)}` : describe(entry.step) || entry.summary;
    },
    stepClass(entry) {
      const classes = [];
      if (entry.id === this.session.cursor) classes.push("is-current");
      if (entry.status === "off" || !entry.enabled) classes.push("is-off");
      else if (entry.status === "failed") classes.push("is-danger");
      if (entry.status === "undone") classes.push("is-undone");
      if (entry.id === this.seen) classes.push("is-seen");
      return classes.join(" ");
    },
    nodeIcon(entry) {
      return entry.status === "failed" && entry.enabled ? "#i-warn" : entry.status === "off" || !entry.enabled ? "#i-eyeoff" : "";
    },
    entryMenu(entry, event) {
      openMenu(event.currentTarget, [
        { heading: this.titleOf(entry) },
        { title: "Edit", icon: "edit", run: () => this.editStep(entry) },
        { title: "Show the table as of here", icon: "eye", run: () => this.look(entry.id) },
        { title: "Go back to here", icon: "undo", run: () => this.jump(entry.id) },
        { title: entry.enabled ? "Turn off" : "Turn on", icon: entry.enabled ? "eyeoff" : "eye", run: () => this.toggleStep(entry) },
        "-",
        { title: "Delete", icon: "trash", danger: true, run: () => this.removeStep(entry) },
      ]);
    },
    get undoTitle() {
      return this.session?.can_undo && this.current ? `Undo: ${this.titleOf(this.current)} (Ctrl Z)` : "Nothing to undo";
    },
    get redoTitle() {
      return this.session?.can_redo ? "Redo (Shift Ctrl Z)" : "Nothing to redo";
    },

    // Adding steps --------------------------------------------------------------------------------------------------------
    get tools() {
      return Object.entries(OPS).map(([op, { short, icon, help }]) => ({ op, short, help, icon: `#i-${icon}` }));
    },
    stepMenu(anchor) {
      openMenu(anchor ?? this.$refs.toolbar, Object.entries(OPS).map(([op, { title, icon }]) => ({ title, icon, run: () => this.addStep(op) })), "Add a step");
    },
    columnSteps(column) {
      const missing = this.profileOf(column.name)?.missing;
      return [
        ...(missing ? [{ title: "Fill missing …", note: count(missing), icon: "clean", run: () => this.addStep("fill_missing", column) }] : []),
        { title: "Derive from it …", icon: "fx", run: () => this.addStep("derive", column) },
        { title: "Sort the table by it …", icon: "sort", run: () => this.addStep("sort", column) },
        { title: "Drop it", icon: "trash", run: () => this.addStep("drop_columns", column) },
      ];
    },
    filterToStep() {
      const condition = this.filter;
      this.clearFilter();
      this.addStep("filter", null, { condition });
    },

    // Saving and training ---------------------------------------------------------------------------------------------------
    saveAs: "version",
    saveName: "",
    saveProblem: "",
    saveJob: null,
    openSave() {
      this.saveName = `${this.session.source?.name ?? "Table"}, cleaned`;
      this.saveProblem = "";
      this.$refs.save.showModal();
    },
    async save({ thenTrain = false } = {}) {
      if (this.saveAs === "source" && !this.saveName.trim()) {
        this.saveProblem = "A name is needed.";
        return;
      }
      try {
        const body = this.saveAs === "source" ? { name: this.saveName.trim() } : {};
        const { job, source } = await api.post(`/sessions/${this.id}/save`, body);
        this.$refs.save.close();
        this.saveJob = job;
        toast(thenTrain ? "Saving first; training opens when it is done." : "It appears in the project's data when it is done.", { title: "Saving in the background.", href: `/jobs/${job.id}`, link: "Follow it" });
        const stop = watchJob(job, async (now) => {
          this.saveJob = now;
          if (isActive(now)) return;
          stop();
          if (now.state !== "succeeded") return;
          if (thenTrain) {
            const { current_version: version } = await api.get(`/sources/${source.id}`);
            location.assign(`/projects/${this.session.project_id}/experiments/new?version=${version.id}`);
          } else toast(`${source.name} has a new version.`, { tone: "success", title: "Saved.", href: `/sources/${source.id}` });
        });
      } catch (error) {
        this.saveProblem = error.errors?.[0]?.msg || error.detail || error.title || String(error);
        if (!this.$refs.save.open) toastError(error, "Not saved.");
      }
    },
    async train() {
      if (!this.session) return;
      const changed = this.steps.some(({ status }) => status === "applied");
      if (!changed) {
        location.assign(`/projects/${this.session.project_id}/experiments/new?version=${this.session.version_id}`);
        return;
      }
      const yes = await ask({ title: "Save, then train?", text: `A model learns from a saved version. This saves ${plural(this.steps.filter(({ status }) => status === "applied").length, "step")} as a new version of ${this.session.source?.name}, with its lineage, and opens the experiment on it.`, yes: "Save and train" });
      if (!yes) return;
      this.saveAs = "version";
      this.save({ thenTrain: true });
    },
    async discard() {
      const yes = await ask({ title: "Discard this session?", text: "Its history of steps goes; the data source and its versions stay as they are.", yes: "Discard", danger: true });
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
        { title: "Discard this session", icon: "trash", danger: true, run: () => this.discard() },
      ], "History");
    },
    get rowsText() {
      if (this.preview) return `${count(this.preview.rows_after)} rows × ${this.preview.columns.length} columns`;
      if (this.total === null) return "";
      const all = this.profile && !this.filter ? this.profile.rows : null;
      return `${count(this.total)}${all !== null && all !== this.total ? ` of ${count(all)}` : ""} rows × ${this.schema.length} columns`;
    },
    get state() {
      if (this.busy) return "saving …";
      if (this.saveJob && isActive(this.saveJob)) return "saving as a version …";
      return "saved";
    },
  });
}

export function register(Alpine) {
  Alpine.data("studio", studio);
}
