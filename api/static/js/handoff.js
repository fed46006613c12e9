/** What every picture can do, the same list everywhere; and the way back into Create with a picture or a command. */
import { api } from "./api.js";
import { events } from "./events.js";
import { newKey, toCreate } from "./pass.js";
import { go } from "./router.js";
import { openMenu } from "./ui/menu.js";
import { toast, toastError } from "./ui/toast.js";

export { newKey, toCreate };
export const VARY_STRENGTH = 0.6;
const FORMATS = [
  ["png", "PNG", "as drawn, with its parameters"],
  ["jpeg", "JPEG", "smaller"],
  ["webp", "WebP", "smallest"],
];
/**
 * Whether it is a video: its thumbnail is a still then.
 * @param {Api.Image} image
 */
export const isVideo = (image) => Boolean(image.media_type?.startsWith("video/"));
const FROM_PICTURES = ["vary", "upscale", "inpaint", "outpaint"]; // what nothing can do with a video
/**
 * Run a job once more: `again(jobId, {changes, drop, image})`; the new jobs are returned and shown in the queue.
 * @param {string} jobId
 */
export async function again(jobId, body = {}, words = "Queued again.") {
  try {
    const { jobs } = await api.post(`/api/jobs/${jobId}/again`, body, { headers: { "Idempotency-Key": newKey() } });
    for (const job of jobs) events.put(job);
    toast(words, {
      kind: "good",
      action: location.hash.startsWith("#/create") ? null : { label: "Show", run: () => go("create") },
    });
    return jobs;
  } catch (error) {
    toastError(error);
    return [];
  }
}

/**
 * Save one picture in a format of choice, from a menu at `anchor`.
 * @param {HTMLElement} anchor
 * @param {Api.Image} image
 */
export function downloadMenu(anchor, image) {
  if (isVideo(image)) return download(image, "");
  openMenu(
    anchor,
    FORMATS.map(([format, label, hint]) => ({ label, hint, run: () => download(image, format) })),
  );
}

/**
 * @param {Api.Image} image
 * @param {string} format
 */
function download(image, format) {
  const link = document.createElement("a");
  // a private picture's link is signed already
  link.href = `${image.url}${image.url.includes("?") ? "&" : "?"}${format && `format=${format}&`}download=1`;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

/**
 * Put text on the clipboard and say so.
 * @param {string} text
 */
export async function copyText(text, words = "Copied.") {
  try {
    await navigator.clipboard.writeText(text);
    toast(words);
  } catch {
    toast("The browser did not allow copying.", { kind: "bad", hint: "Select the text and copy it by hand." });
  }
}

/**
 * What changes a picture for every list on the page is loaded when it is wanted.
 */
const changes = () => import("./gallery/changes.js");

/**
 * What the command of a gallery's picture leaves out, because only its job knows: the workflow.
 * @param {JobOfPicture | null} job
 * @param {string} jobId
 * @returns {Promise<Partial<Api.Draft> | null>}
 */
async function unsaid(job, jobId) {
  const whole =
    job?.request.workflow === undefined
      ? await api.get(`/api/jobs/${jobId}`, null, { quiet: true }).catch(() => null)
      : job;
  return whole?.request.workflow ? { workflow: whole.request.workflow, options: whole.request.options ?? {} } : null;
}

/**
 * The actions of one picture, in the order they are always shown: [{id, label, icon, run(anchor), danger?, checked?}].
 * @param {AnyPicture} image
 * @param {JobOfPicture | null} [job] the Job it belongs to; a Picture without one is enough (job_id, command)
 */
export function actionsFor(image, job = null) {
  const jobId = job?.id ?? image.job_id ?? "";
  const command = job?.command ?? image.command ?? "";
  const isMine = job?.is_mine ?? image.is_mine ?? true;
  const body = (/** @type {object} */ asked) => ({ image: image.id, changes: asked });
  /** @type {Action[]} */
  const actions = [
    {
      id: "reroll",
      label: "Re-roll",
      icon: "dice",
      run: () => again(jobId, {}, "Re-rolled: the same with a new seed."),
    },
    {
      id: "vary",
      label: "Vary",
      icon: "vary",
      run: () => again(jobId, body({ denoising_strength: VARY_STRENGTH }), "A variation is queued."),
    },
    {
      id: "upscale",
      label: "Upscale 2x",
      icon: "upscale",
      run: () => again(jobId, body({ mode: "upscale", upscale_factor: 2, batch_size: 1 }), "An upscale is queued."),
    },
    {
      id: "remix",
      label: "Remix",
      icon: "remix",
      run: async () => toCreate({ command, draft: await unsaid(job, jobId) }),
    },
    {
      id: "inpaint",
      label: "Inpaint",
      icon: "mask",
      run: () => toCreate({ command, initImage: image, mode: "inpaint" }),
    },
    {
      id: "outpaint",
      label: "Outpaint",
      icon: "outpaint",
      run: () => toCreate({ command, initImage: image, mode: "outpaint" }),
    },
    {
      id: "favourite",
      label: image.is_favorite ? "Remove favourite" : "Favourite",
      icon: "heart",
      filled: image.is_favorite,
      run: () => changes().then((all) => all.setFavorite(image)),
    },
    { id: "download", label: "Download as…", icon: "download", run: (anchor) => downloadMenu(anchor, image) },
    { id: "copy", label: "Copy command", icon: "copy", run: () => copyText(command, "Command copied.") },
  ];
  if (isMine)
    actions.push({
      id: "delete",
      label: "Delete",
      icon: "trash",
      danger: true,
      run: () => changes().then((all) => all.deletePictures([image])),
    });
  if (image.is_gone) return actions.filter(({ id }) => ["reroll", "remix", "copy", "delete"].includes(id));
  return isVideo(image) ? actions.filter(({ id }) => !FROM_PICTURES.includes(id)) : actions;
}
