/**
 * The feed: what everybody makes, as in a chat, with one box for prompts and commands.
 */

import { onChange } from "../../pictures/changes.js";
import { openLightbox } from "../../pictures/lightbox.js";
import { pictureOf } from "../../pictures/picture.js";
import { catchDrops } from "../../pictures/recall.js";
import { api } from "../../shell/api.js";
import { events } from "../../shell/events.js";
import { announce, button, fill, h, icon, useCss } from "../../ui/dom.js";
import { wordsOf } from "../../ui/errors.js";
import { Pages, whenNear } from "../../ui/pages.js";
import { _ } from "../../ui/text.js";
import { Composer } from "./composer.js";
import { run } from "./run.js";
import { Stream } from "./stream.js";

export const title = _("Feed");

const PAGE = 30;
// no text: prompts are not translated
const EXAMPLES = ["a red fox in the snow", "a lighthouse in a storm, oil painting --ar 3:2", "/help"];

/**
 * Draw the feed.
 * @param {HTMLElement} root
 * @returns {Promise<() => void>} cleanup
 */
export async function mount(root) {
  await Promise.all([useCss("feed"), useCss("lightbox")]);
  const view = new Feed();
  root.append(view.element);
  view.start();
  return () => view.stop();
}

class Feed {
  constructor() {
    this.stream = new Stream({
      onOpen: (picture) => this.#open(picture),
      onReply: (picture) => this.composer.replyTo(picture),
    });
    this.composer = new Composer((line) => run(line, this.#doors()));
    this.pages = new Pages(
      (before) => api.get("/api/feed", { limit: PAGE, before }),
      (page, isFirst) => this.#show(page, isFirst),
      (error, isFirst) => this.#fail(error, isFirst),
    );
    /** @type {ReturnType<typeof whenNear> | null} */
    this.near = null;
    /** @type {Stop[]} */
    this.offs = [];
    this.note = h("div", { class: "feed-note" });
    this.stream.list.before(this.note);
    this.element = h(
      "div",
      { class: "feed" },
      h("h1", { class: "sr-only" }, _("Feed")),
      this.stream.element,
      this.composer.element,
    );
  }

  start() {
    fill(
      this.note,
      Array.from({ length: 3 }, () =>
        h(
          "div",
          { class: "msg", "aria-hidden": "true" },
          h("span", { class: "avatar" }),
          h("div", { class: "skeleton feed-skeleton" }),
        ),
      ),
    );
    this.offs = [
      events.on("job", (job) => this.#changed(job)),
      events.on("missed", () => this.#catchUp()),
      events.on("gone", ({ id }) => this.stream.remove(id)),
      onChange("favorite", ({ ids, isOn }) => this.stream.each((message) => message.favorite(ids, isOn))),
      onChange("removed", ({ ids }) => this.stream.each((message) => message.without(ids))),
      catchDrops((file) => this.composer.attach(file), _("Drop a picture to draw from it")),
    ];
    this.pages.restart();
    if (matchMedia("(pointer: fine)").matches) this.composer.box.focus();
  }

  stop() {
    this.near?.stop();
    this.offs.forEach((off) => off());
    this.stream.stop();
  }

  /** What commands may do here. */
  #doors() {
    return {
      /** @param {HTMLElement} node */
      say: (node) => {
        this.note.replaceChildren();
        this.stream.say(node);
        announce(node.querySelector(".msg-body")?.textContent ?? "");
      },
      fillBox: this.composer.fillBox,
      attached: () => this.composer.media,
      file: () => this.composer.file,
      reply: () => this.composer.reply,
      target: () => this.composer.reply ?? this.#newest(),
    };
  }

  /** The newest own picture, else anybody's. */
  #newest() {
    const left = this.stream.jobs.flatMap((job) => {
      const image = job.images.find((item) => !item.is_gone);
      return image ? [{ job, image }] : [];
    });
    const found = left.findLast(({ job }) => job.is_mine) ?? left.at(-1);
    return found ? pictureOf(found.image, found.job) : null;
  }

  /** @param {Api.Jobs} page @param {boolean} isFirst */
  #show({ jobs }, isFirst) {
    this.note.replaceChildren();
    this.stream.older(jobs);
    if (isFirst) this.#first(jobs);
    else this.near?.check();
  }

  /** @param {Api.Job[]} jobs */
  #first(jobs) {
    for (const job of events.jobs.values()) this.#changed(job); // what happened while the page was on its way
    this.stream.toEnd();
    if (!jobs.length && !this.stream.size) fill(this.note, this.#empty());
    this.near = whenNear(this.stream.top, () => this.pages.more(), this.stream.scroller);
  }

  /** @param {Api.Job} job */
  #changed(job) {
    const oldest = this.stream.jobs[0];
    const isBefore = oldest && Date.parse(job.created_at) < Date.parse(oldest.created_at);
    if (!this.stream.has(job.id) && isBefore && !this.pages.isDone) return; // scrolling back will bring it
    const was = this.stream.jobs.find(({ id }) => id === job.id)?.status;
    this.note.replaceChildren();
    this.stream.put(job);
    if (job.is_mine && was === "running" && job.status !== "running")
      announce(
        job.status === "done"
          ? _("Your picture is ready: {prompt}", { prompt: job.prompt })
          : `${job.prompt}: ${job.error?.message ?? job.status}`,
      );
  }

  /** What others made while the connection was lost. */
  async #catchUp() {
    const { jobs } = await api.get("/api/feed", { limit: PAGE }, { quiet: true }).catch(() => ({ jobs: [] }));
    for (const job of jobs.reverse()) this.#changed(job);
  }

  /**
   * @param {unknown} error
   * @param {boolean} isFirst
   */
  #fail(error, isFirst) {
    const again = () => {
      this.note.replaceChildren();
      if (isFirst) this.pages.restart();
      else this.pages.retry();
    };
    const retry = button(_("Try again"), again, { icon: "refresh" });
    fill(
      this.note,
      h(
        "div",
        { class: "notice notice-bad", role: "alert" },
        icon("warning"),
        h("p", { class: "grow" }, wordsOf(error)),
        retry,
      ),
    );
  }

  #empty() {
    const tries = EXAMPLES.map((text) => button(text, () => this.composer.fillBox(text), { class: "btn-small" }));
    return h(
      "div",
      { class: "empty" },
      icon("feed"),
      h("h2", {}, _("It is quiet here")),
      h("p", {}, _("Say what you would like to see. Everybody here sees the picture, unless you add --private.")),
      h("div", { class: "row row-wrap feed-tries" }, tries),
    );
  }

  /** @param {Picture} picture */
  #open(picture) {
    const pictures = this.stream.jobs.flatMap((job) => job.images.map((image) => pictureOf(image, job)));
    openLightbox(
      pictures,
      Math.max(
        0,
        pictures.findIndex(({ id, job_id: job }) => id === picture.id && job === picture.job_id),
      ),
    );
  }
}
