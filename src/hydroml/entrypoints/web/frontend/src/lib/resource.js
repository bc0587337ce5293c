import { asProblem } from "./api.js";

/**
 * Something a panel shows: loading, error, empty or done. Put it into an Alpine component and call `this.thing.load()`;
 * `quiet` reloads without going back to the skeleton. Only the newest answer counts.
 */
export function resource(fetcher, { empty = (data) => Array.isArray(data?.items) && data.items.length === 0, start = "loading" } = {}) {
  let turn = 0;
  return {
    state: start,
    data: null,
    error: null,
    get items() {
      return this.data?.items ?? [];
    },
    async load({ quiet = false } = {}) {
      const mine = ++turn;
      if (!quiet || this.state === "error") this.state = "loading";
      try {
        const data = await fetcher();
        if (mine !== turn) return this.data;
        this.data = data;
        this.error = null;
        this.state = empty(data) ? "empty" : "done";
        return data;
      } catch (error) {
        if (mine !== turn || error.name === "AbortError") return null;
        if (quiet && this.data) return null; // what is shown stays; the next refresh may succeed
        this.error = asProblem(error);
        this.state = "error";
        return null;
      }
    },
  };
}
