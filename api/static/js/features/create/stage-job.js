/** A job on the stage: waiting, drawn with a live preview, failed; its result is drawn by result.js. */

import { cancelJob, moveUp, retryButton } from "../../pictures/job-actions.js";
import { everySecond, stamp, statusText } from "../../pictures/job-text.js";
import { isActive } from "../../shell/events.js";
import { button, fill, find, h, icon } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

/** @type {Record<string, string>} */
const ENDED = { failed: _("It did not work"), cancelled: _("Cancelled"), expired: _("It waited too long") };

/** Keep the stage's line of words true while a job waits or runs; returns the way to stop. @param {StageState} stage */
export const watchTime = (stage) =>
  everySecond(() => {
    if (stage.job && isActive(stage.job)) stage.line.textContent = statusText(stage.job);
  });

/**
 * Draw the stage's job; `redraw` draws the whole stage again.
 * @param {ShownStage} stage
 * @param {() => void} redraw
 */
export function drawJob(stage, redraw) {
  const { node, line } = stage;
  const job = stamp(stage.job);
  line.textContent = statusText(job);
  if (!isActive(job)) {
    if (job.images.length) drawResult(stage, redraw);
    else fill(node, failedPart(stage));
    return;
  }
  fill(node, waiting(stage), waitingFoot(stage));
  live(stage);
  import("./result.js"); // it will be wanted soon
}

/** @param {ShownStage} stage */
function waitingFoot({ job, line }) {
  return h(
    "div",
    { class: "stage-foot" },
    h(
      "div",
      { class: "bar", role: "progressbar", "aria-label": _("Progress"), "aria-valuemin": "0", "aria-valuemax": "100" },
      h("i"),
    ),
    h("div", { class: "row row-wrap" }, line, h("span", { class: "grow" }), activeTools(job)),
  );
}

/**
 * Results bring more with them than the first page needs: loaded with the first one.
 * @param {ShownStage} stage
 * @param {() => void} redraw
 */
async function drawResult(stage, redraw) {
  const { job, at } = stage;
  const { resultNodes } = await import("./result.js");
  if (stage.job === job && stage.at === at && !stage.isCovered) fill(stage.node, resultNodes(stage, redraw));
}

/**
 * What a frame needs to know to keep its place.
 * @param {number} width
 * @param {number} height
 */
export const frameStyle = (width, height) => ({ "--w": String(width || 1), "--h": String(height || 1) });

/** @param {ShownStage} stage */
function waiting({ job }) {
  const { width, height } = job.request;
  return h(
    "div",
    { class: "stage-room" },
    h(
      "div",
      { class: "frame waiting", style: frameStyle(width, height) },
      h("img", { class: "frame-picture", alt: _("Preview"), hidden: true, width: width || 512, height: height || 512 }),
      h("span", { class: "frame-word" }, icon(job.status === "queued" ? "clock" : "create")),
    ),
  );
}

/**
 * Show how far the job is.
 * @param {ShownStage} stage
 */
export function live({ node, job, line }) {
  const picture = /** @type {HTMLImageElement | null} */ (find(node, ".frame-picture"));
  const part = job.progress?.fraction ?? 0;
  line.textContent = statusText(job);
  const bar = find(node, ".bar");
  bar?.style.setProperty("--part", String(part));
  bar?.classList.toggle("unsure", job.status === "running" && !part);
  if (part) bar?.setAttribute("aria-valuenow", String(Math.round(part * 100)));
  if (!picture || !job.progress?.preview) return;
  picture.onload = () => (picture.hidden = false);
  picture.src = job.progress.preview;
}

/** @param {Api.Job} job */
function activeTools(job) {
  if (!job.is_mine) return [];
  return [
    job.can_move_up && button(_("Move up"), () => moveUp(job), { icon: "arrow-up", class: "btn-small btn-ghost" }),
    button(_("Cancel"), () => cancelJob(job), { icon: "close", class: "btn-small" }),
  ];
}

/** @param {ShownStage} stage */
function failedPart({ job }) {
  return h(
    "div",
    { class: "stage-room" },
    h(
      "div",
      { class: "empty" },
      icon(job.status === "failed" ? "warning" : "close"),
      h("h2", {}, ENDED[job.status] || _("Nothing was drawn")),
      job.error && h("p", {}, job.error.message),
      job.error?.hint && h("p", { class: "small" }, job.error.hint),
      job.prompt && h("p", { class: "small faint" }, `“${job.prompt}”`),
      h("p", { class: "small faint mono" }, _("Job {short_id}", { short_id: job.short_id })),
      job.is_mine && retryButton(job, _("Try again"), "btn-primary"),
    ),
  );
}

/**
 * Nothing is drawn yet, but there is a picture to begin from: show it, and the mask on it.
 * @param {FormState} state
 */
export function inputPart({ input, mask, edit }) {
  if (!input) return [];
  const overlay =
    mask &&
    mask.width === input.width &&
    h("img", { class: "frame-mask", src: mask.url, alt: "", width: input.width, height: input.height });
  const words = {
    inpaint: mask ? _("The light part is redrawn.") : _("Paint over what should change."),
    outpaint: _("The picture is outpainted."),
    upscale: _("The picture is upscaled."),
    restyle: _("The picture is painted in another style."),
    img2img: _("The picture to begin from."),
  }[edit];
  return [
    h(
      "div",
      { class: "stage-room" },
      h(
        "div",
        { class: "frame", style: frameStyle(input.width, input.height) },
        h("img", {
          class: "frame-picture",
          src: input.url,
          alt: _("The picture to begin from"),
          width: input.width,
          height: input.height,
        }),
        overlay,
      ),
    ),
    h("div", { class: "stage-foot" }, h("p", { class: "stage-caption" }, words)),
  ];
}
