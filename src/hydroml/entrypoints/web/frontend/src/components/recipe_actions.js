// What can be done with a recipe wherever one is shown: to apply it, to name it, to take it away.
import { api } from "../lib/api.js";
import { mix } from "../lib/mix.js";
import { toast, toastError } from "../lib/ui.js";
import { applyRecipe } from "./recipe_report.js";
import { formDialog } from "./shared.js";

const emit = (name, recipe) => dispatchEvent(new CustomEvent(name, { detail: recipe }));
/** Calls back with a recipe that was renamed, described or came back. */
export const onRecipeChanged = (listener) => addEventListener("hydroml:recipe-changed", ({ detail }) => listener(detail));

export const recipeItems = (recipe, { canEdit, gone }) => [
  { title: "Apply …", icon: "play", run: () => applyRecipe(recipe) },
  { title: "Download as JSON", icon: "download", run: () => location.assign(`/api/v1/recipes/${recipe.id}/document`) },
  { title: "Download as Python", icon: "download", run: () => downloadCode(recipe) },
  ...(canEdit ? [
    "-",
    { title: "Name and description …", icon: "edit", run: () => emit("hydroml:describe-recipe", recipe) },
    { title: "Move to the trash", icon: "trash", danger: true, run: () => discard(recipe, gone) },
  ] : []),
];

/** Asks first, so that a refusal is told here and not on an empty page. */
export async function downloadCode(recipe) {
  try {
    await api.get(`/recipes/${recipe.id}/code`);
    location.assign(`/api/v1/recipes/${recipe.id}/code`);
  } catch (error) {
    toastError(error, "No program was made.");
  }
}

async function discard(recipe, gone) {
  try {
    await api.delete(`/recipes/${recipe.id}`);
    toast("It stays in the trash for thirty days; what it has made stays as it is.", { title: `“${recipe.name}” is in the trash.`, action: "Undo", run: () => restoreRecipe(recipe) });
    gone?.(recipe);
  } catch (error) {
    toastError(error, "Not moved.");
  }
}
export async function restoreRecipe(recipe) {
  try {
    emit("hydroml:recipe-changed", await api.post(`/recipes/${recipe.id}/restore`));
    toast("is back among the recipes.", { title: recipe.name, tone: "success", href: `/recipes/${recipe.id}` });
  } catch (error) {
    toastError(error, "Not restored.");
  }
}

function describeRecipe() {
  let recipe = null;
  return mix(
    formDialog({
      fields: { name: "", description: "" },
      send: (form) => api.patch(`/recipes/${recipe.id}`, { name: form.name.trim(), description: form.description.trim() }, { ifMatch: recipe.revision }),
      done: (changed) => {
        emit("hydroml:recipe-changed", changed);
        toast(`“${changed.name}” is changed.`, { tone: "success" });
      },
    }),
    {
      init() {
        addEventListener("hydroml:describe-recipe", ({ detail }) => {
          recipe = detail;
          this.show({ name: recipe.name, description: recipe.description });
        });
      },
      get cannot() {
        return this.busy || !this.form.name.trim();
      },
    },
  );
}

export function registerRecipeActions(Alpine) {
  Alpine.data("describeRecipe", describeRecipe);
}
