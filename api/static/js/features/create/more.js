/** The rarer settings: the fields that have their place here, LoRAs, hires fix, private. */

import { FIELDS } from "../../shell/fields.js";
import { slider, toggle } from "../../ui/controls.js";
import { _ } from "../../ui/text.js";
import { fieldControl } from "./controls.js";
import { loraRows } from "./loras.js";

const HIRES = { factor: 1.5, denoising_strength: 0.5 };

/**
 * The controls, and how they follow the form.
 * @param {FormStore} form
 * @returns {{nodes: HTMLElement[], update: FormPart["update"] }}
 */
export function moreParts(form) {
  const set = (/** @type {keyof FormState} */ name) => (/** @type {unknown} */ value) => form.set({ [name]: value });
  const fields = FIELDS.filter(({ place }) => place === "more").map((field) => fieldControl(field, form));
  const parts = {
    loras: loraRows(form),
    hires: toggle(_("Hires fix"), _("Draw small first, then larger: keeps large pictures in one piece"), (on) =>
      form.set({ hires: on ? HIRES : null }),
    ),
    hiresFactor: slider({
      label: _("Times larger"),
      min: 1.1,
      max: 4,
      step: 0.1,
      isOptional: false,
      onChange: (factor) => form.set({ hires: { ...HIRES, ...form.get().hires, factor: factor ?? HIRES.factor } }),
    }),
    isPrivate: toggle(_("Private"), _("Only you see the result; it stays out of the feed"), set("isPrivate")),
  };
  /**
   * @param {FormState} state
   * @param {Shape} shape
   */
  const update = (state, shape) => {
    const hasHires = shape.supports.hires && !state.input;
    for (const part of [...fields, parts.loras]) part.update(state, shape);
    parts.hires.update(state.hires);
    parts.hires.node.hidden = !hasHires;
    parts.hiresFactor.update(state.hires?.factor ?? HIRES.factor, HIRES.factor);
    parts.hiresFactor.node.hidden = !hasHires || !state.hires;
    parts.isPrivate.update(state.isPrivate);
  };
  return { nodes: [...fields, ...Object.values(parts)].map((part) => part.node), update };
}
