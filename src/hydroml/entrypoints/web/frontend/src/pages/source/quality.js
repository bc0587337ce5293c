// What may be wrong with a version, what would mend it, and how fit its columns are for a model.
import { api } from "../../lib/api.js";
import { watchJob } from "../../lib/events.js";
import { count, number, percent, plural } from "../../lib/format.js";
import { handOver } from "../../lib/handover.js";
import { isActive } from "../../lib/jobs.js";
import { mix } from "../../lib/mix.js";
import { toastError } from "../../lib/ui.js";
import { tabOf } from "./tab.js";

const SEVERITIES = [
  { key: "error", title: "Wrong", icon: "#i-error", tone: "t-danger", badge: "is-danger" },
  { key: "warning", title: "Doubtful", icon: "#i-warn", tone: "t-warning", badge: "is-warning" },
  { key: "info", title: "Worth knowing", icon: "#i-info", tone: "t-accent", badge: "is-accent" },
];
const FIT = { good: ["is-success", "good"], doubtful: ["is-warning", "doubtful"], unfit: ["is-danger", "unfit"] };
const MEASURES = { pearson: "Pearson’s r", spearman: "Spearman’s ρ", cramers_v: "Cramér’s V", correlation_ratio: "correlation ratio η" };
const FEW = 12;

export function qualityTab() {
  return mix(
    tabOf("quality", function () {
      return this.fetchReport();
    }),
    {
      chosen: "",
      against: "",
      changes: null,
      comparing: false,
      allFit: false,
      async fetchReport() {
        const report = await api.get(`/versions/${this.version.id}/quality`);
        if (report.job && isActive(report.job)) this.wait(report.job);
        return report;
      },
      wait(job) {
        const stop = watchJob(job, (now) => {
          if (this.found.data?.job) this.found.data.job = now;
          if (isActive(now)) return;
          stop?.();
          this.found.load({ quiet: true });
        });
      },
      turned() {
        Object.assign(this, { chosen: "", against: "", changes: null });
      },
      async again() {
        try {
          const { job } = await api.post(`/versions/${this.version.id}/analyse`);
          this.found.data = { ...this.found.data, status: "running", job };
          this.wait(job);
        } catch (error) {
          toastError(error, "It was not started.");
        }
      },
      get status() {
        return this.found.data?.status ?? "";
      },
      get running() {
        return this.found.state === "done" && this.status === "running" ? this.found.data.job : null;
      },
      get failure() {
        return this.status === "failed" ? this.found.data.job?.error || "The analysis was stopped." : "";
      },
      get ready() {
        return this.found.state === "done" && this.status === "ready";
      },
      get findings() {
        return this.ready ? this.found.data.findings : [];
      },
      get groups() {
        return SEVERITIES.map((severity) => ({ ...severity, all: this.findings.filter((one) => one.severity === severity.key) }))
          .filter(({ all }) => all.length)
          .map((group) => ({ ...group, amount: group.all.length, findings: group.all.filter((one) => !this.chosen || one.dimension === this.chosen).map((one) => this.finding(one)) }))
          .filter(({ findings }) => findings.length);
      },
      get dimensions() {
        const found = new Map();
        for (const { dimension } of this.findings) found.set(dimension, (found.get(dimension) ?? 0) + 1);
        return [...found].map(([name, amount]) => ({ name, amount, on: this.chosen === name }));
      },
      choose(name) {
        this.chosen = this.chosen === name ? "" : name;
      },
      finding(one) {
        const rows = one.rows === null ? "" : `${plural(one.rows, "row")}${one.share ? `, ${percent(one.share * 1e6, 1e6)}` : ""}`;
        const first = !one.filter && one.row_numbers?.length ? `rows ${one.row_numbers.map(count).join(", ")}${one.rows > one.row_numbers.length ? ", …" : ""}` : "";
        return { ...one, rowsText: rows, firstText: first, names: one.columns.slice(0, 8), more: one.columns.length > 8 ? `and ${count(one.columns.length - 8)} more` : "" };
      },
      get clean() {
        return this.ready && !this.findings.length;
      },
      get time() {
        return this.found.data?.time ?? null;
      },
      get timeFacts() {
        const t = this.time;
        if (!t) return [];
        return [
          { name: "Time", value: t.parts?.length > 1 ? t.parts.join(" + ") : t.column },
          ...(t.group ? [{ name: "One series for each", value: `${t.group} (${count(t.groups)})` }] : []),
          { name: "From", value: t.from.replace("T00:00:00", "") },
          { name: "To", value: t.to.replace("T00:00:00", "") },
          { name: "Step", value: t.step ?? "irregular" },
          { name: "Steps that are missing", value: `${count(t.missing_steps)} in ${plural(t.gap_count, "gap")}` },
          { name: "Times that come twice", value: count(t.duplicates) },
          { name: "Out of order", value: count(t.out_of_order) },
        ];
      },
      get gaps() {
        return (this.time?.gaps ?? []).map((gap, index) => ({ index, group: gap.group ?? "", from: gap.from.replace("T00:00:00", ""), to: gap.to.replace("T00:00:00", ""), missing: count(gap.missing) }));
      },
      get fitness() {
        const all = this.ready ? this.found.data.fitness : [];
        return (this.allFit ? all : all.slice(0, FEW)).map((one) => ({ column: one.column, feature: FIT[one.as_feature], target: FIT[one.as_target], why: one.reasons.join("; ") }));
      },
      get moreFit() {
        const left = (this.ready ? this.found.data.fitness.length : 0) - FEW;
        return !this.allFit && left > 0 ? `Show ${count(left)} more` : "";
      },
      get pairs() {
        return (this.ready ? this.found.data.associations : []).slice(0, 20).map((one, index) => ({ index, a: one.a, b: one.b, measure: MEASURES[one.measure] ?? one.measure, value: number(one.value, 3), width: Math.round(100 * Math.abs(one.value)) }));
      },
      get bounds() {
        return this.found.data?.bounds ?? [];
      },
      get reportUrl() {
        return `/api/v1/versions/${this.version.id}/quality/report`;
      },
      get jsonUrl() {
        return `/api/v1/versions/${this.version.id}/quality`;
      },
      get others() {
        return this.versions.items.filter(({ id }) => id !== this.version.id).map((one) => ({ id: one.id, title: `Version ${one.number}` }));
      },
      async compare() {
        this.changes = null;
        if (!this.against) return;
        this.comparing = true;
        try {
          this.changes = await api.get(`/versions/${this.version.id}/quality/compare`, { with: this.against });
        } catch (error) {
          toastError(error, "They were not compared.");
        } finally {
          this.comparing = false;
        }
      },
      get changed() {
        if (!this.changes) return [];
        const part = (key, title, tone) => ({ key, title: `${title} (${count(this.changes[key].length)})`, tone, items: this.changes[key].slice(0, 30) });
        return [part("new", "New", "t-warning"), part("gone", "Gone", "t-success"), part("same", "Still there", "subtle")].filter(({ items }) => items.length);
      },
      /** A session of its own, with the form of the step that mends it filled in: nothing changes until it is applied. */
      async mend(finding) {
        if (this.busy) return;
        this.busy = true;
        try {
          const session = await api.post(`/versions/${this.version.id}/sessions`, { project_id: this.source.project_ids?.[0] });
          handOver(session.id, finding.step);
          location.assign(`/studio/${session.id}`);
        } catch (error) {
          toastError(error, "The Studio was not opened.");
          this.busy = false;
        }
      },
    },
  );
}
