// A run as Python: looked at, copied and taken along.
import { api } from "../lib/api.js";
import { plural } from "../lib/format.js";
import { coloured } from "../lib/python.js";
import { resource } from "../lib/resource.js";

export function codeTab() {
  return {
    code: resource(() => null),
    async openCode() {
      if (this.code.data) return;
      this.code = resource(() => api.get(`/runs/${this.id}/code`), { empty: () => false });
      await this.code.load();
    },
    get codeText() {
      return this.code.data || "";
    },
    get codeLines() {
      return this.codeText ? plural(this.codeText.trimEnd().split("\n").length, "line") : "";
    },
    paintCode(element) {
      element.replaceChildren(...coloured(this.codeText));
    },
    codeAddress(format) {
      return `/api/v1/runs/${this.id}/code?format=${format}`;
    },
  };
}
