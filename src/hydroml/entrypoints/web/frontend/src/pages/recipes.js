import { onRecipeChanged, recipeItems, restoreRecipe } from "../components/recipe_actions.js";
import { applyRecipe } from "../components/recipe_report.js";
import { api, asProblem } from "../lib/api.js";
import { plural } from "../lib/format.js";
import { openMenu } from "../lib/menu.js";
import { resource } from "../lib/resource.js";
import { command, setCrumbs, setTitle, shortcut, toast } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

function recipesPage() {
  let id = "";
  return {
    project: null,
    search: param("search"),
    trash: Boolean(param("trash")),
    recipes: resource(() => null),
    pasted: "",
    importProblem: "",
    importFaults: [],
    importBusy: false,
    init() {
      id = this.$root.dataset.id;
      this.recipes = resource(() => api.get(`/projects/${id}/recipes`, { limit: 500, trashed: this.trash ? "true" : "" }));
      this.recipes.load();
      api.get(`/projects/${id}`).then((project) => {
        this.project = project;
        setTitle(`Recipes of ${project.name}`);
        setCrumbs([{ label: "Projects", href: "/projects" }, { label: project.name, href: `/projects/${id}` }]);
      }, () => {});
      onRecipeChanged(() => this.recipes.load({ quiet: true }));
      addEventListener("hydroml:recipe-applied", () => this.recipes.load({ quiet: true }));
      addEventListener("popstate", () => this.show(Boolean(param("trash")), { push: false }));
      command("Import a recipe", "upload", () => this.openImport());
      shortcut("/", "Search the recipes", () => this.$refs.search?.focus());
    },
    get canEdit() {
      return Boolean(this.project && this.project.role !== "viewer");
    },
    get whyNot() {
      return this.project?.role === "viewer" ? "You are a viewer here" : "";
    },
    show(trash, { push = true } = {}) {
      this.trash = trash;
      setParams({ trash: trash ? "1" : "" }, { push });
      this.recipes.load();
    },
    searched() {
      setParams({ search: this.search.trim() });
    },
    get shown() {
      const wanted = this.search.trim().toLowerCase();
      return this.recipes.items.filter(({ name, description }) => `${name} ${description}`.toLowerCase().includes(wanted));
    },
    get isBare() {
      return this.recipes.state === "empty" && !this.trash;
    },
    get isTrashBare() {
      return this.recipes.state === "empty" && this.trash;
    },
    /** The sources that are made anew by it, and the others it has made. */
    usedBy(recipe) {
      const followers = recipe.made.filter(({ follows }) => follows).map(({ name }) => name);
      if (followers.length) return `keeps ${followers.slice(0, 2).join(", ")}${followers.length > 2 ? ` and ${followers.length - 2} more` : ""} up to date`;
      return recipe.made.length ? `has made ${plural(recipe.made.length, "data source")}` : "";
    },
    apply(recipe) {
      applyRecipe(recipe);
    },
    restore(recipe) {
      restoreRecipe(recipe);
    },
    menu(recipe, event) {
      openMenu(event.currentTarget, recipeItems(recipe, { canEdit: this.canEdit, gone: () => this.recipes.load({ quiet: true }) }), `Menu of ${recipe.name}`);
    },

    // A recipe from elsewhere
    openImport() {
      if (!this.canEdit) return;
      this.importProblem = "";
      this.importFaults = [];
      this.$refs.importing.showModal();
    },
    closeImport() {
      this.$refs.importing.close();
    },
    async readFile(event) {
      const [file] = event.target.files;
      event.target.value = "";
      if (!file) return;
      if (file.size > 5_000_000) {
        this.importProblem = `“${file.name}” has more than 5 MB: that is no recipe.`;
        return;
      }
      this.pasted = await file.text();
      this.importProblem = "";
    },
    get importLack() {
      return this.pasted.trim() ? "" : "Choose a file, or paste a document.";
    },
    async importIt() {
      this.importFaults = [];
      this.importProblem = this.importLack;
      if (this.importProblem || this.importBusy) return;
      let document = null;
      try {
        document = JSON.parse(this.pasted);
      } catch (error) {
        this.importProblem = `This is not JSON: ${error.message}.`;
        return;
      }
      if (document === null || Array.isArray(document) || typeof document !== "object" || !Array.isArray(document.steps)) {
        this.importProblem = "This is JSON, but no recipe: a recipe is an object with a name and a list of steps. “Download as JSON” gives one.";
        return;
      }
      this.importBusy = true;
      try {
        const made = await api.post(`/projects/${id}/recipes`, { name: "Imported recipe", ...document });
        this.pasted = "";
        this.closeImport();
        toast(`${plural(made.step_count, "step")}.`, { tone: "success", title: `Recipe “${made.name}” is here.`, href: `/recipes/${made.id}` });
        if (this.trash) this.show(false);
        else this.recipes.load({ quiet: true });
      } catch (error) {
        const problem = asProblem(error);
        this.importProblem = problem.errors.length ? "The document was not taken:" : problem.detail || problem.title;
        this.importFaults = problem.errors.slice(0, 10).map(({ loc = [], msg }, at) => ({ key: at, text: `${placeOf(loc)}${msg}` }));
      } finally {
        this.importBusy = false;
      }
    },
  };
}

/** Where in a document: steps are counted as people do. */
function placeOf(loc) {
  const path = loc.filter((part) => part !== "body" && part !== "payload");
  const at = path.findIndex((part, place) => typeof part === "number" && path[place - 1] === "steps");
  const words = at < 0 ? path : [`step ${path[at] + 1}`, ...path.slice(at + 1).filter((part) => part !== "step")];
  return words.length ? `${words.join(", ")}: ` : "";
}

export function register(Alpine) {
  Alpine.data("recipesPage", recipesPage);
}
