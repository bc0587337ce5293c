// One stream of live events for the whole page, shared by everything on it. When it cannot be had (a proxy, a broken server), the
// jobs that still run are asked for every few seconds, so a page never stands still. A page in the background lets its connection go.
import { api } from "./api.js";
import { isActive } from "./jobs.js";

const POLL_EVERY = 3000;
const RETRY_EVERY = 20000;
const SLEEP_AFTER = 30000;
const NEWEST = 100;

const listeners = new Set();
const watched = new Map(); // job id → how many watch it
const latest = new Map(); // job id → its newest known state
let stream = null;
let polling = 0;
let retrying = 0;
let sleeping = 0;
let status = "connecting";
const statusListeners = new Set();
const notified = new Set();

function setStatus(next) {
  if (next === status) return;
  status = next;
  for (const listener of statusListeners) listener(status);
}

function tell(job) {
  const known = latest.get(job.id);
  if (known && !isActive(known) && isActive(job) && (known.attempts ?? 0) >= (job.attempts ?? 0)) return; // an old message, overtaken
  latest.set(job.id, job);
  for (const listener of listeners) listener(job);
}

function open() {
  if (stream) return;
  stream = new EventSource("/api/v1/events");
  stream.addEventListener("open", () => {
    stopPolling();
    setStatus("live");
    refresh(); // whatever happened while nobody listened
  });
  stream.addEventListener("job", (event) => tell(JSON.parse(event.data)));
  stream.addEventListener("notification", (event) => {
    for (const listener of notified) listener(JSON.parse(event.data));
  });
  stream.addEventListener("error", () => {
    startPolling();
    if (stream?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    stream = null;
    clearTimeout(retrying);
    retrying = setTimeout(open, RETRY_EVERY);
  });
}

function close() {
  stream?.close();
  stream = null;
  clearTimeout(retrying);
  stopPolling();
}

function startPolling() {
  setStatus("polling");
  if (!polling) polling = setInterval(refresh, POLL_EVERY);
}
function stopPolling() {
  clearInterval(polling);
  polling = 0;
}

async function refresh() {
  const asked = new Set(watched.keys());
  for (const [id, job] of latest) if (isActive(job)) asked.add(id);
  for (const id of asked) {
    const known = latest.get(id);
    if (known && !isActive(known) && watched.has(id) === false) continue;
    api.get(`/jobs/${id}`).then(tell, () => {});
  }
}

/** Calls back with every change of any of my jobs; answers how to stop. */
export function onJob(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Follows those of a list that still run: one may have ended after the list was read and before anyone listened. */
export async function followJobs(jobs) {
  const running = new Map(jobs.filter((job) => job && isActive(job)).map((job) => [job.id, job]));
  if (!running.size) return;
  for (const [id, job] of running) if (!latest.has(id)) latest.set(id, job);
  const { items } = await api.get("/jobs", { limit: NEWEST }).catch(() => ({ items: [] }));
  for (const job of items) if (running.has(job.id)) tell(job);
}

/** Follows one job, also while only polling is possible; calls back at once with what is known. */
export function watchJob(job, listener) {
  const id = typeof job === "string" ? job : job.id;
  if (typeof job !== "string") latest.set(id, latest.get(id) ?? job);
  watched.set(id, (watched.get(id) ?? 0) + 1);
  const stop = onJob((changed) => changed.id === id && listener(changed));
  const known = latest.get(id);
  if (known) queueMicrotask(() => listener(known));
  api.get(`/jobs/${id}`).then(tell, () => {}); // it may have moved before anyone listened
  return () => {
    stop();
    const left = watched.get(id) - 1;
    if (left) watched.set(id, left);
    else watched.delete(id);
  };
}

/** Calls back with every new notification of mine. */
export function onNotification(listener) {
  notified.add(listener);
}

/** Whether something on this page follows a job and tells its end itself. */
export const isWatched = (id) => watched.has(id);

export function onStatus(listener) {
  statusListeners.add(listener);
  listener(status);
  return () => statusListeners.delete(listener);
}

export function start() {
  open();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(sleeping);
    if (document.hidden) sleeping = setTimeout(close, SLEEP_AFTER);
    else open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
}
