/**
 * The gallery: all that was made, narrowed by words and filters, sorted into favourites and collections.
 */

import { runAgain } from "../../pictures/actions.js";
import { onChange, setFavorite, settled } from "../../pictures/changes.js";
import { pictureGrid } from "../../pictures/grid.js";
import { openLightbox } from "../../pictures/lightbox.js";
import { catchDrops, recall } from "../../pictures/recall.js";
import { api } from "../../shell/api.js";
import { events } from "../../shell/events.js";
import { go, setQuery } from "../../shell/router.js";
import { announce, button, h, icon, useCss } from "../../ui/dom.js";
import { wordsOf } from "../../ui/errors.js";
import { Pages, whenNear } from "../../ui/pages.js";
import { _ } from "../../ui/text.js";
import { bulkBar } from "./bulk.js";
import { filterBar, filtersFrom, isNarrow, queryOf } from "./filters.js";
import { shelf } from "./shelf.js";

export const title = _("Gallery");

const PAGE = 60;
const SKELETONS = [1, 1.5, 0.67, 1, 1.78, 1, 0.75, 1.33, 1, 0.67, 1.5, 1];

/**
 * Draw the gallery.
 * @param {HTMLElement} root
 * @param {Record<string, string>} params what the address says: q, model, engine, mode, since, until, sort, favorites,
 *   collection, scope
 * @returns {Promise<() => void>} cleanup
 */
export async function mount(root, params) {
  await Promise.all([useCss("gallery"), useCss("lightbox")]);
  const view = new Gallery(params);
  root.append(view.element);
  view.start();
  return () => view.stop();
}

class Gallery {
  /** @param {Record<string, string>} params */
  constructor(params) {
    this.filters = filtersFrom(params);
    this.place = placeFrom(params);
    this.grid = pictureGrid({
      label: _("Pictures"),
      onOpen: (index) => this.#open(index),
      onFavorite: (picture) => setFavorite(picture),
      onAgain: runAgain,
    });
    this.pages = new Pages(
      (cursor) =>
        settled().then(() =>
          api.get("/api/gallery", { ...queryOf(this.filters), ...this.#placeQuery(), limit: PAGE, cursor }),
        ),
      (page, isFirst) => this.#show(page, isFirst),
      (error, isFirst) => this.#fail(error, isFirst),
    );
    this.shelf = shelf(this.place, (place) => this.#go({ place }));
    this.bar = filterBar(this.filters, (filters) => this.#go({ filters }));
    this.total = h("p", { class: "gallery-total muted num", role: "status" });
    this.note = h("div", { class: "gallery-note" });
    this.end = h("div", { class: "gallery-end" });
    this.near = whenNear(this.end, () => this.pages.more());
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.#key(event);
    /** @type {Stop[]} */
    this.offs = [];
    /** @type {HTMLElement | null} */
    this.fresh = null;
    this.count = 0;
    this.orMore = false;
    this.bulk = bulkBar(this.grid, () => this.shelf.chosen());
    this.element = this.#draw();
  }

  #draw() {
    const file = h("input", {
      type: "file",
      accept: "image/*",
      hidden: true,
      on: { change: (event) => readChosen(event.currentTarget) },
    });
    const read = button(h("span", {}, _("Read a picture file")), () => file.click(), {
      icon: "upload",
      title: _("Open what a PNG was made with. You can also drop one anywhere on this page."),
    });
    return h(
      "div",
      { class: "page gallery" },
      h("div", { class: "page-head" }, h("h1", {}, _("Gallery")), this.total, read, file),
      this.shelf.element,
      this.bar.element,
      this.note,
      this.grid.element,
      this.end,
      this.bulk.element,
    );
  }

  start() {
    this.offs = [
      onChange("favorite", ({ ids }) => this.#favorites(ids)),
      onChange("removed", ({ ids }) => {
        this.#removed(ids);
        this.shelf.refresh();
      }),
      onChange("collections", () => this.shelf.refresh()),
      events.on("job", (job) => this.#jobChanged(job)),
      events.on("gone", ({ id }) =>
        this.#removed(this.grid.pictures.filter((picture) => picture.job_id === id).map((picture) => picture.id)),
      ),
      catchDrops(recall, _("Drop a picture to read what it was made with")),
      this.near.stop,
      this.bulk.stop,
    ];
    document.addEventListener("keydown", this.onKey);
    this.shelf.refresh();
    this.#restart();
  }

  #key(/** @type {KeyboardEvent} */ event) {
    if (event.key === "Escape" && !document.querySelector("dialog[open], .menu")) this.grid.selection.clear();
  }

  stop() {
    this.offs.forEach((off) => off());
    document.removeEventListener("keydown", this.onKey);
  }

  #placeQuery() {
    return {
      favorites: this.place.favorites ? 1 : null,
      collection: this.place.collection,
      scope: this.place.everyone ? "all" : null,
    };
  }

  /** @param {{ place?: Place, filters?: Filters }} change */
  #go(change) {
    this.place = change.place ?? this.place;
    this.filters = change.filters ?? this.filters;
    setQuery({ ...this.filters, ...this.#placeQuery() });
    this.#restart();
  }

  #restart() {
    this.fresh?.remove();
    this.fresh = null;
    this.grid.reset();
    this.note.replaceChildren();
    this.total.textContent = "";
    this.grid.element.append(
      ...SKELETONS.map((aspect) =>
        h("li", { class: "tile skeleton", "aria-hidden": "true", style: { "--aspect": aspect } }),
      ),
    );
    this.pages.restart();
  }

  /** @param {Api.Pictures} page @param {boolean} isFirst */
  #show(page, isFirst) {
    if (isFirst) this.grid.reset();
    this.grid.append(page.pictures);
    if (isFirst) [this.count, this.orMore] = [page.total, page.or_more];
    this.#showTotal();
    if (isFirst) announce(this.total.textContent || _("No pictures"));
    this.note.replaceChildren(...(this.grid.pictures.length ? [] : [this.#empty()]));
    this.near.check();
  }

  #showTotal() {
    this.total.textContent = this.count
      ? `${this.count.toLocaleString()}${this.orMore ? "+" : ""} ${this.count === 1 ? "picture" : "pictures"}`
      : "";
  }

  /**
   * @param {unknown} error
   * @param {boolean} isFirst
   */
  #fail(error, isFirst) {
    if (isFirst) this.grid.reset();
    const again = () => {
      this.note.replaceChildren();
      if (isFirst) this.#restart();
      else this.pages.retry();
    };
    const retry = button(_("Try again"), again, { icon: "refresh" });
    const words = wordsOf(error);
    this.note.replaceChildren(
      h("div", { class: "notice notice-bad", role: "alert" }, icon("warning"), h("p", { class: "grow" }, words), retry),
    );
    if (!isFirst) this.end.before(this.note);
  }

  #empty() {
    if (isNarrow(this.filters)) {
      return empty(
        "search",
        _("Nothing fits"),
        _("No picture matches these words and filters."),
        button(_("Clear the filters"), () => this.bar.clear(), { class: "btn-primary" }),
      );
    }
    if (this.place.favorites) {
      return empty(
        "heart",
        _("No favourites yet"),
        _("Press the heart on a picture, or F while it is open. Favourites never expire."),
        button(_("See my pictures"), () => this.#toAll(), { class: "btn-primary" }),
      );
    }
    if (this.place.collection) {
      return empty(
        "folder",
        _("Nothing in here yet"),
        _("Pick pictures in the gallery (X, or a long press) and add them to this collection."),
        button(_("Pick pictures"), () => this.#toAll(), { class: "btn-primary" }),
      );
    }
    return empty(
      "image",
      _("Your pictures will hang here"),
      _("Everything you make, in the studio or in Discord, is kept here for a while; favourites for good."),
      button(_("Make a picture"), () => go("create"), { class: "btn-primary", icon: "create" }),
    );
  }

  #toAll() {
    this.shelf.show({});
    this.#go({ place: {} });
  }

  /** @param {number} index */
  async #open(index) {
    let last = this.grid.pictures[index];
    await openLightbox(this.grid.pictures, index, {
      onMove: (at) => {
        last = this.grid.pictures[at] ?? last;
        this.grid.reveal(last.id);
      },
      onNearEnd: () => this.pages.more(),
      total: () => this.count,
    });
    this.grid.focus(last.id);
  }

  /** @param {string[]} ids */
  #favorites(ids) {
    if (!this.place.favorites) return this.grid.refresh(ids);
    const lost = this.grid.pictures.filter((picture) => ids.includes(picture.id) && !picture.is_favorite);
    this.#removed(lost.map((picture) => picture.id));
    this.grid.refresh(ids);
  }

  /** @param {string[]} ids */
  #removed(ids) {
    const before = this.grid.pictures.length;
    this.grid.remove(ids);
    this.count = Math.max(0, (this.count ?? 0) - (before - this.grid.pictures.length));
    this.#showTotal();
    if (before && !this.grid.pictures.length && this.pages.isDone) this.note.replaceChildren(this.#empty());
  }

  /**
   * New own pictures are offered, not pushed in under the reader's hands.
   * @param {Api.Job} job
   */
  #jobChanged(job) {
    if (
      job.status !== "done" ||
      (!job.is_mine && !this.place.everyone) ||
      this.place.favorites ||
      this.place.collection ||
      this.filters.sort === "old"
    )
      return;
    const isKnown = this.grid.pictures.some((picture) => picture.job_id === job.id);
    const isNew = Date.now() - Date.parse(job.finished_at ?? "") < 60_000;
    if (isKnown || !isNew || this.fresh) return;
    this.fresh = button(_("Show new pictures"), () => this.#restart(), {
      class: "btn-primary btn-small fresh",
      icon: "refresh",
    });
    this.grid.element.before(this.fresh);
    announce(_("New pictures. Press Show new pictures to see them."));
  }
}

/** @param {HTMLInputElement} input */
function readChosen({ files }) {
  if (files?.[0]) recall(files[0]);
}

/** @param {Record<string, string>} params @returns {Place} */
function placeFrom({ collection, favorites, scope }) {
  if (collection) return { collection };
  if (favorites) return { favorites: true };
  return scope === "all" ? { everyone: true } : {};
}

/** @param {string} name @param {string} heading @param {string} words @param {Child} act */
function empty(name, heading, words, act) {
  return h("div", { class: "empty" }, icon(name), h("h2", {}, heading), h("p", {}, words), act);
}
