import { api, asProblem } from "../lib/api.js";
import { bytes, count, plural } from "../lib/format.js";
import { resource } from "../lib/resource.js";
import { setCrumbs, setTitle, toast, toastError } from "../lib/ui.js";

const PART = 50;

function trashPage() {
  let id = "";
  return {
    project: resource(() => api.get(`/projects/${id}`), { empty: () => false }),
    sources: resource(() => api.get(`/projects/${id}/trash`, { limit: PART })),
    cost: resource(() => null),
    doomed: null,
    typed: "",
    busy: false,
    moreBusy: false,
    purgeProblem: "",
    async init() {
      id = this.$root.dataset.id;
      this.sources.load();
      const project = await this.project.load();
      if (!project) return;
      setTitle(`Trash of ${project.name}`);
      setCrumbs([{ label: "Projects", href: "/projects" }, { label: project.name, href: `/projects/${id}` }]);
    },
    get canEdit() {
      return this.project.data?.role !== "viewer";
    },
    get whyNot() {
      return this.canEdit ? "" : "You are a viewer here";
    },
    get hasMore() {
      return Boolean(this.sources.data?.next_cursor);
    },
    get shownText() {
      const { data } = this.sources;
      return data?.total ? (data.items.length < data.total ? `${count(data.items.length)} of ${count(data.total)}` : count(data.total)) : "";
    },
    shapeOf(source) {
      return source.rows === null ? "" : `${count(source.rows)} × ${count(source.columns)}`;
    },
    async loadMore() {
      this.moreBusy = true;
      try {
        const { items, next_cursor: cursor } = await api.get(`/projects/${id}/trash`, { limit: PART, cursor: this.sources.data.next_cursor });
        this.sources.data.items.push(...items);
        this.sources.data.next_cursor = cursor;
      } catch (error) {
        toastError(error, "No more could be fetched.");
      } finally {
        this.moreBusy = false;
      }
    },
    async restore(source) {
      if (this.busy) return;
      this.busy = true;
      try {
        await api.post(`/sources/${source.id}/restore`);
        this.gone(source);
        toast("is back among the data.", { title: source.name, tone: "success", href: `/sources/${source.id}` });
      } catch (error) {
        toastError(error, "Not restored.");
      } finally {
        this.busy = false;
      }
    },
    gone(source) {
      const { data } = this.sources;
      data.items = data.items.filter((one) => one.id !== source.id);
      data.total = Math.max(0, data.total - 1);
      if (!data.items.length) this.sources.load({ quiet: true });
      dispatchEvent(new CustomEvent("hydroml:project-changed"));
    },
    askPurge(source) {
      this.doomed = source;
      this.typed = "";
      this.purgeProblem = "";
      this.cost = resource(() => api.get(`/sources/${source.id}/purge`), { empty: () => false });
      this.cost.load();
      this.$refs.purge.showModal();
      this.$nextTick(() => this.$refs.typed.focus());
    },
    get doomedName() {
      return this.doomed?.name ?? "";
    },
    get costLine() {
      const { data } = this.cost;
      if (!data) return "";
      return `Frees ${bytes(data.bytes)}: ${plural(data.versions, "version")} with the original files. This cannot be undone.`;
    },
    get standing() {
      return this.cost.data?.runs ?? 0;
    },
    get standingLine() {
      return `${plural(this.standing, "run stands", "runs stand")} on it. Delete ${this.standing === 1 ? "it" : "them"} first, or leave it in the trash: nobody sees it there.`;
    },
    get cannotPurge() {
      if (this.busy) return "It is being deleted";
      if (this.cost.state !== "done") return "What it frees is being counted";
      if (this.standing) return "Runs stand on it";
      return this.typed.trim() === this.doomedName ? "" : "Type the name first";
    },
    get purgeLabel() {
      return this.cost.data ? `Delete for good, ${bytes(this.cost.data.bytes)}` : "Delete for good";
    },
    async purge() {
      if (this.cannotPurge) return;
      this.busy = true;
      try {
        const { freed_bytes: freed } = await api.post(`/sources/${this.doomed.id}/purge`, { name: this.typed.trim() });
        this.$refs.purge.close();
        this.gone(this.doomed);
        toast(`was deleted for good; ${bytes(freed)} are free again.`, { title: this.doomedName, tone: "success" });
      } catch (error) {
        const problem = asProblem(error);
        this.purgeProblem = problem.detail || problem.title;
      } finally {
        this.busy = false;
      }
    },
  };
}

export function register(Alpine) {
  Alpine.data("trashPage", trashPage);
}
