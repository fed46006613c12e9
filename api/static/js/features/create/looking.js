/** A closer look at pictures from Create: one large, one beside its source; and those that were deleted go. */
import { openLightbox } from "../../pictures/lightbox.js";
import { pictureOf } from "../../pictures/picture.js";
import { api } from "../../shell/api.js";
import { events } from "../../shell/events.js";
import { compare } from "../../ui/compare.js";
import { _ } from "../../ui/text.js";

/**
 * @param {Api.Image[]} images
 * @param {number} index
 * @param {Api.Job} job
 */
export function openLarge(images, index, job) {
  openLightbox(
    images.map((image) => pictureOf(image, job)),
    index,
  );
}

/**
 * @param {HTMLElement} holder
 * @param {Api.Job} job
 * @param {Api.Image} image
 */
export function compareIn(holder, job, image) {
  const before = { url: job.request.init_image?.url ?? "", label: _("Before") };
  holder.append(compare(before, { url: image.url, width: image.width, height: image.height, label: _("After") }));
}

/** @param {string[]} ids */
export async function forgetPictures(ids) {
  const hit = [...events.jobs.values()].filter((job) => job.images.some(({ id }) => ids.includes(id)));
  for (const { id } of hit) {
    const job = await api.get(`/api/jobs/${id}`, null, { quiet: true }).catch(() => null);
    if (job?.images.every((image) => image.is_gone)) events.forget(job.id);
    else if (job) events.put(job);
  }
}
