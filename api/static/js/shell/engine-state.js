/** An engine's state in words, from what `/api/engines` and the `queue` events tell. */

import { _ } from "../ui/text.js";
import { formatSpan } from "../ui/words.js";

/** @typedef {{word: string, tone: "good"|"busy"|"warn"|"bad"|"none", more: string}} StateWords */

/**
 * Say how an engine is.
 * @param {{state: string, waiting: number, running: number, wait_s: number|null}} engine
 * @param {number} passedS seconds since this was told, for a pause that runs down
 * @returns {StateWords}
 */
export function stateWords(engine, passedS = 0) {
  switch (engine.state) {
    case "up":
      return { word: _("Ready"), tone: "good", more: "" };
    case "busy":
      return {
        word: _("Busy"),
        tone: "busy",
        more: engine.wait_s ? _("a new job starts in about {span}", { span: formatSpan(engine.wait_s) }) : "",
      };
    case "paused":
      return { word: _("Paused"), tone: "warn", more: pauseWords(engine.wait_s, passedS) };
    case "down":
      return { word: _("Down"), tone: "bad", more: "" };
    default:
      return { word: _("Not checked yet"), tone: "none", more: "" };
  }
}

/** @param {number | null} waitS @param {number} passedS */
function pauseWords(waitS, passedS) {
  if (!waitS) return "";
  const until = new Date(Date.now() + Math.max(0, waitS - passedS) * 1000);
  const at = until.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return _("until {at}, in {span}", { at, span: formatSpan(Math.max(0, waitS - passedS)) });
}

/**
 * An engine with what a `queue` event says of its lane. The lane knows nothing of an engine that does not answer: only
 * `/api/engines` tells when that one is back.
 * @param {Api.Engine} engine
 * @param {Api.Lane} lane
 * @returns {Api.Engine}
 */
export function withLane(engine, lane) {
  const isUnheard = lane.state === "up" && (engine.state === "down" || engine.state === "unknown");
  return { ...engine, ...lane, state: isUnheard ? engine.state : lane.state };
}

/** @type {Record<Api.Engine["owner"], string>} */
const OWNERS = { guild: _("this server's"), user: "somebody's own", easel: _("Easel's") };

/**
 * Whose engine it is, as a word for the card.
 * @param {Api.Engine} engine
 */
export function ownerWords(engine) {
  if (engine.is_mine) return "yours";
  return OWNERS[engine.owner];
}

/** What can go wrong on the way to an engine, in the order in which a test gets there. */
export const LAYERS = [
  ["address", _("The address makes sense")],
  ["dns", _("Its name is known")],
  ["connect", _("Something listens there")],
  ["tls", _("The connection is secure")],
  ["http", _("It answers requests")],
  ["auth", _("It takes the key")],
  ["api", _("Its API is switched on")],
  ["product", _("It is the kind you chose")],
];
