/** Small controls: sliders, switches, one of a few. */

import { h, iconButton, uid, write } from "./dom.js";
import { _ } from "./text.js";

/**
 * A slider with a number beside it; empty means the engine's default, which is shown.
 * @param {{ label: string, min: number, max: number, step?: number, onChange: (value: number | null) => void,
 *   isOptional?: boolean, format?: (value: number) => string }} spec
 * @returns {SliderPart}
 */
export function slider({ label, min, max, step = 1, onChange, isOptional = true, format = String }) {
  const id = uid("slide");
  const range = h("input", { type: "range", id, min, max, step });
  const number = h("input", {
    class: "input num tiny",
    type: "number",
    inputmode: "decimal",
    min,
    max,
    step,
    "aria-label": `${label}, exact`,
  });
  const clear =
    isOptional &&
    iconButton("undo", _("{label}: back to the default", { label }), () => onChange(null), {
      class: "btn-small",
      hidden: true,
    });
  const node = h("div", { class: "slider" }, h("label", { for: id, class: "label" }, label), clear, number, range);
  const paint = (/** @type {number} */ value) =>
    range.style.setProperty(
      "--fill",
      `${((value - Number(range.min)) / (Number(range.max) - Number(range.min) || 1)) * 100}%`,
    );
  range.addEventListener("input", () => {
    number.value = range.value;
    paint(Number(range.value));
    onChange(Number(range.value));
  });
  number.addEventListener("change", () =>
    onChange(
      number.value === "" && isOptional ? null : Math.min(Number(range.max), Math.max(min, Number(number.value))),
    ),
  );
  /** @type {SliderPart["update"]} */
  const update = (value, fallback, limits = {}) => {
    if (limits.max) for (const each of [range, number]) each.max = String(limits.max);
    const shown = value ?? fallback;
    range.value = String(shown);
    write(number, value === null ? "" : format(value));
    number.placeholder = String(fallback);
    if (clear) clear.hidden = value === null;
    paint(shown);
  };
  return { node, update };
}

/**
 * A switch in a row with its words.
 * @param {string} label
 * @param {string} hint
 * @param {(value: boolean) => void} onChange
 */
export function toggle(label, hint, onChange) {
  const input = h("input", {
    type: "checkbox",
    class: "switch",
    role: "switch",
    on: { change: (event) => onChange(event.currentTarget.checked) },
  });
  const node = h(
    "label",
    { class: "check" },
    h("span", { class: "grow" }, label, hint && h("span", { class: "hint block" }, hint)),
    input,
  );
  return { node, update: (/** @type {unknown} */ value) => (input.checked = Boolean(value)) };
}

/**
 * Exactly one of a few: [[value, label]].
 * @template {string | number} V
 * @param {string} label
 * @param {[V, string][]} choices
 * @param {(value: V) => void} onChange
 */
export function segments(label, choices, onChange) {
  const buttons = choices.map(([value, words]) =>
    h(
      "button",
      { type: "button", "aria-pressed": "false", dataset: { value }, on: { click: () => onChange(value) } },
      words,
    ),
  );
  const node = h("div", { class: "seg", role: "group", "aria-label": label }, buttons);
  return {
    node,
    buttons,
    update: (/** @type {V} */ value) =>
      buttons.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.value === String(value)))),
  };
}
