// Views that a person keeps of a data source: filter, order, and how columns are laid out. The chosen one is in the address.
import { api } from "../lib/api.js";
import { openMenu } from "../lib/menu.js";
import { plainLayout } from "../lib/layout.js";
import { ask, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

/** A page gives `viewsSource()`: the id of the data source. */
export function savedViews(grid) {
  return {
    views: [],
    viewId: param("view"),
    /** The view in the address, read before the table opens; what else the address says goes before it. */
    async chosenView() {
      if (!this.viewId) return null;
      try {
        const view = await api.get(`/views/${this.viewId}`);
        this.views = [view];
        return view;
      } catch (error) {
        this.viewId = "";
        setParams({ view: "" });
        if (error.status !== 404) toastError(error, "The view could not be read.");
        return null;
      }
    },
    get currentView() {
      return this.views.find(({ id }) => id === this.viewId) ?? null;
    },
    get viewName() {
      return this.currentView?.name ?? "";
    },
    get viewsTitle() {
      return this.viewName ? `Views: ${this.viewName}` : "Views";
    },
    async viewsMenu(event) {
      const anchor = event.currentTarget;
      try {
        this.views = (await api.get(`/sources/${this.viewsSource()}/views`)).items;
      } catch (error) {
        toastError(error, "The views could not be read.");
        return;
      }
      const current = this.currentView;
      openMenu(anchor, [
        { title: "The whole table", icon: this.viewId ? "data" : "check", run: () => this.plainView() },
        ...this.views.map((view) => ({ title: view.name, icon: view.id === this.viewId ? "check" : "eye", run: () => this.useView(view) })),
        "-",
        { title: "Save this view …", icon: "save", help: "Filter, order, and how columns are laid out", run: () => this.saveView() },
        ...(current ? [
          { title: `Update “${current.name}”`, icon: "retry", run: () => this.updateView(current) },
          { title: "Rename …", icon: "edit", run: () => this.renameView(current) },
          { title: "Delete", icon: "trash", danger: true, run: () => this.deleteView(current) },
        ] : []),
      ], "Views", { search: this.views.length > 8 ? "Find a view" : "" });
    },
    viewDocument() {
      return { filter: this.filter, sort: grid().sort().map(({ name, descending }) => ({ column: name, descending })), layout: grid().layout() };
    },
    chooseView(id) {
      this.viewId = id;
      setParams({ view: id });
    },
    useView(view) {
      this.chooseView(view.id);
      this.show(view);
    },
    plainView() {
      this.chooseView("");
      this.show({ filter: "", sort: [], layout: plainLayout() });
    },
    show({ filter, sort, layout }) {
      this.setLayout(layout);
      grid().setSort(sort.map(({ column, descending }) => ({ name: column, descending })));
      this.filterDraft = filter ?? "";
      if (this.filterDraft !== this.filter) this.applyFilter();
    },
    async saveView() {
      const name = await ask({ title: "Save this view", text: "Filter, order, and how columns are laid out. It shows whatever version or session of this data source you look at; only you see it.", label: "Name", yes: "Save" });
      if (!name) return;
      try {
        const view = await api.post(`/sources/${this.viewsSource()}/views`, { name, ...this.viewDocument() });
        this.views = [...this.views, view];
        this.chooseView(view.id);
        toast(`View “${view.name}” saved.`, { tone: "success" });
      } catch (error) {
        toastError(error, "Not saved.");
      }
    },
    async changeView(view, changes, done) {
      try {
        const changed = await api.patch(`/views/${view.id}`, changes, { ifMatch: view.revision });
        this.views = this.views.map((one) => (one.id === view.id ? changed : one));
        toast(done, { tone: "success" });
      } catch (error) {
        toastError(error, "Not changed.");
      }
    },
    updateView(view) {
      return this.changeView(view, this.viewDocument(), `View “${view.name}” is as you see it now.`);
    },
    async renameView(view) {
      const name = await ask({ title: "Rename the view", label: "Name", value: view.name, yes: "Rename" });
      if (name) await this.changeView(view, { name }, `The view is called “${name}”.`);
    },
    async deleteView(view) {
      try {
        await api.delete(`/views/${view.id}`);
        this.views = this.views.filter(({ id }) => id !== view.id);
        this.chooseView("");
        toast(`View “${view.name}” deleted.`, { action: "Undo", run: () => this.restoreView(view) });
      } catch (error) {
        toastError(error, "Not deleted.");
      }
    },
    async restoreView({ name, filter, sort, layout }) {
      try {
        const view = await api.post(`/sources/${this.viewsSource()}/views`, { name, filter: filter ?? "", sort, layout });
        this.views = [...this.views, view];
        this.chooseView(view.id);
      } catch (error) {
        toastError(error, "Not brought back.");
      }
    },
  };
}
