/** A picture of a draft, drawn in full. */

import { api } from "../shell/api.js";
import { events } from "../shell/events.js";
import { go } from "../shell/router.js";
import { confirmDialog } from "../ui/dialog.js";
import { _ } from "../ui/text.js";
import { toast, toastError } from "../ui/toast.js";
import { money } from "../ui/words.js";
import { ask } from "./paying.js";

/**
 * Finish one picture of a draft; what that costs is agreed to first.
 * @param {string} jobId
 * @param {number} index
 */
export async function finish(jobId, index) {
  try {
    const { width, height, steps, cost_usd: cost } = await api.get(`/api/jobs/${jobId}/finish`);
    const size = _("{width}×{height}, {steps} steps", { width, height, steps });
    if (cost && !(await isAgreed(size, cost))) return;
    const submitted = await ask(`/api/jobs/${jobId}/finish`, cost ? { index, max_cost_usd: cost } : { index });
    if (!submitted) return;
    for (const job of submitted.jobs) events.put(job);
    const action = location.hash.startsWith("#/create") ? null : { label: _("Show"), run: () => go("create") };
    toast(_("Drawing it in full: {size}.", { size }), { kind: "good", action });
  } catch (error) {
    toastError(error);
  }
}

/**
 * @param {string} size
 * @param {number} cost
 */
const isAgreed = (size, cost) =>
  confirmDialog({
    title: _("Finish this picture?"),
    text: _("Drawn in full at {size}, it costs {cost}.", { size, cost: money(cost) }),
    action: _("Finish for {cost}", { cost: money(cost) }),
  });
