// The versions of a model: who decided what about them, aliases, notes.
import { formDialog } from "../components/shared.js";
import { api } from "../lib/api.js";
import { download } from "../lib/dom.js";
import { openMenu } from "../lib/menu.js";
import { mix } from "../lib/mix.js";
import { ask, toast, toastError } from "../lib/ui.js";
import { versionScore } from "./models.js";

const STATES = {
  pending: { title: "awaits approval", tone: "is-warning", icon: "#i-clock" },
  approved: { title: "approved", tone: "is-success", icon: "#i-check" },
  rejected: { title: "rejected", tone: "is-danger", icon: "#i-x" },
};

/** What the dialog asks for, by what is to be done with a version. */
const ACTS = {
  approve: { title: "Approve", label: "Why", help: "It may become the champion.", yes: "Approve", long: true },
  reject: { title: "Reject", label: "Why", help: "It predicts no more and loses its aliases. It can be approved again.", yes: "Reject", long: true },
  champion: { title: "Make champion", label: "Why", help: "This approves it too. Predictions that name no version use it from now on.", yes: "Approve and make champion", long: true },
  note: { title: "Note on", label: "Note", help: "", yes: "Save", long: true },
  alias: { title: "Alias for", label: "Alias", help: "Lower-case letters, digits, - and _; it moves here if another version has it.", yes: "Set", long: false },
};

export function modelVersions() {
  return mix(
    formDialog({
      fields: { act: "note", number: 0, text: "" },
      send({ act, number, text }) {
        const version = `/models/${this.id}/versions/${number}`;
        if (act === "note") return api.patch(version, { note: text });
        if (act === "alias") return api.put(`/models/${this.id}/aliases/${encodeURIComponent(text.trim())}`, { version: number });
        if (act === "champion") return api.put(`/models/${this.id}/aliases/champion`, { version: number, reason: text });
        return api.post(`${version}/${act}`, { reason: text });
      },
      done() {
        this.head.load({ quiet: true });
        toast(`${{ note: "Saved.", alias: "Set.", approve: "Approved.", reject: "Rejected.", champion: "Approved, and champion now." }[this.form.act]}`, { tone: "success" });
      },
    }),
    {
      project: null,
      async fetchProject(id) {
        try {
          this.project = await api.get(`/projects/${id}`);
        } catch {
          this.project = null; // without it, nothing can be changed here
        }
      },
      get act() {
        return ACTS[this.form.act];
      },
      get actTitle() {
        return `${this.act.title} version ${this.form.number}`;
      },
      get actNeedsText() {
        return this.form.act !== "note" && !this.form.text.trim();
      },
      get mayEdit() {
        return ["editor", "owner"].includes(this.project?.role);
      },
      mayDecide(version) {
        return this.project?.role === "owner" && !(this.project.four_eyes && version.creator === document.body.dataset.user);
      },
      get versions() {
        return (this.model?.versions ?? []).map((version) => {
          const state = STATES[version.approval];
          return { ...version, state, aliases: this.aliasesOf(version), score: versionScore(version), by: version.creator ?? "somebody who has left", runUrl: `/runs/${version.run_id}`, rowsUrl: `/runs/${version.run_id}?tab=rows`, fileUrl: `/api/v1/models/${this.model.id}/versions/${version.number}/file` };
        });
      },
      get decisions() {
        return this.versions.flatMap(({ number, decisions }) => decisions.map((one, index) => ({ ...one, number, key: `${number} ${index}`, state: STATES[one.verdict], who: one.by_name ?? "somebody who has left" })))
          .sort((a, b) => b.at.localeCompare(a.at));
      },
      get waiting() {
        return this.versions.filter(({ approval }) => approval === "pending").length;
      },
      aliasesOf({ number }) {
        return Object.entries(this.model?.aliases ?? {}).filter(([, held]) => held === number).map(([name]) => name);
      },
      isChampion({ number }) {
        return this.model?.aliases?.champion === number;
      },
      open(act, version, text = "") {
        this.show({ act, number: version.number, text });
      },
      versionMenu(event, version) {
        const items = [];
        if (version.onnx_obstacles && !version.onnx_obstacles.length) items.push({ title: "Download as ONNX", icon: "download", help: "One graph with the preparation, for onnxruntime", run: () => this.downloadOnnx(version) }, "-");
        if (this.mayDecide(version)) {
          if (version.approval !== "approved") items.push({ title: "Approve …", icon: "check", run: () => this.open("approve", version) });
          if (version.approval === "approved" && !this.isChampion(version)) items.push({ title: "Make champion", icon: "star", run: () => this.promote(version) });
          if (version.approval === "pending") items.push({ title: "Approve and make champion …", icon: "star", run: () => this.open("champion", version) });
        } else if (version.approval === "approved" && !this.isChampion(version) && this.mayEdit) {
          items.push({ title: "Make champion", icon: "star", run: () => this.promote(version) });
        } else if (version.approval !== "approved") {
          items.push({ title: this.project?.role === "owner" ? "Another owner approves this" : "An owner approves this", icon: "lock", run: () => location.assign(`/projects/${this.model.project_id}/members`), note: "members" });
        }
        if (this.mayEdit) {
          items.push({ title: version.note ? "Change the note …" : "Write a note …", icon: "comment", run: () => this.open("note", version, version.note) });
          if (version.approval !== "rejected") items.push({ title: "Give it an alias …", icon: "tag", run: () => this.open("alias", version) });
          for (const alias of version.aliases) items.push({ title: `Take away “${alias}”`, icon: "x", run: () => this.unpoint(alias) });
        }
        if (this.mayDecide(version) && version.approval !== "rejected") items.push("-", { title: version.approval === "approved" ? "Withdraw …" : "Reject …", icon: "x", danger: true, run: () => this.open("reject", version) });
        openMenu(event.currentTarget, items, `Version ${version.number}`);
      },
      async downloadOnnx(version) {
        const answer = await fetch(`/api/v1/models/${this.id}/versions/${version.number}/onnx`);
        if (answer.ok) download(`${this.model.name}, version ${version.number}.onnx`, await answer.blob());
        else toast((await answer.json()).detail, { tone: "danger", title: "Not written." });
      },
      async promote(version) {
        const before = this.model.aliases?.champion;
        if (before && !(await ask({ title: `Make version ${version.number} champion?`, text: `Predictions that ask for “champion” use it from now on instead of version ${before}.`, yes: "Make champion" }))) return;
        await this.point("champion", version.number, before);
      },
      async point(alias, number, before) {
        try {
          await api.put(`/models/${this.id}/aliases/${alias}`, { version: number });
          await this.head.load({ quiet: true });
          toast(`Version ${number} is ${alias} now.`, { tone: "success", action: before ? "Undo" : "", run: () => this.point(alias, before) });
        } catch (error) {
          toastError(error, "Not changed.");
        }
      },
      async unpoint(alias) {
        const before = this.model.aliases[alias];
        try {
          await api.delete(`/models/${this.id}/aliases/${alias}`);
          await this.head.load({ quiet: true });
          toast(`No version is “${alias}” now.`, { tone: "success", action: "Undo", run: () => this.point(alias, before) });
        } catch (error) {
          toastError(error, "Not changed.");
        }
      },
    },
  );
}
