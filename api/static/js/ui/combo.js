/** An accessible combobox: type to filter, arrows to choose, free text where the list is not the whole truth. */

import { fill, findAll, h, hit, icon, uid } from "./dom.js";
import { _ } from "./text.js";

const MAX_SHOWN = 80;

/**
 * Make a combobox. Options are strings or {value, label, hint, group}.
 * @param {{ label: string, value?: string, options?: (string | Option)[], placeholder?: string, isFree?: boolean,
 *   onChange?: (value: string) => void }} spec `isFree`: any text may stay. An empty text always means "none".
 * @returns {Combo}
 */
export function combo({ label, value = "", options = [], placeholder = "", isFree = false, onChange = () => {} }) {
  const id = uid("combo");
  const input = h("input", {
    class: "input",
    role: "combobox",
    id,
    "aria-label": label,
    "aria-expanded": "false",
    "aria-controls": `${id}-list`,
    "aria-autocomplete": "list",
    autocomplete: "off",
    spellcheck: "false",
    placeholder,
  });
  const list = h("ul", { class: "combo-list", role: "listbox", id: `${id}-list`, "aria-label": label, hidden: true });
  const opener = h(
    "button",
    { type: "button", class: "combo-open", tabindex: "-1", "aria-label": _("Show all: {label}", { label }) },
    icon("chevron-down"),
  );
  const place = h("div", { class: "combo" }, input, opener, list);
  const setOptions = (/** @type {(string | Option)[]} */ next) => {
    state.all = next.map(asOption);
    if (document.activeElement !== input) write(state, state.value);
  };
  const node = Object.assign(place, { input, setOptions, value });
  /** @type {ComboState} */
  const state = { node, input, list, id, isFree, onChange, all: options.map(asOption), shown: [], at: -1, value: "" };
  Object.defineProperty(node, "value", { get: () => state.value, set: (next) => write(state, next || "") });
  write(state, value);
  listen(state, opener);
  return node;
}

/** @param {string | Option} option @returns {Option} */
const asOption = (option) => (typeof option === "string" ? { value: option, label: option } : option);

/**
 * @param {ComboState} state
 * @param {string} value
 */
function write(state, value) {
  state.value = value;
  state.input.value = value ? (state.all.find((option) => option.value === value)?.label ?? value) : "";
}

/**
 * @param {ComboState} state
 * @param {HTMLElement} opener
 */
function listen(state, opener) {
  const { input, list, node } = state;
  input.addEventListener("input", () => show(state, input.value));
  input.addEventListener("click", () => list.hidden && show(state, ""));
  input.addEventListener("keydown", (event) => onKey(state, event));
  opener.addEventListener("click", () => {
    if (!list.hidden) return hide(state);
    input.focus();
    show(state, "");
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the input keeps the focus
  list.addEventListener("click", (event) => {
    const item = hit(event, "[role=option]");
    if (item) choose(state, state.shown[Number(item.dataset.at)]);
  });
  node.addEventListener(
    "focusout",
    (event) => !node.contains(/** @type {Node | null} */ (event.relatedTarget)) && settle(state),
  );
}

/**
 * @param {ComboState} state
 * @param {string} text
 */
function matches(state, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return state.all
    .filter((option) =>
      words.every((word) => `${option.label} ${option.value} ${option.hint || ""}`.toLowerCase().includes(word)),
    )
    .slice(0, MAX_SHOWN);
}

/**
 * @param {ComboState} state
 * @param {string} text
 */
function show(state, text) {
  state.shown = matches(state, text);
  const current = state.shown.findIndex((option) => option.value === state.value);
  const first = state.shown.length && !state.isFree ? 0 : -1;
  state.at = text ? first : current;
  let group = "";
  fill(
    state.list,
    state.shown.map((option, at) => {
      const isNew = option.group && option.group !== group;
      group = option.group || group;
      const head = isNew && h("li", { class: "group", role: "presentation" }, option.group);
      return [
        head,
        h(
          "li",
          { role: "option", id: `${state.id}-${at}`, dataset: { at }, "aria-selected": String(at === state.at) },
          h("span", {}, marked(option.label, text)),
          option.hint && h("span", { class: "item-hint" }, option.hint),
        ),
      ];
    }),
  );
  state.list.hidden = !state.shown.length;
  state.input.setAttribute("aria-expanded", String(!state.list.hidden));
  mark(state);
}

/**
 * @param {string} label
 * @param {string} text
 */
function marked(label, text) {
  const at = text ? label.toLowerCase().indexOf(text.toLowerCase()) : -1;
  return at < 0
    ? label
    : [label.slice(0, at), h("mark", {}, label.slice(at, at + text.length)), label.slice(at + text.length)];
}

/** @param {ComboState} state */
function mark(state) {
  for (const item of findAll(state.list, "[role=option]")) {
    const isThis = Number(item.dataset.at) === state.at;
    item.setAttribute("aria-selected", String(isThis));
    if (isThis) item.scrollIntoView({ block: "nearest" });
  }
  if (state.at >= 0) state.input.setAttribute("aria-activedescendant", `${state.id}-${state.at}`);
  else state.input.removeAttribute("aria-activedescendant");
}

/** @param {ComboState} state */
function hide(state) {
  state.list.hidden = true;
  state.input.setAttribute("aria-expanded", "false");
  state.input.removeAttribute("aria-activedescendant");
}

/**
 * @param {ComboState} state
 * @param {Option} option
 */
function choose(state, option) {
  const changed = state.value !== option.value;
  write(state, option.value);
  hide(state);
  if (changed) state.onChange(option.value);
}

/**
 * Leaving the field: an empty text clears, a known label is taken, other text stays only where it may.
 * @param {ComboState} state
 */
function settle(state) {
  hide(state);
  const text = state.input.value.trim();
  const known = state.all.find((option) =>
    [option.label, option.value].some((name) => name.toLowerCase() === text.toLowerCase()),
  );
  const other = state.isFree ? text : state.value;
  const next = text ? (known?.value ?? other) : "";
  const changed = next !== state.value;
  write(state, next);
  if (changed) state.onChange(next);
}

/**
 * @param {ComboState} state
 * @param {KeyboardEvent} event
 */
function onKey(state, event) {
  const { list, shown } = state;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (list.hidden) show(state, "");
    else state.at = (state.at + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % Math.max(1, shown.length);
    mark(state);
  } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !list.hidden && shown[state.at])
    choose(state, shown[state.at]);
  else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) settle(state);
  else if (event.key === "Escape" && !list.hidden) {
    write(state, state.value);
    hide(state);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
