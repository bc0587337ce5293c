// Presets in the wizard, and the specification as a file: the same settings for other data.
import { api } from "../lib/api.js";
import { download } from "../lib/dom.js";
import { openMenu } from "../lib/menu.js";
import { ask, toast, toastError } from "../lib/ui.js";

export function wizardPresets() {
  return {
    presetMissing: [], // what the data does not have of the preset that was applied
    presetName: "",
    async presetMenu(event) {
      const anchor = event.currentTarget;
      let presets = [];
      try {
        presets = (await api.get("/presets")).items;
      } catch (error) {
        toastError(error, "The presets could not be read.");
        return;
      }
      const told = ({ settings }) => (Object.keys(settings).length === 1 && settings.algorithm ? `${settings.algorithm.name.replaceAll("_", " ")} alone` : "all settings");
      openMenu(anchor, [
        { title: "Keep these settings as a preset", icon: "save", run: () => this.keepPreset() },
        ...(presets.length ? ["-", { heading: "Apply" }, ...presets.map((preset) => ({ title: preset.name, note: told(preset), icon: "stepi", run: () => this.usePreset(preset) })), "-", { heading: "Remove" }, ...presets.map((preset) => ({ title: preset.name, icon: "trash", danger: true, run: () => this.removePreset(preset) }))] : []),
      ], "Presets", { search: presets.length > 6 ? "Find a preset" : "" });
    },
    async usePreset(preset) {
      if (!this.spec.version_id) {
        toast("Choose the data first: a preset is fitted to its columns.", { tone: "warning" });
        return;
      }
      try {
        const { specification, missing } = await api.post(`/presets/${preset.id}/apply`, { version_id: this.spec.version_id });
        const { name, version_id: version, ...settings } = specification;
        const target = settings.target ?? this.spec.target;
        this.spec = { ...this.spec, ...settings, target, split: { ...this.spec.split, ...settings.split }, algorithm: settings.algorithm ?? this.spec.algorithm };
        this.chooseAlgorithm(this.spec.algorithm.name);
        this.splitChosen = this.splitChosen || Boolean(settings.split?.kind);
        this.suggestSplit();
        this.suggestName();
        const asksForTarget = preset.settings.target !== undefined;
        this.presetMissing = missing.filter(({ code, loc }) => code !== "required" || loc[0] !== "target" || asksForTarget).map((fault, key) => ({ key, text: `${fault.loc.join(", ").replaceAll("_", " ")}: ${fault.msg}` }));
        this.presetName = preset.name;
        toast(this.presetMissing.length ? `“${preset.name}” was applied but for what this data does not have.` : `“${preset.name}” was applied.`, { tone: this.presetMissing.length ? "warning" : "success" });
      } catch (error) {
        toastError(error, "Not applied.");
      }
    },
    async keepPreset() {
      const name = await ask({ title: "Keep these settings as a preset", text: "Everything but the data; it can be applied to other data.", label: "Name", value: this.spec.name, yes: "Keep" });
      if (!name) return;
      const { name: own, version_id: version, ...settings } = this.specification;
      if (!settings.target) delete settings.target;
      try {
        await api.post("/presets", { name, settings });
        toast(`“${name}” was kept.`, { tone: "success" });
      } catch (error) {
        toastError(error, "Not kept.");
      }
    },
    async removePreset({ id, name }) {
      if (!(await ask({ title: `Remove “${name}”?`, text: "Experiments made with it stay as they are.", yes: "Remove", danger: true }))) return;
      try {
        await api.delete(`/presets/${id}`);
        toast(`“${name}” was removed.`);
      } catch (error) {
        toastError(error, "Not removed.");
      }
    },
    forgetMissing() {
      this.presetMissing = [];
    },
    saveJson() {
      download(`${(this.spec.name || "experiment").replace(/[^\w.-]+/g, "-")}.json`, `${this.json}\n`, "application/json");
    },
    async openJson(event) {
      const [file] = event.target.files;
      event.target.value = "";
      if (!file) return;
      if (file.size > 1_000_000) {
        this.jsonProblem = "A specification is smaller than 1 MB.";
        return;
      }
      this.json = await file.text();
      this.jsonProblem = "";
    },
  };
}
