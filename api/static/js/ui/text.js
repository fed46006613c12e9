/** One function for every text that people read, with its values by name: a translation needs no other place. Pure. */

const GAP = /\{(\w+)\}/;
const GAPS = /\{(\w+)\}/g;

/**
 * `_("{name} is gone.", { name: "A fox" })` -> "A fox is gone."
 * @template {string} T
 * @param {T} template
 * @param {TextValues<T>} values
 * @returns {string}
 */
export function _(template, ...values) {
  const known = /** @type {Record<string, unknown>} */ (values[0] ?? {});
  return template.replace(GAPS, (gap, name) => String(known[name] ?? gap));
}

/**
 * The text for one, or for any other number: `_n("{n} picture", "{n} pictures", 2)` -> "2 pictures".
 * @param {string} single
 * @param {string} many
 * @param {number} n
 */
export const _n = (single, many, n) => (n === 1 ? single : many).replace("{n}", String(n));

/**
 * A text with elements in it, as children for `h`: `_nodes("Try {command}.", { command: h("code", {}, "/help") })`.
 * @template {string} T
 * @param {T} template
 * @param {Record<TextNames<T>, Child>} nodes
 * @returns {Child[]}
 */
export const _nodes = (template, nodes) =>
  template.split(GAP).map((part, at) => (at % 2 ? nodes[/** @type {TextNames<T>} */ (part)] : part));
