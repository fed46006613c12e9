/** What a picture would cost and how long it would take, before it is asked for. */

import { api } from "../../shell/api.js";
import { debounce, fill, h } from "../../ui/dom.js";
import { asApiError, isAborted } from "../../ui/errors.js";
import { _ } from "../../ui/text.js";
import { formatSpan } from "../../ui/words.js";

/**
 * The line beside Generate: what it costs and when it is there. Asked quietly, never in the way.
 * @param {{ bodyOf: () => object, afterMs?: number }} spec
 */
export function estimateLine({ bodyOf, afterMs = 300 }) {
  const node = h("p", { class: "estimate num", "aria-live": "off" }, " ");
  /** @type {AbortController | null} */
  let flight = null;
  const ask = debounce(async () => {
    flight?.abort();
    flight = new AbortController();
    try {
      show(node, await api.post("/api/estimate", bodyOf(), { quiet: true, signal: flight.signal }));
    } catch (error) {
      if (isAborted(error)) return;
      const { status, message } = asApiError(error);
      fill(node, status === 400 || status === 422 ? h("span", { class: "refused" }, message) : " ");
    }
  }, afterMs);
  const stop = () => {
    ask.cancel();
    flight?.abort();
  };
  return { node, ask, stop };
}

/** @param {HTMLElement} node @param {Api.Estimate} estimate */
function show(node, { engine, wait_s: wait, seconds, price, refused, notes }) {
  if (refused) return void fill(node, h("span", { class: "refused" }, refused));
  fill(node, [engine, timeWords(wait || 0, seconds), price].filter(Boolean).join(" · ") || " ");
  node.title = (notes || []).join("\n");
}

/** @param {number} wait @param {number | null} seconds */
function timeWords(wait, seconds) {
  if (seconds !== null && seconds !== undefined)
    return _("about {span}", { span: formatSpan(Math.max(1, wait + seconds)) });
  return wait > 1 ? _("starts in about {span}", { span: formatSpan(wait) }) : "";
}
