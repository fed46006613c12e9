/** A result on the stage: the picture, the others of its batch, and what can be done with it. */

import { actionsFor } from "../../pictures/actions.js";
import { retryButton } from "../../pictures/job-actions.js";
import { factsOf, statusText } from "../../pictures/job-text.js";
import { writePrices } from "../../pictures/prices.js";
import { isVideo, player } from "../../pictures/video.js";
import { button, fill, h, icon, iconButton } from "../../ui/dom.js";
import { menuButton } from "../../ui/menu-button.js";
import { _ } from "../../ui/text.js";
import { formatBytes, formatSpan } from "../../ui/words.js";
import { frameStyle } from "./stage-job.js";

const SHOWN_ACTIONS = ["finish", "reroll", "vary", "upscale", "inpaint", "outpaint", "favourite"];

/**
 * What the stage shows of a finished job; `redraw` draws it again after a choice.
 * @param {ShownStage} stage
 * @param {() => void} redraw
 */
export const resultNodes = (stage, redraw) => [resultPart(stage), resultFoot(stage, redraw)];

/** @param {ShownStage} stage */
function resultPart(stage) {
  const { job, at } = stage;
  const image = job.images[at] || job.images[0];
  if (image.is_gone)
    return h(
      "div",
      { class: "stage-room" },
      h(
        "div",
        { class: "empty" },
        icon("clock"),
        h("h2", {}, _("This picture has expired")),
        h("p", {}, _("Pictures are kept for a while only; favourites stay. The same seed draws it again.")),
        retryButton(job, _("Draw it again"), "btn-primary"),
      ),
    );
  const other = stage.isComparing && stage.onCompare(job, image);
  const open = () => stage.onOpen(job.images, at, job);
  if (isVideo(image))
    return h(
      "div",
      { class: "stage-room" },
      h(
        "div",
        { class: "frame", style: frameStyle(image.width, image.height) },
        player(image, image.thumbnail_url, { class: "frame-picture" }),
      ),
    );
  const picture = h("img", {
    class: "frame-picture",
    src: image.url,
    alt: image.alt || job.prompt,
    width: image.width,
    height: image.height,
    decoding: "async",
  });
  const frame = other
    ? h("div", { class: "frame", style: frameStyle(image.width, image.height) }, other)
    : h(
        "button",
        {
          type: "button",
          class: "frame",
          "aria-label": _("Open large"),
          title: _("Open large"),
          style: frameStyle(image.width, image.height),
          on: { click: open },
        },
        picture,
      );
  return h("div", { class: "stage-room" }, frame);
}

/**
 * @param {ShownStage} stage
 * @param {() => void} redraw
 */
function batchRow(stage, redraw) {
  const pick = (/** @type {number} */ at) => () => {
    stage.at = at;
    redraw();
  };
  return h(
    "div",
    { class: "batch", role: "group", "aria-label": _("Pictures of this job") },
    stage.job.images.map((image, at) =>
      h(
        "button",
        {
          type: "button",
          class: "batch-pick",
          "aria-pressed": String(at === stage.at),
          "aria-label": _("Picture {place}", { place: at + 1 }),
          on: { click: pick(at) },
        },
        image.is_gone
          ? icon("clock")
          : h("img", { src: image.thumbnail_url, alt: "", width: 56, height: 56, loading: "lazy" }),
      ),
    ),
  );
}

/**
 * @param {ShownStage} stage
 * @param {() => void} redraw
 */
function resultFoot(stage, redraw) {
  const { job, at } = stage;
  const image = job.images[at] || job.images[0];
  const actions = actionsFor(image, job);
  const main = SHOWN_ACTIONS.flatMap((id) => actions.filter((action) => action.id === id));
  const rest = actions.filter((action) => !SHOWN_ACTIONS.includes(action.id));
  const canCompare = Boolean(job.request.init_image) && !image.is_gone && !isVideo(image);
  const compare = () => {
    stage.isComparing = !stage.isComparing;
    redraw();
  };
  const compareButton =
    canCompare &&
    button(_("Compare"), compare, {
      icon: "compare",
      class: "btn-ghost btn-small",
      "aria-pressed": String(stage.isComparing),
    });
  const bar = h(
    "div",
    { class: "stage-actions", role: "toolbar", "aria-label": _("Actions") },
    main.map(actionButton),
    compareButton,
    menuButton(_("More actions"), () => rest, { class: "btn-small" }),
  );
  writePrices(bar, job.id);
  const notes =
    job.notes.length > 0 &&
    h(
      "ul",
      { class: "stage-notes" },
      job.notes.map((note) => h("li", {}, note)),
    );
  const facts = [
    statusText(job),
    factsOf(job, image),
    image.size_bytes ? formatBytes(image.size_bytes) : "",
    keptFor(job, image),
  ]
    .filter(Boolean)
    .join(" · ");
  return h(
    "div",
    { class: "stage-foot" },
    h("div", { class: "stage-top" }, bar, job.images.length > 1 && batchRow(stage, redraw)),
    h(
      "div",
      { class: "stage-words" },
      h("p", { class: "stage-prompt", title: job.prompt }, job.prompt),
      h("p", { class: "stage-facts num" }, facts),
      notes,
    ),
  );
}

/**
 * @param {Api.Job} job
 * @param {Api.Image} image
 */
function keptFor(job, image) {
  if (image.is_favorite) return "favourite, kept";
  const left = job.expires_at ? (Date.parse(job.expires_at) - Date.now()) / 1000 : 0;
  return left > 60 ? _("kept for {span}", { span: formatSpan(left) }) : "";
}

/** @param {Action} action */
function actionButton(action) {
  if (action.id === "favourite") {
    const node = iconButton("heart", action.label, (event) => action.run(event.currentTarget), {
      class: "btn-small",
      "aria-pressed": String(Boolean(action.filled)),
    });
    return fill(node, icon("heart", { filled: action.filled }));
  }
  return button(action.label, (event) => action.run(event.currentTarget), {
    icon: action.icon,
    class: "btn-ghost btn-small",
    "data-act": action.id,
  });
}
