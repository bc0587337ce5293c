import "./css/main.css";
import Alpine from "@alpinejs/csp";
import { registerChartPanel } from "./components/chart_panel.js";
import { registerFrame } from "./components/frame.js";
import { registerMagics } from "./components/magics.js";
import { registerRecipeActions } from "./components/recipe_actions.js";
import { registerRecipeReport } from "./components/recipe_report.js";
import { registerRunNotes } from "./components/run_notes.js";
import { registerRunTable } from "./components/run_table.js";
import { registerShared } from "./components/shared.js";
import { registerSourceDialogs } from "./components/source_dialogs.js";
import { start as followEvents } from "./lib/events.js";

// Every page's component; the grid and the charts are loaded by those that use them.
const pages = import.meta.glob("./pages/*.js", { eager: true });

registerMagics(Alpine);
registerFrame(Alpine);
registerShared(Alpine);
registerChartPanel(Alpine);
registerSourceDialogs(Alpine);
registerRecipeActions(Alpine);
registerRecipeReport(Alpine);
registerRunNotes(Alpine);
registerRunTable(Alpine);
for (const module of Object.values(pages)) module.register?.(Alpine);
Alpine.start();
if (document.body.dataset.user) followEvents();
