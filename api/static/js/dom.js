/** Small helpers to draw with: every element of the studio is made here, never from strings of HTML. */
import { ICONS } from "./icons.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element. `props`: class, dataset, style, on: {event: fn}, properties (value, checked, disabled, hidden ...)
 * and attributes. `null`, `undefined` and `false` leave an attribute away. Children may be nested arrays.
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

function setProp(node, name, value) {
  if (name === "on") {
    for (const [event, handler] of Object.entries(value)) if (handler) node.addEventListener(event, handler);
  } else if (name === "dataset") Object.assign(node.dataset, value);
  else if (name === "style") for (const [key, v] of Object.entries(value)) setStyle(node, key, v);
  else if (AS_PROPERTY.has(name)) node[name] = value ?? (name === "value" ? "" : false);
  else if (value === true) node.setAttribute(name, "");
  else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, String(value));
}

function setStyle(node, key, value) {
  if (key.startsWith("--")) node.style.setProperty(key, value);
  else node.style[key] = value;
}

/** Add children (nodes, texts, nested arrays; empty ones are skipped). */
export function append(node, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

/** Replace everything inside `node`. */
export function fill(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

/** An inline icon by its name in icons.js; decorative, so hidden from screen readers. */
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

/** A button with an icon only: `label` becomes its name and its tooltip. */
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

/** A button with words: `button("Save", save, {icon: "check", class: "btn-primary"})`. */
export function button(label, run, props = {}) {
  const { class: extra = "", icon: picture, ...rest } = props;
  return h(
    "button",
    { type: "button", class: `btn ${extra}`, on: { click: run }, ...rest },
    picture && icon(picture),
    label,
  );
}

/** `plural(1, "picture")` -> "1 picture"; a noun that only takes an s. */
export const plural = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

let nextId = 0;
/** A new id for label/aria references. */
export function uid(prefix = "e") {
  nextId += 1;
  return `${prefix}${nextId}`;
}

/** A labelled control: `field("Steps", input, {hint})`. The control gets an id when it has none. */
export function field(label, control, { hint = "", hidden = false } = {}) {
  const target = control.matches("input, select, textarea")
    ? control
    : control.querySelector("input, select, textarea") || control;
  target.id ||= uid("f");
  const note = hint && h("p", { class: "hint", id: `${target.id}-hint` }, hint);
  if (note) target.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field", hidden }, h("label", { for: target.id }, label), control, note);
}

/** Load css/<name>.css once; resolves when it is there. */
export function useCss(name) {
  const id = `css-${name}`;
  const present = document.getElementById(id);
  if (present) return present.ready || Promise.resolve();
  const link = h("link", { id, rel: "stylesheet", href: `/static/css/${name}.css` });
  link.ready = new Promise((done) => {
    link.onload = () => done(applySheets());
    link.onerror = done;
  });
  document.head.append(link);
  return link.ready;
}

let sheets = { shown: "", all: [] };

/** Of the sheets `all` let only css/<shown>.css count: views use the same words for different things. */
export function onlyCss(shown, all) {
  sheets = { shown, all };
  applySheets();
}

function applySheets() {
  for (const name of sheets.all) {
    const sheet = document.getElementById(`css-${name}`)?.sheet;
    if (sheet) sheet.disabled = name !== sheets.shown;
  }
}

/** Say `text` to screen readers. */
export function announce(text) {
  const live = document.getElementById("live");
  live.textContent = "";
  setTimeout(() => (live.textContent = text), 40);
}

/** 8 -> "8 s", 75 -> "1 min 15 s", 4000 -> "1 h 6 min". */
export function formatSpan(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  const s = Math.max(0, seconds);
  if (s < 10) return `${s < 1 ? Math.max(0.1, s).toFixed(1) : Math.round(s)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  const whole = Math.round(s);
  if (whole < 3600)
    return whole % 60 && whole < 600
      ? `${Math.floor(whole / 60)} min ${whole % 60} s`
      : `${Math.round(whole / 60)} min`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.round(whole / 86400)} d`;
}

/** "just now", "4 min ago", "in 3 h", or the date when it is longer than a week. */
export function timeAgo(iso) {
  if (!iso) return "";
  const then = new Date(iso);
  const s = (Date.now() - then.getTime()) / 1000;
  if (Math.abs(s) < 45) return "just now";
  if (Math.abs(s) > 7 * 86400)
    return then.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
  const span = roughly(Math.abs(s));
  return s > 0 ? `${span} ago` : `in ${span}`;
}

function roughly(s) {
  if (s < 3570) return `${Math.round(s / 60)} min`;
  return s < 86400 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

/** 1536000 -> "1.5 MB". */
export function formatBytes(n) {
  if (n < 1000) return `${n} B`;
  return n < 1e6 ? `${Math.round(n / 1e3)} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

/** Call `fn` once things have been quiet for `ms`. The returned function has `.cancel()`. */
export function debounce(fn, ms) {
  let timer = 0;
  const later = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => fn(...args), ms);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}
