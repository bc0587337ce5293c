// SQL over the tables of a project, and over a session's table as `this`: editor, result, history.
import { api, asProblem } from "../lib/api.js";
import { csv } from "../lib/chart_plots.js";
import { loadFunctions } from "../lib/complete.js";
import { debounced, download } from "../lib/dom.js";
import { watchJob } from "../lib/events.js";
import { count, milliseconds, plural } from "../lib/format.js";
import { handOver } from "../lib/handover.js";
import { newId } from "../lib/ids.js";
import { isActive } from "../lib/jobs.js";
import { resource } from "../lib/resource.js";
import { isNumeric, quoted } from "../lib/types.js";
import { ask, command, setCrumbs, setTitle, shortcut, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

const SHOWN_COLUMNS = 200;

/** The rows in the order of some columns, `{at, down}`; missing ones come last. */
function sorted(rows, columns, keys) {
  if (!keys.length) return rows;
  const compare = (a, b, { at, down }) => {
    const [x, y] = [a[at], b[at]];
    if (x === null || y === null) return (x === null) - (y === null);
    const order = isNumeric(columns[at].type) || typeof x === "boolean" ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
    return down ? -order : order;
  };
  return rows.toSorted((a, b) => keys.reduce((order, key) => order || compare(a, b, key), 0));
}

function sqlPage() {
  let id = "";
  let editor = null; // neither may be wrapped in a proxy
  let grid = null;
  let functions = [];
  return {
    project: resource(() => null, { empty: () => false }),
    tables: resource(() => null),
    past: resource(() => null),
    session: null,
    sessionId: param("session"),
    text: "",
    limit: 1000,
    running: "", // the id of the query that runs
    since: 0,
    now: 0,
    cancelling: false,
    result: null,
    asked: "", // what the result answers
    problem: null,
    faults: [],
    find: "",
    side: param("side", "tables"),
    async init() {
      id = this.$root.dataset.id;
      this.project = resource(() => api.get(`/projects/${id}`), { empty: () => false });
      this.tables = resource(() => this.readTables());
      this.past = resource(() => api.get(`/projects/${id}/queries`));
      this.kept = debounced(() => this.keep(), 200);
      shortcut("e", "Write the query", () => editor?.focus());
      shortcut("mod+Enter", "Run the query", () => this.run(), { inInputs: true });
      command("Run the query", "play", () => this.run());
      this.project.load().then((project) => {
        if (!project) return;
        setTitle(`SQL in ${project.name}`);
        setCrumbs([{ label: "Projects", href: "/projects" }, { label: project.name, href: `/projects/${id}` }]);
      });
      const listed = loadFunctions().then((found) => (functions = found), () => {});
      const [, past, { createEditor }] = await Promise.all([this.tables.load(), this.past.load(), import("../lib/sql_editor.js"), listed]);
      this.text = this.begin(past?.items ?? []);
      editor = createEditor(this.$refs.editor, {
        text: this.text, known: () => ({ tables: this.tables.items, functions }),
        onChange: (text) => {
          this.text = text;
          this.kept();
        },
        onRun: () => this.run(),
        onLeave: () => this.$refs.run.focus(),
      });
      addEventListener("pagehide", () => this.keep());
    },
    async readTables() {
      const found = await api.get(`/projects/${id}/tables`);
      if (!this.sessionId) return found;
      try {
        this.session = await api.get(`/sessions/${this.sessionId}`);
      } catch (error) {
        toastError(error, "The session's table cannot be queried.");
        this.leaveSession();
        return found;
      }
      const own = { name: "this", rows: null, columns: this.session.schema };
      return { ...found, items: [own, ...found.items.filter(({ name }) => name.toLowerCase() !== "this")] };
    },

    // What is written is kept --------------------------------------------------------------------------------------------
    get place() {
      return `hydroml.sql.${id}.${this.sessionId}`;
    },
    keep() {
      try {
        localStorage.setItem(this.place, JSON.stringify({ text: this.text, query: param("query") }));
      } catch {
        // no room, or none allowed: the history on the server has what was run
      }
    },
    /** What the editor opens with: what was typed last, the query of the address, or an example. */
    begin(past) {
      let kept = null;
      try {
        kept = JSON.parse(localStorage.getItem(this.place));
      } catch {
        // not ours
      }
      const wanted = past.find((run) => run.id === param("query"));
      if (kept?.text && (kept.query === param("query") || !wanted)) return kept.text;
      if (wanted) return wanted.sql;
      const [table] = this.tables.items;
      return table ? `SELECT *\nFROM ${quoted(table.name)}\nLIMIT 100` : "";
    },
    async leaveSession() {
      this.sessionId = "";
      this.session = null;
      setParams({ session: "" });
      await this.tables.load();
      editor?.refresh();
    },

    // Running ------------------------------------------------------------------------------------------------------------
    async run() {
      if (this.running || !this.text.trim()) return;
      const query = newId();
      const [text, limit] = [this.text, Number(this.limit)];
      this.running = query;
      this.cancelling = false;
      this.problem = null;
      this.faults = [];
      editor?.mark([]);
      this.since = this.now = Date.now();
      const clock = setInterval(() => (this.now = Date.now()), 250);
      try {
        const result = await api.post(`/projects/${id}/query`, { ...this.request(text), id: query, limit });
        setParams({ query });
        this.asked = text;
        this.result = Object.freeze(result);
        this.keep();
        this.running = ""; // the grid measures the place it gets
        await this.draw();
      } catch (error) {
        this.problem = asProblem(error);
        this.faults = this.problem.errors ?? [];
        if (this.text === text) editor?.mark(this.faults);
        if (this.faults.some(({ at }) => at)) editor?.focus();
      } finally {
        clearInterval(clock);
        this.running = "";
        this.past.load({ quiet: true });
      }
    },
    request(text) {
      return { sql: text, ...(this.sessionId ? { session_id: this.sessionId } : {}) };
    },
    async cancel() {
      if (!this.running) return;
      this.cancelling = true;
      const id = this.running;
      for (let tries = 0; this.running === id; tries += 1) {
        try {
          await api.post(`/queries/${id}/cancel`);
          return;
        } catch (error) {
          if (error.status === 404 && tries < 20) await new Promise((resolve) => setTimeout(resolve, 150)); // it is not known yet
          else {
            if (error.status !== 409) toastError(error, "Not cancelled."); // 409: it has ended already
            return;
          }
        }
      }
    },
    async draw() {
      if (!this.result.rows.length) return;
      await this.$nextTick();
      const { createGrid } = await import("../lib/grid.js");
      grid?.destroy();
      const { rows, columns } = this.result;
      const shown = columns.slice(0, SHOWN_COLUMNS);
      const places = new Map(columns.map(({ name }, at) => [name, at]));
      grid = createGrid(this.$refs.grid, {
        schema: shown, flat: true,
        fetchRows: async ({ offset, limit, sort = "" }) => {
          const names = sort.startsWith("[") ? JSON.parse(sort) : sort.split(",").filter(Boolean);
          const keys = names.map((name) => (places.has(name) ? { at: places.get(name), down: false } : { at: places.get(name.slice(1)), down: true }));
          return { columns, rows: sorted(rows, columns, keys).slice(offset, offset + limit), total: rows.length, elapsed_ms: 0 };
        },
      });
    },
    get canRun() {
      return !this.running && Boolean(this.text.trim());
    },
    get cannotRun() {
      return this.running ? "It runs" : this.text.trim() ? "" : "Write a query first";
    },
    get waited() {
      if (!this.running) return "";
      return this.cancelling ? "Ending it …" : `Running for ${milliseconds(Math.max(0, this.now - this.since))}; it has 30 s`;
    },
    get state() {
      if (this.running) return "running";
      if (this.problem) return "error";
      if (!this.result) return "none";
      return this.result.rows.length ? "done" : "empty";
    },
    get hasResult() {
      return this.state === "done" || this.state === "empty";
    },
    get isOld() {
      return this.hasResult && this.asked !== this.text;
    },
    get resultText() {
      const found = this.result;
      if (!this.hasResult) return "";
      const rows = found.truncated ? `the first ${plural(found.rows.length, "row")}; there are more` : plural(found.rows.length, "row");
      const columns = found.columns.length > SHOWN_COLUMNS ? `the first ${SHOWN_COLUMNS} of ${count(found.columns.length)} columns` : plural(found.columns.length, "column");
      return `${rows} × ${columns}, ${milliseconds(found.elapsed_ms)}`;
    },
    get problemText() {
      return this.faults[0]?.msg || this.problem?.detail || this.problem?.title || "";
    },
    get isCancelled() {
      return this.problem?.status === 409;
    },

    // Tables and history ----------------------------------------------------------------------------------------------------
    show(side) {
      this.side = side;
      setParams({ side: side === "tables" ? "" : side });
    },
    get found() {
      const wanted = this.find.trim().toLowerCase();
      const hit = ({ name }) => name.toLowerCase().includes(wanted);
      return this.tables.items.filter((table) => !wanted || hit(table) || table.columns.some(hit)).map((table) => ({
        ...table, open: Boolean(wanted) || this.tables.items.length < 3, title: table.name, shape: table.rows === null ? "the session's table" : `${count(table.rows)} × ${count(table.columns.length)}`,
        shown: table.columns.filter((column) => !wanted || hit(table) || hit(column)).slice(0, 300),
      }));
    },
    put(name) {
      editor?.insert(quoted(name));
    },
    get runs() {
      return this.past.items.map((run) => ({
        ...run, line: run.sql.replace(/\s+/g, " ").trim().slice(0, 300), tone: { succeeded: "t-success", running: "t-accent", failed: "t-danger" }[run.state] ?? "subtle",
        icon: { succeeded: "#i-check", running: "#i-play", failed: "#i-error" }[run.state] ?? "#i-x",
        about: run.state === "succeeded" ? `${plural(run.rows, "row")}, ${milliseconds(run.elapsed_ms)}` : run.state === "running" ? "runs" : run.error || run.state,
        elsewhere: (run.session_id ?? "") !== this.sessionId && Boolean(run.session_id),
      }));
    },
    bring(run) {
      setParams({ query: run.id });
      editor?.setText(run.sql);
      this.keep();
      if (run.elsewhere) toast("It was run on another session's table; “this” is another table now.", { tone: "warning" });
    },
    async forget() {
      if (!(await ask({ title: "Empty the history?", text: "Your queries in this project are forgotten; what was saved from them stays.", yes: "Empty it", danger: true }))) return;
      try {
        await api.delete(`/projects/${id}/queries`);
        setParams({ query: "" });
        this.past.load({ quiet: true });
      } catch (error) {
        toastError(error, "Not emptied.");
      }
    },

    // What becomes of the result ----------------------------------------------------------------------------------------------
    get canEdit() {
      return this.project.data?.role !== "viewer";
    },
    get whyNot() {
      return this.canEdit ? "" : "You are a viewer here";
    },
    get csvTitle() {
      return this.result?.truncated ? "Only the rows that are here; save the result to export all of them" : "Download the result as CSV";
    },
    downloadCsv() {
      download("query.csv", csv({ columns: this.result.columns, marks: this.result.rows }), "text/csv");
    },
    saveAs: "source",
    saveName: "",
    saveTo: "",
    saveProblem: "",
    saving: false,
    get sources() {
      return this.tables.items.filter(({ source_id: source }) => source);
    },
    openSave() {
      this.saveProblem = "";
      this.saveName ||= "Query result";
      this.saveTo ||= this.sources[0]?.source_id ?? "";
      this.$refs.save.showModal();
      this.$nextTick(() => document.getElementById("save-name")?.select());
    },
    async save() {
      if (this.saving) return;
      if (this.saveAs === "source" && !this.saveName.trim()) {
        this.saveProblem = "A name is needed.";
        return;
      }
      this.saving = true;
      try {
        const to = this.saveAs === "source" ? { name: this.saveName.trim() } : { source_id: this.saveTo };
        const { job, source } = await api.post(`/projects/${id}/query/save`, { ...this.request(this.asked || this.text), ...to });
        this.$refs.save.close();
        toast("All rows of the query, not only those shown.", { title: "Saving in the background.", href: `/jobs/${job.id}`, link: "Follow it", topic: job.id });
        const stop = watchJob(job, async (now) => {
          if (isActive(now)) return;
          stop();
          if (now.state !== "succeeded") return;
          toast("It has the query as its lineage.", { tone: "success", title: `${source.name} is ready.`, href: `/sources/${source.id}`, topic: job.id });
          await this.tables.load({ quiet: true });
          editor?.refresh();
        });
      } catch (error) {
        const problem = asProblem(error);
        this.saveProblem = problem.errors?.[0]?.msg || problem.detail || problem.title;
      } finally {
        this.saving = false;
      }
    },
    get cannotStep() {
      if (!this.canEdit) return this.whyNot;
      return this.sessionId || this.result?.tables.length ? "" : "It reads no table";
    },
    get stepHelp() {
      return this.cannotStep || (this.sessionId ? "Open the session with this query as its next step" : `Open a session on ${this.result?.tables[0]?.name} with this query as its first step`);
    },
    /** The Studio opens with the step in its panel, to be looked at before it is applied. */
    async asStep() {
      try {
        let session = this.sessionId;
        if (!session) ({ id: session } = await api.post(`/versions/${this.result.tables[0].version_id}/sessions`, { project_id: id, name: "Query" }));
        handOver(session, { op: "query", sql: this.asked, tables: this.result.tables });
        location.assign(`/studio/${session}`);
      } catch (error) {
        toastError(error, "No session was opened.");
      }
    },
  };
}

export function register(Alpine) {
  Alpine.data("sqlPage", sqlPage);
}
