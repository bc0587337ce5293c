// The chart builder: a kind, its parameters, the drawing, and what is kept of it. It stands inside a page with a table, and uses that page's
// filter, columns and addresses: `version` on a data source's page, `session`, `seen` and `schema` in the Studio.
import Alpine from "@alpinejs/csp";
import { api, asProblem, fieldErrors } from "../lib/api.js";
import { LOGS, clicked, csv, figure, zoomed } from "../lib/chart_plots.js";
import { debounced, download } from "../lib/dom.js";
import { cell, count, milliseconds, plural } from "../lib/format.js";
import { openMenu } from "../lib/menu.js";
import { blankOf, copied, documentOf, drawForm, fieldsOf } from "../lib/schema_form.js";
import { isNumeric, isTemporal } from "../lib/types.js";
import { toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

const ICONS = { time_series: "chart", histogram: "hist", box: "box", scatter: "scatter", line: "line", bar: "bars", heat_map: "heat", calendar: "cal", correlation: "corr", site_map: "pin", hydrograph: "hydro", flow_duration: "fdc", seasons: "season", double_mass: "mass", gaps: "gaps" };
const NAMED = { flow: /flow|discharge|runoff|^q/i, rain: /rain|prec|^p$|^p_/i, longitude: /^lon|longitude|easting|^x$/i, latitude: /^lat|latitude|northing|^y$/i };
const SHOWN = 200;

/** For the page around: whether the panel is open, which its address tells. */
export const charting = () => ({
  charting: param("chart") !== "",
  toggleChart() {
    this.charting = !this.charting;
    if (!this.charting) setParams({ chart: "", log: "", saved: "" });
  },
});

/** What is filled in, without Alpine's wrapping: the form changes it. */
const rawOf = (panel) => Alpine.raw(panel.chart);

const given = () => {
  try {
    return JSON.parse(param("chart")) ?? {};
  } catch {
    return {};
  }
};

function chartPanel() {
  let charts = null;
  let running = null;
  let form = null;
  return {
    kinds: [],
    chart: { kind: "" },
    chartState: "loading", // lacking, loading, error, empty, done
    chartProblem: null,
    drawn: null, // {chart, data, log}
    redrawing: false,
    isLog: param("log") === "1",
    zoom: "",
    kept: null,
    keptName: "",
    keeping: false,
    async init() {
      this.drawLater = debounced(() => this.drawChart(), 250);
      for (const what of this.session === undefined ? ["filter", "versionId", "tab"] : ["filter", "seen", "session"]) this.$watch(what, () => {
        if (what !== "filter" && this.kindNow) this.drawForm(); // other columns may be there
        this.drawLater();
      });
      try {
        this.kinds = (await api.get("/charts/kinds")).items;
      } catch (error) {
        this.refuse(error);
        return;
      }
      const wanted = given();
      if (this.kinds.some(({ kind }) => kind === wanted.kind)) this.takeChart(wanted);
      else this.chooseKind(this.offers.find(({ kind, lacks }) => kind === "time_series" && !lacks)?.kind ?? this.offers.find(({ lacks }) => !lacks)?.kind ?? "bar");
      if (param("saved")) api.get(`/charts/${param("saved")}`).then((one) => this.takeKept(one), () => setParams({ saved: "" }));
      this.drawChart();
    },
    destroy() {
      running?.abort();
      if (this.$refs.plot) charts?.erase(this.$refs.plot);
    },
    takeChart(wanted) {
      this.chart = { ...blankOf(fieldsOf(this.kinds.find(({ kind }) => kind === wanted.kind).schema), []), ...copied(wanted) };
      this.$nextTick(() => this.drawForm());
    },
    /** What the API takes. */
    get chartDocument() {
      return { kind: this.chart.kind, ...documentOf(this.chartFields, rawOf(this), this.tableColumns) };
    },
    get isAsked() {
      return this.session === undefined ? this.tab === "chart" && Boolean(this.version) : Boolean(this.session);
    },
    get tableColumns() {
      return (this.session === undefined ? this.version?.columns : this.schema) ?? [];
    },
    get tableAddress() {
      return this.session === undefined ? `/versions/${this.version.id}` : `/sessions/${this.session.id}`;
    },
    get chartProject() {
      return this.session === undefined ? param("project") || this.source?.project_ids?.[0] : this.session?.project_id;
    },
    typeOfColumn(name) {
      return this.tableColumns.find((one) => one.name === name)?.type ?? "text";
    },

    // What to draw -------------------------------------------------------------------------------------------------------
    get offers() {
      return this.kinds.map((one) => {
        const short = Object.entries(one.schema.properties).find(([name, field]) => one.schema.required?.includes(name) && !this.suiting(field).length);
        const lacks = short ? `There is no column for “${short[1].title}” here` : "";
        return { kind: one.kind, title: one.title, icon: `#i-${ICONS[one.kind] ?? "chart"}`, lacks, hint: lacks || one.help, chosen: one.kind === this.chart.kind };
      });
    },
    get kindNow() {
      return this.kinds.find(({ kind }) => kind === this.chart.kind) ?? null;
    },
    suiting(field) {
      const types = field["x-types"];
      return this.tableColumns.filter(({ type }) => !types || types.includes(type)).map(({ name }) => name);
    },
    chooseKind(kind) {
      const { schema } = this.kinds.find((one) => one.kind === kind);
      const chart = { kind };
      const used = [];
      for (const [name, field] of Object.entries(schema.properties)) {
        const before = this.chart[name];
        const suits = field["x-role"] ? this.suiting(field) : [];
        const keeps = Array.isArray(before) ? before.length && before.every((one) => suits.includes(one)) && !(kind === "correlation" && before.length < 2) && kind !== "gaps" : suits.includes(before) && !used.includes(before);
        if (field["x-role"] === "columns") chart[name] = keeps ? before : this.firstColumns(kind, suits);
        else if (field["x-role"] === "column") chart[name] = keeps && schema.required?.includes(name) ? before : schema.required?.includes(name) ? this.firstColumn(name, field, suits, used) : null;
        else chart[name] = before !== undefined && field.enum?.includes(before) ? before : field.default;
        if (field["x-role"]) used.push(...[chart[name]].flat());
      }
      if (["calendar", "site_map"].includes(kind)) chart.value ??= this.firstColumn("flow", schema.properties.value, this.suiting(schema.properties.value), used) || null;
      if (chart.aggregate && (chart.aggregate === "count") === Boolean(chart.value)) chart.aggregate = chart.value ? "mean" : "count";
      if (chart.columns?.length > 1 && chart.by) chart.by = null;
      this.chart = chart;
      this.$nextTick(() => this.drawForm());
    },
    firstColumns(kind, suits) {
      const most = { correlation: 8, gaps: 12 }[kind] ?? 1;
      const preferred = most === 1 ? suits.find((name) => NAMED.flow.test(name)) : null;
      return preferred ? [preferred] : suits.slice(0, most);
    },
    firstColumn(name, field, suits, used) {
      const free = suits.filter((one) => !used.includes(one));
      if (name === "category") return this.tableColumns.find(({ type }) => !isNumeric(type) && !isTemporal(type))?.name ?? suits[0] ?? "";
      const pattern = NAMED[name] ?? ({ column: NAMED.flow, y: NAMED.flow, x: NAMED.rain }[name] ?? null);
      const numeric = free.filter((one) => isNumeric(this.typeOfColumn(one)));
      const likely = field["x-types"] ? (name === "time" ? free : numeric) : free;
      return likely.find((one) => pattern?.test(one)) ?? likely[0] ?? free[0] ?? suits[0] ?? "";
    },
    pickKind(kind) {
      this.chooseKind(kind);
      this.changed();
    },
    /** The form of the kind, what is needed first; drawn as those of steps are. */
    drawForm() {
      const focus = document.activeElement?.id;
      const columns = this.tableColumns;
      form = drawForm(this.chartFields, rawOf(this), { columns, gaps: () => 0, completions: () => [], functions: [], prefix: "cf" }, () => this.filledIn());
      this.$refs.chartForm?.replaceChildren(form.element);
      if (focus?.startsWith("cf-")) document.getElementById(focus)?.focus();
    },
    get chartFields() {
      const place = ({ required, kind }) => (required ? (kind === "columns" ? 1 : 0) : 2);
      return fieldsOf(this.kindNow.schema).sort((one, other) => place(one) - place(other));
    },
    /** What goes with what was chosen: a count needs no value and a value is no count; lines for each value are of one column. */
    filledIn() {
      const now = rawOf(this);
      const before = JSON.stringify(now);
      if ("aggregate" in now && (now.aggregate === "count") === Boolean(now.value)) now.aggregate = now.value ? "mean" : "count";
      if (now.by && now.columns?.length > 1) now.by = null;
      if (JSON.stringify(now) !== before) this.drawForm();
      this.changed();
    },
    changed() {
      this.drawLater();
    },
    setLogAxis(on) {
      this.isLog = on;
      setParams({ log: on ? "1" : "" });
      if (this.drawn) this.show({ ...this.drawn, log: on });
    },
    get takesLog() {
      return LOGS.includes(this.chart.kind);
    },

    // Drawing ---------------------------------------------------------------------------------------------------------------
    async drawChart() {
      running?.abort();
      if (!this.isAsked || !this.kinds.length) return;
      form?.refuse([]);
      this.chartProblem = null;
      setParams({ chart: JSON.stringify(this.chartDocument) });
      const mine = (running = new AbortController());
      this.redrawing = true;
      if (!this.drawn) this.chartState = "loading";
      try {
        const chart = this.chartDocument;
        const body = { chart, filter: this.filter, ...(this.session === undefined ? {} : { step: this.seen }) };
        const data = await api.post(`${this.tableAddress}/chart`, body, { signal: mine.signal });
        charts ??= await import("../lib/charts.js");
        if (running !== mine) return;
        this.show({ chart, data, log: this.isLog && LOGS.includes(chart.kind) });
      } catch (error) {
        if (error.name === "AbortError" || running !== mine) return;
        this.refuse(error);
      } finally {
        if (running === mine) this.redrawing = false;
      }
    },
    refuse(error) {
      const problem = asProblem(error);
      const places = Object.entries(fieldErrors(problem)).map(([path, text]) => [path.replace(/^chart\./, ""), text]);
      const placed = places.length > (form?.refuse(places).length ?? places.length);
      this.drawn = null;
      this.chartProblem = placed ? null : problem;
      this.chartState = placed ? "lacking" : "error";
    },
    show(drawing) {
      this.drawn = Object.freeze(drawing);
      this.zoom = "";
      this.chartState = drawing.data.used && drawing.data.marks.length ? "done" : "empty";
      if (this.chartState !== "done") return;
      this.$nextTick(async () => {
        const plot = this.$refs.plot;
        if (!plot) return;
        charts.erase(plot); // another kind has other axes
        await charts.draw(plot, figure(charts, drawing));
        const typeOf = (name) => this.typeOfColumn(name);
        plot.on("plotly_relayout", (change) => (this.zoom = zoomed(drawing.chart, typeOf, change, drawing.log)));
        plot.on("plotly_click", ({ points }) => {
          const condition = clicked(drawing.chart, drawing.data, typeOf, points[0]);
          if (condition) this.addFilter(condition);
        });
      });
    },
    keepZoom() {
      this.addFilter(this.zoom);
      this.zoom = "";
    },
    get chartTitle() {
      return this.kindNow?.title ?? "Chart";
    },
    get chartNote() {
      const data = this.drawn?.data;
      if (!data) return "";
      const of = data.how === "sampled" ? "a sample: " : data.how === "binned" ? `from ${data.used === data.rows ? `all ${plural(data.rows, "row")}` : `${count(data.used)} of ${plural(data.rows, "row")}`}` : `all ${plural(data.used, "row")}${data.used < data.rows ? ` with values, of ${count(data.rows)}` : ""}`;
      const text = `${of}${data.how === "sampled" ? data.note : `. ${data.note}`}`.trim();
      return text[0].toUpperCase() + text.slice(1);
    },
    get chartTime() {
      return this.redrawing ? "drawing …" : this.drawn ? milliseconds(this.drawn.data.elapsed_ms) : "";
    },
    get spoken() {
      const kind = this.drawn && this.kinds.find((one) => one.kind === this.drawn.chart.kind);
      return kind ? `${kind.title}. ${this.chartNote} The table below has its data.` : "";
    },
    get markColumns() {
      return (this.drawn?.data.columns ?? []).map(({ name }, index) => ({ name, index }));
    },
    get markRows() {
      const { columns = [], marks = [] } = this.drawn?.data ?? {};
      return marks.slice(0, SHOWN).map((mark, index) => ({ index, cells: mark.map((value, at) => ({ at, text: cell(value, columns[at].type, columns[at].name), num: typeof value === "number" ? "num" : "" })) }));
    },
    get marksNote() {
      const total = this.drawn?.data.marks.length ?? 0;
      return total > SHOWN ? `the first ${SHOWN} of ${count(total)}; the download has all` : plural(total, "mark");
    },
    get chartFile() {
      return this.keptName.trim() || `${this.chartTitle} of ${this.source?.name ?? this.session?.source?.name ?? "a table"}`;
    },
    downloadChart(event) {
      openMenu(event.currentTarget, [
        { title: "Picture (PNG)", icon: "download", run: () => charts.picture(this.$refs.plot, this.chartFile, "png") },
        { title: "Drawing (SVG)", icon: "download", run: () => charts.picture(this.$refs.plot, this.chartFile, "svg") },
        { title: "Data (CSV)", icon: "file", run: () => download(`${this.chartFile}.csv`, csv(this.drawn.data), "text/csv") },
      ], "Download");
    },

    // Kept charts -------------------------------------------------------------------------------------------------------------
    takeKept(one) {
      this.kept = one;
      this.keptName = one.name;
      setParams({ saved: one.id });
    },
    async keep() {
      const name = this.keptName.trim();
      if (!name || this.keeping) return;
      this.keeping = true;
      const body = { name, chart: this.chartDocument, filter: this.filter };
      const of = this.session === undefined ? { version_id: this.version.id } : { session_id: this.session.id };
      try {
        const same = this.kept?.name === name;
        this.takeKept(same ? await api.patch(`/charts/${this.kept.id}`, body, { ifMatch: this.kept.revision }) : await api.post(`/projects/${this.chartProject}/charts`, { ...body, ...of }));
        toast(same ? "The chart is as you see it now." : "It is kept with the project.", { tone: "success", title: "Saved." });
      } catch (error) {
        toastError(error, "Not saved.");
      } finally {
        this.keeping = false;
      }
    },
    async openKept(event) {
      const anchor = event.currentTarget;
      try {
        const { items } = await api.get(`/projects/${this.chartProject}/charts`);
        if (!items.length) {
          toast("No chart is saved in this project yet: give this one a name and save it.");
          return;
        }
        openMenu(anchor, [
          ...items.map((one) => ({ title: one.name, note: this.kinds.find(({ kind }) => kind === one.chart.kind)?.title, icon: ICONS[one.chart.kind], run: () => this.goTo(one) })),
          ...(this.kept ? ["-", { title: `Delete “${this.kept.name}”`, icon: "trash", danger: true, run: () => this.forget() }] : []),
        ], "Saved charts");
      } catch (error) {
        toastError(error, "The saved charts were not read.");
      }
    },
    /** A chart follows its table: it is drawn of the version or session at hand where it is one of the same, else of the newest one there. */
    async goTo(one) {
      try {
        const source = one.session_id ? null : (await api.get(`/versions/${one.version_id}`)).source_id;
        const here = this.session === undefined ? source === this.source?.id : one.session_id === this.session.id;
        if (here) {
          this.takeChart(one.chart);
          this.takeKept(one);
          this.filterDraft = one.filter ?? "";
          this.applyFilter();
          this.drawLater();
          return;
        }
        const query = new URLSearchParams({ chart: JSON.stringify(one.chart), saved: one.id, ...(one.filter ? { filter: one.filter } : {}) });
        location.assign(one.session_id ? `/studio/${one.session_id}?${query}` : `/sources/${source}?tab=chart&${query}`);
      } catch (error) {
        toastError(error, "The chart was not opened.");
      }
    },
    async forget() {
      try {
        await api.delete(`/charts/${this.kept.id}`, { ifMatch: this.kept.revision });
        toast(`“${this.kept.name}” was deleted; the table stays as it is.`);
        this.kept = null;
        setParams({ saved: "" });
      } catch (error) {
        toastError(error, "Not deleted.");
      }
    },
    get keepLabel() {
      return this.kept && this.kept.name === this.keptName.trim() ? "Update" : "Save";
    },
  };
}

export function registerChartPanel(Alpine) {
  Alpine.data("chartPanel", chartPanel);
}
