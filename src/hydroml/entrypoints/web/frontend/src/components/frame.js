// What surrounds every page: rail, jobs tray, theme, menus, toasts, the one question dialog.
import { ROOT, api, csrfToken } from "../lib/api.js";
import { isWatched, onJob, onNotification, onStatus } from "../lib/events.js";
import { isActive, jobTitle, share, subjectUrl, jobUrl, errorText } from "../lib/jobs.js";
import { resource } from "../lib/resource.js";
import { knownShortcuts, shortcut, toast, toastError } from "../lib/ui.js";
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

/** What nobody asked for is not told either; the page that needs it shows it. */
const QUIET = new Set(["analyse_version", "check_rules", "compare_versions"]);

/** What somebody is told of, with how much of it is unread. */
function bell() {
  return {
    open: false,
    unread: 0,
    told: resource(() => api.get("/me/notifications", { limit: 20 })),
    init() {
      this.count();
      onNotification((one) => {
        this.unread += 1;
        if (this.told.data) this.told.data.items = [one, ...this.told.items].slice(0, 20);
        if (this.told.state === "empty") this.told.state = "done";
        if (one.kind === "rules") toast(one.text, { title: one.title, tone: one.tone, href: one.href });
      });
    },
    async count() {
      try {
        this.unread = (await api.get("/me/notifications", { limit: 1, unread: "true" })).unread;
      } catch {
        // the bell stays quiet; opening it shows the error
      }
    },
    toggle() {
      this.open = !this.open;
      if (this.open) this.told.load({ quiet: Boolean(this.told.data) });
    },
    close() {
      this.open = false;
    },
    get shown() {
      return this.told.items.map((one) => ({ ...one, icon: `#i-${(TONES[one.tone] ?? TONES.info)[1]}`, toneClass: (TONES[one.tone] ?? TONES.info)[0] }));
    },
    get label() {
      return this.unread ? `Notifications, ${this.unread} unread` : "Notifications";
    },
    get amount() {
      return this.unread > 99 ? "99+" : String(this.unread || "");
    },
    async readAll() {
      try {
        await api.post("/me/notifications/read", { all: true });
        this.unread = 0;
        for (const one of this.told.items) one.read = true;
      } catch (error) {
        toastError(error, "They stay unread.");
      }
    },
    /** The page opens by itself; that it is read follows. */
    follow(one) {
      if (!one.read) fetch(`${ROOT}/me/notifications/read`, { method: "POST", keepalive: true, headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() }, body: JSON.stringify({ ids: [one.id] }) }).catch(() => {});
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
      if (QUIET.has(job.kind) || job.suite_id) return; // a trial is told of by its suite
      const page = subjectUrl(job);
      if (page && location.pathname === page) return; // the page shows it itself
      if (location.pathname === jobUrl(job)) return;
      const told = isWatched(job.id); // whoever follows it on this page says what came of it
      if (job.state === "succeeded" && !told) toast("finished.", { title: jobTitle(job), tone: "success", href: page || jobUrl(job), topic: job.id });
      if (job.state === "failed") toast(errorText(job) || "failed.", { title: `${jobTitle(job)}:`, tone: "danger", href: jobUrl(job), topic: job.id });
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
    add({ text, tone, title, href, link, action, run, topic }) {
      const [toneClass, icon] = TONES[tone] ?? TONES.info;
      const item = { id: this.next++, text, title, href, link, action, run, topic, tone: toneClass, icon: `#i-${icon}`, role: tone === "danger" ? "alert" : "status" };
      this.items = [...this.items.filter((one) => !topic || one.topic !== topic), item];
      if (this.items.length > 4) this.items.shift();
      if (tone !== "danger") this.later(item);
    },
    /** A message that is being read or reached for stays. */
    later(item) {
      setTimeout(() => (this.$root.matches(":hover, :focus-within") ? this.later(item) : this.dismiss(item)), item.action || item.href ? 9000 : 6000);
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
    label: "", // of the field, when a text is asked for
    value: "",
    resolve: null,
    init() {
      addEventListener("hydroml:ask", ({ detail }) => {
        Object.assign(this, { label: detail.label ?? "", value: detail.value ?? "", title: detail.title, text: detail.text ?? "", yes: detail.yes ?? "Yes", no: detail.no ?? "Cancel", tone: detail.danger ? "btn-danger" : "btn-primary", resolve: detail.resolve });
        this.$root.showModal();
        if (this.label) this.$nextTick(() => this.$refs.asked.select());
      });
    },
    answer(yes) {
      const text = this.value.trim();
      if (yes && this.label && !text) return;
      this.resolve?.(yes && this.label ? text : yes);
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
  for (const [name, make] of Object.entries({ rail, tray, bell, themeSwitch, menu, toasts, confirmation, shortcuts })) Alpine.data(name, make);
  registerPalette(Alpine);
  shortcut("mod+k", "Search or run a command", () => dispatchEvent(new CustomEvent("open-palette")), { inInputs: true });
  shortcut("?", "Show the shortcuts of this page", () => dispatchEvent(new CustomEvent("open-shortcuts")));
}
