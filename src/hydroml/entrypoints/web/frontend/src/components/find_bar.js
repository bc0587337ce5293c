// Text found anywhere in the table, on the server, a part of it at a time: it can be stopped, and goes on where it was.
import { api } from "../lib/api.js";
import { count, percent, plural } from "../lib/format.js";
import { ask, command, shortcut, toastError } from "../lib/ui.js";
import { listed } from "../lib/url.js";

const LONGEST_LIST = 3_000; // characters of names in one address
const MOST_CHOICES = 200;

export function findBar(grid) {
  let turn = 0;
  let hit = null;
  return {
    finding: false,
    findText: "",
    findColumn: "",
    findColumns: [],
    findBusy: false,
    findState: "",
    initFind(mount) {
      if (!mount.dataset.finds) {
        mount.dataset.finds = "yes";
        mount.addEventListener("keydown", (event) => {
          if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "f" || event.altKey || event.shiftKey) return;
          event.preventDefault();
          this.openFind();
        });
      }
      if (this.findKnown) return;
      this.findKnown = true; // shortcuts of a page are set once, also when its table is opened anew
      shortcut("f", "Find text in the table", () => (this.opened ? this.openFind() : false));
      shortcut("g", "Go to a row", () => (this.opened ? this.askRow() : false));
      command("Find text in the table", "search", () => this.openFind(), { keys: "F", when: () => this.opened });
      command("Go to row …", "down", () => this.askRow(), { keys: "G", when: () => this.opened });
    },
    openFind() {
      this.findColumns = grid()?.shownColumns().slice(0, MOST_CHOICES) ?? [];
      this.finding = true;
      const field = this.$refs.find;
      field.closest(".find-bar").style.removeProperty("display"); // at once: what is typed next belongs into it
      field.focus();
      field.select();
    },
    closeFind() {
      this.stopFind();
      if (!this.finding) return;
      this.finding = false;
      this.findState = "";
      grid()?.markFound(null);
      const at = hit ?? (this.focus && { position: this.focus.index, column: this.focus.name });
      hit = null;
      if (at) grid()?.goTo(at.position, at.column);
    },
    stopFind() {
      turn += 1;
      if (this.findBusy) this.findState = "Stopped.";
      this.findBusy = false;
    },
    findKey(event) {
      if (event.key === "Escape") this.closeFind();
      else if (event.key === "Enter") this.seek(event.shiftKey ? "previous" : "next");
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    findTyped() {
      this.stopFind();
      hit = null;
      this.findState = "";
    },
    async seek(direction = "next") {
      const text = this.findText;
      if (!text || !grid()) return;
      const mine = ++turn;
      const from = hit ?? this.findStart(direction);
      const { path, query } = this.tableAddress();
      const names = this.findColumn ? [this.findColumn] : grid().shownColumns();
      const list = listed(names);
      const whole = !this.findColumn && names.length === this.tableColumns && !grid().layout().order.length;
      const where = whole || list.length > LONGEST_LIST ? {} : { columns: list };
      const start = from ? { after: from.position, column: names.includes(from.column) ? from.column : undefined } : {};
      this.findBusy = true;
      try {
        for (;;) {
          const found = await api.get(`${path}/find`, { ...query, text, filter: this.filter, sort: grid().orderNow(), direction, ...where, ...start });
          if (mine !== turn) return;
          if (!found.done) {
            this.findState = `${percent(found.searched, 1)} searched …`;
            continue;
          }
          this.findBusy = false;
          this.showHit(found, from, direction);
          return;
        }
      } catch (error) {
        if (mine !== turn) return;
        this.findBusy = false;
        this.findState = "";
        toastError(error, "Not found.");
      }
    },
    /** The cell with the focus; forward its row is looked at too. */
    findStart(direction) {
      if (!this.focus) return null;
      if (direction === "previous") return { position: this.focus.index, column: this.focus.name };
      return this.focus.index ? { position: this.focus.index - 1 } : null;
    },
    showHit(found, from, direction) {
      if (found.position === null) {
        hit = null;
        grid().markFound(null);
        this.findState = "Nothing found.";
        return;
      }
      const around = from && (direction === "next" ? found.position < from.position : found.position > from.position);
      hit = { position: found.position, column: found.column };
      const holding = found.rows === null ? "" : `, ${plural(found.rows, "row")} with it`;
      this.findState = `Position ${count(found.position + 1)}, ${found.column}${holding}${around ? (direction === "next" ? "; from the top" : "; from the end") : ""}`;
      grid().show(found.column);
      grid().goTo(found.position, found.column, { focus: false });
      grid().markFound(hit);
    },
    async askRow() {
      const most = this.total;
      const given = await ask({ title: "Go to row", text: most ? `1 to ${count(most)}, as the table is ordered now.` : "As the table is ordered now.", label: "Row", value: "", yes: "Go" });
      if (!given) return;
      const row = Number(String(given).replace(/[\s,_]/g, ""));
      if (!Number.isInteger(row) || row < 1) toastError(new Error(`“${given}” is no row number.`), "Not there.");
      else grid()?.goTo(Math.min(row, most ?? row) - 1);
    },
  };
}
