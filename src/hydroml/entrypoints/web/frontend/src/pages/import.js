// Before anything is imported: what the server detected, each guess to be changed, and the first rows as they would be read.
import { uploader } from "../components/uploader.js";
import { api, asProblem, fieldErrors } from "../lib/api.js";
import { debounced } from "../lib/dom.js";
import { headOf, stem } from "../lib/files.js";
import { bytes, cell, count, plural } from "../lib/format.js";
import { ENCODINGS, GROUPS, asText, cutsOf, faultOf, fieldOf, fromText, schemaChanges, signName, widthsOf } from "../lib/import_options.js";
import { mix } from "../lib/mix.js";
import { uploaded } from "../lib/tus.js";
import { isNumeric } from "../lib/types.js";
import { setCrumbs, setTitle, shortcut, toast } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";

const WIDE = 40; // columns shown at a time
const LONG = 50; // rows
const TYPES = ["integer", "number", "decimal", "boolean", "text", "category", "date", "timestamp", "duration"];
const WHOLE = /\.(zip|tar|tgz|tar\.\w+)$/i;
const BINARY = /\.(parquet|pq|arrow|feather|ipc|xls[xmb]?|ods)$/i;
const FORMATS = { csv: "Text table", text: "Text table", excel: "Workbook", json: "JSON", jsonl: "JSON lines", parquet: "Parquet", arrow: "Arrow" };
const unique = (items) => [...new Set(items)];
const some = (names, most = 6) => names.slice(0, most).join(", ") + (names.length > most ? ` and ${count(names.length - most)} more` : "");

/** What a person decided; the rest is the server's guess. Kept in the tab, so that a reload loses nothing. */
function decisions() {
  return { given: {}, name: "", markers: [], members: [] };
}

function importPage() {
  let id = "";
  let request = null;
  let clock = 0;
  return mix(uploader((ids) => location.assign(`/projects/${id}/import?${new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(location.search)), uploads: ids.join(",") })}`)), decisions(), {
    uploads: param("uploads").split(",").filter(Boolean),
    sourceId: param("source"),
    append: param("append") === "1",
    each: param("each") === "1",
    project: null,
    source: null,
    first: null, // the first upload, by its name
    gone: null, // why nothing can be shown at all
    detected: null,
    problem: null,
    faults: {},
    custom: {},
    looking: false,
    lookedFor: 0,
    started: "",
    sending: false,
    columnsFrom: 0,
    ownMarker: "",
    typesReset: false,
    async init() {
      id = this.$root.dataset.id;
      this.later = debounced(() => this.detect(), 300);
      shortcut("mod+Enter", "Import", () => this.submit(), { inInputs: true });
      await this.open();
      if (this.gone) return;
      if (!this.uploads.length) await this.startUploader();
      else await this.detect();
    },
    async open() {
      try {
        [this.project, this.source, this.first] = await Promise.all([
          api.get(`/projects/${id}`),
          this.sourceId ? api.get(`/sources/${this.sourceId}`) : null,
          this.uploads.length ? uploaded(this.uploads[0]) : null,
        ]);
      } catch (error) {
        this.gone = asProblem(error);
        if (this.gone.status === 404) Object.assign(this.gone, { title: "There is nothing to import here", detail: "The upload is no longer on the server: it was imported, discarded or has expired." });
        return;
      }
      setCrumbs([{ label: "Projects", href: "/projects" }, { label: this.project.name, href: `/projects/${id}` }, ...(this.source ? [{ label: this.source.name, href: `/sources/${this.source.id}` }] : [])]);
      setTitle(this.title);
      this.restore();
    },
    get storeKey() {
      return `hydroml.import.${this.current.join(",")}.${this.sourceId}`;
    },
    /** One table for all uploads, or one for each of them: then the first is meant, and the others follow. */
    get current() {
      return this.each ? this.uploads.slice(0, 1) : this.uploads;
    },
    restore() {
      const kept = JSON.parse(sessionStorage.getItem(this.storeKey) ?? "null");
      const last = this.source?.current_version?.origin?.options;
      Object.assign(this, decisions(), kept ?? { given: last ? this.like(last) : {} });
      if (!kept && last) this.started = `Read like version ${this.source.current_version.number}.`;
      this.name ||= this.source?.name ?? (this.first ? stem(this.first.filename) : "");
    },
    /** The last version's options, but for what belongs to its files alone. */
    like(options) {
      const kept = Object.entries(options).filter(([key, value]) => key !== "files" && value !== null && !(key !== "missing" && typeof value === "object" && !Object.keys(value).length));
      return Object.fromEntries(kept);
    },
    keep() {
      sessionStorage.setItem(this.storeKey, JSON.stringify({ given: this.given, name: this.name, markers: this.markers, members: this.members }));
    },
    async detect() {
      request?.abort();
      const mine = (request = new AbortController());
      this.keep();
      this.looking = true;
      this.lookedFor = 0;
      clearInterval(clock);
      clock = setInterval(() => (this.lookedFor += 1), 1000);
      try {
        this.found(await api.post("/uploads/detect", { upload_ids: this.current, options: this.given }, { signal: mine.signal }));
      } catch (error) {
        if (error.name === "AbortError") return;
        this.refused(asProblem(error));
      }
      if (mine !== request) return;
      clearInterval(clock);
      this.looking = false;
    },
    found(detected) {
      this.detected = detected;
      this.problem = null;
      this.faults = {};
      if (this.columnsFrom >= detected.columns.length) this.columnsFrom = 0;
      this.markers = unique([...this.markers, ...detected.missing.map(({ text }) => text), ...(detected.options.missing ?? [])]);
      this.members = unique([...this.members, ...detected.files.map(({ name }) => name)]);
      this.keep();
    },
    refused(problem) {
      this.problem = problem;
      this.faults = {};
      for (const [path, text] of Object.entries(fieldErrors(problem))) this.faults[path.replace(/^options\./, "").split(".")[0]] ??= text;
      const [first] = Object.keys(this.faults);
      if (first && fieldOf(first)) this.focusOn(first);
    },
    focusOn(key) {
      this.$nextTick(() => {
        const input = document.getElementById(`opt-${key}`);
        const group = input?.closest("details");
        if (group) group.open = true;
        input?.focus();
      });
    },
    get problemText() {
      const faults = Object.values(this.faults);
      return this.problem ? this.problem.detail || faults.join("; ") : "";
    },
    get problemTitle() {
      if (!this.problem) return "";
      return this.problem.kind === "unreadable-file" ? "It cannot be read like this." : `${this.problem.title}.`;
    },

    // Options -----------------------------------------------------------------------------------------------------------
    get format() {
      return this.detected?.format ?? (BINARY.test(this.first?.filename ?? "") ? "parquet" : "");
    },
    optionOf(key) {
      return key in this.given ? this.given[key] : (this.detected?.options?.[key] ?? null);
    },
    get groups() {
      const value = (key) => this.optionOf(key);
      return GROUPS.map((group) => ({
        id: group.id,
        title: group.title,
        fields: group.fields.filter(({ when }) => when(this.format, value)).map((field) => this.fieldNow(field)),
      })).filter(({ fields }) => fields.length).map((group) => ({ ...group, summary: group.fields.filter(({ text }) => text).map(({ shown }) => shown).slice(0, 3).join(", ") }));
    },
    fieldNow(field) {
      const text = asText(field, this.optionOf(field.key));
      const choices = this.choicesOf(field, text);
      return {
        ...field, text, choices,
        id: `opt-${field.key}`, shown: choices.find(({ value }) => value === text)?.title ?? text, mine: field.key in this.given, fault: this.faults[field.key] ?? "",
        picks: field.kind === "choice" || field.kind === "flag" || (field.kind === "sign" && !this.custom[field.key]),
      };
    },
    choicesOf(field, text) {
      if (field.kind === "flag") return [...(text ? [] : [{ value: "", title: "as detected" }]), { value: "true", title: field.yes }, { value: "false", title: field.no }];
      if (field.kind !== "choice" && field.kind !== "sign") return [];
      const known = field.key === "sheet" ? (this.detected?.sheets ?? []).map((sheet) => ({ value: sheet, title: sheet })) : field.choices;
      const all = [...known, ...(text && !known.some(({ value }) => value === text) ? [{ value: text, title: field.key === "escape" ? `doubled  ${text}${text}` : signName(text) }] : [])];
      if (field.none || !text) all.unshift({ value: "", title: field.none ?? "as detected" });
      if (field.kind === "sign") all.push({ value: "other", title: "another sign …" });
      return all;
    },
    pick(field, text) {
      if (field.kind === "sign" && text === "other") {
        this.custom[field.key] = true;
        this.focusOn(field.key);
      } else this.setText(field, text);
    },
    setText(field, text) {
      const value = fromText(field, text);
      const fault = faultOf(field, value);
      if (fault) this.faults = { ...this.faults, [field.key]: fault };
      else this.set(field.key, value);
    },
    set(key, value) {
      delete this.faults[key];
      if (value === null) delete this.given[key];
      else this.given[key] = value;
      if (fieldOf(key)?.structure && this.given.types) {
        delete this.given.types; // they are of columns that may be others now
        this.typesReset = true;
      }
      this.keep();
      this.later();
    },
    detectAgain(key) {
      delete this.custom[key];
      this.set(key, null);
    },
    get hasDecisions() {
      return Object.keys(this.given).length > 0;
    },
    startOver() {
      this.given = {};
      this.custom = {};
      this.started = "";
      this.typesReset = false;
      this.detect();
    },

    // Missing values ------------------------------------------------------------------------------------------------------
    get inForce() {
      return this.given.missing ?? this.detected?.options?.missing ?? this.detected?.missing.filter(({ applied }) => applied).map(({ text }) => text) ?? [];
    },
    get markerRows() {
      const proposed = new Map((this.detected?.missing ?? []).map((marker) => [marker.text, marker]));
      return this.markers.filter((text) => text !== "").map((text, index) => {
        const marker = proposed.get(text);
        return { text, id: `marker-${index}`, on: this.inForce.includes(text), what: marker ? `${plural(marker.cells, "cell")} in ${some(marker.columns, 3)}` : "" };
      });
    },
    mark({ text }, on) {
      this.set("missing", on ? unique([...this.inForce, text]) : this.inForce.filter((one) => one !== text));
    },
    addMarker() {
      const text = this.ownMarker.trim();
      if (!text) return;
      if (text.length > 50) {
        this.faults = { ...this.faults, missing: "At most 50 characters" };
        return;
      }
      this.ownMarker = "";
      this.markers = unique([...this.markers, text]);
      this.mark({ text }, true);
    },
    get takesMarkers() {
      return !["parquet", "arrow"].includes(this.format);
    },

    // Files ---------------------------------------------------------------------------------------------------------------
    get isArchive() {
      return WHOLE.test(this.first?.filename ?? "") || this.members.length > this.current.length;
    },
    get fileRows() {
      const read = new Map((this.detected?.files ?? []).map((file) => [file.name, file.bytes]));
      return this.members.map((name, index) => ({ name, id: `member-${index}`, on: read.has(name), size: read.has(name) ? bytes(read.get(name)) : "left out" }));
    },
    get fileTitle() {
      return this.detected ? plural(this.detected.files.length, "file") : "";
    },
    read(name, on) {
      const now = this.fileRows.filter((file) => (file.name === name ? on : file.on)).map((file) => file.name);
      if (now.length) this.set("files", now.length === this.members.length ? null : now);
      else {
        toast("One file at least must be read.", { tone: "warning" });
        this.members = [...this.members];
      }
    },
    get isSeveral() {
      return this.uploads.length > 1 && !this.sourceId;
    },
    setEach(each) {
      if (this.each === each) return;
      this.each = each;
      setParams({ each: each ? "1" : "" });
      this.detected = null;
      this.restore();
      this.detect();
    },
    setAppend(append) {
      this.append = append;
      setParams({ append: append ? "1" : "" });
    },

    // Fixed places --------------------------------------------------------------------------------------------------------
    get headLines() {
      return headOf(this.current[0]).split(/\r?\n/).slice(0, 12).map((line) => line.slice(0, 400));
    },
    get headText() {
      return this.headLines.join("\n");
    },
    get isFixed() {
      return this.optionOf("layout") === "fixed";
    },
    get rulerLength() {
      return Math.max(20, ...this.headLines.map(({ length }) => length));
    },
    get rulerText() {
      return Array.from({ length: this.rulerLength }, (_, index) => ((index + 1) % 10 ? ((index + 1) % 5 ? "·" : ":") : String(((index + 1) / 10) % 10))).join("");
    },
    get rulerPath() {
      return cutsOf(this.optionOf("widths")).map((cut) => `M${cut} 0V1`).join("");
    },
    get rulerBox() {
      return `0 0 ${this.rulerLength} 1`;
    },
    cut(event) {
      const { left, width } = event.currentTarget.getBoundingClientRect();
      const at = Math.round(((event.clientX - left) / width) * this.rulerLength);
      if (at <= 0 || at >= this.rulerLength) return;
      const cuts = cutsOf(this.optionOf("widths"));
      this.set("widths", widthsOf(cuts.includes(at) ? cuts.filter((one) => one !== at) : [...cuts, at], this.rulerLength));
    },

    // What would come of it -------------------------------------------------------------------------------------------------
    get shownColumns() {
      const from = this.columnsFrom;
      return (this.detected?.columns ?? []).slice(from, from + WIDE).map((column, index) => ({
        ...column, at: from + index, forced: Boolean(this.given.types && column.name in this.given.types),
        types: TYPES, misfitText: column.misfits ? `${plural(column.misfits, "cell")} would be missing` : "",
      }));
    },
    get shownRows() {
      const columns = this.shownColumns;
      return (this.detected?.rows ?? []).slice(0, LONG).map((row, index) => ({
        index, number: index + 1,
        cells: columns.map(({ at, type, name }) => {
          const gap = row[at] === null || row[at] === undefined;
          return { at, text: cell(row[at], type, name), tone: gap ? "is-gap" : isNumeric(type) ? "num" : "" };
        }),
      }));
    },
    get columnsText() {
      const total = this.detected?.columns.length ?? 0;
      return total > WIDE ? `columns ${count(this.columnsFrom + 1)} to ${count(Math.min(total, this.columnsFrom + WIDE))} of ${count(total)}` : plural(total, "column");
    },
    get isWide() {
      return (this.detected?.columns.length ?? 0) > WIDE;
    },
    get isLastColumns() {
      return this.columnsFrom + WIDE >= (this.detected?.columns.length ?? 0);
    },
    turnColumns(by) {
      this.columnsFrom = Math.max(0, this.columnsFrom + by * WIDE);
    },
    setType(column, type) {
      const types = { ...this.given.types };
      if (type) types[column.name] = type;
      else delete types[column.name];
      this.typesReset = false;
      this.set("types", Object.keys(types).length ? types : null);
    },
    get misfits() {
      return (this.detected?.columns ?? []).filter((column) => column.misfits);
    },
    get misfitLine() {
      const cells = this.misfits.reduce((sum, column) => sum + column.misfits, 0);
      return `${plural(cells, "cell does", "cells do")} not fit the type of ${this.misfits.length === 1 ? "its column" : "their columns"} and would be missing: ${some(this.misfits.map(({ name }) => name))}.`;
    },
    answer(question, value) {
      this.set(question.option, value);
    },
    get questions() {
      return (this.detected?.questions ?? []).map((question, index) => ({ ...question, id: `question-${index}`, of: question.columns.length ? `Columns: ${some(question.columns)}` : "", chosen: this.given[question.option] ?? "" }));
    },
    get rejectedTitle() {
      return `${plural(this.detected.rejected, "line")} would be rejected`;
    },
    get canFill() {
      return this.format === "csv" && this.optionOf("ragged") !== "fill";
    },
    get lookLine() {
      if (this.looking) return `${this.detected ? "Reading again" : "Looking into the file"} …${this.lookedFor ? ` ${this.lookedFor} s` : ""}`;
      if (!this.detected) return "";
      return `the first ${plural(Math.min(LONG, this.detected.rows.length), "row")}, ${this.detected.judged_all ? "judged on all of it" : "judged on its beginning: the import reads every row"}`;
    },
    get formatWord() {
      return FORMATS[this.detected?.format] ?? "File";
    },
    get changes() {
      const version = this.source?.current_version;
      return version && this.detected ? schemaChanges(version.columns, this.detected.columns) : null;
    },
    get changeLines() {
      if (!this.changes) return [];
      const { added, absent, retyped } = this.changes;
      const lines = [];
      if (added.length) lines.push({ id: "added", icon: "#i-plus", tone: "t-accent", text: `New: ${some(added)}${this.append ? "; missing in the rows that are there" : ""}` });
      if (absent.length) lines.push({ id: "absent", icon: "#i-minus", tone: "t-warning", text: `Not in the file: ${some(absent)}${this.append ? "; missing in the rows that are appended" : ""}` });
      if (retyped.length) lines.push({ id: "retyped", icon: "#i-warn", tone: "t-warning", text: `Another type: ${some(retyped.map(({ name, from, to }) => `${name} (${from} before, ${to} now)`), 4)}` });
      return lines.length ? lines : [{ id: "same", icon: "#i-check", tone: "t-success", text: "The same columns with the same types." }];
    },

    // Import ----------------------------------------------------------------------------------------------------------------
    get title() {
      if (!this.source) return this.uploads.length ? "Import" : "Upload";
      return this.append ? `Append to ${this.source.name}` : `New version of ${this.source.name}`;
    },
    get lead() {
      const more = this.each && this.uploads.length > 1 ? `, then ${plural(this.uploads.length - 1, "more file")}` : "";
      return this.first ? `${this.first.filename}${this.current.length > 1 ? ` and ${plural(this.current.length - 1, "more file")}` : ""}${more}` : "Nothing is imported before you have seen how it is read.";
    },
    get nextNumber() {
      return (this.source?.versions ?? 0) + 1;
    },
    get label() {
      if (this.sending) return "Starting …";
      if (!this.source) return `Import as “${this.name.trim() || "…"}”`;
      return this.append ? `Append as version ${this.nextNumber} of “${this.source.name}”` : `Import as version ${this.nextNumber} of “${this.source.name}”`;
    },
    get cannot() {
      if (this.sending) return "It is being started";
      if (this.looking) return "The file is being read with your change";
      if (Object.keys(this.faults).length) return "An option needs a correction first";
      if (!this.detected || this.problem) return "The file cannot be read like this";
      return !this.source && !this.name.trim() ? "A name is needed" : "";
    },
    get canEdit() {
      return this.project?.role !== "viewer";
    },
    async submit() {
      if (this.cannot) return;
      this.sending = true;
      const body = { upload_ids: this.current, options: this.detected.options };
      try {
        const answer = this.source
          ? await api.post(`/sources/${this.source.id}/versions`, { ...body, append: this.append })
          : await api.post(`/projects/${id}/sources`, { ...body, name: this.name.trim() });
        sessionStorage.removeItem(this.storeKey);
        this.leaveTo(answer.source);
      } catch (error) {
        this.sending = false;
        this.refused(asProblem(error));
        if (this.faults.name) this.$nextTick(() => document.getElementById("im-name")?.focus());
      }
    },
    leaveTo(source) {
      const left = this.each ? this.uploads.slice(1) : [];
      if (left.length) location.assign(`/projects/${id}/import?uploads=${left.join(",")}${left.length > 1 ? "&each=1" : ""}`);
      else location.assign(param("uploads").includes(",") && this.each ? `/projects/${id}` : `/sources/${source.id}`);
    },
    encodings: ENCODINGS,
  });
}

export function register(Alpine) {
  Alpine.data("importPage", importPage);
}
