/** The rarer settings: sampler, scheduler, LoRAs, VAE, clip skip, hires fix, private. */

import { slider, toggle } from "../../ui/controls.js";
import { choice } from "./controls.js";
import { loraRows } from "./loras.js";

const HIRES = { factor: 1.5, denoising_strength: 0.5 };

/**
 * The controls, and how they follow the form.
 * @param {FormStore} form
 * @returns {{nodes: HTMLElement[], update: FormPart["update"] }}
 */
export function moreParts(form) {
  const set = (/** @type {keyof FormState} */ name) => (/** @type {unknown} */ value) => form.set({ [name]: value });
  const parts = {
    sampler: choice({ label: "Sampler", name: "sampler", list: "samplers", form, placeholder: "The engine's choice" }),
    scheduler: choice({
      label: "Scheduler",
      name: "scheduler",
      list: "schedulers",
      form,
      placeholder: "The engine's choice",
    }),
    loras: loraRows(form),
    vae: choice({ label: "VAE", name: "vae", list: "vaes", form, placeholder: "The model's own" }),
    clipSkip: slider({ label: "Clip skip", min: 1, max: 12, onChange: set("clipSkip") }),
    hires: toggle("Hires fix", "Draw small first, then larger: keeps large pictures in one piece", (on) =>
      form.set({ hires: on ? HIRES : null }),
    ),
    hiresFactor: slider({
      label: "Times larger",
      min: 1.1,
      max: 4,
      step: 0.1,
      isOptional: false,
      onChange: (factor) => form.set({ hires: { ...HIRES, ...form.get().hires, factor: factor ?? HIRES.factor } }),
    }),
    isPrivate: toggle("Private", "Only you see the result; it stays out of the feed", set("isPrivate")),
  };
  /**
   * @param {FormState} state
   * @param {Shape} shape
   */
  const update = (state, shape) => {
    const hasHires = shape.supports.hires && !state.input;
    for (const part of [parts.sampler, parts.scheduler, parts.loras, parts.vae]) part.update(state, shape);
    parts.clipSkip.update(state.clipSkip, 1);
    parts.clipSkip.node.hidden = !shape.supports.clip_skip;
    parts.hires.update(state.hires);
    parts.hires.node.hidden = !hasHires;
    parts.hiresFactor.update(state.hires?.factor ?? HIRES.factor, HIRES.factor);
    parts.hiresFactor.node.hidden = !hasHires || !state.hires;
    parts.isPrivate.update(state.isPrivate);
  };
  return { nodes: Object.values(parts).map((part) => part.node), update };
}
