/**
 * One picture over everything: zoom, pan, swipe, keys, all that is known about it, and what can be done with it.
 */

import { announce, button, fill, h, icon, useCss } from "../dom.js";
import { actionBar, actionsOf, runAgain } from "../gallery/actions.js";
import { hasInput, inputOf } from "../gallery/before.js";
import { onChange, setFavorite } from "../gallery/changes.js";
import { altOf, pictureOf, thumbnail } from "../gallery/picture.js";
import { sheet } from "../gallery/sheet.js";
import { Zoom } from "../gallery/zoom.js";
import { getPref, setPref } from "../prefs.js";
import { compare } from "./compare.js";
import { toastError } from "./toast.js";
import { isVideo, player } from "./video.js";

const ZOOM_STEP = 1.4;
const PAN_PX = 80;
const SHEET = "lightbox-sheet";
const BESIDE = "(min-width: 900px)"; // room for the sheet next to the picture
const IN_SIGHT = ["reroll", "vary", "upscale", "remix", "download"];
const NEAR_END = 6; // how many pictures before the last one more are asked for

let current = null;

/**
 * Show pictures one at a time.
 * @param {object[]} pictures Pictures, Images that carry their `job`, or {image, job}; the list may grow while it is
 *   open
 * @param {number} [index] the first one to show
 * @param {{onChange?: (picture: object) => void, onMove?: (index: number) => void, onNearEnd?: () => void,
 *   total?: () => number}} [options]
 *   `onChange` hears of a picture that turned out to be gone, `onMove` which one is shown, `onNearEnd` asks for more
 *   pictures in the same list,
 *   `total` counts those that are still to come too
 * @returns {Promise<void>} when it is closed
 */
export function openLightbox(pictures, index = 0, options = {}) {
  useCss("lightbox");
  current?.close();
  current = new Lightbox(pictures, index, options);
  return current.closed;
}

class Lightbox {
  constructor(pictures, index, options) {
    this.list = pictures;
    this.index = Math.max(0, index);
    this.options = options;
    this.opener = document.activeElement;
    this.#build();
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

  #at(index) {
    const entry = this.list[index];
    if (!entry) return null;
    return entry.image ? pictureOf(entry.image, entry.job) : pictureOf(entry);
  }

  #total() {
    return Math.max(this.list.length, this.options.total?.() ?? 0);
  }

  #build() {
    this.photo = h("img", { class: "lb-photo", alt: "", draggable: "false" });
    this.lost = h("div", { class: "lb-lost", hidden: true });
    this.back = this.#button("chevron-left", "Previous picture (left arrow)", () => this.move(-1), "lb-turn lb-back");
    this.on = this.#button("chevron-right", "Next picture (right arrow)", () => this.move(1), "lb-turn lb-on");
    this.frame = h("div", { class: "lb-frame" }, this.photo);
    this.stage = h("div", { class: "lb-stage", tabindex: "-1" }, this.frame, this.lost, this.back, this.on);
    this.zoom = new Zoom(this.stage, () => this.frame, {
      onSwipe: (step) => this.move(step),
      onScale: (scale) => this.#showScale(scale),
    });
    this.side = h("aside", { class: "lb-side", "aria-label": "About this picture" });
    this.foot = h("div", { class: "lb-foot" });
    this.dialog = h(
      "dialog",
      { class: "lightbox", "aria-label": "Picture", on: { keydown: (event) => this.#key(event) } },
      this.#head(),
      this.stage,
      this.foot,
      this.side,
    );
    this.#showSheet(getPref(SHEET, false) && matchMedia(BESIDE).matches);
  }

  #head() {
    this.counter = h("p", { class: "lb-count num" });
    this.scale = h("span", { class: "lb-scale num" }, "Fit");
    this.heart = this.#button("heart", "Favourite (F)", () => setFavorite(this.picture));
    this.info = this.#button("info", "About this picture (I)", () => this.#showSheet(!this.hasSheet));
    this.before = this.#button("compare", "Compare with the picture it was made from (C)", () => this.#toggleCompare());
    const close = this.#button("close", "Close (Esc)", () => this.close());
    return h(
      "div",
      { class: "lb-head" },
      this.counter,
      h(
        "div",
        { class: "lb-zoom", role: "group", "aria-label": "Zoom" },
        this.#button("minus", "Zoom out (-)", () => this.zoom.by(1 / ZOOM_STEP)),
        this.scale,
        this.#button("plus", "Zoom in (+)", () => this.zoom.by(ZOOM_STEP)),
      ),
      this.before,
      this.heart,
      this.info,
      close,
    );
  }

  #button(name, label, act, more = "") {
    const props = { type: "button", class: `btn btn-ghost btn-icon ${more}`.trim(), "aria-label": label, title: label };
    return h("button", { ...props, on: { click: act } }, icon(name));
  }

  /** Show the picture `step` further on. */
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
    this.counter.textContent = this.list.length > 1 ? `${this.index + 1} of ${this.#total()}` : "";
    this.video?.remove();
    this.video = null;
    this.photo.hidden = Boolean(picture.is_gone) || isVideo(picture);
    this.lost.hidden = !picture.is_gone;
    if (picture.is_gone)
      fill(
        this.lost,
        h("span", {}, "This picture has expired."),
        button("Run it again", () => runAgain(picture), { icon: "refresh" }),
      );
    if (!picture.is_gone) this.#load(picture);
    this.before.hidden = picture.is_gone || isVideo(picture) || !hasInput(picture);
    this.#showFavorite();
    this.foot.replaceChildren(actionBar(picture, { inSight: IN_SIGHT }));
    if (this.hasSheet) this.side.replaceChildren(sheet(picture));
    // the focus was on a button that went: keys would be lost
    if (!this.dialog.contains(document.activeElement)) this.stage.focus();
    announce(`Picture ${this.index + 1} of ${this.#total()}: ${altOf(picture)}`);
    if (this.index >= this.list.length - NEAR_END) this.options.onNearEnd?.();
    for (const beside of [this.#at(this.index + 1), this.#at(this.index - 1)]) {
      if (beside && !beside.is_gone && !isVideo(beside)) new Image().src = beside.url;
    }
  }

  /** The thumbnail is there at once; the whole picture takes its place. */
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

  #play(picture) {
    this.video = player(picture, thumbnail(picture, 1024), { class: "lb-photo", "aria-label": altOf(picture) });
    this.video.addEventListener("error", () => this.picture?.id === picture.id && this.#broken(picture), {
      once: true,
    });
    this.frame.append(this.video);
  }

  #broken(picture) {
    this.lost.hidden = false;
    fill(
      this.lost,
      h("span", {}, "This picture could not be loaded. It may have expired."),
      button("Run it again", () => runAgain(picture), { icon: "refresh" }),
    );
    this.photo.hidden = true;
    this.video?.remove();
    this.options.onChange?.(picture);
  }

  #showFavorite() {
    const isOn = Boolean(this.picture?.is_favorite);
    this.heart.setAttribute("aria-pressed", String(isOn));
    this.heart.querySelector("svg").classList.toggle("filled", isOn);
  }

  #showScale(scale) {
    this.scale.textContent = scale === 1 ? "Fit" : `${Math.round(scale * 100)} %`;
  }

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
    const input = await inputOf(picture).catch(toastError);
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

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, video, [role=menu]"))
      return;
    const isWide = this.zoom.scale > 1;
    const pan = { ArrowLeft: [PAN_PX, 0], ArrowRight: [-PAN_PX, 0], ArrowUp: [0, PAN_PX], ArrowDown: [0, -PAN_PX] };
    const keys = {
      ArrowLeft: () => this.move(-1),
      ArrowRight: () => this.move(1),
      Home: () => this.move(-this.index),
      End: () => this.move(this.list.length - 1 - this.index),
      "+": () => this.zoom.by(ZOOM_STEP),
      "=": () => this.zoom.by(ZOOM_STEP),
      "-": () => this.zoom.by(1 / ZOOM_STEP),
      0: () => this.zoom.reset(),
      f: () => setFavorite(this.picture),
      i: () => this.#showSheet(!this.hasSheet),
      c: () => !this.before.hidden && this.#toggleCompare(),
      d: () => this.#act("download"),
      Delete: () => this.#act("delete"),
    };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = isWide && pan[event.key] ? () => this.zoom.pan(...pan[event.key]) : keys[key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #act(id) {
    const anchor = this.foot.querySelector(".act-more");
    actionsOf(this.picture)
      .find((action) => action.id === id)
      ?.run(anchor);
  }

  #removed(ids) {
    const shown = this.shownId;
    const left = this.list.filter((_, i) => !ids.includes(this.#at(i).id));
    if (left.length < this.list.length) this.list = left; // else its owner has taken them out already
    const at = this.list.findIndex((_, i) => this.#at(i).id === shown);
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
    if (this.opener?.isConnected) this.opener.focus();
  }
}
