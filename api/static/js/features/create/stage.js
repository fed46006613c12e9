/** The picture in the middle: live preview, result, all pictures of a batch, what can be done with them. */

import { events } from "../../shell/events.js";
import { announce, fill, h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

// no text: prompts
const IDEAS = [
  "a red fox asleep in an old library, watercolour",
  "lighthouse in a storm, oil painting --ar 2:3",
  "paper boats on a night river, long exposure --ar 16:9",
  "still life with persimmons, soft window light",
];

/**
 * The stage: it shows a job, a picture to begin from, an editor, or what to try.
 * @param {Pick<StageState, "form" | "onOpen" | "onCompare">} parts
 */
export function makeStage({ form, onOpen, onCompare }) {
  const node = h("section", { class: "stage", "aria-label": _("Picture") });
  /** @type {StageState} */
  const stage = {
    node,
    form,
    onOpen,
    onCompare,
    job: null,
    at: 0,
    isComparing: false,
    isCovered: false,
    isOver: false,
    parts: null,
    stops: [],
    line: h("p", { class: "stage-line num", role: "status" }),
  };
  stage.stops = [
    events.on("job", (job) => job.id === stage.job?.id && take(stage, job)),
    events.on("gone", ({ id }) => id === stage.job?.id && show(stage, null)),
    events.on("star", (ids) => stage.job?.images.some(({ id }) => ids.includes(id)) && !stage.isCovered && draw(stage)),
    form.on(
      (_state, changed) =>
        !stage.job && !stage.isCovered && ["input", "mask", "edit"].some((name) => changed.has(name)) && draw(stage),
    ),
  ];
  show(stage, null);
  return {
    node,
    job: () => stage.job,
    isCovered: () => stage.isCovered,
    show: (/** @type {Api.Job | null} */ job, at = 0) => show(stage, job, at),
    /** Lay an editor over the stage (mask, frame); null takes it away. */
    cover(/** @type {HTMLElement | null} */ editor) {
      stage.isCovered = Boolean(editor);
      if (editor) fill(node, editor);
      else show(stage, stage.job, stage.at);
    },
    destroy() {
      stage.isOver = true;
      for (const stop of stage.stops) stop();
    },
  };
}

/** @param {StageState} stage @returns {stage is ShownStage} */
const isShown = (stage) => stage.job !== null;

/**
 * @param {StageState} stage
 * @param {Api.Job} job
 */
function take(stage, job) {
  const was = stage.job;
  stage.job = job;
  if (stage.isCovered) return;
  if (was?.status === job.status && job.status === "running" && stage.parts && isShown(stage)) {
    stage.parts.live(stage);
    return;
  }
  if (was?.status !== job.status && job.status === "done") announce(_("The picture is ready."));
  if (was?.status !== job.status && job.status === "failed")
    announce(_("It failed. {reason}", { reason: job.error?.message || "" }));
  draw(stage);
}

/** @param {StageState} stage @param {Api.Job | null} job @param {number} [at] */
function show(stage, job, at = 0) {
  stage.job = job;
  stage.at = at;
  stage.isComparing = false;
  if (!stage.isCovered) draw(stage);
}

/** @param {StageState} stage */
function draw(stage) {
  const { node, job, form, parts } = stage;
  const { input } = form.get();
  node.dataset.state = job ? job.status : "empty";
  if (!job && !input) fill(node, emptyStage(stage));
  else if (!parts) bring(stage);
  else if (isShown(stage)) parts.drawJob(stage, () => draw(stage));
  else fill(node, parts.inputPart(form.get()));
}

/**
 * What shows a job or a picture to begin from is loaded with the first of them.
 * @param {StageState} stage
 */
async function bring(stage) {
  const parts = await import("./stage-job.js");
  if (stage.parts || stage.isOver) return;
  stage.parts = parts;
  stage.stops.push(parts.watchTime(stage));
  if (!stage.isCovered) draw(stage);
}

/** @param {StageState} stage */
function emptyStage({ form }) {
  /** @param {string} text */
  const begin = (text) => {
    form.set({ text });
    document.getElementById("prompt")?.focus();
  };
  /** @param {string} text */
  const idea = (text) =>
    h(
      "button",
      {
        type: "button",
        class: "chip idea",
        on: { click: () => begin(text) },
      },
      text.replace(/ --.*/, ""),
    );
  return h(
    "div",
    { class: "stage-room" },
    h(
      "div",
      { class: "empty stage-empty" },
      h("h2", {}, _("What would you like to see?")),
      h("p", {}, _("Describe it, press Generate, and watch it come. Or drop a picture here to begin from it.")),
      h("div", { class: "row row-wrap ideas" }, IDEAS.map(idea)),
    ),
  );
}
