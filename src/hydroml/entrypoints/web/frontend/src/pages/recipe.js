import { downloadCode, onRecipeChanged, recipeItems } from "../components/recipe_actions.js";
import { applyRecipe } from "../components/recipe_report.js";
import { api } from "../lib/api.js";
import { number } from "../lib/format.js";
import { openMenu } from "../lib/menu.js";
import { resource } from "../lib/resource.js";
import { isAsked } from "../lib/schema_form.js";
import { loadSteps, opOf } from "../lib/steps.js";
import { enterProject, setCrumbs, setTitle, toast, toastError } from "../lib/ui.js";

/** A parameter's value as one reads it. */
function said(value) {
  if (value === null || value === undefined || value === "") return "";
  if (value === true) return "yes";
  if (value === false) return "no";
  if (typeof value === "number") return number(value);
  if (Array.isArray(value)) return value.map((one) => (typeof one === "object" && one !== null ? said(one) : String(one))).join(typeof value[0] === "object" ? "; " : ", ");
  if (typeof value === "object") return Object.entries(value).map(([name, one]) => [name.replaceAll("_", " "), said(one)]).filter(([, text]) => text).map((pair) => pair.join(" ")).join(", ");
  return String(value);
}

function recipePage() {
  let id = "";
  return {
    recipe: resource(() => null, { empty: () => false }),
    role: "",
    busy: false,
    init() {
      id = this.$root.dataset.id;
      this.recipe = resource(() => this.read(), { empty: () => false });
      this.recipe.load();
      const again = () => this.recipe.load({ quiet: true });
      onRecipeChanged(again);
      addEventListener("hydroml:recipe-applied", again);
    },
    async read() {
      const [recipe] = await Promise.all([api.get(`/recipes/${id}`), loadSteps()]);
      setTitle(`Recipe ${recipe.name}`);
      enterProject(recipe.project_id);
      api.get(`/projects/${recipe.project_id}`).then((project) => {
        this.role = project.role;
        setCrumbs([{ label: project.name, href: `/projects/${project.id}` }, { label: "Recipes", href: `/projects/${project.id}/recipes` }]);
      }, () => {});
      return recipe;
    },
    get data() {
      return this.recipe.data;
    },
    get name() {
      return this.data?.name ?? "Recipe";
    },
    get canEdit() {
      return Boolean(this.role) && this.role !== "viewer";
    },
    get steps() {
      return (this.data?.steps ?? []).map(({ step, summary, fitted }, at) => {
        const { title, icon, fields } = opOf(step.op);
        const parameters = fields.filter((field) => isAsked(field, step)).map((field) => ({ key: field.name, label: field.label, text: said(step[field.name]) })).filter(({ text }) => text);
        return { key: at, number: at + 1, title, icon: `#i-${icon}`, summary, parameters, learnt: Object.entries(fitted?.values ?? fitted ?? {}).map(([name, one]) => `${name} ${said(one)}`).join(", ") };
      });
    },
    get made() {
      return this.data?.made ?? [];
    },
    apply() {
      applyRecipe(this.data);
    },
    code() {
      downloadCode(this.data);
    },
    menu(event) {
      openMenu(event.currentTarget, recipeItems(this.data, { canEdit: this.canEdit, gone: () => location.assign(`/projects/${this.data.project_id}/recipes`) }), "Menu of the recipe");
    },
    /** Whether a data source is made anew by it. */
    async follow(one, follows) {
      if (this.busy) return;
      this.busy = true;
      try {
        await api.patch(`/sources/${one.id}`, { follow: follows });
        await this.recipe.load({ quiet: true });
        toast(follows ? `It is made anew whenever ${one.parent.name} gets a new version.` : "It stays as it is now.", { title: one.name, action: follows ? "" : "Undo", run: () => this.follow(one, true) });
      } catch (error) {
        toastError(error, "Not changed.");
        this.recipe.load({ quiet: true });
      } finally {
        this.busy = false;
      }
    },
  };
}

export function register(Alpine) {
  Alpine.data("recipePage", recipePage);
}
