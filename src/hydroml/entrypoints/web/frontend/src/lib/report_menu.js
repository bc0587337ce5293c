// The kinds of files that a report or a card comes as.
import { openMenu } from "./menu.js";

const KINDS = [["pdf", "PDF", "pages, to hand on or print"], ["html", "HTML", "one file, for a browser"], ["md", "Markdown", "text, for a repository"]];

/** A menu at an element; what is chosen is downloaded from `address`, a path of the API, with `query` before the format. */
export function reportMenu(anchor, address, title, query = "") {
  openMenu(anchor, KINDS.map(([kind, name, help]) => ({ title: name, note: help, icon: "download", run: () => location.assign(`/api/v1${address}?${query}format=${kind}`) })), title);
}
