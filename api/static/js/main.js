/** Builds the shell, then starts the router and the event stream. */

import { api, session } from "./shell/api.js";
import { events, isActive, startEvents } from "./shell/events.js";
import { getPref, setPref } from "./shell/prefs.js";
import { go, startRouter } from "./shell/router.js";
import { announce, byId, fill, h, icon } from "./ui/dom.js";
import { menuButton } from "./ui/menu-button.js";
import { _, _n } from "./ui/text.js";
import { toast } from "./ui/toast.js";

const VIEWS = [
  ["create", _("Create")],
  ["feed", _("Feed")],
  ["gallery", _("Gallery")],
  ["engines", _("Engines")],
  ["dashboard", _("Dashboard")],
  ["settings", _("Settings")],
];
const THEMES = [
  ["system", _("Like the system"), "contrast"],
  ["dark", _("Dark"), "moon"],
  ["light", _("Light"), "sun"],
];
const OFFLINE_GRACE_MS = 2500;

const count = h("span", { class: "count num", hidden: true });
/** @type {Map<string, HTMLElement>} */
const links = new Map();

function buildNav() {
  const nav = byId("nav");
  for (const [name, label] of VIEWS) {
    const link = h("a", { href: `#/${name}` }, icon(name), h("span", {}, label), name === "create" && count);
    links.set(name, link);
    nav.append(link);
  }
}

/** @param {string} name */
function markNav(name) {
  for (const [each, link] of links) {
    if (each === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function buildTools() {
  const state = h("span", { class: "link-state", hidden: true }, _("Reconnecting"));
  const theme = menuButton(
    _("Theme"),
    () =>
      THEMES.map(([value, label, name]) => ({
        label,
        icon: name,
        checked: getPref("theme", "dark") === value,
        run: () => setPref("theme", value),
      })),
    { icon: "contrast" },
  );
  const account = h("span", { class: "row" });
  fill(byId("rail-tools"), state, theme, account);
  watchConnection(state);
  session.then((now) => drawAccount(account, now));
  session.then(({ user, discord }) => user?.is_admin && discord && toast(discord));
}

/** @param {HTMLElement} state */
function watchConnection(state) {
  let timer = 0;
  const tell = () => {
    state.hidden = false;
    announce(_("Reconnecting to Easel."));
  };
  events.on("state", ({ connected }) => {
    clearTimeout(timer);
    if (connected) state.hidden = true;
    // A blip is no news: only a longer silence is told.
    else timer = setTimeout(tell, OFFLINE_GRACE_MS);
  });
}

/** @param {HTMLElement} place @param {Session} session */
function drawAccount(place, { user, sign_in_url: url, version }) {
  if (!user) return void fill(place, url && h("a", { class: "btn btn-small", href: url }, _("Sign in")));
  const label = _("Account: {name}", { name: user.name });
  /** @returns {MenuEntry[]} */
  const items = () => [
    { label: user.name, icon: "user", disabled: true, hint: user.is_admin ? "owner" : "", run: () => {} },
    "-",
    { label: _("Settings"), icon: "settings", run: () => go("settings") },
    user.how === "session" && { label: _("Sign out"), icon: "signout", run: signOut },
    { label: _("Easel {version}", { version }), icon: "info", disabled: true, run: () => {} },
  ];
  const node = menuButton(label, items, { icon: "user" });
  fill(node, h("span", { class: "avatar" }, (user.name || "?").slice(0, 1).toUpperCase()));
  fill(place, node);
}

async function signOut() {
  await api.post("/auth/logout").catch(() => null); // an answer that is a redirect is a success too
  location.reload();
}

function watchQueue() {
  const draw = () => {
    const mine = [...events.jobs.values()].filter((job) => job.is_mine && isActive(job)).length;
    count.hidden = !mine;
    fill(count, mine, h("span", { class: "sr-only" }, _n(" job in the queue", " jobs in the queue", mine)));
  };
  events.on("job", draw);
  events.on("gone", draw);
  events.on("alert", (alert) => toast(alert.message, { kind: alert.level === "error" ? "bad" : "info" }));
}

/** @param {KeyboardEvent} event */
function focusPromptFromAnywhere(event) {
  if (!event.altKey || event.code !== "Space") return;
  event.preventDefault();
  const box = document.getElementById("prompt");
  if (box) return void box.focus();
  setPref("focus-prompt", true);
  go("create");
}

async function start() {
  buildNav();
  buildTools();
  watchQueue();
  document.addEventListener("keydown", focusPromptFromAnywhere);
  const soon = new Promise((done) => setTimeout(done, 1500));
  const job = await Promise.race([session.then((now) => now.open_job), soon.then(() => null)]);
  if (job && !location.hash) history.replaceState(null, "", `#/job/${encodeURIComponent(job)}`);
  await startRouter(byId("view"), markNav);
  await startEvents();
}

start();
