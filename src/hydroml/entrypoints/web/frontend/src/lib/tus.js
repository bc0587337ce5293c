// Resumable uploads by tus 1.0.0 (https://tus.io/protocols/resumable-upload): a file goes in pieces; when the connection breaks, the
// server is asked how much has arrived, and the rest is sent. XMLHttpRequest, since fetch cannot tell how much was sent.
import { Problem, ROOT, api, csrfToken, problemFrom, toLogin } from "./api.js";

const WAITS = [1, 2, 4, 8, 15, 30]; // seconds before the next try
const PATIENCE = 8; // tries against a server that answers, but not well; one that cannot be reached is waited for
const PASSING = new Set([0, 408, 409, 423, 425, 429, 500, 502, 503, 504]);

export const limits = () => api.get("/uploads/limits");
export const unfinished = () => api.get("/uploads");
export const uploaded = (id) => api.get(`/uploads/${id}`);
export const discard = (id) => api.delete(`/uploads/${id}`);

const inBase64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const aborted = () => new DOMException("paused", "AbortError");

function send(method, path, { headers = {}, body = null, signal, onProgress = () => {} }) {
  const { promise, resolve, reject } = withResolvers();
  const xhr = new XMLHttpRequest();
  const stop = () => xhr.abort();
  xhr.open(method, ROOT + path);
  for (const [name, value] of Object.entries({ "Tus-Resumable": "1.0.0", ...headers })) xhr.setRequestHeader(name, value);
  if (method !== "HEAD") xhr.setRequestHeader("X-CSRFToken", csrfToken());
  xhr.upload.addEventListener("progress", (event) => onProgress(event.loaded));
  xhr.addEventListener("load", () => {
    if (xhr.status === 401) toLogin();
    if (xhr.status < 300) resolve(xhr);
    else reject(problemFrom(xhr.status, xhr.responseText, xhr.getResponseHeader("X-Request-ID")));
  });
  xhr.addEventListener("error", () => reject(new Problem({ title: "No connection", detail: "The server could not be reached." })));
  xhr.addEventListener("abort", () => reject(aborted()));
  xhr.addEventListener("loadend", () => signal?.removeEventListener("abort", stop));
  if (signal?.aborted) reject(aborted());
  else {
    signal?.addEventListener("abort", stop);
    xhr.send(body);
  }
  return promise;
}

function withResolvers() { // Promise.withResolvers is younger than the browsers we promise
  let resolve;
  let reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
}

/** Waits, and no longer than until the browser is online again. */
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, 1000 * seconds);
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", stop);
      resolve();
    }
    function stop() {
      done();
      reject(aborted());
    }
    addEventListener("online", done);
    signal.addEventListener("abort", stop);
  });
}

/**
 * One file on its way. `start()` sends until all of it has arrived, and raises AbortError when `stop()`ped; started again, also with
 * the `id` of an upload of an earlier visit, it goes on where the server says that it ended.
 */
export function transfer(file, { id = "", chunk, onId = () => {}, onProgress = () => {}, onWait = () => {} }) {
  let controller = null;
  let arrived = 0;

  async function create(signal) {
    const metadata = `filename ${inBase64(file.name)}`;
    const answer = await send("POST", "/uploads", { headers: { "Upload-Length": file.size, "Upload-Metadata": metadata }, signal });
    id = answer.getResponseHeader("Location").split("/").filter(Boolean).at(-1);
    onId(id);
    return 0;
  }
  async function ask(signal) {
    const answer = await send("HEAD", `/uploads/${id}`, { signal });
    return Number(answer.getResponseHeader("Upload-Offset"));
  }
  async function append(signal) {
    const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": arrived };
    const body = file.slice(arrived, Math.min(file.size, arrived + chunk));
    const answer = await send("PATCH", `/uploads/${id}`, { headers, body, signal, onProgress: (sent) => onProgress(Math.min(file.size, arrived + sent)) });
    return Number(answer.getResponseHeader("Upload-Offset"));
  }
  return {
    get id() {
      return id;
    },
    async start() {
      controller = new AbortController();
      const { signal } = controller;
      for (let failures = 0, sure = false; ; ) {
        try {
          if (!sure) arrived = id ? await ask(signal) : await create(signal);
          sure = true;
          onProgress(arrived);
          if (arrived >= file.size) return id;
          arrived = await append(signal);
          failures = 0;
        } catch (error) {
          if (!PASSING.has(error.status) || (error.status !== 0 && failures >= PATIENCE)) throw error;
          sure = false;
          const seconds = WAITS[Math.min(failures++, WAITS.length - 1)];
          onWait(seconds, error);
          await pause(seconds, signal);
          onWait(0);
        }
      }
    },
    stop() {
      controller?.abort();
    },
  };
}
