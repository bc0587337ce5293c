// What people say of a run: tags, notes, where it came from; its settings kept as a preset; its place in the gallery.
import { api } from "../lib/api.js";
import { metric, plural, sentence } from "../lib/format.js";
import { openMenu } from "../lib/menu.js";
import { mix } from "../lib/mix.js";
import { ask, command, toast, toastError } from "../lib/ui.js";
import { formDialog } from "./shared.js";

const written = (value) => (value === null || value === undefined ? "∅" : typeof value === "number" ? metric(value) : Array.isArray(value) ? value.join(", ") || "none" : String(value));

/** Stands within the page of a run, whose `run` it shows. */
function runNotes() {
  return mix(
    formDialog({
      fields: { tags: "", notes: "" },
      async send({ tags, notes }) {
        const names = tags.split(",").map((tag) => tag.trim()).filter(Boolean);
        return api.patch(`/runs/${this.run.id}`, { tags: names, notes }, this.live ? {} : { ifMatch: this.run.revision });
      },
      done({ tags, notes, revision }) {
        Object.assign(this.run, { tags, notes, revision });
      },
    }),
    {
      parent: null, // {id, name, differences}
      init() {
        api.get(`/experiments/${this.run.experiment_id}`).then(({ parent_id: id }) => id && this.readParent(id)).catch((error) => {
          if (error.status === 404) this.parent = { name: "an experiment of a project you are not in, or one that is gone", differences: null };
        });
        command("Tags and notes of this run", "edit", () => this.edit());
      },
      async readParent(id) {
        const { items } = await api.get(`/experiments/${this.run.experiment_id}/differences`, { with: id });
        const { name } = await api.get(`/experiments/${id}`);
        this.parent = { id, name, differences: items.filter(({ place }) => place !== "name").map(({ place, values }) => ({ place, title: sentence(place.replaceAll(".", ", ")), text: `${written(values[1])} → ${written(values[0])}` })) };
      },
      get parentText() {
        if (this.parent && !this.parent.differences) return this.parent.name;
        return this.parent ? `${this.parent.name}: ${this.parent.differences.length ? plural(this.parent.differences.length, "setting") + " changed" : "nothing changed"}` : "";
      },
      edit() {
        this.show({ tags: this.run.tags.join(", "), notes: this.run.notes });
      },
      get hasNothing() {
        return !this.run.tags.length && !this.run.notes;
      },
      more(event) {
        const published = this.run.publication_id;
        openMenu(event.currentTarget, [
          { title: "Keep the hyperparameters as a preset", icon: "save", run: () => this.keep(false) },
          { title: "Keep all settings as a preset", icon: "save", run: () => this.keep(true) },
          "-",
          published ? { title: "Open in the gallery", icon: "gallery", run: () => location.assign(`/gallery/${published}`) } : { title: "Publish to the gallery", icon: "gallery", run: () => this.$dispatch("publish-run") },
        ], "More of this run");
      },
      async keep(whole) {
        const name = await ask({ title: whole ? "Keep all settings as a preset" : "Keep the hyperparameters as a preset", text: whole ? "Everything but the data; it is applied to other data in a new experiment." : "The algorithm with the hyperparameters that took effect.", label: "Name", value: this.run.name, yes: "Keep" });
        if (!name) return;
        try {
          await api.post("/presets", { name, run_id: this.run.id, whole });
          toast(`“${name}” is among your presets: a new experiment offers it.`, { tone: "success" });
        } catch (error) {
          toastError(error, "Not kept.");
        }
      },
    },
  );
}

function runPublish() {
  return formDialog({
    fields: { title: "", summary: "", shares_data: false },
    send(form) {
      return api.post(`/runs/${this.run.id}/publish`, { title: form.title.trim() || null, summary: form.summary, shares_data: form.shares_data });
    },
    done({ id }) {
      this.run.publication_id = id;
      toast("Everybody with an account here can read it now.", { tone: "success", title: "Published.", href: `/gallery/${id}`, link: "Open it" });
    },
  });
}

export function registerRunNotes(Alpine) {
  Alpine.data("runNotes", runNotes);
  Alpine.data("runPublish", runPublish);
}
