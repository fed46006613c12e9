/**
 * The stream of messages, newest at the bottom: it stays at the end while one is there, and where one reads otherwise.
 */

import { fill, h, icon } from "../../ui/dom.js";
import { _, _n } from "../../ui/text.js";
import { Message } from "./message.js";

const AT_END_PX = 90;
/** @type {WeakMap<Element, number>} */
const times = new WeakMap(); // when a message was made, for its place in the list

/** A scrolling list of jobs and of local answers. */
export class Stream {
  /** @type {Map<string, Message>} */
  #messages = new Map();
  /** @type {Set<string>} */
  #missed = new Set();

  /** @param {{onOpen: (picture: Picture) => void, onReply: (picture: Picture) => void}} options */
  constructor(options) {
    this.options = options;
    this.list = h("div", { class: "feed-list" });
    this.top = h("div", { class: "feed-top" });
    this.pill = h("button", {
      type: "button",
      class: "btn feed-pill",
      hidden: true,
      on: { click: () => this.toEnd(true) },
    });
    this.scroller = h(
      "div",
      { class: "feed-scroll", role: "region", "aria-label": _("Messages"), tabindex: "0" },
      this.top,
      this.list,
    );
    this.element = h("div", { class: "feed-window" }, this.scroller, this.pill);
    this.isAtEnd = true;
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.watcher = new ResizeObserver(() => this.isAtEnd && this.toEnd());
    this.watcher.observe(this.list);
    this.watcher.observe(this.scroller);
  }

  stop() {
    this.watcher.disconnect();
    this.#messages.forEach((message) => message.stop());
  }

  get size() {
    return this.#messages.size;
  }

  /** The jobs that are shown, oldest first. @returns {Api.Job[]} */
  get jobs() {
    return [...this.#messages.values()]
      .map(({ job }) => job)
      .sort((first, two) => Date.parse(first.created_at) - Date.parse(two.created_at));
  }

  /** @param {string} id */
  has(id) {
    return this.#messages.has(id);
  }

  /**
   * Show a job, or its newer state.
   * @param {Api.Job} job
   */
  put(job) {
    const known = this.#messages.get(job.id);
    if (job.status === "done" && known?.job.status !== "done" && !this.isAtEnd) this.#miss(job);
    this.#hold(() => {
      if (known) return known.update(job);
      const message = new Message(job, this.options);
      const isNewest = this.#isNewest(job);
      this.#messages.set(job.id, message);
      this.#place(message, isNewest);
    });
  }

  /**
   * Show older jobs above the others.
   * @param {Api.Job[]} jobs
   */
  older(jobs) {
    this.#hold(() => {
      for (const job of jobs) {
        if (this.has(job.id)) continue;
        const message = new Message(job, this.options);
        this.#messages.set(job.id, message);
        this.#place(message);
      }
    });
  }

  /**
   * Show an answer that only this reader sees.
   * @param {HTMLElement} node
   */
  say(node) {
    times.set(node, Date.now());
    this.list.append(node);
    this.toEnd();
  }

  /** @param {string} id */
  remove(id) {
    const message = this.#messages.get(id);
    if (!message) return;
    message.stop();
    this.#hold(() => message.element.remove());
    this.#messages.delete(id);
  }

  /** @param {(message: Message) => void} act */
  each(act) {
    this.#messages.forEach(act);
  }

  /** Go to the newest message. */
  toEnd(isSmooth = false) {
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: isSmooth ? "smooth" : "instant" });
  }

  /** @param {Api.Job} job */
  #isNewest(job) {
    const at = Date.parse(job.created_at);
    return [...this.#messages.values()].every((message) => Date.parse(message.job.created_at) <= at);
  }

  /**
   * What is newest goes to the end: the clocks of the server and of this machine may differ, answers carry this one's.
   * @param {Message} message
   * @param {boolean} [isNewest]
   */
  #place({ element, job }, isNewest = false) {
    let after = this.list.lastElementChild;
    const newest = (isNewest && after && times.get(after)) || 0;
    const at = Math.max(Date.parse(job.created_at), newest);
    times.set(element, at);
    while (after && (times.get(after) ?? 0) > at) after = after.previousElementSibling;
    if (after) after.after(element);
    else this.list.prepend(element);
  }

  /**
   * Change the list without moving what one is reading.
   * @param {() => unknown} act
   */
  #hold(act) {
    if (this.isAtEnd) {
      act();
      return this.toEnd();
    }
    const edge = this.scroller.getBoundingClientRect().top;
    const anchor = [...this.list.children].find((node) => node.getBoundingClientRect().bottom > edge);
    const before = anchor?.getBoundingClientRect().top ?? 0;
    act();
    if (anchor?.isConnected) this.scroller.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    if (this.isAtEnd) this.#missed.clear();
    this.#showPill();
  }

  /** @param {Api.Job} job */
  #miss(job) {
    this.#missed.add(job.id);
    this.#showPill();
  }

  #showPill() {
    const count = this.#missed.size;
    this.pill.hidden = this.isAtEnd;
    this.pill.classList.toggle("btn-primary", count > 0);
    fill(this.pill, icon("chevron-down"), count ? _n("{n} new message", "{n} new messages", count) : _("Newest"));
  }
}
