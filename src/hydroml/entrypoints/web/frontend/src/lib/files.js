// Which files can become data, and how they get out of a drop, a folder or the clipboard.

const KINDS = ["csv", "tsv", "tab", "txt", "dat", "asc", "prn", "rdb", "json", "jsonl", "ndjson", "parquet", "pq", "arrow", "feather", "ipc", "xlsx", "xlsm", "xls", "xlsb", "ods", "zip", "gz", "bz2", "xz", "zst", "tar", "tgz"];
export const ACCEPT = KINDS.map((kind) => `.${kind}`).join(",");
export const MOST_FILES = 200;

const ENDING = new RegExp(`\\.(${KINDS.join("|")})$`, "i");
export const isData = (name) => ENDING.test(name) && !/(^|\/)(\.|__MACOSX)/.test(name);

/** A name for a data source: the file's, without its endings. */
export function stem(name) {
  let short = name.split("/").at(-1);
  while (ENDING.test(short) && short.replace(ENDING, "")) short = short.replace(ENDING, "");
  return short;
}

/** The files of a drop; folders are walked through, and only what can be a table is taken from them. */
export async function dropped(transfer) {
  const entries = [...(transfer?.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...(transfer?.files ?? [])];
  const found = [];
  for (const entry of entries) await walk(entry, found, false);
  return found;
}

async function walk(entry, found, within) {
  if (found.length > MOST_FILES) return;
  if (entry.isFile) {
    if (!within || isData(entry.fullPath)) found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  for (;;) { // a folder is read in parts
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return;
    for (const one of part.toSorted((a, b) => a.name.localeCompare(b.name))) await walk(one, found, true);
  }
}

/** What was pasted, if it is files or a table as spreadsheets copy it; otherwise nothing. */
export function pasted(event) {
  if (event.target.closest?.("input, textarea, select, [contenteditable=true]") || document.querySelector("dialog[open]")) return [];
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) return files;
  const text = event.clipboardData?.getData("text/plain") ?? "";
  const lines = text.trim().split(/\r?\n/);
  if (lines.length < 2 || !/[\t,;]/.test(lines[0])) return [];
  const day = new Date().toISOString().slice(0, 16).replace("T", " ").replace(":", "");
  return [new File([text], `Pasted ${day}.${lines[0].includes("\t") ? "tsv" : "csv"}`, { type: "text/plain" })];
}

// The first lines of a file as they are, for the page that asks how to read it (the server has the bytes, but shows only cells).
const HEAD = 4096;
const key = (id) => `hydroml.head.${id}`;

export async function keepHead(id, file) {
  if (/\.(parquet|pq|arrow|feather|ipc|xls[xmb]?|ods|zip|gz|bz2|xz|zst|tar|tgz)$/i.test(file.name)) return;
  const bytes = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  if (bytes.includes(0)) return;
  const store = (text) => sessionStorage.setItem(key(id), text);
  try {
    store(new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice(0, bytes.length === HEAD ? bytes.lastIndexOf(10) + 1 || HEAD : bytes.length)));
  } catch {
    try {
      store(new TextDecoder("windows-1252").decode(bytes));
    } catch {
      // no room, or none allowed: the page does without
    }
  }
}

export const headOf = (id) => sessionStorage.getItem(key(id)) ?? "";
