/** One job as a card that follows the live stream: preview, place, time left, what can be done; then the pictures. */

import { events, isActive } from "../shell/events.js";
import { button, fill, find, h, icon, iconButton, useCss } from "../ui/dom.js";
import { menuButton } from "../ui/menu-button.js";
import { _ } from "../ui/text.js";
import { timeAgo } from "../ui/words.js";
import { actionsFor } from "./actions.js";
import { cancelJob, moveUp, retry, retryButton } from "./job-actions.js";
import { everySecond, factsOf, stamp, statusText } from "./job-text.js";
import { askPrices, writePrice } from "./prices.js";
import { thumbnail } from "./thumb.js";

/**
 * A card for one job.
 * @param {Api.Job} job
 * @param {JobCardOptions} [options] `isCompact`: one line beside a small picture. `onOpen`: a press on a picture (else
 *   its link opens the file).
 * @returns {JobCard}
 */
export function jobCard(job, options = {}) {
  useCss("job");
  const place = h("article", { class: `job-card ${options.isCompact ? "compact" : ""}` });
  const line = h("p", { class: "job-line" });
  const stops = [
    events.on("job", (next) => next.id === node.job.id && node.update(next)),
    everySecond(() => {
      if (isActive(node.job)) line.textContent = statusText(node.job);
    }),
  ];
  const destroy = () => stops.forEach((stop) => stop());
  const update = (/** @type {Api.Job} */ next) => {
    if (node.wasShown && !node.isConnected) return node.destroy();
    node.wasShown ||= node.isConnected;
    const isSame = node.job.status === next.status && isActive(next) && node.querySelector(".job-picture");
    node.job = stamp(next);
    line.textContent = statusText(next);
    if (isSame) refresh(node, next);
    else draw(node, next, line, options);
  };
  const node = /** @type {JobCard} */ (Object.assign(place, { job, update, destroy }));
  line.textContent = statusText(stamp(job));
  draw(node, job, line, options);
  return node;
}

/**
 * @param {JobCard} node
 * @param {Api.Job} job
 * @param {HTMLElement} line
 * @param {JobCardOptions} options
 */
function draw(node, job, line, options) {
  node.dataset.status = job.status;
  node.setAttribute("aria-label", `Job ${job.short_id}: ${job.prompt || job.mode}`);
  const who = options.showUser && h("span", { class: "badge" }, job.user_name);
  const head = h(
    "div",
    { class: "job-head" },
    h("p", { class: "job-prompt", title: job.prompt }, job.prompt || _("No prompt")),
    who,
    job.is_private && h("span", { class: "badge", title: _("Only you see it") }, icon("lock")),
  );
  const facts =
    !options.isCompact &&
    h("p", { class: "job-facts num" }, factsOf(job), job.finished_at && ` · ${timeAgo(job.finished_at)}`);
  const notes =
    !options.isCompact &&
    job.notes.length > 0 &&
    h(
      "ul",
      { class: "job-notes" },
      job.notes.map((note) => h("li", {}, note)),
    );
  const hint = job.error?.hint && h("p", { class: "job-hint" }, job.error.hint);
  fill(
    node,
    picturePart(job, options),
    h(
      "div",
      { class: "job-body" },
      head,
      line,
      barOf(job),
      hint,
      facts,
      notes,
      h("div", { class: "job-tools" }, tools(job, options)),
    ),
  );
  refresh(node, job);
}

/**
 * @param {Api.Job} job
 * @param {JobCardOptions} options
 */
function picturePart(job, options) {
  if (isActive(job)) {
    const ratio = `${job.request.width || 1} / ${job.request.height || 1}`;
    return h(
      "div",
      { class: "job-picture waiting", style: { aspectRatio: options.isCompact ? "1" : ratio } },
      h("img", { alt: "", hidden: true }),
      icon(job.status === "queued" ? "clock" : "create"),
    );
  }
  if (!job.images.length)
    return h("div", { class: "job-picture none" }, icon(job.status === "failed" ? "warning" : "close"));
  const shown = options.isCompact ? job.images.slice(0, 1) : job.images;
  return h(
    "div",
    { class: `job-picture n${Math.min(4, shown.length)}` },
    shown.map((image) => opener(image, job, options)),
  );
}

/**
 * @param {Api.Image} image
 * @param {Api.Job} job
 * @param {JobCardOptions} options
 */
function opener(image, job, { onOpen }) {
  if (image.is_gone) return thumbnail(image);
  if (!onOpen)
    return h(
      "a",
      {
        href: image.url,
        target: "_blank",
        rel: "noopener",
        "aria-label": _("Open: {words}", { words: image.alt || job.prompt }),
      },
      thumbnail(image, { alt: "" }),
    );
  return h(
    "button",
    {
      type: "button",
      class: "bare",
      "aria-label": _("Open: {words}", { words: image.alt || job.prompt }),
      on: { click: () => onOpen(image, job) },
    },
    thumbnail(image, { alt: "" }),
  );
}

/** @param {Api.Job} job */
const barOf = (job) =>
  isActive(job) &&
  h(
    "div",
    { class: "bar", role: "progressbar", "aria-label": _("Progress"), "aria-valuemin": "0", "aria-valuemax": "100" },
    h("i"),
  );

/**
 * What changes many times while a job runs: picture and bar; nothing is rebuilt.
 * @param {JobCard} node
 * @param {Api.Job} job
 */
function refresh(node, job) {
  const picture = /** @type {HTMLImageElement | null} */ (find(node, ".job-picture img"));
  const url = job.progress?.preview;
  if (isActive(job) && picture && url) {
    picture.onload = () => (picture.hidden = false);
    picture.src = url;
  }
  const bar = find(node, ".bar");
  if (!bar) return;
  const part = job.progress?.fraction;
  bar.classList.toggle("unsure", job.status === "running" && !part);
  bar.style.setProperty("--part", String(part ?? 0));
  if (part) bar.setAttribute("aria-valuenow", String(Math.round(part * 100)));
}

/**
 * @param {Api.Job} job
 * @param {JobCardOptions} options
 */
function tools(job, { isCompact, actions = true }) {
  if (!actions) return [];
  if (isActive(job)) {
    if (!job.is_mine) return [];
    const up = job.can_move_up && iconButton("arrow-up", _("Move up"), () => moveUp(job), { class: "btn-small" });
    return [
      up,
      isCompact
        ? iconButton("close", _("Cancel"), () => cancelJob(job), { class: "btn-small" })
        : button(_("Cancel"), () => cancelJob(job), { icon: "close", class: "btn-small" }),
    ];
  }
  if (job.images.length)
    return job.images.length === 1 || isCompact
      ? [actionMenu(job.images[0], job)]
      : job.images.map((image, n) => actionMenu(image, job, n + 1));
  if (!job.is_mine) return [];
  if (!isCompact) return [retryButton(job, _("Try again"), "btn-small")];
  return [
    writePrice(
      iconButton("refresh", _("Try again"), () => retry(job), { class: "btn-small" }),
      job.id,
      "retry",
    ),
  ];
}

/**
 * A button with everything one can do with this picture.
 * @param {Api.Image} image
 * @param {Api.Job} job
 */
export function actionMenu(image, job, number = 0) {
  const label = number ? _("Picture {number}: actions", { number }) : _("Actions");
  askPrices(job.id);
  return menuButton(label, () => withLines(actionsFor(image, job)), { class: "btn-small" });
}

/** @param {Action[]} actions @returns {MenuEntry[]} */
const withLines = (actions) =>
  actions.flatMap((action) => (["favourite", "delete"].includes(action.id) ? ["-", action] : [action]));
