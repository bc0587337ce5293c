// What people here have published: a list, and one run in full, to be read and forked.
import { formDialog } from "../components/shared.js";
import { api } from "../lib/api.js";
import { metric, plural, sentence } from "../lib/format.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { ask, setCrumbs, setTitle, toast, toastError } from "../lib/ui.js";
import { param, setParams } from "../lib/url.js";
import { direction, headline, verdicts } from "../lib/verdict.js";

function galleryPage() {
  let timer = 0;
  return {
    words: param("q"),
    published: resource(() => null),
    init() {
      this.published = resource(() => api.get("/gallery", { search: this.words.trim(), limit: 100 }), { empty: (data) => data.total === 0 && !this.words.trim() });
      this.published.load();
    },
    typed() {
      setParams({ q: this.words.trim() });
      clearTimeout(timer);
      timer = setTimeout(() => this.published.load({ quiet: true }), 250);
    },
    score(one) {
      const best = headline(one);
      return best ? `${best.title} ${metric(best.value)}` : "";
    },
    against(one) {
      const best = headline(one);
      return best?.baseline ? `${best.baseline.name} ${metric(best.baseline.value)}` : "";
    },
    get span() {
      return plural(this.published.data?.total ?? 0, "run");
    },
  };
}

function publicationPage() {
  return mix(
    formDialog({
      fields: { project_id: "", version_id: "" },
      send(form) {
        return api.post(`/gallery/${this.id}/fork`, { project_id: form.project_id, version_id: form.version_id || null });
      },
      done(experiment) {
        toast("It remembers where it came from.", { tone: "success", title: "Forked." });
        location.assign(`/projects/${experiment.project_id}/experiments?tab=experiments`);
      },
    }),
    {
      id: "",
      one: null,
      head: resource(() => null, { empty: () => false }),
      catalogue: {},
      projects: [],
      versions: [],
      init() {
        this.id = this.$root.dataset.id;
        this.head = resource(() => this.fetch(), { empty: () => false });
        this.head.load();
        api.get("/metrics").then(({ items }) => (this.catalogue = Object.fromEntries(items.map((known) => [known.name, known]))), () => {}); // plain titles do meanwhile
      },
      async fetch() {
        this.one = await api.get(`/gallery/${this.id}`);
        setTitle(this.one.title);
        setCrumbs([{ label: "Gallery", href: "/gallery" }]);
        this.$nextTick(() => this.draw());
        return this.one;
      },
      async draw() {
        const wanted = [["predictions", "series"], ["importance", "importance"], ["roc", "roc"]].filter(([name]) => this.has(name) && (name !== "predictions" || this.one.problem === "regression"));
        if (!wanted.length) return;
        const [charts, plots, ...data] = await Promise.all([import("../lib/charts.js"), import("../lib/plots.js"), ...wanted.map(([name]) => api.get(`/gallery/${this.id}/artifacts/${name}`).catch(() => null))]);
        wanted.forEach(([, plot], at) => {
          const element = this.$root.querySelector(`[data-plot="${plot}"]`);
          if (!element || !data[at]) return;
          const make = { series: () => plots.series(charts, data[at], this.one.target, plots.tracks(data[at])[0]), importance: () => plots.importance(charts, data[at], 15), roc: () => plots.roc(charts, data[at]) }[plot];
          charts.draw(element, make());
        });
      },
      has(name) {
        return this.one?.artifacts.includes(name) ?? false;
      },
      get hasSeries() {
        return this.has("predictions") && this.one.problem === "regression";
      },
      get verdicts() {
        return verdicts(this.one, this.catalogue).map((row) => ({ ...row, unitText: row.unit === "target" ? "" : row.unit, between: row.interval ? `${metric(row.interval[0])} to ${metric(row.interval[1])}` : "", direction: direction(row.better) }));
      },
      get access() {
        return this.one?.shares_data ? "The data is shared: a fork gets a copy of it." : "The data is not shared: a fork needs data of its own with the same columns.";
      },
      get facts() {
        const { problem, target, algorithm, data, counts, features } = this.one;
        return [["Problem", problem], ["Target", target], ["Algorithm", sentence(algorithm)], ["Data", data], ["Test rows", counts ? counts.test : ""], ["Features", features.join(", ")]].map(([name, value]) => ({ name, value: String(value) }));
      },
      get specificationText() {
        return JSON.stringify(this.one?.specification ?? {}, null, 2);
      },
      async fork() {
        try {
          const { items } = await api.get("/projects", { limit: 200 });
          this.projects = items.filter(({ role }) => role !== "viewer").map(({ id, name }) => ({ id, name }));
          this.show({ project_id: this.projects[0]?.id ?? "" });
          this.readVersions();
        } catch (error) {
          toastError(error, "The projects could not be read.");
        }
      },
      async readVersions() {
        this.form.version_id = "";
        this.versions = [];
        if (!this.form.project_id) return;
        const { items } = await api.get(`/projects/${this.form.project_id}/sources`, { limit: 200 }).catch(() => ({ items: [] }));
        this.versions = items.filter(({ current_version: version }) => version).map((source) => ({ id: source.current_version.id, title: `${source.name}, version ${source.current_version.number}` }));
      },
      get noVersion() {
        return this.one?.shares_data ? "a copy of the published data" : "choose data of your own";
      },
      async withdraw() {
        if (!(await ask({ title: `Take “${this.one.title}” out of the gallery?`, text: "The run stays, and so do forks of it.", yes: "Withdraw", danger: true }))) return;
        try {
          await api.delete(`/gallery/${this.id}`);
          location.assign("/gallery");
        } catch (error) {
          toastError(error, "Not withdrawn.");
        }
      },
    },
  );
}

export function register(Alpine) {
  Alpine.data("galleryPage", galleryPage);
  Alpine.data("publicationPage", publicationPage);
}
