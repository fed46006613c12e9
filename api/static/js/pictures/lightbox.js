/**
 * One picture over everything: zoom, pan, swipe, keys, all that is known about it, and what can be done with it.
 */

import { getPref, setPref } from "../shell/prefs.js";
import { compare } from "../ui/compare.js";
import { announce, button, fill, find, h, hit, icon, useCss } from "../ui/dom.js";
import { _ } from "../ui/text.js";
import { toastError } from "../ui/toast.js";
import { Zoom } from "../ui/zoom.js";
import { actionBar } from "./action-bar.js";
import { actionsOf, runAgain } from "./actions.js";
import { hasInput, inputOf } from "./before.js";
import { onChange, setFavorite } from "./changes.js";
import { altOf, thumbnail } from "./picture.js";
import { sheet } from "./sheet.js";
import { isVideo, player } from "./video.js";

const ZOOM_STEP = 1.4;
const PAN_PX = 80;
const SHEET = "lightbox-sheet";
const BESIDE = "(min-width: 900px)"; // room for the sheet next to the picture
const IN_SIGHT = ["reroll", "vary", "upscale", "remix", "download"];
const NEAR_END = 6; // how many pictures before the last one more are asked for

/** @type {Lightbox | null} */
let current = null;

/**
 * Show pictures one at a time.
 * @param {Picture[]} pictures the list may grow while it is open
 * @param {number} [index] the first one to show
 * @param {LightboxOptions} [options]
 * @returns {Promise<void>} when it is closed
 */
export function openLightbox(pictures, index = 0, options = {}) {
  useCss("lightbox");
  current?.close();
  current = new Lightbox(pictures, index, options);
  return current.closed;
}

class Lightbox {
  /** @type {HTMLVideoElement | null} */
  video = null;
  /** @type {HTMLElement | null} */
  comparison = null;
  hasSheet = false;
  shownId = "";
  photo = h("img", { class: "lb-photo", alt: "", draggable: "false" });
  lost = h("div", { class: "lb-lost", hidden: true });
  back = this.#button("chevron-left", _("Previous picture (left arrow)"), () => this.move(-1), "lb-turn lb-back");
  on = this.#button("chevron-right", _("Next picture (right arrow)"), () => this.move(1), "lb-turn lb-on");
  frame = h("div", { class: "lb-frame" }, this.photo);
  stage = h("div", { class: "lb-stage", tabindex: "-1" }, this.frame, this.lost, this.back, this.on);
  zoom = new Zoom(this.stage, () => this.frame, {
    onSwipe: (step) => this.move(step),
    onScale: (scale) => this.#showScale(scale),
  });
  side = h("aside", { class: "lb-side", "aria-label": _("About this picture") });
  foot = h("div", { class: "lb-foot" });
  counter = h("p", { class: "lb-count num" });
  scale = h("span", { class: "lb-scale num" }, _("Fit"));
  heart = this.#button("heart", _("Favourite (F)"), () => this.#toggleFavorite());
  info = this.#button("info", _("About this picture (I)"), () => this.#showSheet(!this.hasSheet));
  before = this.#button("compare", _("Compare with the picture it was made from (C)"), () => this.#toggleCompare());
  dialog = h(
    "dialog",
    { class: "lightbox", "aria-label": _("Picture"), on: { keydown: (event) => this.#key(event) } },
    this.#head(),
    this.stage,
    this.foot,
    this.side,
  );

  /**
   * @param {Picture[]} pictures
   * @param {number} index
   * @param {LightboxOptions} options
   */
  constructor(pictures, index, options) {
    this.list = pictures;
    this.index = Math.max(0, index);
    this.options = options;
    this.opener = document.activeElement;
    this.#showSheet(getPref(SHEET, false) && matchMedia(BESIDE).matches);
    /** @type {Promise<void>} */
    this.closed = new Promise((resolve) => this.dialog.addEventListener("close", () => resolve(this.#closed())));
    this.offs = [
      onChange("favorite", () => this.#showFavorite()),
      onChange("removed", ({ ids }) => this.#removed(ids)),
    ];
    this.leave = () => this.close();
    window.addEventListener("hashchange", this.leave);
    document.body.append(this.dialog);
    this.notices = [...document.querySelectorAll("#toasts, #live")];
    this.dialog.append(...this.notices); // a modal dialog hides what lies outside it, from screen readers too
    this.dialog.showModal();
    this.stage.focus();
    this.#show();
  }

  /** The picture that is shown. */
  get picture() {
    return this.#at(this.index);
  }

  close() {
    this.dialog.close();
  }

  /** @param {number} index @returns {Picture | undefined} */
  #at(index) {
    return this.list[index];
  }

  #total() {
    return Math.max(this.list.length, this.options.total?.() ?? 0);
  }

  #head() {
    const close = this.#button("close", _("Close (Esc)"), () => this.close());
    return h(
      "div",
      { class: "lb-head" },
      this.counter,
      h(
        "div",
        { class: "lb-zoom", role: "group", "aria-label": _("Zoom") },
        this.#button("minus", _("Zoom out (-)"), () => this.zoom.by(1 / ZOOM_STEP)),
        this.scale,
        this.#button("plus", _("Zoom in (+)"), () => this.zoom.by(ZOOM_STEP)),
      ),
      this.before,
      this.heart,
      this.info,
      close,
    );
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {() => unknown} act
   */
  #button(name, label, act, more = "") {
    const props = { type: "button", class: `btn btn-ghost btn-icon ${more}`.trim(), "aria-label": label, title: label };
    return h("button", { ...props, on: { click: act } }, icon(name));
  }

  /**
   * Show the picture `step` further on.
   * @param {number} step
   */
  move(step) {
    const next = this.index + step;
    if (next < 0 || next >= this.list.length) return;
    this.index = next;
    this.options.onMove?.(next);
    this.#show();
  }

  #show() {
    const picture = this.picture;
    if (!picture) return this.close();
    this.shownId = picture.id;
    this.#endCompare();
    this.zoom.reset();
    this.back.hidden = this.index === 0;
    this.on.hidden = this.index >= this.list.length - 1;
    this.counter.textContent =
      this.list.length > 1 ? _("{place} of {total}", { place: this.index + 1, total: this.#total() }) : "";
    this.video?.remove();
    this.video = null;
    this.photo.hidden = Boolean(picture.is_gone) || isVideo(picture);
    this.lost.hidden = !picture.is_gone;
    if (picture.is_gone)
      fill(
        this.lost,
        h("span", {}, _("This picture has expired.")),
        button(_("Run it again"), () => runAgain(picture), { icon: "refresh" }),
      );
    if (!picture.is_gone) this.#load(picture);
    this.before.hidden = picture.is_gone || isVideo(picture) || !hasInput(picture);
    this.#showFavorite();
    this.foot.replaceChildren(actionBar(picture, { inSight: IN_SIGHT }));
    if (this.hasSheet) this.side.replaceChildren(sheet(picture));
    // the focus was on a button that went: keys would be lost
    if (!this.dialog.contains(document.activeElement)) this.stage.focus();
    announce(
      _("Picture {place} of {total}: {words}", { place: this.index + 1, total: this.#total(), words: altOf(picture) }),
    );
    if (this.index >= this.list.length - NEAR_END) this.options.onNearEnd?.();
    for (const beside of [this.#at(this.index + 1), this.#at(this.index - 1)]) {
      if (beside && !beside.is_gone && !isVideo(beside)) new Image().src = beside.url;
    }
  }

  /**
   * The thumbnail is there at once; the whole picture takes its place.
   * @param {Picture} picture
   */
  #load(picture) {
    if (isVideo(picture)) return this.#play(picture);
    Object.assign(this.photo, { width: picture.width || 1, height: picture.height || 1, alt: altOf(picture) });
    this.photo.src = thumbnail(picture, 512);
    const whole = new Image();
    whole.src = picture.url;
    whole.decode().then(
      () => {
        if (this.picture?.id === picture.id) this.photo.src = picture.url;
      },
      () => this.picture?.id === picture.id && this.#broken(picture),
    );
  }

  /** @param {Picture} picture */
  #play(picture) {
    this.video = player(picture, thumbnail(picture, 1024), { class: "lb-photo", "aria-label": altOf(picture) });
    this.video.addEventListener("error", () => this.picture?.id === picture.id && this.#broken(picture), {
      once: true,
    });
    this.frame.append(this.video);
  }

  /** @param {Picture} picture */
  #broken(picture) {
    this.lost.hidden = false;
    fill(
      this.lost,
      h("span", {}, _("This picture could not be loaded. It may have expired.")),
      button(_("Run it again"), () => runAgain(picture), { icon: "refresh" }),
    );
    this.photo.hidden = true;
    this.video?.remove();
    this.options.onChange?.(picture);
  }

  #showFavorite() {
    const isOn = Boolean(this.picture?.is_favorite);
    this.heart.setAttribute("aria-pressed", String(isOn));
    this.heart.querySelector("svg")?.classList.toggle("filled", isOn);
  }

  #toggleFavorite() {
    if (this.picture) setFavorite(this.picture);
  }

  /** @param {number} scale */
  #showScale(scale) {
    this.scale.textContent = scale === 1 ? _("Fit") : `${Math.round(scale * 100)} %`;
  }

  /** @param {boolean} isOn */
  #showSheet(isOn) {
    this.hasSheet = isOn;
    this.dialog.classList.toggle("has-sheet", isOn);
    this.side.hidden = !isOn;
    this.info.setAttribute("aria-pressed", String(isOn));
    this.side.replaceChildren(...(isOn && this.picture ? [sheet(this.picture)] : []));
    if (matchMedia(BESIDE).matches) setPref(SHEET, isOn);
    this.zoom.reset();
  }

  async #toggleCompare() {
    if (this.comparison) return this.#endCompare();
    const picture = this.picture;
    const input = picture && (await inputOf(picture).catch(toastError));
    if (!input || this.picture?.id !== picture.id) return;
    this.zoom.reset();
    this.comparison = compare(input, picture);
    this.comparison.style.setProperty("--shape", String(picture.width / picture.height));
    this.stage.classList.add("is-comparing");
    this.before.setAttribute("aria-pressed", "true");
    this.frame.append(this.comparison);
  }

  #endCompare() {
    this.comparison?.remove();
    this.comparison = null;
    this.stage.classList.remove("is-comparing");
    this.before.setAttribute("aria-pressed", "false");
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || hit(event, "input, textarea, video, [role=menu]")) return;
    /** @type {Record<string, [number, number]>} */
    const pan = { ArrowLeft: [PAN_PX, 0], ArrowRight: [-PAN_PX, 0], ArrowUp: [0, PAN_PX], ArrowDown: [0, -PAN_PX] };
    /** @type {Record<string, () => unknown>} */
    const keys = {
      ArrowLeft: () => this.move(-1),
      ArrowRight: () => this.move(1),
      Home: () => this.move(-this.index),
      End: () => this.move(this.list.length - 1 - this.index),
      "+": () => this.zoom.by(ZOOM_STEP),
      "=": () => this.zoom.by(ZOOM_STEP),
      "-": () => this.zoom.by(1 / ZOOM_STEP),
      0: () => this.zoom.reset(),
      f: () => this.#toggleFavorite(),
      i: () => this.#showSheet(!this.hasSheet),
      c: () => !this.before.hidden && this.#toggleCompare(),
      d: () => this.#act("download"),
      Delete: () => this.#act("delete"),
    };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const by = this.zoom.scale > 1 && pan[event.key];
    const act = by ? () => this.zoom.pan(...by) : keys[key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** @param {string} id */
  #act(id) {
    const anchor = find(this.foot, ".act-more");
    if (!anchor || !this.picture) return;
    actionsOf(this.picture)
      .find((action) => action.id === id)
      ?.run(anchor);
  }

  /** @param {string[]} ids */
  #removed(ids) {
    const shown = this.shownId;
    const left = this.list.filter(({ id }) => !ids.includes(id));
    if (left.length < this.list.length) this.list = left; // else its owner has taken them out already
    const at = this.list.findIndex(({ id }) => id === shown);
    this.index = at < 0 ? Math.min(this.index, this.list.length - 1) : at;
    if (this.list.length) this.#show();
    else this.close();
  }

  #closed() {
    this.video?.pause();
    this.offs.forEach((off) => off());
    window.removeEventListener("hashchange", this.leave);
    document.body.append(...this.notices);
    this.dialog.remove();
    if (current === this) current = null;
    if (this.opener instanceof HTMLElement && this.opener.isConnected) this.opener.focus();
  }
}
