/**
 * Pictures as the grid, the lightbox and the feed show them: one shape for a row of the gallery and a result of a job.
 */

import { _ } from "../ui/text.js";

/** @type {WeakMap<AnyPicture, Picture>} */
const made = new WeakMap(); // the same result is the same picture wherever it is shown

/** Whether it is a row of the gallery already. @param {AnyPicture} thing @returns {thing is Picture} */
const isPicture = (thing) => "job_id" in thing;

/**
 * A result of a job in the shape of a gallery picture, with the job under `job`; a gallery picture stays what it is.
 * @param {AnyPicture} image
 * @param {Api.Job} job the job it came from
 * @returns {Picture}
 */
export function pictureOf(image, job) {
  if (isPicture(image)) return image;
  const asked = job.request;
  const known = made.get(image);
  if (known) return known;
  /** @type {Picture} */
  const picture = {
    ...image,
    job,
    job_id: job.id,
    prompt: job.prompt,
    negative_prompt: asked.negative_prompt ?? "",
    mode: job.mode,
    model: job.model ?? asked.model ?? null,
    engine: job.engine,
    steps: asked.steps ?? null,
    cfg_scale: asked.cfg_scale ?? null,
    sampler: asked.sampler ?? null,
    seconds: job.seconds,
    cost_usd: job.cost_usd,
    created_at: job.finished_at ?? job.created_at,
    expires_at: job.expires_at,
    is_mine: job.is_mine,
    is_private: job.is_private,
    command: job.command,
    user_name: job.user_name,
    collections: image.collections ?? [],
    parameters: image.parameters ?? null,
    get is_favorite() {
      return image.is_favorite; // one truth for everything that shows the same result
    },
    set is_favorite(isOn) {
      image.is_favorite = isOn;
    },
  };
  made.set(image, picture);
  return picture;
}

/**
 * What the actions need to know of the job behind a picture: the job itself, or as much of it as the picture tells.
 * @param {Picture} picture
 * @returns {JobOfPicture}
 */
export function jobOf(picture) {
  const { job, job_id: id, command, is_mine: isMine } = picture;
  return job ?? { id, command, is_mine: isMine, request: {} };
}

/**
 * The address of a picture scaled to `side` pixels on its longer side.
 * @param {{ url: string, thumbnail_url?: string }} picture
 * @param {number} side
 * @returns {string}
 */
export function thumbnail(picture, side) {
  const known = picture.thumbnail_url || picture.url;
  if (!known.startsWith("/api/media/")) return known;
  const url = new URL(known, location.origin);
  url.searchParams.set("size", String(side));
  return url.pathname + url.search;
}

/**
 * What a picture shows, for people who do not see it.
 * @param {Picture} picture
 * @returns {string}
 */
export function altOf(picture) {
  return picture.alt || picture.prompt || _("Picture without a prompt");
}

/**
 * The width of a picture over its height; 1 where nothing is known.
 * @param {Picture} picture
 * @returns {number}
 */
export function aspectOf(picture) {
  return picture.width > 0 && picture.height > 0 ? picture.width / picture.height : 1;
}
