/** A job once more, as it was or changed. */

import { events } from "../shell/events.js";
import { go } from "../shell/router.js";
import { _ } from "../ui/text.js";
import { toast, toastError } from "../ui/toast.js";
import { ask } from "./paying.js";

/**
 * Run a job once more: `again(jobId, {changes, drop, image})`; the new jobs are returned and shown in the queue.
 * @param {string} jobId
 */
export async function again(jobId, body = {}, words = _("Queued again.")) {
  try {
    const submitted = await ask(`/api/jobs/${jobId}/again`, body);
    if (!submitted) return [];
    const { jobs } = submitted;
    for (const job of jobs) events.put(job);
    toast(words, {
      kind: "good",
      action: location.hash.startsWith("#/create") ? null : { label: _("Show"), run: () => go("create") },
    });
    return jobs;
  } catch (error) {
    toastError(error);
    return [];
  }
}
