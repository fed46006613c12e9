/**
 * The wall of pictures: rows of even height (flex, sizes known before anything loads), picking, arrow keys, long press.
 */

import { find, findAll, h, hit, icon } from "../ui/dom.js";
import { _ } from "../ui/text.js";
import { altOf, aspectOf, thumbnail } from "./picture.js";
import { Selection } from "./selection.js";
import { isVideo } from "./video.js";

const LONG_PRESS_MS = 450;
const SLOP_PX = 10; // a finger never rests quite still

/**
 * A list of pictures.
 * @param {GridOptions} options
 * @returns {Grid}
 */
export function pictureGrid(options) {
  return new Grid(options);
}

export class Grid {
  /** @type {Map<string, HTMLElement>} */
  #tiles = new Map();
  #swallow = false;

  /** @param {GridOptions} options */
  constructor(options) {
    this.options = options;
    /** @type {Picture[]} */
    this.pictures = [];
    this.selection = new Selection(() => this.pictures.filter((picture) => !picture.is_gone).map(({ id }) => id));
    this.selection.onChange(() => this.#showSelection());
    this.element = h("ul", {
      class: "wall",
      "aria-label": options.label,
      on: { keydown: (event) => this.#key(event) },
    });
  }

  /**
   * Add pictures at the end; those already there are left alone.
   * @param {Picture[]} pictures
   */
  append(pictures) {
    const fresh = pictures.filter((picture) => !this.#tiles.has(picture.id));
    this.pictures.push(...fresh);
    this.element.append(...fresh.map((picture) => this.#addTile(picture)));
    if (!this.element.querySelector("[tabindex='0'].tile-open")) this.#rove(this.pictures[0]?.id);
  }

  /**
   * Add pictures at the front.
   * @param {Picture[]} pictures
   */
  prepend(pictures) {
    const fresh = pictures.filter((picture) => !this.#tiles.has(picture.id));
    this.pictures.unshift(...fresh);
    this.element.prepend(...fresh.map((picture) => this.#addTile(picture)));
    if (fresh.length) this.#rove(this.pictures[0].id);
  }

  /**
   * Show what changed about these pictures: favourite or not, gone or not.
   * @param {string[]} ids
   */
  refresh(ids) {
    for (const id of ids) {
      const picture = this.pictures.find((each) => each.id === id);
      const tile = this.#tiles.get(id);
      if (!picture || !tile) continue;
      const star = tile.querySelector(".tile-star");
      if (star && !picture.is_gone) showStar(star, picture.is_favorite);
      else this.#swap(picture, tile);
    }
  }

  /** @param {Picture} picture @param {HTMLElement} tile */
  #swap(picture, tile) {
    const hadFocus = tile.contains(document.activeElement);
    const isRoving = find(tile, ".tile-open")?.tabIndex === 0;
    const fresh = this.#addTile(picture);
    tile.replaceWith(fresh);
    if (isRoving) this.#rove(picture.id);
    if (hadFocus) this.focus(picture.id);
  }

  /**
   * Take pictures out; focus goes to a neighbour.
   * @param {string[]} ids
   */
  remove(ids) {
    const gone = new Set(ids);
    const held = this.pictures.findIndex((picture) => this.#tiles.get(picture.id)?.contains(document.activeElement));
    for (const id of gone) this.#tiles.get(id)?.remove();
    gone.forEach((id) => this.#tiles.delete(id));
    const isHeldGone = held >= 0 && gone.has(this.pictures[held].id);
    const left = this.pictures.filter((picture) => !gone.has(picture.id));
    this.pictures.splice(0, this.pictures.length, ...left); // in place: the lightbox shows the same list
    this.selection.drop(ids);
    const next = this.pictures[Math.min(Math.max(held, 0), this.pictures.length - 1)];
    if (next) this.#rove(next.id);
    if (next && isHeldGone) this.focus(next.id);
  }

  /** Empty the wall. */
  reset() {
    this.pictures = [];
    this.#tiles.clear();
    this.element.replaceChildren();
    this.selection.clear();
  }

  /**
   * Bring a picture into sight, without moving the keyboard.
   * @param {string} id
   */
  reveal(id) {
    this.#rove(id);
    this.#tiles.get(id)?.scrollIntoView({ block: "nearest" });
  }

  /**
   * Move the keyboard to a picture.
   * @param {string} id
   */
  focus(id) {
    this.#rove(id);
    const tile = this.#tiles.get(id);
    if (tile) find(tile, ".tile-open")?.focus();
  }

  /** @param {Picture} picture */
  #addTile(picture) {
    const tile = this.#tile(picture);
    this.#tiles.set(picture.id, tile);
    return tile;
  }

  /** @param {Picture} picture */
  #tile(picture) {
    const aspect = aspectOf(picture);
    const tile = h("li", { class: picture.is_gone ? "tile is-gone" : "tile", dataset: { id: picture.id } });
    tile.style.setProperty("--aspect", aspect.toFixed(4));
    tile.append(...(picture.is_gone ? this.#placeholder(picture) : this.#shown(picture)));
    return tile;
  }

  /** @param {Picture} picture */
  #shown(picture) {
    const { width, height } = picture;
    const photo = h("img", { width, height, alt: "", loading: "lazy", decoding: "async", draggable: "false" });
    photo.addEventListener("load", () => photo.classList.add("is-loaded"), { once: true });
    photo.addEventListener("error", () => photo.closest(".tile")?.classList.add("is-broken"), { once: true });
    photo.src = thumbnail(picture, 512);
    const words = altOf(picture);
    const open = h(
      "button",
      {
        type: "button",
        class: isVideo(picture) ? "tile-open is-video" : "tile-open",
        tabindex: "-1",
        "aria-label": _("Open: {words}", { words }),
      },
      photo,
    );
    const caption = h("span", { class: "tile-words", "aria-hidden": "true" }, picture.prompt || _("No prompt"));
    this.#listen(open, picture);
    return [open, caption, this.#check(picture, words), this.#star(picture, words)];
  }

  /**
   * @param {Picture} picture
   * @param {string} words
   */
  #check(picture, words) {
    const box = h("input", { type: "checkbox", tabindex: "-1", "aria-label": _("Select: {words}", { words }) });
    box.checked = this.selection.has(picture.id);
    box.addEventListener("click", (event) => {
      if (event.shiftKey) this.selection.extend(picture.id);
      else this.selection.toggle(picture.id, box.checked);
    });
    return h("label", { class: "tile-check" }, box);
  }

  /**
   * @param {Picture} picture
   * @param {string} words
   */
  #star(picture, words) {
    const star = h(
      "button",
      {
        type: "button",
        class: "tile-star",
        tabindex: "-1",
        title: _("Favourite (F)"),
        "aria-label": _("Favourite: {words}", { words }),
        on: { click: () => this.options.onFavorite(picture) },
      },
      icon("heart"),
    );
    showStar(star, picture.is_favorite);
    return star;
  }

  /** @param {Picture} picture */
  #placeholder(picture) {
    const words = picture.prompt || _("a picture without a prompt");
    return [
      h("p", { class: "tile-lost" }, h("span", { class: "tile-lost-head" }, _("Expired")), h("span", {}, words)),
      h(
        "button",
        {
          type: "button",
          class: "btn btn-small tile-open",
          tabindex: "-1",
          "aria-label": _("Run it again: {words}", { words }),
          on: { click: () => this.options.onAgain(picture) },
        },
        _("Run it again"),
      ),
    ];
  }

  /** @param {HTMLElement} open @param {Picture} picture */
  #listen(open, picture) {
    let timer = 0;
    /** @type {PointerEvent | null} */
    let start = null;
    const stop = () => clearTimeout(timer);
    open.addEventListener("pointerdown", (event) => {
      this.#swallow = false;
      if (event.pointerType === "mouse") return;
      start = event;
      timer = setTimeout(() => {
        this.#swallow = true; // the click that follows lifting the finger
        this.selection.toggle(picture.id);
        navigator.vibrate?.(12);
      }, LONG_PRESS_MS);
    });
    open.addEventListener("pointermove", (event) => {
      if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > SLOP_PX) stop();
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) open.addEventListener(name, stop);
    open.addEventListener("contextmenu", (event) => this.#swallow && event.preventDefault());
    open.addEventListener("click", (event) => this.#click(event, picture));
  }

  /** @param {MouseEvent} event @param {Picture} picture */
  #click(event, picture) {
    if (this.#swallow) {
      this.#swallow = false;
      return;
    }
    this.#rove(picture.id);
    if (event.shiftKey && event.detail) this.selection.extend(picture.id);
    else if (event.ctrlKey || event.metaKey || this.selection.size) this.selection.toggle(picture.id);
    else this.options.onOpen(this.pictures.indexOf(picture));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const tile = hit(event, ".tile");
    const picture = this.pictures.find(({ id }) => id === tile?.dataset.id);
    if (!picture || event.altKey) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key !== "a") return;
      this.selection.all();
    } else if (key === "x" && !picture.is_gone) this.selection.toggle(picture.id);
    else if (key === "f" && !picture.is_gone) this.options.onFavorite(picture);
    else if (!this.#arrow(event, picture)) return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event @param {Picture} picture */
  #arrow(event, picture) {
    const at = this.pictures.indexOf(picture);
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: this.pictures.length - 1 };
    const vertical = Number(event.key === "ArrowDown") - Number(event.key === "ArrowUp");
    const next = vertical ? this.#beside(picture, vertical) : this.pictures[steps[event.key]];
    if (!vertical && !(event.key in steps)) return false;
    if (!next) return true;
    if (event.shiftKey) {
      if (!this.selection.size) this.selection.toggle(picture.id, true);
      this.selection.extend(next.id);
    }
    this.focus(next.id);
    return true;
  }

  /**
   * The picture above (-1) or below (1) that lies nearest.
   * @param {Picture} picture
   * @param {number} step
   */
  #beside(picture, step) {
    const box = this.#boxOf(picture);
    const middle = box.left + box.width / 2;
    const at = this.pictures.indexOf(picture);
    /** @type {{ off: number, picture: Picture } | null} */
    let best = null;
    /** @type {number | null} */
    let rowTop = null;
    for (let i = at + step; i >= 0 && i < this.pictures.length; i += step) {
      const other = this.#boxOf(this.pictures[i]);
      if (Math.abs(other.top - box.top) < 2) continue;
      rowTop ??= other.top;
      if (Math.abs(other.top - rowTop) > 2) break;
      const off = Math.abs(other.left + other.width / 2 - middle);
      if (!best || off < best.off) best = { off, picture: this.pictures[i] };
    }
    return best?.picture;
  }

  /** @param {Picture} picture */
  #boxOf(picture) {
    return this.#tiles.get(picture.id)?.getBoundingClientRect() ?? new DOMRect();
  }

  /** @param {string} id */
  #rove(id) {
    const tile = this.#tiles.get(id);
    const next = tile && find(tile, ".tile-open");
    if (!next) return;
    for (const open of findAll(this.element, ".tile-open[tabindex='0']")) open.tabIndex = -1;
    next.tabIndex = 0;
  }

  #showSelection() {
    this.element.classList.toggle("is-picking", this.selection.size > 0);
    for (const [id, tile] of this.#tiles) {
      const isOn = this.selection.has(id);
      tile.classList.toggle("is-picked", isOn);
      const box = tile.querySelector(".tile-check input");
      if (box instanceof HTMLInputElement) box.checked = isOn;
    }
  }
}

/** @param {Element} star @param {boolean} isOn */
function showStar(star, isOn) {
  star.setAttribute("aria-pressed", String(Boolean(isOn)));
  star.querySelector("svg")?.classList.toggle("filled", Boolean(isOn));
}
