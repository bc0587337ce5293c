// A tab of the source page: it loads when it is first shown for a version, and again when another version is.
import { resource } from "../../lib/resource.js";

/** `fetch` is called with the component as `this`; the page's own state (`version`, `source`, `tab`) is there too. */
export function tabOf(name, fetch, empty = () => false) {
  return {
    found: resource(() => null, { empty }),
    shownFor: "",
    init() {
      this.found = resource(() => fetch.call(this), { empty });
      this.$watch("tab", () => this.show());
      this.$watch("versionId", () => this.show());
      this.begun?.();
      this.show();
    },
    show() {
      if (this.tab !== name || !this.version || this.shownFor === this.version.id) return;
      this.shownFor = this.version.id;
      this.turned?.();
      this.found.load();
    },
  };
}
