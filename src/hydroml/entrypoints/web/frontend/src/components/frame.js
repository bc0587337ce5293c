// What surrounds every page: rail, jobs tray, theme, menus, toasts, the one question dialog.
import { api } from "../lib/api.js";
import { isWatched, onJob, onStatus } from "../lib/events.js";
import { isActive, jobTitle, share, subjectUrl, jobUrl, errorText } from "../lib/jobs.js";
import { knownShortcuts, shortcut, toast } from "../lib/ui.js";
import { registerPalette } from "./palette.js";

function rail() {
  return {
    projectId: document.body.dataset.projectId ?? "",
    project: null,
    activeJobs: 0,
    init() {
      addEventListener("hydroml:project", ({ detail }) => this.enter(detail.id));
      addEventListener("hydroml:active-jobs", ({ detail }) => (this.activeJobs = detail));
      if (this.projectId) this.enter(this.projectId);
      addEventListener("hydroml:project-changed", () => this.projectId && this.enter(this.projectId));
      onJob((job) => !isActive(job) && this.later());
    },
    later() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.projectId && this.enter(this.projectId), 1000);
    },
    async enter(id) {
      this.projectId = id;
      try {
        this.project = await api.get(`/projects/${id}`);
        dispatchEvent(new CustomEvent("hydroml:project-known", { detail: this.project }));
      } catch {
        this.project = null; // the page itself says what is wrong
      }
    },
    get projectName() {
      return this.project?.name ?? "Project";
    },
    projectUrl(rest) {
      return `/projects/${this.projectId}${rest}`;
    },
    count(kind) {
      return this.project?.[kind] || "";
    },
  };
}

function tray() {
  return {
    open: false,
    jobs: [],
    status: "connecting",
    seen: new Set(),
    async init() {
      onStatus((status) => (this.status = status));
      onJob((job) => this.take(job));
      try {
        const { items } = await api.get("/jobs", { limit: 20 });
        this.jobs = items.filter(isActive);
        for (const job of this.jobs) this.seen.add(job.id);
        this.announce();
      } catch {
        // the tray stays empty; the jobs page shows the error
      }
    },
    take(job) {
      const index = this.jobs.findIndex(({ id }) => id === job.id);
      if (isActive(job)) {
        this.seen.add(job.id);
        if (index < 0) this.jobs.unshift(job);
        else this.jobs[index] = job;
      } else if (index >= 0) {
        this.jobs.splice(index, 1);
        this.finished(job);
      }
      this.announce();
    },
    finished(job) {
      if (isWatched(job.id)) return; // whoever follows it on this page tells it
      const page = subjectUrl(job);
      if (page && location.pathname === page) return; // the page shows it itself
      if (location.pathname === jobUrl(job)) return;
      if (job.state === "succeeded") toast("finished.", { title: jobTitle(job), tone: "success", href: page || jobUrl(job) });
      if (job.state === "failed") toast(errorText(job) || "failed.", { title: `${jobTitle(job)}:`, tone: "danger", href: jobUrl(job) });
    },
    announce() {
      dispatchEvent(new CustomEvent("hydroml:active-jobs", { detail: this.jobs.length }));
    },
    toggle() {
      this.open = !this.open;
    },
    close() {
      this.open = false;
    },
    get shown() {
      return this.jobs.slice(0, 8);
    },
    get label() {
      const running = this.jobs.filter(({ state }) => state === "running").length;
      const queued = this.jobs.length - running;
      if (running) return `${running} running`;
      return queued ? `${queued} queued` : "No jobs";
    },
    get ring() {
      if (!this.jobs.length) return "0 100";
      const done = this.jobs.reduce((sum, job) => sum + share(job), 0) / this.jobs.length;
      return `${Math.max(4, Math.round(100 * done))} 100`;
    },
    get connectionTitle() {
      return { live: "Jobs, live", polling: "Jobs, live connection lost: asking every few seconds", connecting: "Jobs, connecting" }[this.status];
    },
  };
}

/** Shows a theme now, and keeps it: a cookie for the next page, the profile for the next machine. */
export function setTheme(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  const kept = theme === "light" || theme === "dark" ? `${theme}; max-age=31536000` : "; max-age=0";
  document.cookie = `hydroml_theme=${kept}; path=/; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  dispatchEvent(new CustomEvent("hydroml:theme"));
  if (document.body.dataset.user) api.patch("/me", { theme }).catch(() => {}); // the cookie has it; the profile follows next time
}
export const isDark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

function themeSwitch() {
  return {
    toggle() {
      setTheme(isDark() ? "light" : "dark");
    },
  };
}

function menu() {
  return {
    open: false,
    toggle() {
      this.open = !this.open;
      if (this.open) this.$nextTick(() => this.$root.querySelector(".menu-list .menu-item")?.focus());
    },
    close() {
      if (this.open && this.$root.contains(document.activeElement)) this.$root.querySelector("[aria-haspopup]")?.focus();
      this.open = false;
    },
  };
}

const TONES = { success: ["t-success", "check"], info: ["t-accent", "info"], warning: ["t-warning", "warn"], danger: ["t-danger", "error"] };

function toasts() {
  return {
    items: [],
    next: 1,
    init() {
      addEventListener("hydroml:toast", ({ detail }) => this.add(detail));
    },
    add({ text, tone, title, href, link, action, run }) {
      const [toneClass, icon] = TONES[tone] ?? TONES.info;
      const item = { id: this.next++, text, title, href, link, action, run, tone: toneClass, icon: `#i-${icon}`, role: tone === "danger" ? "alert" : "status" };
      this.items.push(item);
      if (this.items.length > 4) this.items.shift();
      if (tone !== "danger") setTimeout(() => this.dismiss(item), action || href ? 9000 : 6000);
    },
    dismiss(item) {
      this.items = this.items.filter(({ id }) => id !== item.id);
    },
    act(item) {
      item.run?.();
      this.dismiss(item);
    },
  };
}

function confirmation() {
  return {
    title: "",
    text: "",
    yes: "Yes",
    no: "Cancel",
    tone: "btn-primary",
    resolve: null,
    init() {
      addEventListener("hydroml:ask", ({ detail }) => {
        Object.assign(this, { title: detail.title, text: detail.text ?? "", yes: detail.yes ?? "Yes", no: detail.no ?? "Cancel", tone: detail.danger ? "btn-danger" : "btn-primary", resolve: detail.resolve });
        this.$root.showModal();
      });
    },
    answer(value) {
      this.resolve?.(value);
      this.resolve = null;
      this.$root.close();
    },
    closed() {
      this.resolve?.(false);
      this.resolve = null;
    },
  };
}

function shortcuts() {
  return {
    items: [],
    show() {
      this.items = knownShortcuts().filter(({ hidden }) => !hidden);
      this.$root.showModal();
    },
    hide() {
      this.$root.close();
    },
  };
}

export function registerFrame(Alpine) {
  for (const [name, make] of Object.entries({ rail, tray, themeSwitch, menu, toasts, confirmation, shortcuts })) Alpine.data(name, make);
  registerPalette(Alpine);
  shortcut("mod+k", "Search or run a command", () => dispatchEvent(new CustomEvent("open-palette")), { inInputs: true });
  shortcut("?", "Show the shortcuts of this page", () => dispatchEvent(new CustomEvent("open-shortcuts")));
}
