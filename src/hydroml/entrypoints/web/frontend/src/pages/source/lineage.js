// Where a version came from, back to the bytes of the files, and what was made of it.
import { api } from "../../lib/api.js";
import { graph } from "../../lib/graph.js";
import { mix } from "../../lib/mix.js";
import { tabOf } from "./tab.js";

const ICONS = { original: "file", version: "data", run: "flask", model: "cube", prediction: "activity", export: "download" };
const KINDS = { original: "Original file", version: "Version", run: "Run", model: "Model", export: "Export" };

export function lineageTab() {
  return mix(
    tabOf("lineage", function () {
      return api.get(`/versions/${this.version.id}/lineage`);
    }, ({ nodes }) => !nodes?.length),
    {
      asList: false,
      get nodes() {
        return (this.found.data?.nodes ?? []).map((node) => ({ ...node, icon: `#i-${ICONS[node.kind] ?? "file"}`, kindText: KINDS[node.kind] ?? node.kind, here: node.id === this.version?.id }));
      },
      get listed() {
        const labels = new Map(this.nodes.map(({ id, label }) => [id, label]));
        const edges = this.found.data?.edges ?? [];
        return this.nodes.map((node) => ({ ...node, from: edges.filter(([, to]) => to === node.id).map(([from, , how]) => `${labels.get(from) ?? "something"}${how ? ` (${how})` : ""}`).join("; ") }));
      },
      get truncated() {
        return Boolean(this.found.data?.truncated);
      },
      draw(element) {
        element.replaceChildren(...(this.found.state === "done" ? [graph(this.nodes, this.found.data.edges, "Lineage, from the left to the right")] : []));
      },
    },
  );
}
