/**
 * One job as a message of the feed: who asked for what, how it comes along, then the pictures and what can be done.
 */

import { actionBar } from "../../pictures/action-bar.js";
import { runAgain } from "../../pictures/actions.js";
import { again } from "../../pictures/again.js";
import { cancelJob, moveUp, retryButton } from "../../pictures/job-actions.js";
import { everySecond, stamp, statusText } from "../../pictures/job-text.js";
import { pictureOf, thumbnail } from "../../pictures/picture.js";
import { isVideo } from "../../pictures/video.js";
import { isActive } from "../../shell/events.js";
import { button, fill, find, h, icon } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { timeAgo } from "../../ui/words.js";

const ALONE = ["reroll", "vary", "upscale", "remix", "favourite"];
const AMONG_OTHERS = ["vary", "upscale", "favourite"];
const ON_A_PHONE = ["upscale", "favourite"];
const PHONE = "(max-width: 599px)";
/** @type {Record<string, string>} */
const DOORS = { discord: _("Discord"), cli: _("command line"), bus: _("message bus") };

/** A message that follows its job; `update` it with each newer state. */
export class Message {
  /**
   * @param {Api.Job} job
   * @param {{onOpen: (picture: Picture) => void, onReply: (picture: Picture) => void}} options
   */
  constructor(job, options) {
    this.options = options;
    this.job = stamp(job);
    this.time = h("time", {});
    this.bar = h("div", {});
    this.preview = h("img", { alt: "", hidden: true });
    this.body = h("div", { class: "msg-body" });
    this.status = h("p", { class: "msg-status num" });
    this.element = h("article", { class: "msg", dataset: { id: job.id } }, avatar(job.user_name), this.body);
    this.stop = everySecond(() => this.#tick());
    this.#draw();
  }

  /**
   * Take in a newer state; while it only comes along, nothing is rebuilt.
   * @param {Api.Job} job
   */
  update(job) {
    const isSame = isActive(job) && this.job.status === job.status && this.job.can_move_up === job.can_move_up;
    this.job = stamp(job);
    if (isSame) this.#progress();
    else this.#draw();
  }

  #draw() {
    const { job } = this;
    const active = document.activeElement;
    const held = active && this.element.contains(active) ? active.getAttribute("aria-label") : null;
    this.element.dataset.status = job.status;
    fill(this.body, this.#head(), this.#words(), isActive(job) ? this.#waiting() : this.#ended());
    if (isActive(job)) this.#progress();
    if (!held) return;
    const next = find(this.body, `[aria-label="${CSS.escape(held)}"]`) ?? find(this.body, "button");
    next?.focus({ preventScroll: true });
  }

  /**
   * A favourite came or went.
   * @param {string[]} ids
   * @param {boolean} isOn
   */
  favorite(ids, isOn) {
    const mine = this.job.images.filter(({ id }) => ids.includes(id));
    for (const image of mine) {
      image.is_favorite = isOn;
      pictureOf(image, this.job).is_favorite = isOn;
    }
    if (mine.length) this.#draw();
  }

  /**
   * Pictures were deleted.
   * @param {string[]} ids
   */
  without(ids) {
    const left = this.job.images.filter(({ id }) => !ids.includes(id));
    if (left.length === this.job.images.length) return;
    this.job = { ...this.job, images: left };
    this.#draw();
  }

  #tick() {
    write(this.time, timeAgo(this.job.created_at));
    if (isActive(this.job)) write(this.status, statusText(this.job));
  }

  #head() {
    const { job } = this;
    const at = new Date(job.created_at);
    this.time = h(
      "time",
      { class: "faint small", datetime: job.created_at, title: at.toLocaleString() },
      timeAgo(job.created_at),
    );
    return h(
      "header",
      { class: "msg-head" },
      h("strong", {}, job.user_name || _("Somebody")),
      this.time,
      DOORS[job.door] && h("span", { class: "faint small" }, _("from {door}", { door: DOORS[job.door] })),
      job.is_private && h("span", { class: "badge" }, icon("lock"), _("Only you")),
    );
  }

  #words() {
    const { job } = this;
    const larger = _("Upscale {factor}x", { factor: job.request.upscale_factor ?? 2 });
    /** @type {Record<string, string>} */
    const words = { upscale: larger, restyle: _("Restyle") };
    const asked = words[job.mode] ?? "";
    return h(
      "p",
      { class: "msg-words" },
      asked && h("span", { class: "badge" }, asked),
      asked && " ",
      job.prompt || (asked ? "" : _("No prompt")),
    );
  }

  #waiting() {
    const { job } = this;
    const count = Math.min(4, Math.max(1, job.request.batch_size || 1));
    const aspect = (job.request.width || 1) / (job.request.height || 1);
    this.bar = h(
      "div",
      { class: "bar", role: "progressbar", "aria-label": _("Progress"), "aria-valuemin": "0", "aria-valuemax": "100" },
      h("i"),
    );
    this.preview = h("img", { alt: "", hidden: true, on: { load: () => (this.preview.hidden = false) } });
    const frames = Array.from({ length: count }, (_item, i) =>
      h("div", { class: "shot is-waiting", style: { "--aspect": aspect.toFixed(4) } }, i === 0 && this.preview),
    );
    const tools =
      job.is_mine &&
      h(
        "div",
        { class: "acts" },
        button(_("Cancel"), () => cancelJob(this.job), { icon: "close", class: "btn-small btn-ghost" }),
        job.can_move_up &&
          button(_("Move up"), () => moveUp(this.job), { icon: "arrow-up", class: "btn-small btn-ghost" }),
      );
    return [
      h("div", { class: shotsClass(count) }, frames),
      h("div", { class: "msg-line" }, this.status, this.bar),
      tools,
    ];
  }

  #progress() {
    const { progress } = this.job;
    this.status.textContent = statusText(this.job);
    if (progress?.preview) this.preview.src = progress.preview;
    const part = progress?.fraction;
    this.bar.hidden = this.job.status === "queued";
    this.bar.classList.toggle("unsure", this.job.status === "running" && !part);
    this.bar.style.setProperty("--part", String(part ?? 0));
    if (part) this.bar.setAttribute("aria-valuenow", String(Math.round(part * 100)));
  }

  #ended() {
    const { job } = this;
    const notes =
      job.notes.length > 0 &&
      h(
        "ul",
        { class: "msg-notes" },
        job.notes.map((note) => h("li", {}, note)),
      );
    if (job.status === "done" && job.images.length) return [this.#pictures(), notes];
    return [
      this.#outcome(),
      notes,
      job.is_mine && h("div", { class: "acts" }, retryButton(job, _("Try again"), "btn-small")),
    ];
  }

  #outcome() {
    const { job } = this;
    if (job.status === "failed") {
      return h(
        "div",
        { class: "notice notice-bad" },
        icon("warning"),
        h("div", {}, h("p", {}, statusText(job)), job.error?.hint && h("p", { class: "muted" }, job.error.hint)),
      );
    }
    return h("p", { class: "muted" }, job.status === "done" ? _("The pictures were deleted.") : statusText(job));
  }

  #pictures() {
    const { job } = this;
    const pictures = job.images.map((image) => pictureOf(image, job));
    const isAlone = pictures.length === 1;
    const shots = pictures.map((picture, i) => this.#shot(picture, isAlone ? 0 : i + 1));
    /** @param {Picture} picture */
    const reply = (picture) =>
      button(h("span", {}, _("Reply")), () => this.options.onReply(picture), {
        icon: "feed",
        class: "btn-small btn-ghost act",
        "aria-label": _("Reply with this picture"),
      });
    const foot = isAlone
      ? bar(pictures[0], ALONE, reply(pictures[0]))
      : h(
          "div",
          { class: "acts" },
          button(_("Re-roll all"), () => again(job.id, {}, _("Re-rolled: the same with a new seed.")), {
            icon: "dice",
            class: "btn-small btn-ghost act",
          }),
        );
    return [h("div", { class: shotsClass(pictures.length) }, shots), foot];
  }

  /**
   * @param {Picture} picture
   * @param {number} number
   */
  #shot(picture, number) {
    const frame = h("div", {
      class: "shot",
      style: { "--aspect": ((picture.width || 1) / (picture.height || 1)).toFixed(4) },
    });
    if (picture.is_gone) return placeholder(frame, picture);
    const { width, height } = picture;
    const photo = h("img", {
      width,
      height,
      alt: "",
      loading: "lazy",
      decoding: "async",
      draggable: "false",
      src: thumbnail(picture, number ? 512 : 1024),
    });
    photo.addEventListener("error", () => placeholder(frame, picture), { once: true });
    const words = picture.alt || picture.prompt;
    const label = number ? _("Open picture {number}: {words}", { number, words }) : _("Open: {words}", { words });
    fill(
      frame,
      h(
        "button",
        {
          type: "button",
          class: isVideo(picture) ? "shot-open is-video" : "shot-open",
          "aria-label": label,
          on: { click: () => this.options.onOpen(picture) },
        },
        photo,
      ),
    );
    return number
      ? h(
          "div",
          { class: "shot-with", style: { "--aspect": frame.style.getPropertyValue("--aspect") } },
          frame,
          bar(picture, matchMedia(PHONE).matches ? ON_A_PHONE : AMONG_OTHERS),
        )
      : frame;
  }
}

/** @param {HTMLElement} frame @param {Picture} picture */
function placeholder(frame, picture) {
  frame.classList.add("is-gone");
  return fill(
    frame,
    h("p", { class: "muted small" }, _("No longer there")),
    button(_("Run it again"), () => runAgain(picture), { class: "btn-small" }),
  );
}

/**
 * Change a text only where it differs: hundreds of messages tick.
 * @param {HTMLElement} node
 * @param {string} text
 */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {number} count */
const shotsClass = (count) => (count === 1 ? "shots is-alone" : "shots");

/** @param {Picture} picture @param {string[]} inSight @param {HTMLElement} [extra] */
function bar(picture, inSight, extra) {
  const acts = actionBar(picture, { inSight, isSmall: true });
  if (extra) acts.lastElementChild?.before(extra);
  return acts;
}

/**
 * A round badge for a person.
 * @param {string} name
 * @returns {HTMLElement}
 */
export function avatar(name) {
  const letter = (name || "?").trim().slice(0, 1).toUpperCase();
  const hue = [...(name || "")].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 6, 0);
  return h("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, letter);
}
