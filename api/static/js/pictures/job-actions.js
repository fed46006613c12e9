/** What can be done with a job while it waits, or after it failed. */

import { api } from "../shell/api.js";
import { events } from "../shell/events.js";
import { button } from "../ui/dom.js";
import { _ } from "../ui/text.js";
import { toastError } from "../ui/toast.js";
import { writePrice } from "./prices.js";

/**
 * Cancel a job; the stream brings the change.
 * @param {Api.Job} job
 */
export async function cancelJob(job) {
  try {
    events.put(await api.post(`/api/jobs/${job.id}/cancel`));
  } catch (error) {
    toastError(error);
  }
}

/**
 * Move an own waiting job one place forward.
 * @param {Api.Job} job
 */
export async function moveUp(job) {
  try {
    events.put(await api.post(`/api/jobs/${job.id}/up`));
  } catch (error) {
    toastError(error);
  }
}

/**
 * Try a failed or cancelled job again, as it was.
 * @param {Api.Job} job
 */
export const retry = async (job) => (await import("./again.js")).again(job.id, {}, _("Trying again."));

/**
 * The button that does so, with what it costs.
 * @param {Api.Job} job
 * @param {string} label
 * @param {string} look
 */
export const retryButton = (job, label, look) =>
  writePrice(
    button(label, () => retry(job), { icon: "refresh", class: look }),
    job.id,
    "retry",
  );
