/**
 * The picture another one was made from: known to its job, not to a row of the gallery.
 */

import { api } from "../shell/api.js";
import { events } from "../shell/events.js";

const FROM_A_PICTURE = new Set(["img2img", "inpaint", "upscale", "restyle"]);

/**
 * Whether a picture was made from another one.
 * @param {Picture} picture
 * @returns {boolean}
 */
export const hasInput = (picture) => FROM_A_PICTURE.has(picture.mode);

/**
 * The input picture, as Media.
 * @param {Picture} picture
 * @returns {Promise<Api.Media | null>} null where it is not known any more
 */
export async function inputOf(picture) {
  const known = picture.job ?? events.jobs.get(picture.job_id);
  if (known?.request?.init_image) return known.request.init_image;
  const job = await api.get(`/api/jobs/${picture.job_id}`);
  return job.request.init_image;
}
