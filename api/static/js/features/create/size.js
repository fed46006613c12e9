/** Size and shape: aspects drawn as they are, exact pixels below; nothing chosen leaves it to the engine. */

import { FIELDS } from "../../shell/fields.js";
import { fill, h, iconButton, write } from "../../ui/dom.js";
import { _, _n } from "../../ui/text.js";

const ASPECTS = ["1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16"];
const BOX_PX = 20;

/**
 * The control for shape and size.
 * @param {FormStore} form
 * @returns {FormPart}
 */
export function sizeChooser(form) {
  const buttons = [null, ...ASPECTS].map((aspect) => aspectButton(aspect, form));
  const width = side(_("Width"), "width", form);
  const height = side(_("Height"), "height", form);
  const swap = iconButton("swap", _("Swap width and height"), () => flip(form), { class: "btn-small" });
  const node = h(
    "fieldset",
    { class: "stack group" },
    h("legend", { class: "label" }, _("Size")),
    h("div", { class: "aspects", role: "group", "aria-label": _("Shape") }, buttons),
    h("div", { class: "row sides" }, width, h("span", { class: "faint", "aria-hidden": "true" }, "×"), height, swap),
  );
  return { node, update: (state, shape) => draw({ state, shape, buttons, width, height }) };
}

/** @param {string | null} aspect @param {FormStore} form */
function aspectButton(aspect, form) {
  const [w, t] = (aspect || "1:1").split(":").map(Number);
  const scale = BOX_PX / Math.max(w, t);
  const shape = h("span", {
    class: aspect ? "aspect-shape" : "aspect-shape auto",
    style: { width: `${w * scale}px`, height: `${t * scale}px` },
  });
  const press = () => form.set({ aspect, width: null, height: null });
  return h(
    "button",
    {
      type: "button",
      class: "aspect",
      "aria-pressed": "false",
      dataset: { aspect: aspect || "" },
      title: aspect ? _("Shape {aspect}", { aspect }) : _("The model's own size"),
      on: { click: press },
    },
    h("span", { class: "aspect-box" }, shape),
    aspect || _("Auto"),
  );
}

/**
 * @param {string} label
 * @param {string} name
 * @param {FormStore} form
 */
function side(label, name, form) {
  const take = () => {
    const value = input.value ? Math.round(Number(input.value)) : null;
    const other = name === "width" ? "height" : "width";
    form.set({
      [name]: value,
      [other]: value ? (form.get()[other] ?? (Number(input.dataset.other) || value)) : null,
      aspect: null,
    });
  };
  const input = h("input", {
    class: "input num",
    type: "number",
    inputmode: "numeric",
    "aria-label": _("{label} in pixels", { label }),
    min: 64,
    max: 4096,
    step: 8,
    on: { change: take },
  });
  return input;
}

/** @param {FormStore} form */
function flip(form) {
  const { width, height, aspect } = form.get();
  if (width) form.set({ width: height, height: width });
  else if (aspect) form.set({ aspect: aspect.split(":").reverse().join(":") });
}

/**
 * @param {{ state: FormState, shape: Shape, buttons: HTMLElement[], width: HTMLInputElement,
 *   height: HTMLInputElement }} now
 */
function draw({ state, shape, buttons, width, height }) {
  const isFree = Boolean(state.width && state.height);
  for (const each of buttons)
    each.setAttribute("aria-pressed", String(!isFree && (state.aspect || "") === each.dataset.aspect));
  const [w, t] = expected(state, shape);
  for (const { input, own, guess, other } of [
    { input: width, own: state.width, guess: w, other: t },
    { input: height, own: state.height, guess: t, other: w },
  ]) {
    write(input, own);
    input.placeholder = String(guess);
    input.dataset.other = String(other);
    Object.assign(input, { min: String(shape.minSide), max: String(shape.maxSide), step: String(shape.grid) });
  }
}

/**
 * The size to expect: what was said, else that of the picture to begin from, else the shape in the model's own pixel
 * count.
 * @param {FormState} state
 * @param {Shape} shape
 */
export function expected({ width, height, aspect, input }, { defaults, grid }) {
  if (width && height) return [width, height];
  if (!aspect) return input ? [input.width, input.height] : [defaults.width, defaults.height];
  const [w, t] = aspect.split(":").map(Number);
  const scale = Math.sqrt((defaults.width * defaults.height) / (w * t));
  return [w, t].map((part) => Math.max(grid, Math.round((part * scale) / grid) * grid));
}

/**
 * Fill a summary line: "768 × 512 · 20 steps".
 * @param {HTMLElement} node
 * @param {FormState} state
 * @param {Shape} shape
 */
export function summary(node, state, shape) {
  const [w, t] = expected(state, shape);
  fill(
    node,
    `${w} × ${t}`,
    FIELDS.filter(({ name, most }) => most && Number(state.fields[name]) > 1).map(
      ({ name, label }) => ` · ${state.fields[name]} ${label.toLowerCase()}`,
    ),
    state.styles.length ? ` · ${_n("{n} style", "{n} styles", state.styles.length)}` : "",
  );
}
