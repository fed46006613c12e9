/** Small controls, each bound to one field of the form: sliders, choices, switches. They show only what can be set. */
import { fill, h, icon, iconButton, uid, write } from "../../ui/dom.js";

const MAX_SEED = 2n ** 64n - 1n;

/**
 * A combobox with its label, bound to a field; made when there is something to choose, hidden while there is not.
 * @param {{ label: string, name: "model" | "sampler" | "scheduler" | "vae", list: ListName, form: FormStore,
 *   placeholder: string }} spec
 * @returns {FormPart}
 */
export function choice({ label, name, list, form, placeholder }) {
  const node = h("div", { class: "field", hidden: true });
  /** @type {Combo | null} */
  let box = null;
  /** @type {{ state: FormState, shape: Shape } | null} */
  let latest = null;
  const draw = () => {
    if (!box || !latest) return;
    const { state, shape } = latest;
    node.hidden = !shape.has(list);
    box.setOptions(shape.lists[list] || []);
    if (box.value !== state[name]) box.value = state[name];
  };
  const load = async () => {
    const { combo } = await import("../../ui/combo.js");
    if (box) return;
    box = combo({ label, placeholder, isFree: true, onChange: (value) => form.set({ [name]: value }) });
    node.append(h("label", { for: box.input.id }, label), box);
    draw();
  };
  /**
   * @param {FormState} state
   * @param {Shape} shape
   */
  const update = (state, shape) => {
    latest = { state, shape };
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
    placeholder: "Random each time",
    autocomplete: "off",
  });
  const lock = iconButton(
    "unlock",
    "Keep this seed",
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
  const dice = iconButton("dice", "A new seed each time", () => form.set({ seed: null, isSeedLocked: false }));
  input.addEventListener("change", () => {
    const seed = readSeed(input.value);
    form.set({ seed, isSeedLocked: seed !== null });
    write(input, seed);
  });
  const node = h(
    "div",
    { class: "field" },
    h("label", { for: input.id }, "Seed"),
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
