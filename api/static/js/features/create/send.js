/** Sends the form as a request, once what was given to it is there. */

import { ask } from "../../pictures/paying.js";
import { events } from "../../shell/events.js";
import { _ } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";

/** @param {FormState} state */
function whatIsMissing({ text, input, edit, mask, zoom, pan }) {
  if (!input) return text.trim() ? "" : _("Describe the picture first.");
  if (edit === "inpaint" && !mask) return _("Paint over what should change, then press Generate.");
  return edit === "outpaint" && !mask && !zoom && !pan ? _("Set the frame first, then press Generate.") : "";
}

/**
 * @param {CreateView} view
 * @param {{ showJob: (view: CreateView, job: Api.Job) => void, openEditor: (view: CreateView) => unknown }} doors
 */
export async function generate(view, { showJob, openEditor }) {
  if (view.isSending) return;
  const { form } = view;
  view.isSending = true;
  view.go.disabled = true;
  try {
    await form.pending?.catch(() => {}); // what failed was told, and the form stands as it did
    const missing = whatIsMissing(form.get());
    if (missing) {
      if (form.get().input) openEditor(view);
      else view.box.input.focus();
      toast(missing);
      return;
    }
    await view.box.settled();
    const submitted = await ask("/api/jobs", view.bodyOf());
    if (!submitted) return;
    const { jobs, notes } = submitted;
    const [first] = jobs.map((job) => events.put(job));
    view.stage.cover(null);
    showJob(view, first);
    if (notes?.length) toast(notes.join(" "));
    if (innerWidth < 860) view.stage.node.scrollIntoView({ behavior: "smooth", block: "start" });
  } catch (error) {
    toastError(error);
  } finally {
    view.isSending = false;
    view.go.disabled = false;
  }
}
