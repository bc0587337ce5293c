// The versions of a data source: where each came from, its files as they came, what could not be read, and back to any of them.
import { api } from "../../lib/api.js";
import { bytes, count, plural } from "../../lib/format.js";
import { resource } from "../../lib/resource.js";
import { ask, toast, toastError } from "../../lib/ui.js";

const PART = 100;
const WORDS = { upload: "upload", prediction: "predictions of a model", query: "a query", import: "a connection", rollback: "rolled back" };

/** A step in one line. */
export function stepText(step) {
  switch (step.op) {
    case "filter": return `Filter: ${step.condition}`;
    case "fill_missing": return `Fill ${step.columns?.join(", ")} by ${step.method}${step.method === "constant" ? ` ${step.value}` : ""}`;
    case "derive": return `${step.column} = ${step.formula}`;
    case "drop_columns": return `Drop ${step.columns?.join(", ")}`;
    case "sort": return `Sort by ${step.by?.map(({ column, descending }) => column + (descending ? ", largest first" : "")).join("; ")}`;
    default: return step.op;
  }
}

export function originText(origin, versions = []) {
  if (!origin) return "";
  const files = origin.originals ?? [];
  if (origin.kind === "recipe") return `Studio, ${plural(origin.steps?.length ?? 0, "step")}`;
  if (origin.kind === "rollback") {
    const earlier = versions.find(({ id }) => id === origin.parents?.[0]);
    return earlier ? `version ${earlier.number} once more` : "an earlier version once more";
  }
  if (files.length > 1) return `${files[0].filename} and ${plural(files.length - 1, "more file")}`;
  if (files.length && origin.parents?.length) return `${files[0].filename}, appended`;
  return files[0]?.filename ?? WORDS[origin.kind] ?? origin.kind;
}

export function versionsTab() {
  return {
    get rows() {
      const all = this.versions.items;
      return all.map((one, index) => {
        const before = all[index + 1];
        const change = before ? one.rows - before.rows : 0;
        return {
          ...one, title: `Version ${one.number}`, isHere: one.id === this.version.id, isCurrent: one.id === this.source.current_version?.id,
          change: change ? `${change > 0 ? "+" : "−"}${count(Math.abs(change))}` : "", from: originText(one.origin, all), steps: (one.origin?.steps ?? []).map((step) => stepText(step.step ?? step)),
          files: (one.origin?.originals ?? []).map((file, at) => ({ ...file, at, href: `/api/v1/versions/${one.id}/original?file=${at}`, size: bytes(file.bytes) })),
          rejectedText: one.origin?.rejected ? `${plural(one.origin.rejected, "row")} could not be read` : "",
        };
      });
    },
    async rollBack(one) {
      const yes = await ask({ title: `Make version ${one.number} the newest again?`, text: `It becomes version ${this.source.versions + 1}, with the same rows. The versions between stay.`, yes: "Roll back" });
      if (!yes) return;
      try {
        const made = await api.post(`/sources/${this.source.id}/rollback`, { version_id: one.id });
        toast(`Version ${made.number} holds the rows of version ${one.number}.`, { tone: "success" });
        this.versionId = "";
        this.head.load({ quiet: true });
      } catch (error) {
        toastError(error, "It was not rolled back.");
      }
    },
  };
}

/** The rows of a version's files that could not be read. */
export function rejectedDialog() {
  let id = "";
  return {
    title: "",
    offset: 0,
    found: resource(() => api.get(`/versions/${id}/rejected`, { limit: PART }), { empty: ({ rows }) => !rows.length }),
    init() {
      this.found = resource(() => api.get(`/versions/${id}/rejected`, { offset: this.offset, limit: PART }), { empty: ({ rows }) => !rows.length });
      addEventListener("hydroml:rejected-rows", ({ detail }) => {
        id = detail.id;
        this.title = `Version ${detail.number}: ${plural(detail.origin.rejected, "row")} could not be read`;
        this.offset = 0;
        this.found.load();
        this.$refs.dialog.showModal();
      });
    },
    get lines() {
      return (this.found.data?.rows ?? []).map(([file, line, reason, text], index) => ({ key: this.offset + index, file, line: count(line), reason, text }));
    },
    get part() {
      const total = this.found.data?.total ?? 0;
      return total > PART ? `${count(this.offset + 1)} to ${count(Math.min(total, this.offset + PART))} of ${count(total)}` : "";
    },
    get isLast() {
      return this.offset + PART >= (this.found.data?.total ?? 0);
    },
    turn(by) {
      this.offset = Math.max(0, this.offset + by * PART);
      this.found.load({ quiet: true });
    },
    hide() {
      this.$refs.dialog.close();
    },
  };
}
