import { api } from "../lib/api.js";
import { canRetry, isActive } from "../lib/jobs.js";
import { toast, toastError } from "../lib/ui.js";

/** Cancel, finish early and retry, the same for the list and the page of one job. `changed(job)` takes the answer. */
export function jobActions(changed) {
  return {
    async cancel(job) {
      try {
        const answer = await api.post(`/jobs/${job.id}/cancel`);
        changed.call(this, { ...job, ...(answer?.job ?? answer ?? {}), cancel_requested: true });
      } catch (error) {
        toastError(error, "Not cancelled.");
      }
    },
    async retry(job) {
      try {
        const answer = await api.post(`/jobs/${job.id}/retry`);
        changed.call(this, { ...job, ...(answer?.job ?? answer ?? { state: "queued" }) });
        toast("It starts again.", { tone: "success" });
      } catch (error) {
        toastError(error, "Not retried.");
      }
    },
    async finish(job) {
      try {
        changed.call(this, { ...job, ...(await api.post(`/jobs/${job.id}/finish`)) });
      } catch (error) {
        toastError(error, "Not stopped.");
      }
    },
    canFinish: (job) => job.can_finish && job.state === "running",
    canCancel: (job) => isActive(job),
    canRetry,
  };
}
