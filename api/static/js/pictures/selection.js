/**
 * Which pictures are picked: single ones, ranges with shift, all that are shown. Knows ids and their order, no
 * elements.
 */

/** A set of picked ids that tells its listeners when it changes. */
export class Selection {
  /** @type {Set<string>} */
  #picked = new Set();
  #anchor = "";
  /** @type {Set<(selection: Selection) => void>} */
  #listeners = new Set();

  /** @param {() => string[]} order the ids that are shown, in their order */
  constructor(order) {
    this.order = order;
  }

  get size() {
    return this.#picked.size;
  }

  get ids() {
    return [...this.#picked];
  }

  /** @param {string} id */
  has(id) {
    return this.#picked.has(id);
  }

  /**
   * Pick or drop one; the next range starts here.
   * @param {string} id
   */
  toggle(id, isOn = !this.#picked.has(id)) {
    this.#anchor = id;
    this.#change(() => (isOn ? this.#picked.add(id) : this.#picked.delete(id)));
  }

  /**
   * Pick everything between the last touched one and this one.
   * @param {string} id
   */
  extend(id) {
    const order = this.order();
    const from = order.indexOf(this.#anchor);
    const to = order.indexOf(id);
    if (from < 0 || to < 0) return this.toggle(id, true);
    const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
    this.#change(() => range.forEach((each) => this.#picked.add(each)));
  }

  /** Pick all that are shown; drop them if they all are picked. */
  all() {
    const order = this.order();
    const isFull = order.length > 0 && order.every((id) => this.#picked.has(id));
    this.#change(() => order.forEach((id) => (isFull ? this.#picked.delete(id) : this.#picked.add(id))));
  }

  clear() {
    this.#anchor = "";
    this.#change(() => this.#picked.clear());
  }

  /**
   * Forget ids that are gone.
   * @param {string[]} ids
   */
  drop(ids) {
    this.#change(() => ids.forEach((id) => this.#picked.delete(id)));
  }

  /** @param {(selection: Selection) => void} listener @returns {Stop} stops listening */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {() => unknown} act */
  #change(act) {
    act();
    this.#listeners.forEach((listener) => listener(this));
  }
}
