// Bringing a file in: drop or choose, see what was detected, change it, import with progress. The file is streamed; a text file's
// first megabyte is enough to look into it.
import { Problem, api, asProblem, fieldErrors, upload } from "../lib/api.js";
import { bytes, plural, seconds } from "../lib/format.js";
import { isNumeric } from "../lib/types.js";
import { toast } from "../lib/ui.js";

const HEAD = 1024 * 1024;
const WHOLE = /\.(parquet|pq|xlsx|xls|xlsb|ods)$/i; // these cannot be read from their beginning alone
const MOST_DETECTED = 60 * 1024 * 1024;

export const DELIMITERS = [{ value: ",", title: "comma  ," }, { value: ";", title: "semicolon  ;" }, { value: "\t", title: "tab" }, { value: "|", title: "bar  |" }, { value: " ", title: "space" }];
export const ENCODINGS = ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"];

export function uploader(projectId) {
  let file = null;
  let sending = null;
  return {
    delimiters: DELIMITERS,
    encodings: ENCODINGS,
    over: false,
    stage: "", // "", detecting, ready, sending, failed
    fileName: "",
    fileSize: 0,
    detected: null,
    options: {},
    missingText: "",
    sourceName: "",
    uploadProblem: null,
    sent: 0,
    rate: 0,
    startedAt: 0,
    choose() {
      this.$refs.file.click();
    },
    chosen(event) {
      const [first] = event.target.files;
      if (first) this.take(first);
      event.target.value = "";
    },
    drop(event) {
      this.over = false;
      const [first, ...more] = event.dataTransfer?.files ?? [];
      if (more.length) toast("One file at a time; the first was taken.", { tone: "warning" });
      if (first) this.take(first);
    },
    leave(event) {
      if (!this.$refs.drop.contains(event.relatedTarget)) this.over = false;
    },
    async take(given) {
      file = given;
      Object.assign(this, { fileName: file.name, fileSize: file.size, sourceName: file.name.replace(/(\.(csv|tsv|txt|parquet|pq|xlsx|xls|xlsb|ods))?(\.gz)?$/i, ""), options: {}, detected: null, missingText: "", uploadProblem: null });
      if (file.size === 0) {
        this.refuse(new Problem({ title: "nothing to import", detail: "The file is empty: 0 bytes." }));
        return;
      }
      await this.detect();
    },
    /** What an import would do, with the options as they stand. */
    async detect() {
      this.stage = this.detected ? this.stage : "detecting";
      this.redetecting = true;
      const whole = WHOLE.test(file.name);
      if (whole && file.size > MOST_DETECTED) {
        this.detected = { format: "", columns: [], rows: [], notes: ["The file is too large to look into before the import; it is read as it is."], sheets: [] };
        this.stage = "ready";
        return;
      }
      const form = new FormData();
      if (Object.keys(this.given).length) form.append("options", JSON.stringify(this.given));
      form.append("file", whole ? file : file.slice(0, HEAD), file.name); // last, so that the server need not keep it aside
      try {
        const detected = await api.send("/sources/detect", form);
        this.detected = detected;
        for (const key of ["delimiter", "encoding", "header", "decimal", "sheet"]) if (this.options[key] === undefined && detected[key] !== undefined) this.options[key] = detected[key];
        this.stage = "ready";
        this.uploadProblem = null;
      } catch (error) {
        this.refuse(error);
      }
    },
    refuse(error) {
      this.uploadProblem = asProblem(error);
      if (this.uploadProblem.kind === "unreadable-file") this.uploadProblem.title = "it cannot be read";
      const fields = Object.values(fieldErrors(this.uploadProblem));
      if (fields.length && !this.uploadProblem.detail) this.uploadProblem.detail = fields.join("; ");
      this.stage = "failed";
    },
    /** Only what a person set, so that the server's own detection stands for the rest. */
    get given() {
      const options = {};
      for (const [key, value] of Object.entries(this.options)) if (value !== null && value !== undefined && value !== "" && (!this.detected || value !== this.detected[key])) options[key] = value;
      const missing = this.missingText.split(",").map((part) => part.trim()).filter(Boolean);
      if (missing.length) options.missing = missing;
      return options;
    },
    changed() {
      this.options.header = this.options.header === true || this.options.header === "true";
      clearTimeout(this.redetect);
      this.redetect = setTimeout(() => this.detect(), 250);
    },
    async send() {
      if (this.stage === "sending") return;
      this.stage = "sending";
      this.sent = 0;
      this.startedAt = Date.now();
      const form = new FormData();
      form.append("name", this.sourceName.trim() || file.name);
      form.append("options", JSON.stringify(this.allOptions));
      form.append("file", file, file.name);
      sending = upload(`/projects/${projectId()}/sources`, form, (loaded) => {
        this.sent = Math.min(loaded, this.fileSize);
        this.rate = loaded / Math.max(0.5, (Date.now() - this.startedAt) / 1000);
      });
      try {
        const { source, job } = await sending.done;
        this.uploaded?.(source, job);
        this.reset();
      } catch (error) {
        if (error.name === "AbortError") {
          this.stage = "ready";
          toast("The upload was cancelled; nothing was stored.");
        } else this.refuse(error);
      }
    },
    get allOptions() {
      const options = { ...this.given };
      // what was shown is what is imported: the options that were detected go along, in case the whole file looks different
      for (const key of ["delimiter", "encoding", "decimal", "sheet"]) if (this.options[key]) options[key] = this.options[key];
      if (this.options.header !== undefined && this.options.header !== null) options.header = this.options.header;
      return options;
    },
    cancelUpload() {
      sending?.cancel();
    },
    reset() {
      file = null;
      Object.assign(this, { stage: "", detected: null, uploadProblem: null, sent: 0 });
    },
    get percent() {
      return this.fileSize ? Math.round((100 * this.sent) / this.fileSize) : 0;
    },
    get sendLine() {
      const left = this.rate ? (this.fileSize - this.sent) / this.rate : 0;
      if (this.sent >= this.fileSize) return "checking and storing the file …";
      return `${bytes(this.sent)} of ${bytes(this.fileSize)}${this.rate ? `, ${bytes(this.rate)}/s, about ${seconds(Math.max(1, left))} left` : ""}`;
    },
    get sizeText() {
      return bytes(this.fileSize);
    },
    get isText() {
      return this.detected?.format === "csv";
    },
    get hasSheets() {
      return (this.detected?.sheets?.length ?? 0) > 0;
    },
    get formatWord() {
      return { csv: "Text table", parquet: "Parquet", excel: "Excel workbook" }[this.detected?.format] ?? "File";
    },
    get shape() {
      return this.detected?.columns?.length ? plural(this.detected.columns.length, "column") : "";
    },
    get peekColumns() {
      return (this.detected?.columns ?? []).slice(0, 40);
    },
    get peekRows() {
      return (this.detected?.rows ?? []).slice(0, 20).map((row, index) => ({ index, cells: this.peekColumns.map(({ type }, at) => ({ at, text: row[at] === null || row[at] === undefined ? "∅" : String(row[at]), tone: row[at] === null || row[at] === undefined ? "is-gap" : isNumeric(type) ? "num" : "" })) }));
    },
  };
}
