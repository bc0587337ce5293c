import { api } from "../lib/api.js";
import { debounced } from "../lib/dom.js";
import { rank } from "../lib/rank.js";
import { knownCommands } from "../lib/ui.js";

const PLACES = [
  ["Home", "home", "/"], ["Projects", "folder", "/projects"], ["Models", "cube", "/models"], ["Jobs", "jobs", "/jobs"], ["Settings and tokens", "settings", "/settings"],
];
const KIND_ICONS = { project: "folder", source: "data", experiment: "flask", run: "chart", model: "cube", job: "jobs", session: "studio", recipe: "stepi" };

/** Go to, do, find. Results of the server join what the page knows by itself. */
function palette() {
  return {
    query: "",
    active: 0,
    found: [],
    searching: false,
    project: null,
    init() {
      addEventListener("hydroml:project-known", ({ detail }) => (this.project = detail));
      const search = debounced((query) => this.search(query), 180);
      this.$watch("query", (query) => {
        this.active = 0;
        this.searching = query.trim().length > 1;
        if (this.searching) search(query.trim());
        else this.found = [];
      });
    },
    async search(query) {
      try {
        const { items } = await api.get("/search", { q: query, limit: 20 });
        if (this.query.trim() === query) this.found = items;
      } catch {
        this.found = []; // the palette still goes to places and runs commands
      } finally {
        this.searching = false;
      }
    },
    show() {
      if (this.$root.open) return;
      this.query = "";
      this.found = [];
      this.$root.showModal();
      this.$refs.input.focus();
    },
    hide() {
      this.$root.close();
    },
    closed() {
      this.query = "";
    },
    get groups() {
      const query = this.query.trim().toLowerCase();
      const wanted = (list) => list.map((item) => ({ ...item, score: query ? rank(item.title, query) : 1 })).filter(({ score }) => score >= 0).sort((a, b) => b.score - a.score);
      const project = this.project ? [
        [`Data of ${this.project.name}`, "data", ""], [`Sessions of ${this.project.name}`, "studio", "/studio"], [`Recipes of ${this.project.name}`, "stepi", "/recipes"], [`SQL in ${this.project.name}`, "sql", "/sql"], [`Experiments of ${this.project.name}`, "flask", "/experiments"], [`New experiment in ${this.project.name}`, "plus", "/experiments/new"],
        [`Models of ${this.project.name}`, "cube", "/models"], [`Members of ${this.project.name}`, "members", "/members"],
      ].map(([title, icon, rest]) => ({ title, icon, href: `/projects/${this.project.id}${rest}` })) : [];
      const places = PLACES.map(([title, icon, href]) => ({ title, icon, href }));
      const does = knownCommands().filter(({ when }) => when()).map(({ title, icon, run, keys, href }) => ({ title, icon, run, keys, href }));
      const groups = [
        { title: "Found", items: this.found.map((item) => ({ title: item.name, icon: KIND_ICONS[item.kind] ?? "file", href: item.url, sub: [item.kind, item.project?.name ?? item.project].filter(Boolean).join(", ") })) },
        { title: "Do", items: wanted(does) },
        { title: "Go to", items: wanted([...project, ...places]) },
      ].filter(({ items }) => items.length);
      let index = 0;
      for (const group of groups) group.items = group.items.map((item) => ({ sub: "", keys: "", ...item, href: item.href || "#", icon: `#i-${item.icon}`, index, key: `${group.title}-${index}`, domId: `option-${index++}` }));
      return groups;
    },
    get flat() {
      return this.groups.flatMap(({ items }) => items);
    },
    get activeId() {
      return `option-${this.active}`;
    },
    get emptyText() {
      return this.searching ? "Searching …" : "Nothing is called like that. Names of projects, data, experiments, runs and models are searched.";
    },
    key(event) {
      const many = this.flat.length;
      if (event.key === "ArrowDown" && many) this.active = (this.active + 1) % many;
      else if (event.key === "ArrowUp" && many) this.active = (this.active + many - 1) % many;
      else if (event.key === "Enter" && many) this.run(this.flat[this.active], event);
      else if (event.key === "?" && !this.query) {
        this.hide();
        dispatchEvent(new CustomEvent("open-shortcuts"));
      } else return;
      event.preventDefault();
      this.$nextTick(() => document.getElementById(this.activeId)?.scrollIntoView({ block: "nearest" }));
    },
    run(item, event) {
      if (!item) return;
      if (item.run) {
        event.preventDefault();
        this.hide();
        item.run();
      } else if (event.type === "keydown") location.assign(item.href);
    },
  };
}

export function registerPalette(Alpine) {
  Alpine.data("palette", palette);
}
