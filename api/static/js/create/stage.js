/** The picture in the middle: live preview, result, all pictures of a batch, what can be done with them. */
import { announce, button, fill, h, icon } from "../dom.js";
import { events, isActive } from "../events.js";
import { cancelJob, moveUp, retry } from "../ui/job-actions.js";
import { everySecond, stamp, statusText } from "../ui/job-text.js";

const IDEAS = ["a red fox asleep in an old library, watercolour", "lighthouse in a storm, oil painting --ar 2:3", "paper boats on a night river, long exposure --ar 16:9", "still life with persimmons, soft window light"];

/**
 * @param {{form: object, onOpen: (images: object[], index: number, job: object) => void, onCompare: (job: object, image: object) => HTMLElement|null}} parts
 * @returns {{node: HTMLElement, show: (job: object|null) => void, job: () => object|null, cover: (node: HTMLElement|null) => void, destroy: () => void}}
 */
export function makeStage({ form, onOpen, onCompare }) {
  const node = h("section", { class: "stage", "aria-label": "Picture" });
  const stage = { node, form, onOpen, onCompare, job: null, at: 0, isComparing: false, isCovered: false, line: h("p", { class: "stage-line num", role: "status" }) };
  const stops = [
    events.on("job", (job) => job.id === stage.job?.id && take(stage, job)),
    events.on("gone", ({ id }) => id === stage.job?.id && show(stage, null)),
    events.on("star", (ids) => stage.job?.images.some(({ id }) => ids.includes(id)) && !stage.isCovered && draw(stage)),
    form.on((state, changed) => !stage.job && !stage.isCovered && ["input", "mask", "edit"].some((name) => changed.has(name)) && draw(stage)),
    everySecond(() => stage.job && isActive(stage.job) && (stage.line.textContent = statusText(stage.job))),
  ];
  show(stage, null);
  return {
    node, job: () => stage.job, isCovered: () => stage.isCovered,
    show: (job, at = 0) => show(stage, job, at),
    /** Lay an editor over the stage (mask, frame); null takes it away. */
    cover(editor) {
      stage.isCovered = Boolean(editor);
      if (editor) fill(node, editor);
      else show(stage, stage.job, stage.at);
    },
    destroy: () => stops.forEach((stop) => stop()),
  };
}

function take(stage, job) {
  const was = stage.job;
  stage.job = stamp(job);
  if (stage.isCovered) return;
  if (was.status === job.status && job.status === "running") return live(stage);
  if (was.status !== job.status && job.status === "done") announce("The picture is ready.");
  if (was.status !== job.status && job.status === "failed") announce(`It failed. ${job.error?.message || ""}`);
  draw(stage);
}

function show(stage, job, at = 0) {
  stage.job = job && stamp(job);
  stage.at = at;
  stage.isComparing = false;
  if (!stage.isCovered) draw(stage);
}

function draw(stage) {
  const { node, job, line } = stage;
  node.dataset.state = job ? job.status : "empty";
  if (!job) return void fill(node, stage.form.get().input ? inputPart(stage.form.get()) : emptyStage(stage));
  line.textContent = statusText(job);
  if (isActive(job)) fill(node, waiting(stage), h("div", { class: "stage-foot" }, h("div", { class: "bar", role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100" }, h("i")), h("div", { class: "row row-wrap" }, line, h("span", { class: "grow" }), activeTools(job))));
  else if (job.images.length) drawResult(stage);
  else fill(node, failedPart(stage));
  if (!isActive(job)) return;
  live(stage);
  import("./result.js"); // it will be wanted soon
}

/** Results bring more with them than the first page needs: loaded with the first one. */
async function drawResult(stage) {
  const { job, at } = stage;
  const { resultNodes } = await import("./result.js");
  if (stage.job === job && stage.at === at && !stage.isCovered) fill(stage.node, resultNodes(stage, () => draw(stage)));
}

export const frameStyle = (width, height) => ({ "--w": String(width || 1), "--h": String(height || 1) });

function waiting({ job }) {
  const { width, height } = job.request;
  return h("div", { class: "stage-room" }, h("div", { class: "frame waiting", style: frameStyle(width, height) }, h("img", { class: "frame-picture", alt: "Preview", hidden: true, width: width || 512, height: height || 512 }), h("span", { class: "frame-word" }, icon(job.status === "queued" ? "clock" : "create"))));
}

function live({ node, job, line }) {
  const picture = node.querySelector(".frame-picture");
  const part = job.progress?.fraction ?? 0;
  line.textContent = statusText(job);
  const bar = node.querySelector(".bar");
  bar?.style.setProperty("--part", String(part));
  bar?.classList.toggle("unsure", job.status === "running" && !part);
  if (part) bar?.setAttribute("aria-valuenow", String(Math.round(part * 100)));
  if (!picture || !job.progress?.preview) return;
  picture.onload = () => (picture.hidden = false);
  picture.src = job.progress.preview;
}

function activeTools(job) {
  if (!job.is_mine) return [];
  return [job.can_move_up && button("Move up", () => moveUp(job), { icon: "arrow-up", class: "btn-small btn-ghost" }), button("Cancel", () => cancelJob(job), { icon: "close", class: "btn-small" })];
}

function failedPart({ job }) {
  const title = { failed: "It did not work", cancelled: "Cancelled", expired: "It waited too long" }[job.status] || "Nothing was drawn";
  return h("div", { class: "stage-room" }, h("div", { class: "empty" }, icon(job.status === "failed" ? "warning" : "close"), h("h2", {}, title), job.error && h("p", {}, job.error.message), job.error?.hint && h("p", { class: "small" }, job.error.hint), job.prompt && h("p", { class: "small faint" }, `“${job.prompt}”`), h("p", { class: "small faint mono" }, `Job ${job.short_id}`), job.is_mine && button("Try again", () => retry(job), { class: "btn-primary", icon: "refresh" })));
}

/** Nothing is drawn yet, but there is a picture to begin from: show it, and the mask on it. */
function inputPart({ input, mask, edit }) {
  const overlay = mask && mask.width === input.width && h("img", { class: "frame-mask", src: mask.url, alt: "", width: input.width, height: input.height });
  const words = { inpaint: mask ? "The light part is drawn anew." : "Paint over what shall change.", outpaint: "The picture is outpainted.", upscale: "The picture is upscaled.", img2img: "The picture to begin from." }[edit];
  return [h("div", { class: "stage-room" }, h("div", { class: "frame", style: frameStyle(input.width, input.height) }, h("img", { class: "frame-picture", src: input.url, alt: "The picture to begin from", width: input.width, height: input.height }), overlay)),
    h("div", { class: "stage-foot" }, h("p", { class: "stage-caption" }, words))];
}

function emptyStage({ form }) {
  const idea = (text) => h("button", { type: "button", class: "chip idea", on: { click: () => (form.set({ text }), document.getElementById("prompt")?.focus()) } }, text.replace(/ --.*/, ""));
  return h("div", { class: "stage-room" }, h("div", { class: "empty stage-empty" }, h("h2", {}, "What would you like to see?"), h("p", {}, "Describe it, press Generate, and watch it come. Or drop a picture here to begin from it."), h("div", { class: "row row-wrap ideas" }, IDEAS.map(idea))));
}
