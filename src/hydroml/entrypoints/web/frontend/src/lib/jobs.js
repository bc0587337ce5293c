// Words and marks for jobs, the same wherever one is shown.
import { ago, seconds, sentence } from "./format.js";

const STATES = {
  queued: { label: "Queued", icon: "jobs", tone: "subtle" },
  running: { label: "Running", icon: "play", tone: "t-accent" },
  succeeded: { label: "Succeeded", icon: "check", tone: "t-success" },
  failed: { label: "Failed", icon: "error", tone: "t-danger" },
  cancelled: { label: "Cancelled", icon: "stop", tone: "subtle" },
  pruned: { label: "Given up", icon: "minus", tone: "subtle" },
  ready: { label: "Ready", icon: "flask", tone: "subtle" },
  stopped: { label: "Stopped", icon: "stop", tone: "subtle" },
};
export const stateOf = (state) => STATES[state] ?? { label: sentence(state ?? ""), icon: "jobs", tone: "subtle" };
export const isActive = (job) => job?.state === "queued" || job?.state === "running";
export const isOver = (job) => Boolean(job) && !isActive(job);

const KINDS = {
  import_file: "Import", save_session: "Save", train: "Train", predict: "Predict", analyse_version: "Analyse", check_rules: "Check the rules of", compare_versions: "Compare", export: "Export", suite: "Suite",
};
export function jobTitle(job) {
  const kind = KINDS[job.kind] ?? sentence(job.kind ?? "job");
  return job.subject?.name ? `${kind} ${job.subject.name}` : kind;
}

const PAGES = { source: "/sources/", run: "/runs/", session: "/studio/", model: "/models/", suite: "/suites/", project: "/projects/" };
export const subjectUrl = (job) => (job?.subject && PAGES[job.subject.kind] ? PAGES[job.subject.kind] + job.subject.id : "");
export const jobUrl = (job) => `/jobs/${job.id}`;
export const share = (job) => (job.state === "succeeded" ? 1 : Math.min(1, Math.max(0, job.progress ?? 0)));
export const jobPercent = (job) => (job.state === "queued" ? "waiting" : `${Math.round(100 * share(job))} %`);
export const jobWidth = (job) => Math.round(100 * share(job));
export const jobBar = (job) => ({ failed: "is-danger", cancelled: "is-quiet", queued: "is-quiet" })[job.state] ?? "";

/** One line about where it stands. */
export function jobLine(job) {
  if (job.cancel_requested && isActive(job)) return "stopping";
  if (job.state === "failed") return errorText(job) || "failed";
  if (job.state === "succeeded") return `done in ${jobTime(job)}`;
  if (job.state === "queued") return job.message || "waiting for a worker";
  const { phase = "", message = "" } = job;
  if (message.toLowerCase().startsWith(phase.toLowerCase())) return sentence(message || phase) || (job.state === "running" ? "starting" : "");
  return `${sentence(phase)}${message ? `: ${message}` : ""}` || (job.state === "running" ? "starting" : "");
}
export const canRetry = (job) => job?.state === "failed" || job?.state === "cancelled";
export function errorText(job) {
  const error = job?.error;
  if (!error) return "";
  return typeof error === "string" ? error : (error.detail ?? error.message ?? error.title ?? "");
}
export function jobTime(job, now = Date.now()) {
  if (!job.started_at) return ago(job.created_at, now);
  const end = job.finished_at ? new Date(job.finished_at) : now;
  return seconds(Math.max(0, (end - new Date(job.started_at)) / 1000));
}
