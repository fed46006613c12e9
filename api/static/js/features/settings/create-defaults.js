/** The form for what Create begins with. Everything left empty is decided by Easel and the engine. */

import { api } from "../../shell/api.js";
import { combo } from "../../ui/combo.js";
import { button, field, h } from "../../ui/dom.js";
import { toast } from "../../ui/toast.js";
import { forgetDefaults, keepDefault, readDefaults } from "./defaults.js";

/** @type {[NumberName, string, NumberRange][]} */
const NUMBERS = [
  ["width", "Width", { min: 64, max: 4096, step: 8 }],
  ["height", "Height", { min: 64, max: 4096, step: 8 }],
  ["steps", "Steps", { min: 1, max: 150, step: 1 }],
  ["cfg_scale", "CFG scale", { min: 0, max: 30, step: 0.5 }],
];

/**
 * Make the form.
 * @param {{max_batch?: number}} limits of the session
 * @returns {HTMLElement}
 */
export function createDefaults(limits) {
  const place = h("div", { class: "stack" });
  const draw = () => place.replaceChildren(form(limits, draw));
  draw();
  return place;
}

/**
 * @param {Partial<Api.Limits>} limits
 * @param {() => void} redraw
 */
function form(limits, redraw) {
  const kept = readDefaults();
  const engine = h(
    "select",
    { class: "select", on: { change: (event) => keepDefault("backend", event.currentTarget.value) } },
    h("option", { value: "" }, "Any engine"),
  );
  const model = named("model", "Model", kept);
  const sampler = named("sampler", "Sampler", kept);
  listEngines(engine, model, sampler, kept);
  /** @type {[NumberName, string, NumberRange][]} */
  const numbers = [...NUMBERS, ["batch_size", "Pictures", { min: 1, max: limits.max_batch || 4, step: 1 }]];
  const negative = h("textarea", {
    class: "textarea",
    rows: "2",
    placeholder: "blurry, text, watermark",
    value: kept.negative_prompt ?? "",
    on: { change: (event) => keepDefault("negative_prompt", event.currentTarget.value.trim()) },
  });
  const forget = () => {
    forgetDefaults();
    redraw();
    toast("Create starts from Easel's own defaults again.");
  };
  return h(
    "div",
    { class: "stack" },
    h("div", { class: "settings-grid" }, field("Engine", engine), field("Model", model), field("Sampler", sampler)),
    h(
      "div",
      { class: "settings-grid is-narrow" },
      numbers.map(([name, label, range]) => field(label, number(name, range, kept))),
    ),
    field("Negative prompt", negative),
    h("div", { class: "row" }, button("Forget these defaults", forget, { class: "btn-ghost btn-small", icon: "undo" })),
  );
}

/** @param {NumberName} name @param {NumberRange} range @param {Partial<Api.Draft>} kept */
function number(name, range, kept) {
  const input = h("input", {
    class: "input",
    type: "number",
    inputmode: "decimal",
    placeholder: "auto",
    ...range,
    value: kept[name] ?? "",
  });
  input.addEventListener("change", () => {
    const isRight = input.checkValidity();
    input.setAttribute("aria-invalid", String(!isRight));
    if (isRight) keepDefault(name, input.value === "" ? "" : Number(input.value));
    else
      toast(`${input.value} is not kept.`, {
        kind: "bad",
        hint: `Allowed: ${range.min} to ${range.max} in steps of ${range.step}.`,
      });
  });
  return input;
}

/** @param {"model" | "sampler"} name @param {string} label @param {Partial<Api.Draft>} kept */
function named(name, label, kept) {
  return combo({
    label,
    value: kept[name] ?? "",
    isFree: true,
    placeholder: "auto",
    onChange: (value) => keepDefault(name, value),
  });
}

/**
 * @param {HTMLSelectElement} select
 * @param {Combo} model
 * @param {Combo} sampler
 * @param {Partial<Api.Draft>} kept
 */
async function listEngines(select, model, sampler, kept) {
  // the lists are a convenience
  const answer = await api.get("/api/engines", null, { quiet: true }).catch(() => ({ engines: [] }));
  select.append(...answer.engines.map((engine) => h("option", { value: engine.name }, engine.label)));
  select.value = kept.backend ?? "";
  const known = answer.engines.flatMap(({ capabilities }) => capabilities ?? []);
  const models = known.flatMap((one) => one.models ?? []);
  model.setOptions([
    ...new Map(models.map((one) => [one.name, { value: one.name, label: one.title || one.name }])).values(),
  ]);
  sampler.setOptions([...new Set(known.flatMap(({ samplers }) => samplers ?? []))]);
}
