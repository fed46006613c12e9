/** The picture to begin from: drop, paste or choose it; then change it, repaint a part, extend or enlarge it. */
import { api, session } from "../api.js";
import { button, fill, formatBytes, h, iconButton } from "../dom.js";
import { confirmDialog, openDialog } from "../ui/dialog.js";
import { toast, toastError } from "../ui/toast.js";
import { segments, slider, toggle } from "./controls.js";
import { fromDraft } from "./form.js";

const EDITS = [["img2img", "Change"], ["inpaint", "Inpaint"], ["outpaint", "Extend"], ["upscale", "Enlarge"]];
const NEEDS = { img2img: "img2img", inpaint: "inpaint", outpaint: "inpaint", upscale: "upscale" };
const HELP = { img2img: "The whole picture is drawn again, guided by your prompt.", inpaint: "Paint over what shall change.", outpaint: "Drag the frame to where the picture shall continue.", upscale: "The same picture with more pixels." };

/** A Media for anything with an id: an Image, a Picture or a Media. */
export const mediaOf = (one) => ({ media_id: one.media_id || one.id, url: one.url, width: one.width, height: one.height });

/** Send a file; resolves to its Media, or null after telling what is wrong with it. */
export async function uploadPicture(blob) {
  const { limits } = await session;
  if (!blob.type.startsWith("image/")) return void toast("That is not a picture.", { kind: "bad", hint: "Use a PNG, JPEG or WebP file." });
  if (limits.upload_bytes && blob.size > limits.upload_bytes) return void toast(`This picture is too large (${formatBytes(blob.size)}).`, { kind: "bad", hint: `At most ${formatBytes(limits.upload_bytes)}; save it smaller and try again.` });
  try {
    return await api.upload("/api/uploads", blob);
  } catch (error) {
    toastError(error);
    return null;
  }
}

/** @returns {{node: HTMLElement, update: (state: object, shape: object) => void, takeFile: (file: Blob) => Promise<void>}} */
export function inputPanel({ form, onEdit }) {
  const file = h("input", { type: "file", accept: "image/png,image/jpeg,image/webp", class: "sr-only", tabindex: "-1", "aria-label": "Input picture" });
  file.addEventListener("change", () => {
    if (file.files[0]) takeFile(file.files[0], form);
    file.value = "";
  });
  const empty = h("button", { type: "button", class: "drop", on: { click: () => file.click() } }, h("b", {}, "Begin from a picture"), h("span", {}, "Drop, paste or choose one. A picture made here brings its settings back."));
  const controls = editControls(form);
  const thumb = h("img", { class: "input-thumb", alt: "The picture to begin from", width: 64, height: 64 });
  const size = h("p", { class: "small faint num" });
  const help = h("p", { class: "small muted" });
  const word = h("span", {});
  const edit = button(word, () => onEdit(), { class: "btn-small", icon: "mask" });
  const remove = iconButton("close", "Remove the picture", () => form.set({ input: null, mask: null, zoom: null, pan: null, replyTo: null }), { class: "btn-small" });
  const full = h("div", { class: "stack input-card" }, h("div", { class: "row" }, thumb, h("div", { class: "grow" }, h("p", { class: "small" }, "Input picture"), size), remove), controls.modes.node, help, edit, controls.nodes);
  const node = h("div", { class: "input-panel" }, file, empty, full);
  const update = (state, shape) => {
    const canUse = !shape.modes.size || ["img2img", "inpaint", "upscale"].some((mode) => shape.modes.has(mode));
    empty.hidden = Boolean(state.input) || !canUse;
    node.hidden = empty.hidden && !state.input;
    full.hidden = !state.input;
    if (!state.input) return;
    if (!thumb.src.endsWith(state.input.url)) thumb.src = state.input.url;
    size.textContent = `${state.input.width} × ${state.input.height}`;
    help.textContent = HELP[state.edit];
    drawEdit(edit, word, state);
    controls.update(state, shape);
  };
  return { node, update, choose: () => file.click() };
}

function drawEdit(edit, word, { edit: mode, mask, zoom, pan }) {
  const isSet = Boolean(mask || zoom || pan);
  edit.hidden = !["inpaint", "outpaint"].includes(mode);
  word.textContent = mode === "inpaint" ? (isSet ? "Change the mask" : "Paint the mask") : isSet ? `Change the frame${zoom ? ` (${zoom}×)` : ""}` : "Set the frame";
  edit.classList.toggle("btn-primary", !isSet);
}

function editControls(form) {
  const set = (name) => (value) => form.set({ [name]: value });
  const modes = segments("What to do with the picture", EDITS, (edit) => form.set({ edit, mask: null, zoom: null, pan: null }));
  const strength = slider({ label: "Change", min: 0, max: 1, step: 0.01, onChange: set("strength") });
  const factor = segments("Times larger", [[2, "2×"], [3, "3×"], [4, "4×"]], (value) => form.set({ factor: value }));
  const fillIn = segments("Begin the masked part with", [["", "Auto"], ["original", "Original"], ["blur", "Blur"], ["noise", "Noise"], ["empty", "Empty"]], set("maskFill"));
  const only = toggle("Only the masked part", "Draws it at full size: more detail", set("onlyMasked"));
  const update = (state, shape) => {
    modes.update(state.edit);
    for (const each of modes.buttons) each.hidden = shape.modes.size > 0 && !shape.modes.has(NEEDS[each.dataset.value]);
    strength.update(state.strength, state.edit === "inpaint" ? 0.75 : 0.6);
    strength.node.hidden = state.edit === "upscale" || state.edit === "outpaint";
    factor.update(state.factor);
    factor.node.hidden = state.edit !== "upscale";
    fillIn.update(state.maskFill);
    fillIn.node.hidden = state.edit !== "inpaint" || !shape.supports.mask_fill;
    only.update(state.onlyMasked);
    only.node.hidden = state.edit !== "inpaint" || !shape.supports.only_masked;
  };
  return { modes, nodes: [strength.node, factor.node, fillIn.node, only.node], update };
}

/** A file that was dropped, pasted or chosen: its own settings if it has any and they are wanted, then as the input. */
export async function takeFile(file, form) {
  const recalled = file.type === "image/png" || file.type === "image/jpeg" || file.type === "image/webp" ? await recall(file) : null;
  if (recalled) {
    const actions = await askRecall(recalled);
    if (actions === null) return;
    if (actions === "settings") return void applyRecall(form, recalled);
  }
  const input = await uploadPicture(file);
  if (input) form.set({ input: mediaOf(input), mask: null, zoom: null, pan: null });
}

async function recall(file) {
  try {
    const found = await api.upload("/api/recall", file, { quiet: true });
    return found.draft && Object.keys(found.draft).length ? found : null;
  } catch {
    return null; // without readable parameters it is simply a picture
  }
}

async function askRecall({ command, text }) {
  const body = h("div", { class: "stack" }, h("p", {}, "This picture knows how it was made. Bring these settings back? They replace what is in the form now."), h("pre", { class: "recall-text" }, command || text));
  return openDialog({ title: "Recall its settings?", body, actions: [{ label: "Use as input picture", value: "input", kind: "plain" }, { label: "Recall settings", value: "settings", kind: "primary" }] });
}

function applyRecall(form, { draft }) {
  form.reset();
  form.set(fromDraft(draft));
  toast("The settings are back.", { kind: "good" });
}

/** Ask before a form with words in it is replaced. */
export async function mayReplace(form) {
  if (!form.get().text.trim()) return true;
  return confirmDialog({ title: "Replace what you wrote?", text: form.get().text, action: "Replace" });
}

/** Describe the input picture in words and put them into the prompt. */
export async function describeInput(form) {
  const { input, text } = form.get();
  try {
    const answer = await api.post("/api/describe", { media_id: input.media_id });
    form.set({ text: text.trim() ? `${text.trim()} ${answer.text}` : answer.text });
    toast(`Described by ${answer.engine}.`);
  } catch (error) {
    toastError(error);
  }
}

/** Listen to drops and pastes on the whole page. */
export function catchFiles(root, form) {
  const over = (event) => {
    if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
    event.preventDefault();
    root.classList.toggle("dropping", event.type === "dragover");
  };
  const drop = (event) => {
    const file = event.dataTransfer?.files?.[0];
    root.classList.remove("dropping");
    if (!file) return;
    event.preventDefault();
    takeFile(file, form);
  };
  const paste = (event) => {
    const file = [...(event.clipboardData?.files || [])].find((one) => one.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    takeFile(file, form);
  };
  const pairs = [[document, "dragover", over], [document, "dragleave", (event) => !event.relatedTarget && root.classList.remove("dropping")], [document, "drop", drop], [document, "paste", paste]];
  for (const [target, kind, fn] of pairs) target.addEventListener(kind, fn);
  return () => pairs.forEach(([target, kind, fn]) => target.removeEventListener(kind, fn));
}

/** The little row of an input that says where the result goes. */
export function replyNotice(form) {
  const close = iconButton("close", "Do not post it there", () => form.set({ replyTo: null }), { class: "btn-small" });
  const node = h("div", { class: "notice reply", hidden: true });
  fill(node, h("p", { class: "grow" }, "From Discord: what you make from this picture is posted back into its channel."), close);
  return { node, update: ({ replyTo }) => (node.hidden = !replyTo) };
}
