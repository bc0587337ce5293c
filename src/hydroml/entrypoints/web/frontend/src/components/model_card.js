// The card of a version: what it is for, what it was trained and judged on, and what it is not for.
import { api } from "../lib/api.js";
import { reportMenu } from "../lib/report_menu.js";
import { resource } from "../lib/resource.js";

const keyed = (items) => items.map((value, key) => ({ key, value }));

export function modelCard() {
  return {
    card: resource(() => null, { empty: () => false }),
    cardVersion: 0,
    showCard(number) {
      const wanted = Number(number) || this.model.aliases?.champion || this.versions[0]?.number;
      if (wanted === this.cardVersion && this.card.state === "done") return;
      this.cardVersion = wanted;
      this.card = resource(() => api.get(`/models/${this.id}/versions/${wanted}/card`), { empty: () => false });
      this.card.load();
    },
    get cardSections() {
      return (this.card.data?.sections ?? []).map(({ title, blocks }) => ({ title, blocks: blocks.map((block, key) => ({
        ...block, key, items: keyed(block.items), pairs: keyed(block.pairs), head: keyed(block.head).map((cell) => ({ ...cell, tone: cell.key < block.words ? "" : "num" })),
        rows: keyed(block.rows).map(({ key: at, value: [first, ...cells] }) => ({ key: at, first, cells: keyed(cells).map((cell) => ({ ...cell, tone: cell.key + 1 < block.words ? "" : "num nowrap" })) })),
      })) }));
    },
    get cardFacts() {
      return (this.card.data?.facts ?? []).join(" · ");
    },
    get cardAbstract() {
      return this.card.data?.abstract ?? "";
    },
    cardMenu(event) {
      reportMenu(event.currentTarget, `/models/${this.id}/versions/${this.cardVersion}/card/file`, "Card as a file");
    },
  };
}
