import { api } from "../lib/api.js";
import { plural } from "../lib/format.js";
import { openMenu } from "../lib/menu.js";
import { resource } from "../lib/resource.js";
import { ask, command, setCrumbs, setTitle, shortcut, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

const SHOWS = { "": {}, shared: { shared: "true" }, trash: { trashed: "true" } };

function sessionsPage() {
  let id = "";
  const read = (show) => api.get(`/projects/${id}/sessions`, { limit: 500, ...SHOWS[show] });
  return {
    project: null,
    show: param("show") in SHOWS ? param("show") : "",
    search: param("search"),
    sessions: resource(() => null),
    sources: [],
    busy: false,
    init() {
      id = this.$root.dataset.id;
      this.sessions = resource(() => read(this.show));
      this.sessions.load();
      api.get(`/projects/${id}`).then((project) => {
        this.project = project;
        setTitle(`Studio of ${project.name}`);
        setCrumbs([{ label: "Projects", href: "/projects" }, { label: project.name, href: `/projects/${id}` }]);
      }, () => {});
      addEventListener("popstate", () => this.go(param("show"), { push: false }));
      command("New session in the Studio", "plus", () => this.begin(this.$refs.begin));
      shortcut("n", "New session", () => this.begin(this.$refs.begin));
      shortcut("/", "Search the sessions", () => this.$refs.search?.focus());
    },
    go(show, { push = true } = {}) {
      this.show = show in SHOWS ? show : "";
      setParams({ show: this.show }, { push });
      this.sessions.load();
    },
    searched() {
      setParams({ search: this.search.trim() });
    },
    get canEdit() {
      return Boolean(this.project && this.project.role !== "viewer");
    },
    get whyNot() {
      return this.project?.role === "viewer" ? "You are a viewer here" : "";
    },
    get isMine() {
      return this.show === "";
    },
    get isShared() {
      return this.show === "shared";
    },
    get isTrash() {
      return this.show === "trash";
    },
    get isEmpty() {
      return this.sessions.state === "empty";
    },
    get shown() {
      const wanted = this.search.trim().toLowerCase();
      return this.sessions.items.map((session) => ({ ...session, title: session.name || session.source.name })).filter(({ title, source }) => `${title} ${source.name}`.toLowerCase().includes(wanted));
    },
    /** A session on the newest version of one of the project's data sources. */
    async begin(anchor) {
      if (!this.canEdit) return;
      try {
        const { items } = await api.get(`/projects/${id}/sources`, { limit: 500, sort: "name" });
        const ready = items.filter(({ current_version: version }) => version);
        if (!ready.length) toast("Upload a table first; the Studio works on its versions.", { title: "The project has no data yet.", href: `/projects/${id}`, link: "To the data" });
        else openMenu(anchor, ready.map((source) => ({ title: source.name, note: `version ${source.current_version.number}`, icon: "data", run: () => this.open(source) })), "On which data source?", { search: "Find a data source" });
      } catch (error) {
        toastError(error, "The data sources could not be read.");
      }
    },
    async open({ current_version: version }) {
      try {
        const { id: made } = await api.post(`/versions/${version.id}/sessions`, { project_id: id });
        location.assign(`/studio/${made}`);
      } catch (error) {
        toastError(error, "The Studio did not open.");
      }
    },
    menu(session, event) {
      openMenu(event.currentTarget, [
        { title: "Open", icon: "studio", run: () => location.assign(`/studio/${session.id}`) },
        { title: "Make a copy", icon: "copy", run: () => this.copy(session) },
        ...(this.isMine ? [
          { title: "Rename …", icon: "edit", run: () => this.rename(session) },
          { title: session.shared ? "Stop sharing" : "Share with the project", icon: "members", run: () => this.change(session, { shared: !session.shared }, session.shared ? "Only you see it now." : "The project's members can look at it; only you change it.") },
          "-",
          { title: "Discard", icon: "trash", danger: true, run: () => this.discard(session) },
        ] : []),
      ], `Menu of ${session.title}`);
    },
    async copy(session) {
      try {
        const { id: made } = await api.post(`/versions/${session.version_id}/sessions`, { project_id: id, session_id: session.id, name: `${session.title}, copy` });
        location.assign(`/studio/${made}`);
      } catch (error) {
        toastError(error, "Not copied.");
      }
    },
    async rename(session) {
      const name = await ask({ title: "Name the session", label: "Name", value: session.name, yes: "Rename" });
      if (name) this.change(session, { name }, "");
    },
    async change(session, what, told) {
      try {
        await api.patch(`/sessions/${session.id}`, what);
        await this.sessions.load({ quiet: true });
        if (told) toast(told, { title: session.title, tone: "success" });
      } catch (error) {
        toastError(error, "Not changed.");
      }
    },
    async discard(session) {
      try {
        await api.delete(`/sessions/${session.id}`);
        await this.sessions.load({ quiet: true });
        toast(`It had ${plural(session.applied_steps, "step")}, and stays in the trash for thirty days.`, { title: `“${session.title}” is discarded.`, action: "Undo", run: () => this.restore(session) });
      } catch (error) {
        toastError(error, "Not discarded.");
      }
    },
    async restore(session) {
      if (this.busy) return;
      this.busy = true;
      try {
        await api.post(`/sessions/${session.id}/restore`);
        await this.sessions.load({ quiet: true });
        toast("is back among your sessions.", { title: session.title, tone: "success", href: `/studio/${session.id}` });
      } catch (error) {
        toastError(error, "Not restored.");
      } finally {
        this.busy = false;
      }
    },
  };
}

export function register(Alpine) {
  Alpine.data("sessionsPage", sessionsPage);
}
