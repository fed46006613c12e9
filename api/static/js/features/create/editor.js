/** What the mask and the frame editor share: a framed area with a sheet that can be zoomed and moved, and its tools. */

import { button, h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

const MIN_SCALE = 0.05;
const MAX_SCALE = 16;

/**
 * The frame of an editor: the area to work in and a bar of tools.
 * @param {string} label
 * @param {HTMLElement} sheet
 */
export function editorFrame(label, sheet) {
  const area = h("div", { class: "editor-area", tabindex: "0", role: "application", "aria-label": label }, sheet);
  const bar = h("div", { class: "editor-bar", role: "toolbar", "aria-label": _("Tools") });
  return { node: h("div", { class: "editor" }, area, bar), area, bar };
}

/**
 * Cancel and done, at the end of the bar.
 * @param {string} words
 * @param {() => unknown} onDone
 * @param {() => void} onCancel
 */
export function confirmButtons(words, onDone, onCancel) {
  return [
    h(
      "div",
      { class: "row end" },
      button(_("Cancel"), onCancel, { class: "btn-ghost" }),
      button(words, onDone, { class: "btn-primary", icon: "check" }),
    ),
  ];
}

/**
 * Zoom and pan of a sheet (CSS pixels = picture pixels x scale): wheel, two fingers, Alt + drag or the middle button.
 * @param {HTMLElement} area
 * @param {HTMLElement} sheet
 * @param {{ width: number, height: number, margin?: number, onMove?: () => void }} spec
 * @returns {SheetTools}
 */
export function makeView(area, sheet, { width, height, margin = 24, onMove = () => {} }) {
  /** @type {SheetView} */
  const view = {
    area,
    sheet,
    width,
    height,
    margin,
    onMove,
    scale: 1,
    x: 0,
    y: 0,
    fingers: new Map(),
    isMoved: false,
    isDragging: false,
  };
  const fit = () => fitSheet(view);
  const watch = new ResizeObserver(() => !view.isMoved && fit());
  watch.observe(area);
  listen(view);
  fit();
  return {
    fit() {
      view.isMoved = false;
      fit();
    },
    zoom: (by) => zoomAt(view, by, area.clientWidth / 2, area.clientHeight / 2),
    scale: () => view.scale,
    toSheet(event) {
      const box = area.getBoundingClientRect();
      return {
        x: (event.clientX - box.left - view.x) / view.scale,
        y: (event.clientY - box.top - view.y) / view.scale,
      };
    },
    isPanning: () => view.fingers.size > 1 || view.isDragging,
    destroy: () => watch.disconnect(),
  };
}

/** @param {SheetView} view */
function place(view) {
  view.sheet.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
  view.onMove();
}

/** @param {SheetView} view */
function fitSheet(view) {
  const { clientWidth: w, clientHeight: t } = view.area;
  if (!w || !t) return;
  const room = Math.min(view.margin, w * 0.06);
  view.scale = Math.min((w - room * 2) / view.width, (t - room * 2) / view.height);
  view.x = (w - view.width * view.scale) / 2;
  view.y = (t - view.height * view.scale) / 2;
  place(view);
}

/**
 * @param {SheetView} view
 * @param {number} by
 * @param {number} x
 * @param {number} y
 */
function zoomAt(view, by, x, y) {
  const next = Math.min(MAX_SCALE, Math.max(MIN_SCALE, view.scale * by));
  view.x = x - ((x - view.x) * next) / view.scale;
  view.y = y - ((y - view.y) * next) / view.scale;
  view.scale = next;
  view.isMoved = true;
  place(view);
}

/** @param {SheetView} view */
function listen(view) {
  const { area, fingers } = view;
  area.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const box = area.getBoundingClientRect();
      zoomAt(view, Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    },
    { passive: false },
  );
  // Capturing: the view knows of a second finger or of Alt before the tool does.
  area.addEventListener(
    "pointerdown",
    (event) => {
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      view.isDragging = event.altKey || event.button === 1;
      if (!view.isDragging) return;
      event.preventDefault();
      area.setPointerCapture(event.pointerId);
    },
    true,
  );
  area.addEventListener("pointermove", (event) => fingers.has(event.pointerId) && moveFinger(view, event), true);
  /** @param {PointerEvent} event */
  const lift = (event) => {
    fingers.delete(event.pointerId);
    view.isDragging = false;
  };
  area.addEventListener("pointerup", lift, true);
  area.addEventListener("pointercancel", lift, true);
}

/**
 * @param {SheetView} view
 * @param {PointerEvent} event
 */
function moveFinger(view, event) {
  const { fingers } = view;
  const before = fingers.get(event.pointerId) ?? { x: event.clientX, y: event.clientY };
  const now = { x: event.clientX, y: event.clientY };
  fingers.set(event.pointerId, now);
  if (fingers.size === 1 && !view.isDragging) return;
  const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
  const share = fingers.size;
  view.x += (now.x - before.x) / share;
  view.y += (now.y - before.y) / share;
  view.isMoved = true;
  if (!others.length) return place(view);
  const box = view.area.getBoundingClientRect();
  const far = Math.hypot(now.x - others[0].x, now.y - others[0].y);
  const was = Math.hypot(before.x - others[0].x, before.y - others[0].y) || 1;
  zoomAt(view, far / was, (now.x + others[0].x) / 2 - box.left, (now.y + others[0].y) / 2 - box.top);
}
