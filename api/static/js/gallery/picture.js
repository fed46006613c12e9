/**
 * Pictures as the grid, the lightbox and the feed show them: one shape for a row of the gallery and a result of a job.
 */

const made = new WeakMap(); // the same result is the same picture wherever it is shown

/** Whether it is a row of the gallery already. */
const isPicture = (thing) => "job_id" in thing;

/**
 * A result of a job in the shape of a gallery picture; a gallery picture stays what it is.
 * @param {object} image Image or Picture
 * @param {object} [job] the job it came from
 * @returns {object} Picture, with the job under `job` where it is known
 */
export function pictureOf(image, job = image.job) {
  if (!job || isPicture(image)) return image;
  const asked = job.request ?? {};
  if (made.has(image)) return made.get(image);
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
 * What the actions need to know of the job behind a picture.
 * @param {object} picture
 * @returns {object} the job itself, or as much of it as the picture tells
 */
export function jobOf(picture) {
  if (picture.job) return picture.job;
  const { prompt, negative_prompt, mode, model, engine, command, is_mine, is_private } = picture;
  const { width, height, steps, cfg_scale, sampler, seed } = picture;
  return {
    id: picture.job_id,
    short_id: String(picture.job_id).slice(0, 4),
    status: "done",
    prompt,
    mode,
    model,
    engine,
    command,
    is_mine,
    is_private,
    request: { prompt, negative_prompt, width, height, steps, cfg_scale, sampler, seed, model, init_image: null },
    images: [picture],
  };
}

/** The address of a picture scaled to `side` pixels on its longer side. @returns {string} */
export function thumbnail(picture, side) {
  const known = picture.thumbnail_url || picture.url;
  if (!known.startsWith("/api/media/")) return known;
  const url = new URL(known, location.origin);
  url.searchParams.set("size", String(side));
  return url.pathname + url.search;
}

/** What a picture shows, for people who do not see it. @returns {string} */
export function altOf(picture) {
  return picture.alt || picture.prompt || "Picture without a prompt";
}

/** The width of a picture over its height; 1 where nothing is known. @returns {number} */
export function aspectOf(picture) {
  return picture.width > 0 && picture.height > 0 ? picture.width / picture.height : 1;
}
