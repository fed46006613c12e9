/**
 * Suggestions under the typing box: commands after / or !, options after --, and the values that some options take.
 */

import { api } from "../../shell/api.js";
import { fill, h, uid } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { matching } from "./commands.js";

const MAX_SHOWN = 8;

/**
 * What fits at the caret.
 * @param {string} before the text in front of the caret
 * @param {SuggestKnown} known
 * @returns {Suggested} rows replace the text from `from` on
 */
export function suggest(before, known) {
  const command = /^([/!])([\p{L}_]*)$/u.exec(before);
  if (command)
    return {
      from: 0,
      rows: matching(command[2]).map((each) => ({
        label: `${command[1]}${each.name}`,
        insert: `${command[1]}${each.name} `,
        hint: each.command.meaning,
      })),
    };
  const option = /(?:^|\s)(--?)([\w-]*)$/.exec(before);
  if (option && (option[1] === "--" || option[2] === ""))
    return { from: before.length - option[1].length - option[2].length, rows: options(known.options, option[2]) };
  const value = /(?:^|\s)--([\w-]+)[ =]([^\s-][^\n]{0,60}|)$/.exec(before);
  return value
    ? { from: before.length - value[2].length, rows: values(value[1], value[2], known) }
    : { from: 0, rows: [] };
}

/** @param {Api.Option[]} all @param {string} typed @returns {SuggestRow[]} */
function options(all, typed) {
  const word = typed.toLowerCase();
  /** @param {Api.Option} option */
  const flagOf = (option) => option.flags.find((flag) => flag.startsWith("--")) ?? option.flags[0];
  const fits = all.filter((option) => option.flags.some((flag) => flag.replace(/^-+/, "").startsWith(word)));
  return fits.map((option) => ({
    label: flagOf(option),
    insert: `${flagOf(option)} `,
    hint: option.meaning,
  }));
}

/**
 * @param {string} flag
 * @param {string} typed
 * @param {SuggestKnown} known
 * @returns {SuggestRow[]}
 */
function values(flag, typed, { options: all, sizes, aspects, engines }) {
  const option = all.find(({ flags }) => flags.includes(`--${flag}`));
  const word = typed.toLowerCase();
  /** @param {string} value */
  const row = (value, hint = "") => ({ label: value, insert: `${/\s/.test(value) ? `"${value}"` : value} `, hint });
  const pick = (/** @type {SuggestRow[]} */ rows) =>
    rows.filter(({ label }) => label.toLowerCase().includes(word) && label.toLowerCase() !== word);
  if (!option) return [];
  if (option.name === "size") return pick(sizes.map(([width, height]) => row(`${width}x${height}`)));
  if (["ar", "aspect"].includes(option.name)) return pick(aspects.map((each) => row(each)));
  if (["backend", "engine"].includes(option.name)) return pick(engines.map((engine) => row(engine.name, engine.state)));
  const names = /** @type {ListName} */ (option.names);
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const { label, capabilities } of engines) {
    for (const each of capabilities?.[names] ?? []) found.set(typeof each === "string" ? each : each.title, label);
  }
  return pick([...found].map(([name, engine]) => row(name, engine)));
}

const whatIsKnown = () =>
  Promise.all([
    api.get("/api/options", null, { quiet: true }).catch(() => null),
    api.get("/api/engines", null, { quiet: true }).catch(() => null),
  ]);

/**
 * Attach suggestions to a text area.
 * @param {HTMLTextAreaElement} box
 * @returns {{element: HTMLElement, key: (event: KeyboardEvent) => boolean, close: () => void, forget: () => void}}
 *   `key` is true when it took the key; `forget` asks for engines and options again
 */
export function completion(box) {
  const id = uid("suggest");
  const list = h("ul", { class: "suggest", role: "listbox", id, "aria-label": _("Suggestions"), hidden: true });
  /** @type {SuggestKnown} */
  const known = { options: [], sizes: [], aspects: [], engines: [] };
  /** @type {Suggested} */
  let found = { from: 0, rows: [] };
  let at = -1;
  let isFresh = false;
  const load = async () => {
    if (isFresh) return;
    isFresh = true;
    Object.assign(known, ...(await whatIsKnown())); // without them only the commands are suggested
    if (document.activeElement === box) look();
  };
  const forget = () => {
    isFresh = false;
    load();
  };
  const close = () => {
    found = { from: 0, rows: [] };
    draw();
  };
  const draw = () => {
    list.hidden = !found.rows.length;
    at = Math.min(Math.max(at, 0), found.rows.length - 1);
    fill(
      list,
      found.rows.map((row, i) => entry(row, `${list.id}-${i}`, i === at, take)),
    );
    if (at >= 0) box.setAttribute("aria-activedescendant", `${list.id}-${at}`);
    else box.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const look = () => {
    const before = box.selectionStart === box.selectionEnd ? box.value.slice(0, box.selectionStart) : "";
    found = before ? suggest(before, known) : { from: 0, rows: [] };
    found.rows = found.rows.slice(0, MAX_SHOWN);
    at = 0;
    draw();
  };
  /** @param {SuggestRow} row */
  const take = (row) => {
    box.setRangeText(row.insert, found.from, box.selectionStart, "end");
    box.dispatchEvent(new Event("input", { bubbles: true }));
    look();
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const count = found.rows.length;
    if (!count || event.isComposing) return false;
    const isWhole = box.value.slice(found.from, box.selectionStart) === found.rows[at].label;
    if (event.key === "ArrowDown") at = (at + 1) % count;
    else if (event.key === "ArrowUp") at = (at - 1 + count) % count;
    else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !isWhole)) take(found.rows[at]);
    else if (event.key === "Escape") close();
    else return false;
    if (event.key.startsWith("Arrow")) draw();
    return true;
  };
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  box.addEventListener("focus", load);
  box.addEventListener("input", look);
  box.addEventListener("blur", close);
  return { element: list, key, close, forget };
}

/**
 * @param {SuggestRow} row
 * @param {string} id
 * @param {boolean} isChosen
 * @param {(row: SuggestRow) => void} take
 */
function entry(row, id, isChosen, take) {
  const press = (/** @type {Event} */ event) => {
    event.preventDefault(); // the box keeps the focus
    take(row);
  };
  return h(
    "li",
    { role: "option", id, "aria-selected": String(isChosen), on: { pointerdown: press } },
    h("span", { class: "suggest-name" }, row.label),
    h("span", { class: "suggest-hint" }, row.hint),
  );
}
