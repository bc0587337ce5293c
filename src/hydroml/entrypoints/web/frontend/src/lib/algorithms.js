/** An algorithm's name for what it is used on: one that does both is called by its half. */
export function algorithmName(name, title, problem) {
  if (name === "linear" && problem === "regression") return "Linear regression";
  if (name === "linear" && (problem === "binary" || problem === "multiclass")) return "Logistic regression";
  return title || name?.replaceAll("_", " ") || "";
}
