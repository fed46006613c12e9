/**
 * What narrows the gallery down: words, model, engine, mode, dates, order. The address keeps it, so that it can be
 * shared.
 */

import { api } from "../../shell/api.js";
import { button, debounce, field, fill, h, icon } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

const TYPING_MS = 250;
const MODES = [
  ["", _("Any mode")],
  ["txt2img", _("From words")],
  ["img2img", _("From a picture")],
  ["inpaint", _("Inpainted")],
  ["upscale", _("Upscaled")],
  ["restyle", _("Restyled")],
];
const SORTS = [
  ["new", _("Newest first")],
  ["old", _("Oldest first")],
];
/** @type {(keyof Filters)[]} */
const FIELDS = ["q", "model", "engine", "mode", "since", "until", "sort"];
/** @type {(keyof Filters)[]} */
const NARROWING = ["model", "engine", "mode", "since", "until"];

/**
 * The filters in an address.
 * @param {Record<string, string>} params
 * @returns {Filters}
 */
export function filtersFrom(params) {
  return Object.fromEntries(FIELDS.filter((name) => params[name]).map((name) => [name, params[name]]));
}

/** Whether any of them leaves pictures out. @param {Filters} filters */
export const isNarrow = (filters) => Boolean(filters.q) || NARROWING.some((name) => filters[name]);

/** Filters as the API takes them: days become the instants they begin and end at here. @param {Filters} filters */
export function queryOf(filters) {
  const query = { ...filters };
  if (filters.since) query.since = new Date(`${filters.since}T00:00:00`).toISOString();
  if (filters.until) query.until = new Date(`${filters.until}T23:59:59.999`).toISOString();
  return query;
}

/**
 * The bar of filters.
 * @param {Filters} filters where it begins
 * @param {(filters: Filters) => void} onChange
 * @returns {{element: HTMLElement, clear: () => void}}
 */
export function filterBar(filters, onChange) {
  const state = { ...filters };
  /**
   * @param {keyof Filters} name
   * @param {string} value
   */
  const change = (name, value) => {
    if (value) state[name] = value;
    else delete state[name];
    showCount();
    onChange({ ...state });
  };
  const typed = debounce((/** @type {string} */ value) => change("q", value.trim()), TYPING_MS);
  const search = h("input", {
    class: "input",
    type: "search",
    placeholder: _("Search prompts"),
    "aria-label": _("Search prompts"),
    value: state.q ?? "",
    on: { input: (event) => typed(event.currentTarget.value) },
  });
  const more = narrowing(state, change);
  const count = h("span", { class: "badge badge-accent", hidden: true });
  const toggle = h(
    "button",
    { type: "button", class: "btn", "aria-expanded": "false", on: { click: () => show(Boolean(more.element.hidden)) } },
    icon("filter"),
    h("span", {}, _("Filters")),
    count,
  );
  /** @param {boolean} isOpen */
  const show = (isOpen) => {
    more.element.hidden = !isOpen;
    toggle.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) more.load();
  };
  const showCount = () => {
    const on = NARROWING.filter((name) => state[name]).length;
    count.hidden = !on;
    fill(count, on, h("span", { class: "sr-only" }, " set"));
  };
  const clear = () => {
    for (const name of FIELDS) if (name !== "sort") delete state[name];
    search.value = "";
    more.reset();
    showCount();
    onChange({ ...state });
  };
  more.element.append(button(_("Clear"), clear, { class: "btn-ghost", icon: "close" }));
  const order = select(SORTS, state.sort ?? "new", (value) => change("sort", value === "new" ? "" : value));
  order.setAttribute("aria-label", "Order");
  showCount();
  show(NARROWING.some((name) => state[name]));
  const line = h("div", { class: "filter-line" }, h("div", { class: "search" }, icon("search"), search), order, toggle);
  return { element: h("div", { class: "filters", role: "search" }, line, more.element), clear };
}

/**
 * @param {Filters} state
 * @param {(name: keyof Filters, value: string) => void} change
 */
function narrowing(state, change) {
  const model = select([["", _("Any model")]], "", (value) => change("model", value));
  const engine = select([["", _("Any engine")]], "", (value) => change("engine", value));
  const mode = select(MODES, state.mode ?? "", (value) => change("mode", value));
  const since = day(state.since, (value) => change("since", value));
  const until = day(state.until, (value) => change("until", value));
  let isLoaded = false;
  const load = async () => {
    if (isLoaded) return;
    isLoaded = true;
    // the filters work without counts
    const facets = await api.get("/api/facets").catch(() => ({ models: [], engines: [] }));
    options(model, _("Any model"), facets.models, state.model);
    options(engine, _("Any engine"), facets.engines, state.engine);
  };
  const reset = () => [model, engine, mode, since, until].forEach((control) => (control.value = ""));
  const element = h(
    "div",
    { class: "filter-more", hidden: true },
    field(_("Model"), model),
    field(_("Engine"), engine),
    field(_("Mode"), mode),
    field(_("From"), since),
    field(_("To"), until),
  );
  return { element, load, reset };
}

/**
 * @param {HTMLSelectElement} control
 * @param {string} any
 * @param {Api.Facet[]} found
 * @param {string} [chosen]
 */
function options(control, any, found, chosen = "") {
  const names = found.map(({ name }) => name);
  const rows = found.map(({ name, count }) => [name, `${name} (${count})`]);
  if (chosen && !names.includes(chosen)) rows.push([chosen, chosen]);
  fill(
    control,
    [["", any], ...rows].map(([value, label]) => h("option", { value, selected: value === chosen }, label)),
  );
}

/**
 * @param {string[][]} choices
 * @param {string} value
 * @param {(value: string) => void} onPick
 */
function select(choices, value, onPick) {
  const rows = choices.map(([key, label]) => h("option", { value: key, selected: key === value }, label));
  return h("select", { class: "select", on: { change: (event) => onPick(event.currentTarget.value) } }, rows);
}

/**
 * @param {string | undefined} value
 * @param {(value: string) => void} onPick
 */
function day(value, onPick) {
  return h("input", {
    class: "input",
    type: "date",
    value: value ?? "",
    on: { change: (event) => onPick(event.currentTarget.value) },
  });
}
