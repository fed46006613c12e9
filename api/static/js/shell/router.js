/** Views by hash: `#/gallery?q=fox` mounts js/views/gallery.js with {q: "fox"}; `#/job/<id>` opens it in Create. */

import { announce, button, fill, h, icon, onlyCss } from "../ui/dom.js";
import { _ } from "../ui/text.js";

const NAMES = ["create", "feed", "gallery", "engines", "dashboard", "settings", "comparison"];
/** @type {Map<string, number>} */
const scrolls = new Map();
/** @type {HTMLElement} */
let root;
/** @type {Stop | null} */
let cleanup = null;
let mounted = "";
let turn = 0;

/** The hash taken apart: {name, params}; what follows the name is `params.id`. */
export function parseHash(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  /** @type {Record<string, string>} */
  const params = Object.fromEntries(new URLSearchParams(query));
  if (rest.length) params.id = decodeURIComponent(rest.join("/"));
  if (name === "job") return { name: "create", params: { ...params, job: params.id } };
  return { name: NAMES.includes(name) ? name : "create", params };
}

/**
 * `linkTo("gallery", {q: "fox"})` -> "#/gallery?q=fox".
 * @param {string} name @param {Record<string, unknown>} [params]
 */
export function linkTo(name, params = {}) {
  const kept = Object.entries(params).filter(([, v]) => v !== null && v !== undefined && v !== "" && v !== false);
  const query = new URLSearchParams(kept.map(([key, value]) => [key, String(value)])).toString();
  return query ? `#/${name}?${query}` : `#/${name}`;
}

/**
 * Go to a view; the same address again mounts it again.
 * @param {string} name @param {Record<string, unknown>} [params]
 */
export function go(name, params) {
  const hash = linkTo(name, params);
  if (hash === location.hash) show();
  else location.hash = hash;
}

/**
 * Change the address of the present view without mounting it again (filters, pages).
 * @param {Record<string, unknown>} params
 */
export function setQuery(params) {
  history.replaceState(null, "", linkTo(parseHash().name, params));
  mounted = location.hash;
}

/**
 * Begin to route into `element`; `onChange(name)` after each change.
 * @param {HTMLElement} element @param {(name: string) => void} onChange
 */
export function startRouter(element, onChange) {
  root = element;
  window.addEventListener("hashchange", () => show(onChange));
  document.querySelector(".skip")?.addEventListener("click", (event) => {
    event.preventDefault(); // its #view is no view
    element.focus();
  });
  return show(onChange);
}

let notify = (/** @type {string} */ _name) => {};

async function show(onChange = notify) {
  notify = onChange;
  turn += 1;
  const mine = turn;
  const isFirst = !mounted;
  scrolls.set(mounted, window.scrollY);
  const { name, params } = parseHash();
  mounted = location.hash;
  notify(name);
  try {
    /** @type {ViewModule} */
    const view = await import(`../features/${name}/view.js`);
    if (mine !== turn) return;
    leave();
    onlyCss(name, NAMES);
    document.title = `${view.title} · Easel`;
    root.dataset.view = name;
    const done = await view.mount(root, params);
    if (mine !== turn) return void (typeof done === "function" && done());
    cleanup = typeof done === "function" ? done : null;
    window.scrollTo(0, scrolls.get(location.hash) || 0);
    if (!isFirst) arrive(view.title);
  } catch (error) {
    if (mine === turn) showFailure(name, error);
  }
}

function leave() {
  try {
    cleanup?.();
  } finally {
    cleanup = null;
    root.replaceChildren();
  }
}

/** @param {string} title */
function arrive(title) {
  if (!root.contains(document.activeElement)) root.focus({ preventScroll: true });
  announce(title);
}

/** @param {string} name @param {unknown} error */
function showFailure(name, error) {
  console.error(error);
  leave();
  const words =
    error instanceof Error && error.name === "ApiError"
      ? `${error.message} ${"hint" in error ? error.hint : ""}`
      : _("A part of “{name}” did not load. The connection may be down, or Easel was just updated.", { name });
  const again = button(_("Try again"), () => show(), { class: "btn-primary", icon: "refresh" });
  fill(
    root,
    h(
      "div",
      { class: "page" },
      h(
        "div",
        { class: "empty" },
        icon("warning"),
        h("h2", {}, _("This page could not be opened")),
        h("p", {}, words),
        again,
      ),
    ),
  );
}
