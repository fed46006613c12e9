/** Small controls, each bound to one field of the form: sliders, choices, switches. They show only what can be set. */

import { segments, slider, toggle } from "../../ui/controls.js";
import { fill, h, icon, iconButton, uid, write } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { maySay } from "./form.js";

const MAX_SEED = 2n ** 64n - 1n;

/**
 * The control of a field: a combobox, a switch, one of a few, or a slider; hidden where the field means nothing.
 * @param {FormField} field
 * @param {FormStore} form
 * @returns {FormPart}
 */
export function fieldControl(field, form) {
  const { name, label, low = 0, high = 0, step, usual = low, is_filled: isFilled } = field;
  const say = (/** @type {FieldValue} */ value) =>
    form.set({ fields: { [name]: value === "" || value === false ? null : value } });
  if (field.list) return choice(field, field.list, form, say);
  if (field.is_flag) return shown(field, toggle(label, field.hint ?? "", say));
  if (field.choices) {
    const named = field.choices.map((each) => [each, each[0].toUpperCase() + each.slice(1)]);
    return shown(field, segments(label, /** @type {[string, string][]} */ ([["", _("Auto")], ...named]), say));
  }
  const { node, update } = slider({ label, min: low, max: high, step, isOptional: !isFilled, onChange: say });
  return {
    node,
    update(state, shape) {
      const most = field.most ? shape.most(field.most) : high;
      const value = /** @type {number | null} */ (state.fields[name]);
      const fallback = (field.usual_of && shape.first(field.usual_of)) || usual;
      update(isFilled ? (value ?? fallback) : value, fallback, {
        max: Math.max(low + 1, Math.min(high, most || high)),
      });
      node.hidden = !maySay(field, state, shape) || (Boolean(most || isFilled) && most <= low);
    },
  };
}

/**
 * @param {FormField} field
 * @param {{ node: HTMLElement, update: (value: string) => unknown }} part
 * @returns {FormPart}
 */
function shown(field, { node, update }) {
  return {
    node,
    update(state, shape) {
      node.hidden = !maySay(field, state, shape);
      update(String(state.fields[field.name] ?? ""));
    },
  };
}

/**
 * A combobox with its label; made when there is something to choose.
 * @param {FormField} field
 * @param {ListName} list
 * @param {FormStore} form
 * @param {(value: string) => void} say
 * @returns {FormPart}
 */
function choice({ name, label, hint }, list, form, say) {
  const node = h("div", { class: "field", hidden: true });
  /** @type {Combo | null} */
  let box = null;
  /** @type {Shape | null} */
  let latest = null;
  const draw = () => {
    if (!box || !latest) return;
    node.hidden = !latest.has(list);
    box.setOptions(latest.lists[list] || []);
    const value = String(form.get().fields[name] ?? "");
    if (box.value !== value) box.value = value;
  };
  const load = async () => {
    const { combo } = await import("../../ui/combo.js");
    if (box) return;
    box = combo({ label, placeholder: hint, isFree: true, onChange: say });
    node.append(h("label", { for: box.input.id }, label), box);
    draw();
  };
  /** @type {FormPart["update"]} */
  const update = (_state, shape) => {
    latest = shape;
    if (box) draw();
    else if (shape.has(list)) load();
  };
  return { node, update };
}

/**
 * A seed as typed: a number, as text where none can hold it; null (left to chance) for "", "-1" and no number.
 * @param {string} typed
 */
export function readSeed(typed) {
  const digits = typed.replace(/[\s,._']/g, "");
  if (!/^\d+$/.test(digits)) return null;
  const seed = BigInt(digits) > MAX_SEED ? MAX_SEED : BigInt(digits);
  return seed > BigInt(Number.MAX_SAFE_INTEGER) ? String(seed) : Number(seed);
}

/**
 * The seed: a number, a lock to keep it, a dice to leave it to chance.
 * @param {FormStore} form
 */
export function seedControl(form) {
  const input = h("input", {
    class: "input num",
    id: uid("seed"),
    inputmode: "numeric",
    pattern: "-1|[0-9]*",
    placeholder: _("Random each time"),
    autocomplete: "off",
  });
  const lock = iconButton(
    "unlock",
    _("Keep this seed"),
    () => {
      const { isSeedLocked, seed } = form.get();
      form.set(
        isSeedLocked
          ? { isSeedLocked: false }
          : { isSeedLocked: true, seed: seed ?? Math.floor(Math.random() * 2 ** 32) },
      );
    },
    { "aria-pressed": "false" },
  );
  const dice = iconButton("dice", _("A new seed each time"), () => form.set({ seed: null, isSeedLocked: false }));
  input.addEventListener("change", () => {
    const seed = readSeed(input.value);
    form.set({ seed, isSeedLocked: seed !== null });
    write(input, seed);
  });
  const node = h(
    "div",
    { class: "field" },
    h("label", { for: input.id }, _("Seed")),
    h("div", { class: "row seed" }, input, lock, dice),
  );
  /**
   * @param {FormState} state
   * @param {Shape} shape
   */
  const update = ({ seed, isSeedLocked }, shape) => {
    node.hidden = !shape.supports.seed;
    write(input, seed);
    input.classList.toggle("loose", !isSeedLocked);
    lock.setAttribute("aria-pressed", String(isSeedLocked));
    fill(lock, icon(isSeedLocked ? "lock" : "unlock"));
  };
  return { node, update };
}
