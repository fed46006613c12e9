/** Brings the mask and the frame editor onto the stage, and their outcome into the form. */

import { useCss } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { toast } from "../../ui/toast.js";
import { uploadPicture } from "./files.js";
import { mediaOf } from "./form.js";
import { maskEditor } from "./mask.js";
import { frameEditor, padPicture } from "./outpaint.js";

/** @type {Editor | null} */
let current = null;

/** @param {CreateView} view */
function close(view) {
  current?.destroy();
  current = null;
  view.stage.cover(null);
}

/** @param {CreateView} view @param {() => Editor} editor */
async function put(view, editor) {
  await useCss("editor");
  current?.destroy();
  current = editor();
  view.stage.cover(current);
  view.stage.node.dataset.state = "editing";
  view.stage.node.scrollIntoView({ block: "nearest" });
}

/**
 * Paint a mask over the input picture.
 * @param {CreateView} view
 * @param {InputPicture} input
 */
export function openMask(view, input) {
  const { form } = view;
  const keepMask = async (/** @type {Promise<Blob | null>} */ made) => {
    const png = await made;
    if (!png) return void toast(_("Nothing is painted yet."), { hint: _("Paint over what should change.") });
    const mask = await uploadPicture(png);
    if (!mask) return;
    form.set({ mask });
    close(view);
    toast(_("The mask is set. Say what should be there, then press Generate."), { kind: "good" });
    if (innerWidth >= 860) view.box.input.focus();
  };
  const onDone = (/** @type {Promise<Blob | null>} */ png) => {
    form.pending = keepMask(png);
  };
  return put(view, () => maskEditor({ ...input, maskUrl: form.get().mask?.url, onDone, onCancel: () => close(view) }));
}

/**
 * Draw the frame into which the picture is outpainted: a plain zoom is the server's work, own edges become picture and
 * mask.
 * @param {CreateView} view
 * @param {InputPicture} input
 */
export function openFrame(view, input) {
  const { form } = view;
  const shape = view.shape();
  /** @param {FrameChoice} frame */
  const keepFrame = async (frame) => {
    if (frame.zoom) form.set({ zoom: frame.zoom, mask: null, pan: null });
    else if (!(await padded(form, input, frame))) return;
    close(view);
    toast(_("The frame is set. Press Generate to outpaint the picture."), { kind: "good" });
  };
  const onDone = (/** @type {FrameChoice} */ frame) => {
    form.pending = keepFrame(frame);
  };
  return put(view, () =>
    frameEditor({
      ...input,
      grid: Math.max(8, shape.grid),
      maxSide: shape.maxSide,
      onDone,
      onCancel: () => close(view),
    }),
  );
}

/**
 * @param {FormStore} form
 * @param {InputPicture} input
 * @param {FrameChoice} frame
 */
async function padded(form, input, frame) {
  if (!Object.values(frame).some(Boolean)) return void toast(_("Drag an edge outwards first."));
  const pads = { left: 0, right: 0, up: 0, down: 0, ...frame };
  const files = await padPicture(input.url, pads);
  const [picture, mask] = await Promise.all([uploadPicture(files.picture), uploadPicture(files.mask)]);
  if (!picture || !mask) return false;
  form.set({ input: mediaOf(picture), mask, zoom: null, pan: null, width: null, height: null, aspect: null });
  return true;
}
