/** One prompt and seed on several engines, side by side. Its address finds it again, after a reload too. */

import { jobCard } from "../../pictures/job-card.js";
import { openLightbox } from "../../pictures/lightbox.js";
import { pictureOf } from "../../pictures/picture.js";
import { api } from "../../shell/api.js";
import { events, isActive } from "../../shell/events.js";
import { go } from "../../shell/router.js";
import { button, fill, h, icon, useCss } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

export const title = _("Comparison");

/**
 * Draw the view.
 * @param {HTMLElement} root
 * @param {{ id?: string }} params
 * @returns {Promise<Stop | void>} what ends it
 */
export async function mount(root, { id = "" }) {
  if (!id) return go("feed");
  const address = /** @type {const} */ (`/api/comparisons/${encodeURIComponent(id)}`);
  const [found] = await Promise.all([api.get(address), useCss("comparison"), useCss("job"), useCss("lightbox")]);
  const view = new Comparison(address, found);
  fill(root, view.element);
  return () => view.end();
}

class Comparison {
  /**
   * @param {`/api/comparisons/${string}`} address
   * @param {Api.Comparison} found
   */
  constructor(address, { prompt, seed, contenders }) {
    this.address = address;
    /** @type {JobCard[]} */
    this.cards = [];
    this.cancel = button(_("Cancel all"), () => this.#cancel(), { icon: "close", class: "btn-small" });
    const columns = contenders.map((contender) =>
      h("li", { class: "contender" }, h("h2", {}, contender.engine), this.#whatCame(contender)),
    );
    this.element = h(
      "div",
      { class: "page comparison" },
      h(
        "header",
        { class: "page-head" },
        h("h1", {}, prompt || _("A comparison without words")),
        this.cancel,
        h("p", { class: "num" }, _("The same seed everywhere: {seed}", { seed })),
      ),
      h("ul", { class: "contenders" }, columns),
    );
    this.stops = [
      events.on("job", () => this.#offerCancel()),
      events.on("gone", ({ id }) => this.#lose(id)),
      events.on("missed", () => this.#catchUp()),
    ];
    this.#offerCancel();
  }

  end() {
    for (const stop of this.stops) stop();
    for (const card of this.cards) card.destroy();
  }

  /** @param {Api.Contender} contender */
  #whatCame({ job, error }) {
    if (!job) return h("div", { class: "notice notice-bad" }, icon("warning"), h("p", {}, error));
    const card = jobCard(events.put(job), { onOpen: (image) => this.#open(image.id) });
    this.cards.push(card);
    return card;
  }

  /** @param {string} pictureId */
  #open(pictureId) {
    const pictures = this.cards.flatMap(({ job }) => job.images.map((image) => pictureOf(image, job)));
    const at = pictures.findIndex(({ id }) => id === pictureId);
    openLightbox(pictures, Math.max(0, at));
  }

  #offerCancel() {
    this.cancel.hidden = !this.cards.some(({ job }) => job.is_mine && isActive(job));
  }

  async #cancel() {
    this.#take(await api.post(`${this.address}/cancel`));
  }

  async #catchUp() {
    const found = await api.get(this.address, null, { quiet: true }).catch(() => null);
    if (found) this.#take(found);
  }

  /** @param {Api.Comparison} found */
  #take({ contenders }) {
    for (const { job } of contenders) if (job) events.put(job);
  }

  /** @param {string} id of a job whose pictures were deleted */
  #lose(id) {
    const card = this.cards.find(({ job }) => job.id === id);
    if (!card) return;
    this.cards.splice(this.cards.indexOf(card), 1);
    card.destroy();
    card.replaceWith(h("p", { class: "muted" }, _("The pictures were deleted.")));
    this.#offerCancel();
  }
}
