/** One engine as a card that keeps itself up to date: state, queue, speed, price, and what can be done with it. */

import { LAYERS, ownerWords, stateWords, withLane } from "../../shell/engine-state.js";
import { append, button, fill, h, icon } from "../../ui/dom.js";
import { asApiError } from "../../ui/errors.js";
import { _ } from "../../ui/text.js";
import { formatSpan } from "../../ui/words.js";

/**
 * @typedef {object} CardActions
 * @property {(engine: Api.Engine) => Promise<Api.Test>} test answers {is_ok, message, hint, layer, seconds}
 * @property {(engine: Api.Engine) => Promise<void>} disconnect
 * @property {(engine: Api.Engine, card: HTMLElement, opener: HTMLElement) => void} offer shows what it has, or hides it
 *   again
 */

/**
 * Make a card.
 * @param {Api.Engine} engine as `/api/engines` lists it
 * @param {{kindTitle: string, actions: CardActions}} options
 * @returns {EngineCard}
 */
export function engineCard(engine, { kindTitle, actions }) {
  let now = engine;
  let toldAt = performance.now();
  const state = h("p", { class: "engine-state" });
  const facts = h("dl", { class: "engine-facts" });
  const trouble = h("div", { class: "engine-trouble", role: "status" });
  const result = h("div", { class: "engine-result", "aria-live": "polite" });
  /** @type {HTMLElement} */
  const element = h(
    "article",
    { class: "card engine-card", "aria-label": _("Engine {label}", { label: engine.label }) },
    h(
      "header",
      { class: "engine-head" },
      h("h2", { class: "engine-name" }, engine.label),
      h("p", { class: "engine-kind" }, headline(engine, kindTitle)),
    ),
    state,
    trouble,
    facts,
    result,
  );
  element.append(
    buttons(
      () => now,
      actions,
      result,
      () => element,
    ),
  );
  const draw = () => {
    drawState(state, now, (performance.now() - toldAt) / 1000);
    drawTrouble(trouble, now);
    facts.replaceChildren(...factRows(now));
  };
  const change = (/** @type {Api.Engine} */ next) => {
    now = next;
    toldAt = performance.now();
    draw();
  };
  draw();
  return {
    element,
    engine: () => now,
    update: change,
    /** Take in what a `queue` event says; true when the state has changed. */
    live(/** @type {Api.Lane} */ lane) {
      const before = now.state;
      change(withLane(now, lane));
      return now.state !== before;
    },
    tick: () => now.state === "paused" && drawState(state, now, (performance.now() - toldAt) / 1000),
  };
}

/** @param {Api.Engine} engine @param {string} kindTitle */
function headline(engine, kindTitle) {
  const parts = [
    kindTitle,
    engine.grade && _("{grade} support", { grade: engine.grade }),
    ownerWords(engine),
    engine.is_fallback ? _("used when no other can") : "",
  ];
  return parts.filter(Boolean).join(" · ");
}

/** @param {HTMLElement} place @param {Api.Engine} engine @param {number} passedS */
function drawState(place, engine, passedS) {
  const { word, tone, more } = stateWords(engine, passedS);
  fill(
    place,
    h("span", { class: `dot dot-${tone}`, "aria-hidden": "true" }),
    h("strong", {}, word),
    more && h("span", { class: "engine-more" }, more),
  );
}

/** @param {HTMLElement} place @param {Api.Engine} engine */
function drawTrouble(place, engine) {
  const isShown = Boolean(engine.error) && engine.state !== "up" && engine.state !== "busy";
  place.hidden = !isShown;
  fill(place, isShown && [h("p", {}, engine.error), engine.hint && h("p", { class: "engine-hint" }, engine.hint)]);
}

/** @param {Api.Engine} engine */
function factRows(engine) {
  const rows = [
    [_("Waiting"), String(engine.waiting)],
    [_("Running"), String(engine.running)],
    [_("Time per job"), engine.seconds_per_job ? formatSpan(engine.seconds_per_job) : _("not measured yet")],
    [_("Price"), engine.price || _("free")],
  ];
  if (engine.remark) rows.push([_("Note"), engine.remark]);
  return rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
}

/**
 * @param {() => Api.Engine} current
 * @param {CardActions} actions
 * @param {HTMLElement} result
 * @param {() => HTMLElement} card
 */
function buttons(current, actions, result, card) {
  /** @type {HTMLButtonElement} */
  const offer = button(_("What it has"), () => actions.offer(current(), card(), offer), {
    "aria-expanded": "false",
    class: "btn-small",
  });
  const runTest = async () => {
    test.disabled = true;
    fill(result, h("p", { class: "engine-testing" }, _("Testing…")));
    try {
      fill(result, testResult(await actions.test(current())));
    } catch (error) {
      const { message, hint } = asApiError(error);
      fill(result, failure(message, hint));
    } finally {
      test.disabled = false;
    }
  };
  /** @type {HTMLButtonElement} */
  const test = button(_("Test"), runTest, { class: "btn-ghost btn-small" });
  const row = h("div", { class: "engine-actions" }, offer, test);
  if (current().is_mine)
    append(
      row,
      button(_("Disconnect"), () => actions.disconnect(current()), { class: "btn-ghost btn-small btn-danger" }),
    );
  return row;
}

/**
 * Show how a test went: what was reached, where it stopped, what to try next.
 * @param {{is_ok: boolean, message: string, hint: string, layer: string, seconds: number|null}} result
 * @returns {HTMLElement}
 */
export function testResult(result) {
  if (result.is_ok) {
    const took = result.seconds
      ? _("It answered in {seconds} s.", { seconds: result.seconds.toFixed(result.seconds < 1 ? 2 : 1) })
      : "";
    return h("p", { class: "engine-passed" }, icon("check"), ` ${result.message} ${took}`);
  }
  return h("div", {}, failure(result.message, result.hint), layerList(result.layer));
}

/**
 * What failed and the next thing to try.
 * @param {string} message
 * @param {string} hint
 */
export function failure(message, hint) {
  return h(
    "div",
    { class: "engine-failed", role: "alert" },
    h("p", {}, message),
    hint ? h("p", { class: "engine-hint" }, hint) : "",
  );
}

/**
 * The way to an engine, step by step, up to the one that failed; null for a failure that is none of them.
 * @param {string} layer
 */
export function layerList(layer) {
  const stop = LAYERS.findIndex(([name]) => name === layer);
  if (stop < 0) return "";
  const steps = LAYERS.map(([, words], at) => {
    const passed = at < stop ? ["good", "yes"] : ["none", _("not reached")];
    const [tone, outcome] = at === stop ? ["bad", "no"] : passed;
    return h("li", { dataset: { tone } }, h("span", {}, words), h("b", {}, outcome));
  });
  return h("ol", { class: "engine-layers" }, ...steps);
}
