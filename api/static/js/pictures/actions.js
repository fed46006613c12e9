/** What can be done with a picture: one list, the same wherever a picture is shown. */

import { api } from "../shell/api.js";
import { toCreate } from "../shell/pass.js";
import { copyText } from "../ui/clipboard.js";
import { openMenu } from "../ui/menu.js";
import { _ } from "../ui/text.js";
import { again } from "./again.js";
import { jobOf } from "./picture.js";
import { priceOf } from "./prices.js";
import { isVideo } from "./video.js";

export const VARY_STRENGTH = 0.6;
/** What a picture can be saved as: the name, the words for it, what it is good for. */
export const FORMATS = [
  ["png", "PNG", _("as drawn, with its parameters")],
  ["jpeg", "JPEG", "smaller"],
  ["webp", "WebP", "smallest"],
];

const FROM_PICTURES = ["vary", "upscale", "inpaint", "outpaint"]; // what nothing can do with a video

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
 * What changes a picture for every list on the page is loaded when it is wanted.
 */
const changes = () => import("./changes.js");

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
 * The action that draws a picture of a draft in full; none where it is no draft, or gone.
 * @param {AnyPicture} image
 * @param {JobOfPicture | null} job
 * @param {string} command
 * @returns {Action[]}
 */
function finishing(image, job, command) {
  const isDraft = job?.is_draft ?? / --draft\b/.test(command);
  const jobId = job?.id ?? image.job_id ?? "";
  const index = async () => {
    const { images } = job?.images ? /** @type {Api.Job} */ (job) : await api.get(`/api/jobs/${jobId}`);
    return images.findIndex(({ id }) => id === image.id);
  };
  const run = async () => (await import("./finish.js")).finish(jobId, await index());
  return isDraft ? [{ id: "finish", label: _("Finish"), icon: "check", run }] : [];
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
    ...finishing(image, job, command),
    {
      id: "reroll",
      label: _("Re-roll"),
      icon: "dice",
      run: () => again(jobId, {}, _("Re-rolled: the same with a new seed.")),
    },
    {
      id: "vary",
      label: _("Vary"),
      icon: "vary",
      run: () => again(jobId, body({ denoising_strength: VARY_STRENGTH }), _("A variation is queued.")),
    },
    {
      id: "upscale",
      label: _("Upscale 2x"),
      icon: "upscale",
      run: () => again(jobId, body({ mode: "upscale", upscale_factor: 2, batch_size: 1 }), _("An upscale is queued.")),
    },
    {
      id: "remix",
      label: _("Remix"),
      icon: "remix",
      run: async () => toCreate({ command, draft: await unsaid(job, jobId) }),
    },
    {
      id: "inpaint",
      label: _("Inpaint"),
      icon: "mask",
      run: () => toCreate({ command, initImage: image, mode: "inpaint" }),
    },
    {
      id: "outpaint",
      label: _("Outpaint"),
      icon: "outpaint",
      run: () => toCreate({ command, initImage: image, mode: "outpaint" }),
    },
    {
      id: "favourite",
      label: image.is_favorite ? _("Remove favourite") : _("Favourite"),
      icon: "heart",
      filled: image.is_favorite,
      run: () => changes().then((all) => all.setFavorite(image)),
    },
    { id: "download", label: _("Download as…"), icon: "download", run: (anchor) => downloadMenu(anchor, image) },
    { id: "copy", label: _("Copy command"), icon: "copy", run: () => copyText(command, _("Command copied.")) },
  ];
  if (isMine)
    actions.push({
      id: "delete",
      label: _("Delete"),
      icon: "trash",
      danger: true,
      run: () => changes().then((all) => all.deletePictures([image])),
    });
  for (const action of actions) action.hint = priceOf(jobId, action.id);
  if (image.is_gone) return actions.filter(({ id }) => ["reroll", "remix", "copy", "delete"].includes(id));
  return isVideo(image) ? actions.filter(({ id }) => !FROM_PICTURES.includes(id)) : actions;
}

/**
 * All that can be done with a picture of the gallery.
 * @param {Picture} picture
 * @returns {Action[]} as `actionsFor` gives them
 */
export function actionsOf(picture) {
  const actions = actionsFor(picture, jobOf(picture));
  if (picture.is_gone) return actions;
  const at = actions.findIndex(({ id }) => id === "favourite") + 1;
  return actions.toSpliced(at, 0, {
    id: "collect",
    label: _("Add to collection…"),
    icon: "folder",
    run: async () => (await import("./collect.js")).collect([picture]),
  });
}

/**
 * Draw a picture that is gone once more: the same seed gives the same picture.
 * @param {Picture} picture
 */
export const runAgain = (picture) =>
  again(picture.job_id, { changes: { seed: picture.seed, batch_size: 1 } }, _("Drawing it again."));
