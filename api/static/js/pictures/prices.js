/** What going on from a picture costs, for the buttons that do it: asked once for each job, where an engine charges. */

import { api, session } from "../shell/api.js";
import { money } from "../ui/words.js";

/** The price behind each action that draws at once. @type {Record<string, "again" | "vary" | "upscale">} */
const PRICE_OF = { reroll: "again", retry: "again", vary: "vary", upscale: "upscale" };
/** @type {Map<string, Promise<Api.Prices | null>>} */
const asked = new Map();
/** @type {Map<string, Api.Prices>} */
const known = new Map();

/**
 * The price of an action as it stands behind its name; "" where it is free, or not known yet.
 * @param {string} jobId
 * @param {string} action
 */
export function priceOf(jobId, action) {
  const usd = known.get(jobId)?.[PRICE_OF[action]];
  return usd ? money(usd) : "";
}

/**
 * Ask for the prices of a job; `then` is called once they are there, and not where nothing costs.
 * @param {string} jobId
 * @param {() => void} [then]
 */
export async function askPrices(jobId, then) {
  if (!jobId || !(await session).has_paid_engines) return;
  if (!asked.has(jobId))
    asked.set(
      jobId,
      api.get(`/api/jobs/${jobId}/prices`, null, { quiet: true }).catch(() => null),
    );
  const prices = await asked.get(jobId);
  if (!prices) return;
  known.set(jobId, prices);
  then?.();
}

/**
 * Write the prices on buttons whose `data-act` names an action.
 * @param {HTMLElement} bar
 * @param {string} jobId
 */
export function writePrices(bar, jobId) {
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (bar.querySelectorAll("[data-act]")))
    writePrice(node, jobId, node.dataset.act ?? "");
}

/**
 * Write the price of an action on its button.
 * @param {HTMLElement} node
 * @param {string} jobId
 * @param {string} action
 */
export function writePrice(node, jobId, action) {
  askPrices(jobId, () => {
    const price = priceOf(jobId, action);
    if (!price) return;
    const label = `${node.getAttribute("aria-label") || node.textContent} · ${price}`;
    node.setAttribute("aria-label", label);
    node.setAttribute("title", label);
    node.classList.remove("btn-icon");
    (node.querySelector("span") ?? node).append(` · ${price}`);
  });
  return node;
}
