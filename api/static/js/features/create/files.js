/** Files from people: sent to the server, asked for the settings they carry, then taken as the input picture. */

import { api, session } from "../../shell/api.js";
import { confirmDialog, openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";
import { formatBytes } from "../../ui/words.js";
import { fromDraft, mediaOf } from "./form.js";

/**
 * Send a file; resolves to its Media, or null after telling what is wrong with it.
 * @param {Blob} blob
 */
export async function uploadPicture(blob) {
  const { limits } = await session;
  if (!blob.type.startsWith("image/"))
    return void toast(_("That is not a picture."), { kind: "bad", hint: _("Use a PNG, JPEG or WebP file.") });
  if (limits.upload_bytes && blob.size > limits.upload_bytes)
    return void toast(_("This picture is too large ({size}).", { size: formatBytes(blob.size) }), {
      kind: "bad",
      hint: _("At most {size}; save it smaller and try again.", { size: formatBytes(limits.upload_bytes) }),
    });
  try {
    return await api.upload("/api/uploads", blob);
  } catch (error) {
    toastError(error);
    return null;
  }
}

/**
 * A file that was dropped, pasted or chosen: its own settings if it has any and they are wanted, then as the input.
 * @param {File} file
 * @param {FormStore} form
 */
export async function takeFile(file, form) {
  const recalled =
    file.type === "image/png" || file.type === "image/jpeg" || file.type === "image/webp" ? await recall(file) : null;
  if (recalled) {
    const actions = await askRecall(recalled);
    if (actions === null) return;
    if (actions === "settings") return void applyRecall(form, recalled);
  }
  const input = await uploadPicture(file);
  if (input)
    form.set({ input: mediaOf(input), mask: null, zoom: null, pan: null, width: null, height: null, aspect: null });
}

/** @param {File} file */
async function recall(file) {
  try {
    const found = await api.upload("/api/recall", file, { quiet: true });
    return found.draft && Object.keys(found.draft).length ? found : null;
  } catch {
    return null; // without readable parameters it is simply a picture
  }
}

/** @param {Api.Recall} recalled */
async function askRecall({ command, text }) {
  const body = h(
    "div",
    { class: "stack" },
    h(
      "p",
      {},
      _("This picture knows how it was made. Bring these settings back? They replace what is in the form now."),
    ),
    h("pre", { class: "recall-text" }, command || text),
  );
  return openDialog({
    title: _("Recall its settings?"),
    body,
    actions: [
      { label: _("Use as input picture"), value: "input", kind: "plain" },
      { label: _("Recall settings"), value: "settings", kind: "primary" },
    ],
  });
}

/** @param {FormStore} form @param {Api.Recall} recalled */
function applyRecall(form, { draft }) {
  form.reset();
  form.set(fromDraft(draft));
  toast(_("The settings are back."), { kind: "good" });
}

/**
 * Ask before a form with words in it is replaced.
 * @param {FormStore} form
 */
export async function mayReplace(form) {
  if (!form.get().text.trim()) return true;
  return confirmDialog({ title: _("Replace what you wrote?"), text: form.get().text, action: _("Replace") });
}

/**
 * Describe the input picture in words and put them into the prompt.
 * @param {FormStore} form
 */
export async function describeInput(form) {
  const { input, text } = form.get();
  if (!input) return;
  try {
    const answer = await api.post("/api/describe", { media_id: input.media_id });
    form.set({ text: text.trim() ? `${text.trim()} ${answer.text}` : answer.text });
    toast(_("Described by {engine}.", { engine: answer.engine }));
  } catch (error) {
    toastError(error);
  }
}
