import { formDialog } from "../components/shared.js";
import { api } from "../lib/api.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { ask, toast, toastError } from "../lib/ui.js";

const ROLES = [{ value: "viewer", title: "Viewer", help: "sees everything, changes nothing" }, { value: "editor", title: "Editor", help: "brings in data, cleans, trains" }, { value: "owner", title: "Owner", help: "also members, approval of models, deletion" }];

function membersPage() {
  let project = "";
  return mix(formDialog({
    fields: { user: "", role: "editor" },
    send: (form) => api.put(`/projects/${project}/members/${encodeURIComponent(form.user.trim())}`, { role: form.role }),
    done() {
      toast("Added.", { tone: "success" });
      this.members.load({ quiet: true });
    },
  }), {
    roles: ROLES,
    project: resource(() => api.get(`/projects/${project}`), { empty: () => false }),
    members: resource(() => api.get(`/projects/${project}/members`)),
    init() {
      project = this.$root.dataset.project;
      this.project.load();
      this.members.load();
    },
    idOf(member) {
      return member.id ?? member.user_id;
    },
    nameOf(member) {
      return member.username ?? this.idOf(member);
    },
    get mayChange() {
      return this.project.data?.role === "owner";
    },
    get fourEyes() {
      return Boolean(this.project.data?.four_eyes);
    },
    get owners() {
      return this.members.items.filter(({ role }) => role === "owner").length;
    },
    isLastOwner(member) {
      return member.role === "owner" && this.owners === 1;
    },
    async setFourEyes(wanted) {
      try {
        this.project.data.four_eyes = (await api.patch(`/projects/${project}`, { four_eyes: wanted })).four_eyes;
        toast(wanted ? "Another owner approves from now on." : "Any owner approves from now on.", { tone: "success" });
      } catch (error) {
        toastError(error, "Not changed.");
        this.project.load({ quiet: true });
      }
    },
    async setRole(member, role) {
      const before = member.role;
      try {
        await api.put(`/projects/${project}/members/${this.idOf(member)}`, { role });
        member.role = role;
        toast(`${this.nameOf(member)} is ${role} now.`, { tone: "success", action: "Undo", run: () => this.setRole(member, before) });
      } catch (error) {
        toastError(error, "Not changed.");
        this.members.load({ quiet: true });
      }
    },
    async remove(member) {
      if (!(await ask({ title: `Take ${this.nameOf(member)} out of the project?`, text: "What they made stays; they no longer see it.", yes: "Take out", danger: true }))) return;
      try {
        await api.delete(`/projects/${project}/members/${this.idOf(member)}`);
        this.members.load({ quiet: true });
      } catch (error) {
        toastError(error, "Not removed.");
      }
    },
  });
}

export function register(Alpine) {
  Alpine.data("membersPage", membersPage);
}
