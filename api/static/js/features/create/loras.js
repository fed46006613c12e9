/** LoRAs with their weights: pick one to add it, slide its weight, remove it. */

import { combo } from "../../ui/combo.js";
import { fill, h, iconButton } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

/**
 * The rows of LoRAs, and the box that adds one.
 * @param {FormStore} form
 * @returns {{node: HTMLElement, update: (state: FormState, shape: Shape) => void}}
 */
export function loraRows(form) {
  const rows = h("ul", { class: "loras" });
  /** @param {string} name */
  const add = (name) => {
    if (!name) return;
    if (!form.get().loras.some((item) => item.name === name))
      form.set({ loras: [...form.get().loras, { name, weight: 0.8 }] });
    picker.value = "";
  };
  const picker = combo({ label: _("Add a LoRA"), placeholder: _("Add a LoRA"), isFree: true, onChange: add });
  const node = h("div", { class: "field" }, h("span", { class: "label" }, _("LoRAs")), rows, picker);
  /** @type {FormState["loras"] | null} */
  let drawn = null;
  return {
    node,
    update(state, shape) {
      node.hidden = !shape.has("loras");
      picker.setOptions(shape.lists.loras || []);
      if (drawn === state.loras) return;
      drawn = state.loras;
      fill(
        rows,
        state.loras.map((lora) => row(lora, form, (next) => (drawn = next))),
      );
    },
  };
}

/**
 * @param {FormState["loras"][number]} lora
 * @param {FormStore} form
 * @param {(next: FormState["loras"]) => void} keep
 */
function row(lora, form, keep) {
  const write = (/** @type {number} */ weight) => {
    const next = form.get().loras.map((item) => (item.name === lora.name ? { ...item, weight } : item));
    keep(next); // this row already shows it
    form.set({ loras: next });
  };
  const out = h("output", { class: "num small" }, lora.weight.toFixed(2));
  const slide = h("input", {
    type: "range",
    min: -1,
    max: 2,
    step: 0.05,
    value: lora.weight,
    "aria-label": _("Weight of {name}", { name: lora.name }),
    style: { "--fill": `${((lora.weight + 1) / 3) * 100}%` },
  });
  slide.addEventListener("input", () => {
    out.textContent = Number(slide.value).toFixed(2);
    slide.style.setProperty("--fill", `${((Number(slide.value) + 1) / 3) * 100}%`);
    write(Number(slide.value));
  });
  const remove = () => form.set({ loras: form.get().loras.filter((item) => item.name !== lora.name) });
  return h(
    "li",
    { class: "lora" },
    h("span", { class: "clip small", title: lora.name }, lora.name),
    out,
    iconButton("close", _("Remove {name}", { name: lora.name }), remove, { class: "btn-small" }),
    slide,
  );
}
