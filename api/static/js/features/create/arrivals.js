/** What Create is opened with: settings or a picture that were handed over, or a job by its link. */
import { api } from "../../shell/api.js";
import { events } from "../../shell/events.js";
import { FIELDS } from "../../shell/fields.js";
import { toastError } from "../../ui/toast.js";
import { fromDraft, mediaOf } from "./form.js";

/** Fill the form with what was handed over. @param {CreateView} view @param {Partial<Handoff>} handed */
export async function takeOver({ form }, { command, draft, initImage, mode, replyTo, isAddition }) {
  if (!isAddition) form.reset({ isBare: true }); // a picture's own settings, without anybody's defaults
  const parsed = command ? await api.post("/api/parse", { text: command }, { quiet: true }).catch(() => null) : null;
  const values = { ...(parsed?.draft || {}), ...(draft || {}) };
  const patch = Object.keys(values).length ? fromDraft(values) : { text: command };
  if (initImage)
    Object.assign(patch, {
      input: mediaOf(initImage),
      edit: mode || "img2img",
      replyTo,
      seed: null,
      isSeedLocked: false,
      width: null,
      height: null,
      aspect: null,
      fields: {
        ...patch.fields,
        ...Object.fromEntries(FIELDS.filter((each) => each.is_filled).map(({ name }) => [name, null])),
      },
    });
  form.set(patch);
}

/**
 * From Discord: its picture with the brush ready, and the answer goes back to where it came from.
 * @param {CreateView} view
 * @param {string} id
 * @param {(job: Api.Job) => void} show
 */
export async function openJob(view, id, show) {
  try {
    const job = await api.get(`/api/jobs/${encodeURIComponent(id)}`);
    events.put(job);
    show(job);
    const image = job.images.find((item) => !item.is_gone);
    if (image && view.form.get().input?.media_id === image.id)
      view.form.set({ replyTo: job.door === "discord" ? job.id : null }); // a reload keeps the work
    else if (image)
      await takeOver(view, {
        command: job.command,
        initImage: image,
        mode: view.shape().modes.has("inpaint") || !view.engines.isLoaded ? "inpaint" : "img2img",
        replyTo: job.door === "discord" ? job.id : null,
      });
  } catch (error) {
    toastError(error);
  }
}
