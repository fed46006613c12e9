/** What of a request a workflow can take: the words for it, and which inputs of a node may stand for it. */

import { _ } from "../../ui/text.js";

/**
 * @param {string} name
 * @param {string} label
 * @typedef {{field: string, label: string, many: boolean, kind: "text"|"number"|"any"}} Field
 */

/**
 * @param {string} name
 * @param {string} label
 * @param {WorkflowField["kind"]} kind
 * @returns {WorkflowField}
 */
const field = (name, label, kind, many = false) => ({ field: name, label, kind, many });

/** @type {WorkflowField[]} In the order of the table. */
export const FIELDS = [
  field("prompt", _("Prompt"), "text", true),
  field("negative", _("Negative prompt"), "text", true),
  field("seed", _("Seed"), "number", true),
  field("width", _("Width"), "number", true),
  field("height", _("Height"), "number", true),
  field("steps", _("Steps"), "number"),
  field("cfg_scale", "CFG scale", "number"),
  field("guidance", _("Guidance"), "number"),
  field("sampler", _("Sampler"), "text"),
  field("scheduler", _("Scheduler"), "text"),
  field("denoising_strength", _("Strength"), "number"),
  field("batch", _("Number of pictures"), "number"),
  field("model", _("Model"), "text"),
  field("loras", _("LoRAs"), "text", true),
  field("images", _("Input picture"), "text", true),
  field("masks", _("Mask"), "text", true),
];

/**
 * The words for one field; an unknown one is shown by its own name.
 * @param {string} name
 */
export function labelOf(name) {
  return FIELDS.find((item) => item.field === name)?.label ?? name.replaceAll("_", " ");
}

/**
 * Whether an input with this value can stand for a field of this kind; what is not known may be anything.
 * @param {WorkflowField["kind"]} kind
 * @param {unknown} value
 */
export function mayHold(kind, value) {
  if (kind === "any" || value === undefined || value === null) return true;
  return kind === "number" ? typeof value === "number" : typeof value === "string";
}

/**
 * The mapping as the table edits it: each known field with its slots, those the server names besides at the end.
 * @param {Pick<Api.Field, "field" | "slots">[]} fields
 * @returns {Map<string, string[]>}
 */
export function mappingOf(fields) {
  const mapping = new Map(FIELDS.map((item) => [item.field, /** @type {string[]} */ ([])]));
  for (const { field: name, slots } of fields) mapping.set(name, [...slots]);
  return mapping;
}

/**
 * Which slots stand for what: "3.text" to the words shown beside it in the drawing.
 * @param {Map<string, string[]>} mapping
 */
export function marksOf(mapping) {
  const marks = new Map();
  for (const [name, slots] of mapping) {
    for (const slot of slots) marks.set(slot, [...(marks.get(slot) ?? []), labelOf(name)]);
  }
  return marks;
}
