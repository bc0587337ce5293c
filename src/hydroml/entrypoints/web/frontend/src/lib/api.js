// The one way to the HTTP API: JSON in and out, the session cookie, CSRF, and refusals as one kind of error.

export const ROOT = "/api/v1";

/** A refusal or failure of the server, in words (RFC 9457), or a lost connection. */
export class Problem extends Error {
  constructor({ status = 0, title, detail = "", errors = [], id = "", kind = "" }) {
    super(detail || title);
    this.name = "Problem";
    Object.assign(this, { status, title, detail, errors, id, kind });
  }
}

function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

export function csrfToken() {
  return cookie("csrftoken") || document.querySelector("input[name=csrfmiddlewaretoken]")?.value || "";
}

function withQuery(path, query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(given).toString();
  return ROOT + path + (text ? `?${text}` : "");
}

const WORDS = {
  403: "You may not do this here",
  404: "Not found",
  409: "This was changed in the meantime",
  412: "This was changed somewhere else",
  413: "The file is too large",
  422: "This needs a correction",
  429: "Too many requests",
  500: "The server failed",
  502: "The server does not answer",
  503: "The server is not ready",
};

export function problemFrom(status, text, requestId) {
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    // not JSON: a proxy's page, or nothing
  }
  const title = WORDS[status] || body.title || `The server answered ${status}`; // the document's own title is the status, for machines
  const kind = String(body.type ?? "").split(":").at(-1);
  const id = requestId || String(body.instance ?? "").replace("urn:uuid:", "");
  return new Problem({ status, title, detail: typeof body.detail === "string" ? body.detail : "", errors: body.errors ?? [], id, kind });
}

export function toLogin() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Answers `{data, etag, location}`; most callers want `get`, `post`, … below, which answer the data alone. */
export async function request(method, path, { json, form, query, ifMatch, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (ifMatch !== undefined && ifMatch !== null) headers["If-Match"] = `"${ifMatch}"`;
  let response;
  try {
    const body = json !== undefined ? JSON.stringify(json) : form;
    response = await fetch(withQuery(path, query), { method, headers, body, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "No connection", detail: "The server could not be reached. Check the connection and try again." });
  }
  const text = response.status === 204 ? "" : await response.text();
  if (response.status === 401) toLogin();
  if (!response.ok) throw problemFrom(response.status, text, response.headers.get("X-Request-ID"));
  const type = response.headers.get("Content-Type") ?? "";
  return {
    data: text && type.includes("json") ? JSON.parse(text) : text || null,
    etag: response.headers.get("ETag"),
    location: response.headers.get("Location"),
  };
}

const only = (answer) => answer.then(({ data }) => data);

export const api = {
  get: (path, query, options) => only(request("GET", path, { query, ...options })),
  post: (path, json = {}, options) => only(request("POST", path, { json, ...options })),
  put: (path, json = {}, options) => only(request("PUT", path, { json, ...options })),
  patch: (path, json = {}, options) => only(request("PATCH", path, { json, ...options })),
  delete: (path, options) => only(request("DELETE", path, options)),
  send: (path, form, options) => only(request("POST", path, { form, ...options })),
};

/** Turns whatever was thrown into what an error panel shows. */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem({ title: "Something went wrong on this page", detail: error?.message ?? String(error) });
}

/** The errors of a refused input by field: `{name: "says what"}`; `loc` may start with "body". */
export function fieldErrors(problem) {
  const fields = {};
  for (const { loc = [], msg } of problem?.errors ?? []) {
    const path = loc.filter((part) => part !== "body" && part !== "payload");
    fields[path.join(".") || "form"] ??= msg;
  }
  return fields;
}
