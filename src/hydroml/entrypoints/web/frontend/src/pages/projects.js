import { demo } from "../components/shared.js";
import { api } from "../lib/api.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { command } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

function projectsPage() {
  return mix(demo(), {
    projects: resource(() => api.get("/projects", { limit: 200 })),
    filter: param("q"),
    init() {
      this.projects.load();
      this.$watch("filter", (q) => setParams({ q }));
      command("New project", "plus", () => this.newProject());
      if (param("new")) this.$nextTick(() => this.newProject());
    },
    newProject() {
      dispatchEvent(new CustomEvent("hydroml:new-project"));
    },
    get shown() {
      const wanted = this.filter.trim().toLowerCase();
      return this.projects.items.filter(({ name, description }) => `${name} ${description ?? ""}`.toLowerCase().includes(wanted));
    },
  });
}

export function register(Alpine) {
  Alpine.data("projectsPage", projectsPage);
}
