/**
 * Zoom and pan of one element inside a stage: wheel, double click, pinch, drag; a swipe while nothing is zoomed.
 */

import { hit } from "./dom.js";

const MAX_SCALE = 8;
const CLOSE_UP = 2.5; // what a double click zooms to
const SWIPE_PX = 56;

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** The zoom of a stage; `reset` when another picture is shown. */
export class Zoom {
  scale = 1;
  #x = 0;
  #y = 0;
  #drag = 0;
  /** @type {Map<number, PointerEvent>} */
  #pointers = new Map();
  #spread = 0;

  /**
   * @param {HTMLElement} stage what listens and clips
   * @param {() => HTMLElement} target what is moved
   * @param {{onSwipe?: (step: number) => void, onScale?: (scale: number) => void}} [options]
   */
  constructor(stage, target, { onSwipe = () => {}, onScale = () => {} } = {}) {
    this.stage = stage;
    this.target = target;
    this.onSwipe = onSwipe;
    this.onScale = onScale;
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("dblclick", (event) => this.#isOnTarget(event) && this.toggle(event.clientX, event.clientY));
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#up(event));
    stage.addEventListener("pointercancel", (event) => this.#up(event));
  }

  /** Back to the whole picture. */
  reset() {
    [this.scale, this.#x, this.#y, this.#drag] = [1, 0, 0, 0];
    this.#apply();
  }

  /**
   * Zoom by a factor around a point of the window, or around the middle.
   * @param {number} factor
   * @param {number} [clientX]
   * @param {number} [clientY]
   */
  by(factor, clientX, clientY) {
    const box = this.stage.getBoundingClientRect();
    const atX = (clientX ?? box.left + box.width / 2) - box.left - box.width / 2;
    const atY = (clientY ?? box.top + box.height / 2) - box.top - box.height / 2;
    const next = clamp(this.scale * factor, 1, MAX_SCALE);
    const by = next / this.scale;
    this.#x = atX - (atX - this.#x) * by;
    this.#y = atY - (atY - this.#y) * by;
    this.scale = next;
    this.#apply();
  }

  /**
   * Between the whole picture and a close-up.
   * @param {number} [clientX]
   * @param {number} [clientY]
   */
  toggle(clientX, clientY) {
    if (this.scale > 1) this.reset();
    else this.by(CLOSE_UP, clientX, clientY);
  }

  /**
   * Move a zoomed picture.
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.#x += dx;
    this.#y += dy;
    this.#apply();
  }

  #apply() {
    const { clientWidth, clientHeight } = this.stage;
    const [roomX, roomY] = [(clientWidth * (this.scale - 1)) / 2, (clientHeight * (this.scale - 1)) / 2];
    this.#x = clamp(this.#x, -roomX, roomX);
    this.#y = clamp(this.#y, -roomY, roomY);
    this.target().style.transform = `translate(${this.#x + this.#drag}px, ${this.#y}px) scale(${this.scale})`;
    this.stage.classList.toggle("is-zoomed", this.scale > 1);
    this.onScale(this.scale);
  }

  /** @param {Event} event */
  #isOnTarget(event) {
    return !hit(event, "button, a, input, video, .compare");
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!this.#isOnTarget(event)) return;
    event.preventDefault();
    this.by(Math.exp(-clamp(event.deltaY, -100, 100) / 300), event.clientX, event.clientY);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button || !this.#isOnTarget(event)) return;
    this.#pointers.set(event.pointerId, event);
    this.stage.setPointerCapture(event.pointerId);
    this.#spread = this.#distance();
    this.stage.classList.add("is-held");
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const last = this.#pointers.get(event.pointerId);
    if (!last) return;
    this.#pointers.set(event.pointerId, event);
    if (this.#pointers.size === 2) return this.#pinch();
    const [dx, dy] = [event.clientX - last.clientX, event.clientY - last.clientY];
    if (this.scale > 1) return this.pan(dx, dy);
    this.#drag += dx;
    this.#apply();
  }

  #pinch() {
    const spread = this.#distance();
    const [first, second] = [...this.#pointers.values()];
    this.#drag = 0;
    if (this.#spread)
      this.by(spread / this.#spread, (first.clientX + second.clientX) / 2, (first.clientY + second.clientY) / 2);
    this.#spread = spread;
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (!this.#pointers.delete(event.pointerId) || this.#pointers.size) return;
    this.stage.classList.remove("is-held");
    const moved = this.#drag;
    this.#drag = 0;
    this.#apply();
    if (this.scale === 1 && Math.abs(moved) > SWIPE_PX) this.onSwipe(moved > 0 ? -1 : 1);
  }

  #distance() {
    const [first, second] = [...this.#pointers.values()];
    return second ? Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY) : 0;
  }
}
