// The reference of functions, as the server's allow-list has them.
import { loadFunctions } from "../lib/complete.js";
import { resource } from "../lib/resource.js";
import { shortcut } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

function formulasPage() {
  return {
    functions: resource(() => loadFunctions(), { empty: () => false }),
    search: param("search"),
    init() {
      this.functions.load();
      this.$watch("search", (search) => setParams({ search: search.trim() }));
      shortcut("/", "Find a function", () => this.$refs.search.focus());
    },
    get groups() {
      const wanted = this.search.trim().toLowerCase();
      const found = (this.functions.data ?? []).filter((one) => `${one.signature} ${one.help} ${one.group}`.toLowerCase().includes(wanted));
      return [...new Set(found.map(({ group }) => group))].map((title) => ({ title, members: found.filter(({ group }) => group === title) }));
    },
    clear() {
      this.search = "";
      this.$refs.search.focus();
    },
  };
}

export function register(Alpine) {
  Alpine.data("formulasPage", formulasPage);
}
