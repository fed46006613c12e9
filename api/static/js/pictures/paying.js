/** Asks for pictures that may cost money: a price is agreed to first, and a short budget offers what is left. */

import { api } from "../shell/api.js";
import { newKey } from "../shell/pass.js";
import { openDialog } from "../ui/dialog.js";
import { ApiError } from "../ui/errors.js";
import { _ } from "../ui/text.js";
import { money } from "../ui/words.js";

const NOT_AGREED = "price_not_agreed";
const OVER_BUDGET = "budget_exceeded";
const COMPARISONS = "/api/comparisons";
const MOST_QUESTIONS = 3; // a price may rise while somebody reads it

/**
 * Post a request for pictures. Nothing is drawn for more than somebody agrees to; null: they did not.
 * @param {"/api/jobs" | `/api/jobs/${string}/again` | `/api/jobs/${string}/finish`} path
 * @param {Record<string, any>} body
 * @returns {Promise<Api.Submitted | null>}
 */
export const ask = (path, body) => /** @type {Promise<Api.Submitted | null>} */ (post(path, body));

/**
 * The same for a comparison.
 * @param {Record<string, any>} body
 * @returns {Promise<Api.Comparison | null>}
 */
export const compare = (body) => /** @type {Promise<Api.Comparison | null>} */ (post(COMPARISONS, body));

/**
 * @param {"/api/jobs" | "/api/comparisons" | `/api/jobs/${string}/again` | `/api/jobs/${string}/finish`} path
 * @param {Record<string, any>} body
 * @returns {Promise<Api.Submitted | Api.Comparison | null>}
 */
async function post(path, body) {
  let wanted = body;
  for (let questions = 0; ; questions += 1) {
    try {
      return await api.post(path, wanted, { headers: { "Idempotency-Key": newKey() } });
    } catch (error) {
      const chosen = questions < MOST_QUESTIONS ? await wayOut(error, path, wanted) : undefined;
      if (chosen === undefined) throw error;
      if (chosen === null) return null;
      wanted = chosen;
    }
  }
}

/**
 * What somebody wants instead of what was refused; null: nothing, undefined: there is nothing to choose.
 * @param {unknown} error
 * @param {string} path
 * @param {Record<string, any>} body
 */
async function wayOut(error, path, body) {
  if (!(error instanceof ApiError)) return undefined;
  const { cost_usd: cost, offers = [] } = error.told;
  if (error.code === NOT_AGREED && cost) {
    const action = { label: _("Draw for {cost}", { cost: money(cost) }), value: "yes", kind: "primary" };
    const answer = await choose(_("This costs money"), error.message, [action]);
    return answer ? { ...body, max_cost_usd: cost } : null;
  }
  const staysHere = path.endsWith("/finish") || path === COMPARISONS; // by the engine that drew it, or those named
  if (error.code !== OVER_BUDGET || !offers.length || staysHere) return undefined;
  const actions = offers.map((offer, at) => ({ label: offerWords(offer), value: String(at), kind: "ghost" }));
  const answer = await choose(_("Daily budget exceeded"), error.message, actions);
  return answer === null ? null : moved(path, body, offers[Number(answer)]);
}

/** @param {MoneyOffer} offer */
const offerWords = ({ engine, cost_usd: cost }) =>
  cost ? _("{engine} for {cost}", { engine, cost: money(cost) }) : _("{engine}, free", { engine });

/**
 * @param {string} title
 * @param {string} text
 * @param {Array<{label: string, value: string, kind: string}>} actions
 * @returns {Promise<string | null>}
 */
async function choose(title, text, actions) {
  const cancel = { label: _("Cancel"), value: "", kind: "plain", run: () => "no" };
  const answer = await openDialog({ title, body: text, actions: [cancel, ...actions] });
  return answer === "no" ? null : answer;
}

/**
 * The request on another engine, or with another model, for no more than was offered.
 * @param {string} path
 * @param {Record<string, any>} body
 * @param {MoneyOffer} offer
 */
function moved(path, body, { backend, model, cost_usd: cost }) {
  const agreed = cost ? { max_cost_usd: cost } : {};
  if (path === "/api/jobs") return { ...body, backend, model: model ?? undefined, ...agreed };
  const changes = { ...body.changes, backend, ...(model ? { model } : {}) };
  const drop = model ? body.drop : [...new Set([...(body.drop ?? []), "model"])];
  return { ...body, changes, drop, ...agreed };
}
