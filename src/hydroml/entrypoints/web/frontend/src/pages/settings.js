import { setTheme } from "../components/frame.js";
import { formDialog } from "../components/shared.js";
import { api } from "../lib/api.js";
import { copy } from "../lib/dom.js";
import { mix } from "../lib/mix.js";
import { resource } from "../lib/resource.js";
import { ask, toast, toastError } from "../lib/ui.js";

const THEMES = [{ value: "system", title: "As the system", help: "light by day, dark by night, if yours does so" }, { value: "light", title: "Light", help: "always" }, { value: "dark", title: "Dark", help: "always" }];

function appearance() {
  return {
    themes: THEMES,
    theme: document.documentElement.dataset.theme ?? "system",
    choose(value) {
      this.theme = value;
      setTheme(value);
    },
  };
}

function tokens() {
  return mix(formDialog({
    fields: { name: "", days: 90, scope: "write" },
    send: (form) => api.post("/me/tokens", { name: form.name.trim(), scopes: { write: ["read", "write"], read: ["read"], mlflow: ["mlflow"] }[form.scope], days: Number(form.days) || null }),
    done(answer) {
      this.secret = answer.token;
      this.tokens.load({ quiet: true });
    },
  }), {
    secret: "",
    tokens: resource(() => api.get("/me/tokens")),
    init() {
      this.tokens.load();
    },
    get cannot() {
      return this.busy || !this.form.name.trim();
    },
    async copySecret() {
      if (await copy(this.secret)) toast("Copied. It is not shown again.", { tone: "success" });
    },
    hideSecret() {
      this.secret = "";
    },
    scopesOf(token) {
      return (token.scopes ?? []).join(", ");
    },
    async revoke(token) {
      if (!(await ask({ title: `Revoke “${token.name}”?`, text: "Whatever uses it stops working at once.", yes: "Revoke", danger: true }))) return;
      try {
        await api.delete(`/me/tokens/${token.id}`);
        this.tokens.load({ quiet: true });
      } catch (error) {
        toastError(error, "Not revoked.");
      }
    },
  });
}

export function register(Alpine) {
  Alpine.data("appearance", appearance);
  Alpine.data("tokens", tokens);
}
