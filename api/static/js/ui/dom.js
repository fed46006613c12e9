/** Small helpers to draw with: every element of the studio is made here, never from strings of HTML. */
import { ICONS } from "./icons.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element. `props`: class, dataset, style, on: {event: fn}, properties (value, checked, disabled, hidden ...)
 * and attributes. `null`, `undefined` and `false` leave an attribute away. Children may be nested arrays.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Props<HTMLElementTagNameMap[T]> | null} [props]
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) setProp(node, name, value);
  append(node, children);
  return node;
}

const AS_PROPERTY = new Set([
  "value",
  "checked",
  "disabled",
  "hidden",
  "open",
  "selected",
  "indeterminate",
  "srcObject",
]);

/** @param {HTMLElement} node @param {string} name @param {unknown} value */
function setProp(node, name, value) {
  if (name === "on") listen(node, Object(value));
  else if (name === "dataset") Object.assign(node.dataset, value);
  else if (name === "style") for (const [key, v] of Object.entries(Object(value))) setStyle(node, key, v);
  else if (AS_PROPERTY.has(name)) Object.assign(node, { [name]: value ?? (name === "value" ? "" : false) });
  else if (value === true) node.setAttribute(name, "");
  else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, String(value));
}

/** @param {HTMLElement} node @param {Record<string, EventListener | null | false>} handlers */
function listen(node, handlers) {
  for (const [event, handler] of Object.entries(handlers)) if (handler) node.addEventListener(event, handler);
}

/** @param {HTMLElement} node @param {string} key @param {string} value */
function setStyle(node, key, value) {
  if (key.startsWith("--")) node.style.setProperty(key, value);
  else Object.assign(node.style, { [key]: value });
}

/**
 * Add children (nodes, texts, nested arrays; empty ones are skipped).
 * @template {Element} N
 * @param {N} node
 * @param {Child[]} children
 */
export function append(node, ...children) {
  for (const child of children) {
    if (Array.isArray(child)) append(node, ...child);
    else if (child instanceof Node) node.append(child);
    else if (child !== null && child !== undefined && child !== false && child !== "") node.append(String(child));
  }
  return node;
}

/** Fields that hold what nobody has taken yet. @type {WeakSet<EventTarget>} */
const typed = new WeakSet();
globalThis.document?.addEventListener("input", ({ target }) => target && typed.add(target), true);
globalThis.document?.addEventListener("change", ({ target }) => target && typed.delete(target), true);

/**
 * Show a value in an input, but never over what somebody is typing there.
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {unknown} value
 */
export function write(input, value) {
  if (input !== document.activeElement || !typed.has(input)) input.value = String(value ?? "");
}

/**
 * Replace everything inside `node`.
 * @template {Element} N
 * @param {N} node
 * @param {Child[]} children
 */
export function fill(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

/**
 * An inline icon by its name in icons.js; decorative, so hidden from screen readers.
 * @param {string} name
 * @param {{ filled?: boolean }} [look]
 */
export function icon(name, { filled = false } = {}) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", filled ? "icon filled" : "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name] || ICONS.info);
  svg.append(path);
  return svg;
}

/**
 * A button with an icon only: `label` becomes its name and its tooltip.
 * @param {string} name
 * @param {string} label
 * @param {Listeners<HTMLButtonElement>["click"]} run
 * @param {Props<HTMLButtonElement>} [props]
 */
export function iconButton(name, label, run, props = {}) {
  const { class: extra = "", ...rest } = props;
  return h(
    "button",
    {
      type: "button",
      class: `btn btn-ghost btn-icon ${extra}`,
      "aria-label": label,
      title: label,
      on: { click: run },
      ...rest,
    },
    icon(name),
  );
}

/**
 * A button with words: `button("Save", save, {icon: "check", class: "btn-primary"})`.
 * @param {Child} label
 * @param {Listeners<HTMLButtonElement>["click"]} run
 * @param {ButtonProps} [props]
 */
export function button(label, run, props = {}) {
  const { class: extra = "", icon: picture, ...rest } = props;
  return h(
    "button",
    { type: "button", class: `btn ${extra}`, on: { click: run }, ...rest },
    picture && icon(picture),
    label,
  );
}

let nextId = 0;
/** A new id for label/aria references. */
export function uid(prefix = "e") {
  nextId += 1;
  return `${prefix}${nextId}`;
}

/**
 * A labelled control: `field("Steps", input, {hint})`. The control gets an id when it has none.
 * @param {Child} label
 * @param {HTMLElement} control
 * @param {{ hint?: Child, hidden?: boolean }} [about]
 */
export function field(label, control, { hint = "", hidden = false } = {}) {
  const inner = /** @type {HTMLElement | null} */ (control.querySelector("input, select, textarea"));
  const target = control.matches("input, select, textarea") ? control : (inner ?? control);
  target.id ||= uid("f");
  const note = hint && h("p", { class: "hint", id: `${target.id}-hint` }, hint);
  if (note) target.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field", hidden }, h("label", { for: target.id }, label), control, note);
}

/** @type {Map<string, Promise<unknown>>} */
const asked = new Map();

/**
 * Load css/<name>.css once; resolves when it is there. A base sheet stands before those of the views.
 * @param {string} name
 * @param {{ isBase?: boolean }} [place]
 */
export function useCss(name, { isBase = false } = {}) {
  const present = asked.get(name);
  if (present) return present;
  const link = h("link", { id: `css-${name}`, rel: "stylesheet", href: `/static/css/${name}.css` });
  const ready = new Promise((done) => {
    link.onload = () => done(applySheets());
    link.onerror = done;
  });
  asked.set(name, ready);
  document.head.insertBefore(link, isBase ? document.head.querySelector("link[id^=css-]") : null);
  return ready;
}

let sheets = { shown: "", all: /** @type {string[]} */ ([]) };

/**
 * Of the sheets `all` let only css/<shown>.css count: views use the same words for different things.
 * @param {string} shown @param {string[]} all
 */
export function onlyCss(shown, all) {
  sheets = { shown, all };
  applySheets();
}

function applySheets() {
  for (const name of sheets.all) {
    const link = /** @type {HTMLLinkElement | null} */ (document.getElementById(`css-${name}`));
    if (link?.sheet) link.sheet.disabled = name !== sheets.shown;
  }
}

/** The first element within `root` that fits. @param {ParentNode} root @param {string} selector */
export const find = (root, selector) => /** @type {HTMLElement | null} */ (root.querySelector(selector));

/** All elements within `root` that fit. @param {ParentNode} root @param {string} selector */
export const findAll = (root, selector) => /** @type {HTMLElement[]} */ ([...root.querySelectorAll(selector)]);

/** What fits at or above the place where an event happened. @param {Event} event @param {string} selector */
export const hit = (event, selector) =>
  event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest(selector)) : null;

/** Whether an event happened within an element. @param {Event} event @param {Element} node */
export const isWithin = (event, node) => event.target instanceof Node && node.contains(event.target);

/** An element of the page itself, which is always there. @param {string} id */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Say `text` to screen readers. @param {string} text */
export function announce(text) {
  const live = byId("live");
  live.textContent = "";
  setTimeout(() => (live.textContent = text), 40);
}

/**
 * Call `fn` once things have been quiet for `ms`. The returned function has `.cancel()`.
 * @template {unknown[]} A
 * @param {(...args: A) => unknown} fn
 * @param {number} ms
 */
export function debounce(fn, ms) {
  let timer = 0;
  const later = (/** @type {A} */ ...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => fn(...args), ms);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}
