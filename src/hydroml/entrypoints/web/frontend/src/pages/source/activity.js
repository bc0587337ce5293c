// Who did what with a data source.
import { api } from "../../lib/api.js";
import { mix } from "../../lib/mix.js";
import { toastError } from "../../lib/ui.js";
import { tabOf } from "./tab.js";

const PART = 50;

export function activityTab() {
  return mix(
    tabOf("activity", function () {
      return api.get(`/sources/${this.source.id}/activity`, { limit: PART });
    }, ({ items }) => !items.length),
    {
      moreBusy: false,
      get entries() {
        return this.found.items.map((entry) => ({ ...entry, who: entry.actor.name ?? "somebody who has left", what: `${entry.verb} ${entry.subject.name}` }));
      },
      get hasMore() {
        return Boolean(this.found.data?.next_cursor);
      },
      async more() {
        this.moreBusy = true;
        try {
          const { items, next_cursor: cursor } = await api.get(`/sources/${this.source.id}/activity`, { limit: PART, cursor: this.found.data.next_cursor });
          this.found.data.items.push(...items);
          this.found.data.next_cursor = cursor;
        } catch (error) {
          toastError(error, "No more could be fetched.");
        } finally {
          this.moreBusy = false;
        }
      },
    },
  );
}
