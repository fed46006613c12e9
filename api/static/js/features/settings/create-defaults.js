/** The form for what Create begins with. Everything left empty is decided by Easel and the engine. */

import { api } from "../../shell/api.js";
import { FIELDS, listed } from "../../shell/fields.js";
import { combo } from "../../ui/combo.js";
import { button, field, h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { toast } from "../../ui/toast.js";
import { forgetDefaults, keepDefault, readDefaults } from "./defaults.js";

/** @type {[keyof Api.Draft, string, NumberRange][]} */
const SIDES = [
  ["width", _("Width"), { min: 64, max: 4096, step: 8 }],
  ["height", _("Height"), { min: 64, max: 4096, step: 8 }],
];

/**
 * Make the form.
 * @returns {HTMLElement}
 */
export function createDefaults() {
  const place = h("div", { class: "stack" });
  const draw = () => place.replaceChildren(form(draw));
  draw();
  return place;
}

/** @param {() => void} redraw */
function form(redraw) {
  const kept = readDefaults();
  const engine = h(
    "select",
    { class: "select", on: { change: (event) => keepDefault("backend", event.currentTarget.value) } },
    h("option", { value: "" }, _("Any engine")),
  );
  const boxes = FIELDS.flatMap((row) => (row.list ? [{ row, list: row.list, box: named(row, kept) }] : []));
  listEngines(engine, boxes, kept);
  /** @type {typeof SIDES} */
  const numbers = FIELDS.filter(({ place, list }) => place === "main" && !list).map(
    ({ name, label, low = 0, high = 0, step = 1 }) => [name, label, { min: low, max: high, step }],
  );
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
    toast(_("Create starts from Easel's own defaults again."));
  };
  return h(
    "div",
    { class: "stack" },
    h(
      "div",
      { class: "settings-grid" },
      field(_("Engine"), engine),
      boxes.map(({ row, box }) => field(row.label, box)),
    ),
    h(
      "div",
      { class: "settings-grid is-narrow" },
      [...SIDES, ...numbers].map(([name, label, range]) => field(label, number(name, range, kept))),
    ),
    field(_("Negative prompt"), negative),
    h(
      "div",
      { class: "row" },
      button(_("Forget these defaults"), forget, { class: "btn-ghost btn-small", icon: "undo" }),
    ),
  );
}

/** @param {keyof Api.Draft} name @param {NumberRange} range @param {Partial<Api.Draft>} kept */
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
      toast(_("{text} is not kept.", { text: input.value }), {
        kind: "bad",
        hint: _("Allowed: {min} to {max} in steps of {step}.", { min: range.min, max: range.max, step: range.step }),
      });
  });
  return input;
}

/** @param {FormField} row @param {Partial<Api.Draft>} kept */
function named({ name, label }, kept) {
  return combo({
    label,
    value: String(kept[name] ?? ""),
    isFree: true,
    placeholder: "auto",
    onChange: (value) => keepDefault(name, value),
  });
}

/**
 * @param {HTMLSelectElement} select
 * @param {{ list: ListName, box: Combo }[]} boxes
 * @param {Partial<Api.Draft>} kept
 */
async function listEngines(select, boxes, kept) {
  // the lists are a convenience
  const answer = await api.get("/api/engines", null, { quiet: true }).catch(() => ({ engines: [] }));
  select.append(...answer.engines.map((engine) => h("option", { value: engine.name }, engine.label)));
  select.value = kept.backend ?? "";
  const known = answer.engines.flatMap(({ capabilities }) => capabilities ?? []);
  for (const { list, box } of boxes) box.setOptions(listed(known.map((capabilities) => capabilities[list])) ?? []);
}
