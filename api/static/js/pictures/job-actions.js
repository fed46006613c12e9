/** What can be done with a job while it waits, or after it failed. */

import { api } from "../shell/api.js";
import { events } from "../shell/events.js";
import { _ } from "../ui/text.js";
import { toastError } from "../ui/toast.js";

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
