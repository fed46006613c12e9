/** Before and after with a slider: drag it, or use the arrow keys. */

import { h, icon, useCss } from "./dom.js";
import { _ } from "./text.js";

const START = 50;

/**
 * Lay two pictures over each other.
 * @param {{url: string, label?: string}} before
 * @param {{url: string, width: number, height: number, label?: string}} after sets the shape
 * @returns {HTMLElement}
 */
export function compare(before, after) {
  useCss("compare");
  const range = h("input", {
    type: "range",
    min: 0,
    max: 100,
    value: START,
    step: 1,
    class: "compare-range",
    "aria-label": _("Share of the picture before"),
  });
  const top = h("img", { class: "compare-top", src: before.url, alt: before.label || _("Before"), draggable: "false" });
  const knob = h("span", { class: "compare-knob", "aria-hidden": "true" }, icon("swap"));
  const node = h(
    "figure",
    { class: "compare", style: { aspectRatio: `${after.width} / ${after.height}` } },
    h("img", {
      class: "compare-base",
      src: after.url,
      alt: after.label || _("After"),
      width: after.width,
      height: after.height,
      draggable: "false",
    }),
    top,
    knob,
    h(
      "figcaption",
      { class: "compare-tags" },
      h("span", {}, before.label || _("Before")),
      h("span", {}, after.label || _("After")),
    ),
    range,
  );
  const move = (/** @type {string} */ value) => node.style.setProperty("--at", `${value}%`);
  range.addEventListener("input", () => move(range.value));
  node.addEventListener("pointerdown", (event) => drag(event, node, range, move));
  move(String(START));
  return node;
}

/**
 * @param {PointerEvent} event
 * @param {HTMLElement} node
 * @param {HTMLInputElement} range
 * @param {(value: string) => void} move
 */
function drag(event, node, range, move) {
  event.preventDefault();
  range.focus({ preventScroll: true });
  node.setPointerCapture(event.pointerId);
  const to = (/** @type {PointerEvent} */ e) => {
    const box = node.getBoundingClientRect();
    range.value = String(Math.round(Math.min(1, Math.max(0, (e.clientX - box.left) / box.width)) * 100));
    move(range.value);
  };
  to(event);
  node.addEventListener("pointermove", to);
  const end = () => node.removeEventListener("pointermove", to);
  node.addEventListener("pointerup", end, { once: true });
  node.addEventListener("pointercancel", end, { once: true });
}
