/** Settings: looks, what Create begins with, the account, keys, styles, shortcuts, about. */

import { api, session } from "../../shell/api.js";
import { getPref, onPref, setPref } from "../../shell/prefs.js";
import { confirmDialog } from "../../ui/dialog.js";
import { button, fill, h, icon, useCss } from "../../ui/dom.js";
import { _, _n, _nodes } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";
import { createDefaults } from "./create-defaults.js";
import { keySection } from "./keys.js";
import { styleSection } from "./own-styles.js";
import { shortcutList } from "./shortcuts.js";

export const title = _("Settings");

const THEMES = [
  ["system", _("System"), "contrast"],
  ["dark", _("Dark"), "moon"],
  ["light", _("Light"), "sun"],
];
/** @type {Record<string, string>} */
const HOW = {
  local: _("You are at the machine that Easel runs on: no sign-in is needed."),
  key: _("You use an API key."),
  session: _("Signed in with Discord."),
  link: _("Signed in with a link from Discord."),
};

/**
 * Draw the view.
 * @param {HTMLElement} root
 * @returns {Promise<() => void>} what ends it
 */
export async function mount(root) {
  const [now] = await Promise.all([session, useCss("settings")]);
  const theme = themeChoice();
  const isAdmin = Boolean(now.user?.is_admin);
  const sections = [
    section(_("Theme"), "", theme.element),
    section(
      _("Create starts with"),
      _("Kept in this browser. What you leave empty is decided by Easel and the engine."),
      createDefaults(),
    ),
    section(_("Account"), "", account(now)),
    isAdmin && section(_("API keys"), _("For programs that draw through Easel."), keySection()),
    isAdmin && section(_("Backup"), _("Everything Easel keeps, in one file, as of now."), backupLink()),
    now.user && section(_("Styles"), _("Words added after a prompt, for everybody here."), styleSection(isAdmin)),
    section(_("Keyboard"), "", shortcutList()),
    section(_("About"), "", about(now)),
  ];
  fill(
    root,
    h("div", { class: "page settings" }, h("header", { class: "page-head" }, h("h1", {}, _("Settings"))), sections),
  );
  return theme.end;
}

/** A plain link: the browser shows how far the download is, and keeps it out of the page's memory. */
function backupLink() {
  return h(
    "div",
    { class: "stack" },
    h("p", {}, _("The key of stored secrets is not in it: keep the file secret.key at another place.")),
    h(
      "div",
      { class: "row" },
      h("a", { class: "btn btn-small", href: "/api/backup", download: "" }, icon("download"), _("Download a backup")),
    ),
  );
}

/** @param {string} name @param {string} words @param {Child} content */
function section(name, words, content) {
  return h(
    "section",
    { class: "settings-section", "aria-label": name },
    h("div", {}, h("h2", {}, name), words && h("p", { class: "muted small" }, words)),
    h("div", { class: "settings-content" }, content),
  );
}

function themeChoice() {
  const buttons = THEMES.map(([value, label, name]) =>
    h("button", { type: "button", role: "radio", on: { click: () => setPref("theme", value) } }, icon(name), label),
  );
  const mark = (/** @type {string} */ chosen) =>
    buttons.forEach((item, at) => {
      const isChosen = THEMES[at][0] === chosen;
      item.setAttribute("aria-checked", String(isChosen));
      item.tabIndex = isChosen ? 0 : -1;
    });
  const element = h(
    "div",
    {
      class: "seg theme-choice",
      role: "radiogroup",
      "aria-label": _("Theme"),
      on: { keydown: (event) => step(event) },
    },
    buttons,
  );
  const step = (/** @type {KeyboardEvent} */ event) => {
    const by = STEPS[event.key];
    if (!by) return;
    event.preventDefault();
    const next =
      buttons[
        (buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement)) + by + buttons.length) %
          buttons.length
      ];
    next.focus();
    next.click();
  };
  mark(getPref("theme", "dark"));
  return { element, end: onPref("theme", (value) => mark(String(value || "dark"))) };
}

/** @param {Session} session */
function account({ user, sign_in_url: url }) {
  if (!user) {
    const ask = _("Ask for a link with /studio in Discord, or open the address that Easel printed when it started.");
    return h(
      "div",
      { class: "stack" },
      h("p", {}, _("You are not signed in.")),
      url
        ? h("div", { class: "row" }, h("a", { class: "btn btn-primary", href: url }, _("Sign in with Discord")))
        : h("p", { class: "muted" }, ask),
    );
  }
  const picture = h("span", { class: "avatar", "aria-hidden": "true" }, (user.name || "?").slice(0, 1).toUpperCase());
  const role = user.is_admin && h("span", { class: "badge badge-accent" }, "admin");
  const canLeave = user.how === "session" || user.how === "link";
  const forget =
    user.how !== "link" &&
    button(_("Delete everything of mine"), () => forgetMe(canLeave), { class: "btn-small btn-danger", icon: "trash" });
  return h(
    "div",
    { class: "stack" },
    h("div", { class: "row" }, picture, h("strong", {}, user.name), role),
    h("p", { class: "muted" }, HOW[user.how]),
    h(
      "div",
      { class: "row row-wrap" },
      canLeave && button(_("Sign out"), signOut, { class: "btn-small", icon: "signout" }),
      user.how !== "session" && url && h("a", { class: "btn btn-small", href: url }, _("Sign in with Discord")),
      forget,
    ),
  );
}

/** @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

const FORGET_TEXT = _(
  "Your pictures, prompts, favourites, collections and templates, your engine with its key, your workflows, " +
    "API keys and sign-ins are deleted at once, and what waits is cancelled. Only figures without your name stay. " +
    "This cannot be undone.",
);

/** @param {boolean} leaves */
async function forgetMe(leaves) {
  const sure = await confirmDialog({
    title: _("Delete everything of yours?"),
    text: FORGET_TEXT,
    action: _("Delete everything"),
    isDanger: true,
  });
  if (!sure) return;
  try {
    const { jobs, pictures } = await api.post("/api/me/forget", { confirm: "forget me" });
    if (leaves) return location.reload();
    toast(
      _("Deleted: {jobs} and {pictures}.", {
        jobs: _n("{n} job", "{n} jobs", jobs),
        pictures: _n("{n} picture", "{n} pictures", pictures),
      }),
    );
  } catch (error) {
    toastError(error);
  }
}

async function signOut() {
  try {
    await api.post("/auth/logout");
    location.reload();
  } catch (error) {
    toastError(error);
  }
}

/** @param {Session} session */
function about({ version, discord }) {
  const links = [
    ["/docs", "API documentation"],
    ["/openapi.json", _("OpenAPI description")],
    ["/healthz", _("Health")],
    ["/metrics", _("Metrics")],
  ];
  return h(
    "div",
    { class: "stack" },
    h(
      "p",
      {},
      _nodes("Easel {version}: pictures on the engine you have, from Discord, this page and programs.", {
        version: h("span", { class: "num" }, version),
      }),
    ),
    discord && h("p", {}, icon("warning"), " ", discord),
    h(
      "ul",
      { class: "row row-wrap about-links" },
      links.map(([href, words]) => h("li", {}, h("a", { href, target: "_blank", rel: "noopener" }, words))),
    ),
  );
}
