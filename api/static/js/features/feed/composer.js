/**
 * The typing box: grows with its text, takes pictures (button, paste, drop), remembers earlier lines, suggests.
 */

import { thumbnail } from "../../pictures/picture.js";
import { api } from "../../shell/api.js";
import { announce, fill, h, icon, iconButton } from "../../ui/dom.js";
import { _, _nodes } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";
import { completion } from "./complete.js";
import { hideKey } from "./run.js";

const MAX_REMEMBERED = 50;
/** @type {string[]} */
const lines = []; // of this visit only: lines may hold what nobody wants on disk

/** The box at the foot of the feed. */
export class Composer {
  #at = 0;
  #isBusy = false;
  /** @type {File | null} */
  #file = null;
  /** @type {Api.Media | null} */
  media = null;
  /** @type {Picture | null} */
  reply = null;

  /** @param {(line: string) => Promise<boolean>} onSend false puts the line back */
  constructor(onSend) {
    this.onSend = onSend;
    this.box = h("textarea", {
      class: "composer-box",
      rows: 1,
      "aria-label": _("Prompt or command"),
      placeholder: _("Prompt, or / for commands"),
      enterkeyhint: "send",
      autocapitalize: "off",
      on: { input: () => this.#grow(), keydown: (event) => this.#key(event), paste: (event) => this.#paste(event) },
    });
    this.suggestions = completion(this.box);
    this.extras = h("div", { class: "composer-extras" });
    const file = h("input", {
      type: "file",
      accept: "image/*",
      hidden: true,
      on: { change: (event) => this.#chosen(event.currentTarget) },
    });
    this.send = h(
      "button",
      { type: "submit", class: "btn btn-primary btn-icon", "aria-label": _("Send"), title: _("Send (Enter)") },
      icon("send"),
    );
    const line = h(
      "div",
      { class: "composer-line" },
      iconButton("image", _("Attach a picture"), () => file.click()),
      this.box,
      this.send,
    );
    const tip = h(
      "p",
      { class: "composer-tip faint" },
      _nodes("{enter} sends, {shift} {enter2} starts a line, {slash} lists commands, {dashes} options", {
        enter: h("kbd", {}, "Enter"),
        shift: h("kbd", {}, "Shift"),
        enter2: h("kbd", {}, "Enter"),
        slash: h("kbd", {}, "/"),
        dashes: h("kbd", {}, "--"),
      }),
    );
    this.element = h(
      "form",
      { class: "composer", on: { submit: (event) => this.#submitted(event) } },
      this.suggestions.element,
      this.extras,
      line,
      file,
      tip,
    );
  }

  /** The file of the attached picture, as it came. @returns {File|null} */
  get file() {
    return this.media && this.#file;
  }

  /**
   * Put text into the box; a flag is added to what is there.
   * @param {string} text
   */
  fillBox = (text) => {
    const isFlag = text.startsWith("--");
    this.box.value = isFlag ? `${this.box.value.trimEnd()} ${text} `.trimStart() : text;
    this.#grow();
    this.box.focus();
    this.box.setSelectionRange(this.box.value.length, this.box.value.length);
  };

  /**
   * Answer to a picture: it becomes the input of what is said next.
   * @param {Picture} picture
   */
  replyTo(picture) {
    this.reply = picture;
    this.media = null;
    this.#showExtras();
    this.box.focus();
    announce(_("Replying to a picture. What you say next is drawn from it."));
  }

  /**
   * Take a picture file as input.
   * @param {File} file
   */
  async attach(file) {
    if (!file.type.startsWith("image/"))
      return void toast(_("That is not a picture."), { kind: "bad", hint: _("Attach a PNG, JPEG or WebP file.") });
    fill(this.extras, h("span", { class: "extra skeleton" }, _("Taking the picture…")));
    try {
      this.media = await api.upload("/api/uploads", file);
      this.#file = file;
      this.reply = null;
    } catch (error) {
      toastError(error);
    }
    this.#showExtras();
    this.box.focus();
  }

  /** @param {Event} event */
  #submitted(event) {
    event.preventDefault();
    this.submit();
  }

  /** @param {HTMLInputElement} file */
  #chosen(file) {
    if (file.files?.[0]) this.attach(file.files[0]);
    file.value = "";
  }

  /** Send what is in the box. */
  async submit() {
    const line = this.box.value;
    if (this.#isBusy || (!line.trim() && !this.media)) return;
    this.#isBusy = true;
    this.send.disabled = true;
    this.suggestions.close();
    this.box.value = "";
    this.#grow();
    try {
      const isTaken = await this.onSend(line);
      if (isTaken) this.#sent(line);
      else if (!this.box.value) this.fillBox(line);
    } catch (error) {
      toastError(error);
      if (!this.box.value) this.fillBox(line);
    } finally {
      this.#isBusy = false;
      this.send.disabled = false;
    }
  }

  /** @param {string} line */
  #sent(line) {
    if (line.trim() && lines.at(-1) !== hideKey(line)) lines.push(hideKey(line));
    lines.splice(0, lines.length - MAX_REMEMBERED);
    this.#at = lines.length;
    this.media = null;
    this.reply = null;
    this.#showExtras();
    if (/^[/!]\s?sd/i.test(line)) this.suggestions.forget(); // other engines may have other models
  }

  #showExtras() {
    const drop = () => {
      this.media = null;
      this.reply = null;
      this.#showExtras();
      this.box.focus();
    };
    const shown = this.media
      ? _("Drawn from this picture")
      : this.reply && _("Replying to “{prompt}”", { prompt: this.reply.prompt || _("a picture") });
    const source = this.media ? this.media.url : this.reply && thumbnail(this.reply, 128);
    fill(
      this.extras,
      shown &&
        h(
          "span",
          { class: "extra" },
          h("img", { src: source, alt: "", width: 32, height: 32 }),
          h("span", { class: "clip" }, shown),
          iconButton("close", _("Leave the picture away"), drop, { class: "btn-small" }),
        ),
    );
  }

  #grow() {
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight + 2}px`;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.suggestions.key(event)) return event.preventDefault();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      return void this.submit();
    }
    const isUp = event.key === "ArrowUp";
    if (!(isUp || event.key === "ArrowDown") || event.shiftKey || !lines.length) return;
    const isRecalled = this.box.value === (lines[this.#at] ?? "");
    if (this.box.value && !isRecalled) return;
    event.preventDefault();
    this.#at = Math.min(lines.length, Math.max(0, this.#at + (isUp ? -1 : 1)));
    this.fillBox(lines[this.#at] ?? "");
    this.suggestions.close();
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    this.attach(file);
  }
}
