// The history of a session: its steps looked at, undone, changed, moved and taken out, by mouse and by keyboard.
import { api } from "../lib/api.js";
import { openMenu } from "../lib/menu.js";
import { roving } from "../lib/roving.js";
import { opOf } from "../lib/steps.js";
import { ask, shortcut, toast, toastError } from "../lib/ui.js";
import { setParams } from "../lib/url.js";

const KEYS = [["E", "Edit the step of the history that has the focus"], ["B", "Go back to it"], ["Space", "Turn it on or off"], ["Delete", "Delete it"], ["Alt ↑↓", "Move it"], ["C", "Comment on it"]];

/** `grid()` is the table beside it. */
export function history(grid) {
  let enterSteps = () => {};
  return {
    overtaken: null, // what another tab or person did meanwhile: {lead, text, ids}
    looks: 0,
    dragged: "",
    dropAt: -1,
    startHistory() {
      for (const [keys, title] of KEYS) shortcut(keys, title, () => false); // told here, done by `historyKey` where the focus is
      this.$nextTick(() => (enterSteps = roving(this.$refs.steps, ".step-main", { prefer: () => this.placeInHistory() })));
      document.addEventListener("visibilitychange", () => document.hidden || this.lookForChanges());
    },
    get editable() {
      return Boolean(this.session?.editable);
    },
    get isReadOnly() {
      return Boolean(this.session) && !this.session.editable;
    },

    get ownerName() {
      return this.session?.owner.username ?? "";
    },
    get canCopy() {
      return Boolean(this.role) && this.role !== "viewer";
    },

    // Changes -----------------------------------------------------------------------------------------------------------
    /** Sends a change; a stale revision means another tab or person was faster: what they did is shown, and what was typed here stays. */
    async change(send, done) {
      if (this.busy || !this.editable) return null;
      this.busy = true;
      try {
        const answer = await send({ ifMatch: this.session.revision });
        await this.take(answer?.steps ? answer : await api.get(`/sessions/${this.id}`));
        this.saved = Date.now();
        this.overtaken = null;
        done?.();
        return this.session;
      } catch (error) {
        if (error.status === 412) await this.catchUp("Not applied: this session was changed elsewhere meanwhile.");
        else if (!this.panelRefused?.(error)) toastError(error, "Not applied.");
        return null;
      } finally {
        this.busy = false;
      }
    },
    /** The session as it is now, with what is new in it; a form that is open goes on with the step it was opened on. */
    async catchUp(lead) {
      const before = this.session;
      const now = await api.get(`/sessions/${this.id}`);
      if (now.revision === before.revision) return;
      const found = difference(before, now);
      await this.take(now, { keepView: true });
      if (this.seen && this.seen !== "root" && !this.steps.some(({ id }) => id === this.seen)) {
        this.setSeen("");
        this.schema = now.schema;
        grid()?.setSchema(this.schema);
      }
      if (this.panel && this.editing) {
        this.editing = this.sameStep(this.editing.id);
        if (!this.editing) this.panel = "add";
      }
      if (this.panel) this.tryIt();
      this.overtaken = { lead, text: `${found.text}${this.panel ? " What you typed is still in the panel." : ""}`, ids: found.ids };
    },
    async lookForChanges() {
      if (this.busy || !this.session || this.looking) return;
      this.looking = true;
      try {
        await this.catchUp("Changed elsewhere:");
      } catch {
        // the next change tells what is wrong
      } finally {
        this.looking = false;
      }
    },
    dropOvertaken() {
      this.overtaken = null;
    },
    showOvertaken() {
      this.showPart("steps");
      const at = this.steps.findIndex(({ id }) => this.overtaken.ids.includes(id));
      this.focusStep(at < 0 ? this.steps.findIndex(({ id }) => id === this.session.cursor) : at);
    },
    /** The step of the history that another one has become by changes. */
    sameStep(id) {
      return this.steps.find((entry) => entry.id === id || entry.states.includes(id)) ?? null;
    },
    undo() {
      if (!this.session?.can_undo) return;
      const name = this.titleOf(this.current);
      this.change((options) => api.post(`/sessions/${this.id}/undo`, {}, options), () => toast(`Undone: ${name}.`, { topic: "undo", action: "Redo", run: () => this.redo() }));
    },
    redo() {
      if (!this.session?.can_redo) return;
      this.change((options) => api.post(`/sessions/${this.id}/redo`, {}, options));
    },
    jump(id) {
      return this.change((options) => api.post(`/sessions/${this.id}/jump`, { step: id }, options));
    },
    /** A change of earlier steps; the toast takes it back: to the history as it was, and the place in it. */
    async rewrite(send, told) {
      const tip = this.steps.at(-1)?.id ?? null;
      const { cursor } = this.session;
      return this.change(send, () => toast(told, { action: "Undo", run: () => this.change(async (options) => {
        const made = this.steps.at(-1)?.id;
        let now = await api.post(`/sessions/${this.id}/jump`, { step: tip }, options);
        if (cursor !== tip) now = await api.post(`/sessions/${this.id}/jump`, { step: cursor }, { ifMatch: now.revision });
        if (now.branches.some((branch) => branch.tip === made)) now = await api.delete(`/sessions/${this.id}/branches/${made}`, { ifMatch: now.revision });
        return now;
      }) }));
    },
    toggleStep(entry) {
      const enabled = !entry.enabled;
      return this.rewrite((options) => api.patch(`/sessions/${this.id}/steps/${entry.id}`, { enabled }, options), `${this.titleOf(entry)} is ${enabled ? "on again" : "off"}; later steps were replayed.`);
    },
    removeStep(entry) {
      if (this.editing?.id === entry.id) this.closePanel();
      return this.rewrite((options) => api.delete(`/sessions/${this.id}/steps/${entry.id}`, options), `${this.titleOf(entry)} was taken out of the history.`);
    },
    /** Puts a step at another place, counted without it. */
    moveStep(entry, to) {
      const rest = this.steps.filter(({ id }) => id !== entry.id);
      if (to < 0 || to > rest.length || this.steps[to]?.id === entry.id) return null;
      const after = to ? rest[to - 1].id : null;
      return this.rewrite((options) => api.post(`/sessions/${this.id}/steps/${entry.id}/move`, { after }, options), `${this.titleOf(entry)} was moved; later steps were replayed.`);
    },
    openStep(entry) {
      if (this.editable) this.editStep(entry);
      else this.look(entry.id);
    },

    // What is shown -----------------------------------------------------------------------------------------------------
    /** The table as of one step; the history stays as it is. */
    async look(id, { push = true } = {}) {
      const wanted = id === this.session.cursor ? "" : id;
      if (wanted === this.seen) return;
      const mine = (this.looks += 1);
      this.closePanel();
      let { schema } = this.session;
      if (wanted) {
        try {
          schema = (await api.get(`/sessions/${this.id}/rows`, { step: wanted, limit: 1, total: "false" })).columns;
        } catch (error) {
          if (mine === this.looks) toastError(error, "This step cannot be shown.");
          return;
        }
      }
      if (mine !== this.looks) return; // another one was chosen meanwhile
      this.seen = wanted;
      setParams({ step: wanted }, { push });
      this.schema = schema;
      grid()?.setSchema(this.schema);
      this.refreshProfile();
    },
    /** The step as of which the table is shown, by name: what is asked for while a change is on its way means the table as it was. */
    get shownStep() {
      return this.seen || (this.session.cursor ?? "root");
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
    titleOf(entry) {
      return entry ? opOf(entry.step.op).title : "";
    },
    whyOf(entry) {
      return this.isStopped(entry) ? entry.error || "cannot run here" : entry.status === "disabled" ? `off: ${entry.summary}` : entry.summary;
    },
    isStopped(entry) {
      return entry.status === "failed" || entry.status === "waiting";
    },
    stepClass(entry, index) {
      const classes = [];
      if (entry.id === this.session.cursor) classes.push("is-current");
      if (!entry.enabled) classes.push("is-off");
      else if (this.isStopped(entry)) classes.push("is-danger");
      if (!entry.applied) classes.push("is-undone");
      if (entry.id === this.seen) classes.push("is-seen");
      if (this.overtaken?.ids.includes(entry.id)) classes.push("is-news");
      if (entry.id === this.dragged) classes.push("is-dragged");
      if (this.dragged && this.dropAt === index) classes.push("is-drop-before");
      if (this.dragged && this.dropAt === index + 1 && index === this.steps.length - 1) classes.push("is-drop-after");
      return classes.join(" ");
    },
    nodeIcon(entry) {
      return this.isStopped(entry) ? "#i-warn" : entry.enabled ? "" : "#i-eyeoff";
    },
    get undoTitle() {
      return this.session?.can_undo && this.current ? `Undo: ${this.titleOf(this.current)} (Ctrl Z)` : "Nothing to undo";
    },
    get redoTitle() {
      const next = this.steps.find(({ applied }) => !applied);
      return this.session?.can_redo && next ? `Redo: ${this.titleOf(next)} (Shift Ctrl Z)` : "Nothing to redo";
    },

    // By keyboard and by mouse --------------------------------------------------------------------------------------------
    rows() {
      return [...this.$refs.steps.querySelectorAll(".step-main")];
    },
    /** The step whose table is shown. */
    placeInHistory() {
      return this.rows()[(this.seen ? this.seenIndex : this.steps.indexOf(this.current) + 1)];
    },
    enterHistory() {
      this.showPart("steps");
      enterSteps();
    },
    /** Gives the focus to a step once it is drawn; -1 is the original. */
    focusStep(index) {
      this.$nextTick(() => this.rows()[index + 1]?.focus());
    },
    async historyKey(event) {
      const at = this.rows().indexOf(event.target) - 1;
      if (at < -1 || event.ctrlKey || event.metaKey) return;
      const entry = this.steps[at];
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (event.key === "Enter") {
        event.stopPropagation(); // the click that follows shows the table; a form beside it is not meant
        return;
      }
      if (step && !event.altKey) this.rows()[at + 1 + step]?.focus();
      else if (event.key === "Home" || event.key === "End") this.rows().at(event.key === "Home" ? 0 : -1).focus();
      else if (!entry) return;
      else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) this.entryMenu(entry, event.target);
      else if (event.shiftKey) return;
      else if (step && event.altKey) this.afterwards(this.moveStep(entry, at + step), at + step);
      else if (event.key === " ") this.afterwards(this.toggleStep(entry), at);
      else if (event.key === "Delete" || event.key === "Backspace") this.afterwards(this.removeStep(entry), Math.min(at, this.steps.length - 2));
      else if (event.key.toLowerCase() === "e" && this.editable) this.editStep(entry);
      else if (event.key.toLowerCase() === "b" && this.editable) this.afterwards(this.jump(entry.id), at);
      else if (event.key.toLowerCase() === "c") this.openThread(entry);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    async afterwards(changing, index) {
      if (await changing) this.focusStep(index);
    },
    dragStart(entry, event) {
      if (!this.editable) return;
      this.dragged = entry.id;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", entry.summary);
    },
    /** `index` is the step under the pointer, -1 the original. */
    dragOver(index, event) {
      if (!this.dragged) return;
      event.preventDefault();
      const { top, height } = event.currentTarget.getBoundingClientRect();
      this.dropAt = index < 0 ? 0 : index + (event.clientY > top + height / 2);
    },
    dragEnd() {
      this.dragged = "";
      this.dropAt = -1;
    },
    drop(event) {
      event.preventDefault();
      const from = this.steps.findIndex(({ id }) => id === this.dragged);
      const to = this.dropAt;
      this.dragEnd();
      if (from >= 0 && to >= 0) this.moveStep(this.steps[from], to > from ? to - 1 : to);
    },
    entryMenu(entry, anchor) {
      const at = this.steps.findIndex(({ id }) => id === entry.id);
      const comments = { title: entry.comments.length ? `Comments (${entry.comments.length})` : "Comment", icon: "comment", note: "C", run: () => this.openThread(entry) };
      const copy = { title: "Copy to another session …", icon: "copy", run: () => this.openCopy(entry) };
      const show = { title: "Show the table as of here", icon: "eye", note: "Enter", run: () => this.look(entry.id) };
      openMenu(anchor, this.isReadOnly ? [{ heading: this.titleOf(entry) }, show, comments, copy] : [
        { heading: this.titleOf(entry) },
        { title: "Edit", icon: "edit", note: "E", run: () => this.editStep(entry) },
        show,
        { title: "Go back to here", icon: "undo", note: "B", run: () => this.jump(entry.id) },
        ...(at > 0 ? [{ title: "Move up", icon: "up", note: "Alt ↑", run: () => this.moveStep(entry, at - 1) }] : []),
        ...(at < this.steps.length - 1 ? [{ title: "Move down", icon: "down", note: "Alt ↓", run: () => this.moveStep(entry, at + 1) }] : []),
        comments, copy,
        { title: entry.enabled ? "Turn off" : "Turn on", icon: entry.enabled ? "eyeoff" : "eye", note: "Space", run: () => this.toggleStep(entry) },
        "-",
        { title: "Delete", icon: "trash", note: "Del", danger: true, run: () => this.removeStep(entry) },
      ]);
    },

    // The session as a whole ----------------------------------------------------------------------------------------------
    historyMenu(event) {
      const anchor = event.currentTarget;
      const code = { title: "Download as Python", icon: "download", run: () => location.assign(`/api/v1/sessions/${this.id}/code`) };
      const original = { title: "Show the original", icon: "eye", run: () => this.look("root") };
      const copies = [
        { title: "Copy steps to another session …", icon: "copy", run: () => this.openCopy() },
        { title: "Make a copy of this session", icon: "copy", run: () => this.copySession() },
      ];
      openMenu(anchor, this.isReadOnly ? [original, ...copies, code] : [
        { title: "Back to the original", icon: "undo", run: () => this.jump(null) },
        original,
        "-",
        { title: "Save as a recipe …", icon: "save", run: () => this.saveRecipe() },
        { title: "Apply a recipe …", icon: "stepi", run: () => this.recipeMenu(anchor) },
        code, ...copies,
        "-",
        { title: "Rename this session …", icon: "edit", run: () => this.rename() },
        { title: this.session.shared ? "Stop sharing" : "Share with the project", icon: "members", run: () => this.share() },
        { title: "All sessions of the project", icon: "studio", run: () => location.assign(`/projects/${this.session.project_id}/studio`) },
        "-",
        { title: "Discard this session", icon: "trash", danger: true, run: () => this.discard() },
      ], "History");
    },
    async rename() {
      const name = await ask({ title: "Name the session", label: "Name", value: this.session.name, yes: "Rename" });
      if (name) this.change((options) => api.patch(`/sessions/${this.id}`, { name }, options));
    },
    share() {
      const shared = !this.session.shared;
      this.change((options) => api.patch(`/sessions/${this.id}`, { shared }, options), () => toast(shared ? "The project's members can look at it; only you change it." : "Only you see it now.", { tone: "success" }));
    },
    async discard() {
      const yes = await ask({ title: "Discard this session?", text: "It stays in the trash for thirty days; the data source and its versions stay as they are.", yes: "Discard", danger: true });
      if (!yes) return;
      try {
        await api.delete(`/sessions/${this.id}`);
        location.assign(`/projects/${this.session.project_id}/studio`);
      } catch (error) {
        toastError(error, "Not discarded.");
      }
    },
  };
}

/** What is otherwise in a session than it was, in words, and the steps that are meant. */
function difference(before, now) {
  const was = new Map(before.steps.map((entry) => [entry.id, entry]));
  const met = new Set();
  const words = [];
  const ids = [];
  const tell = (entry, what) => words.push(`${opOf(entry.step.op).title} ${what}`) && ids.push(entry.id);
  for (const entry of now.steps) {
    const old = [entry.id, ...entry.states].map((id) => was.get(id)).find(Boolean);
    if (!old) tell(entry, "is new");
    else {
      met.add(old.id);
      if (JSON.stringify(old.step) !== JSON.stringify(entry.step)) tell(entry, "was edited");
      else if (old.enabled !== entry.enabled) tell(entry, entry.enabled ? "is on again" : "is off");
    }
  }
  for (const [id, entry] of was) if (!met.has(id)) tell(entry, "is no longer in the history");
  const place = ({ steps }) => steps.filter(({ applied }) => applied).length;
  if (!words.length && place(before) !== place(now)) words.push(`the history stands at step ${place(now)} now`);
  if (!words.length && before.name !== now.name) words.push(`it is called “${now.name}” now`);
  if (!words.length && before.shared !== now.shared) words.push(now.shared ? "it is shared now" : "it is no longer shared");
  if (!words.length) words.push("its steps have another order, or its branches other names");
  const shown = words.slice(0, 3).join("; ");
  return { text: `${shown}${words.length > 3 ? `; and ${words.length - 3} more` : ""}.`, ids };
}
