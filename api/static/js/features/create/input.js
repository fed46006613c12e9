/** The picture to begin from: a place to drop, paste or choose one. What follows is loaded when there is one. */

import { fill, h, iconButton } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

const WITH_INPUT = ["img2img", "inpaint", "upscale", "restyle"];

/**
 * Take a file as the input picture, or the settings that it carries.
 * @param {File} file
 * @param {FormStore} form
 */
export function takeFile(file, form) {
  form.pending = import("./files.js").then((files) => files.takeFile(file, form));
}

/**
 * The place for a picture to begin from; its card follows it.
 * @param {{ form: FormStore, onEdit: () => void }} spec
 * @returns {FormPart}
 */
export function inputPanel({ form, onEdit }) {
  const file = h("input", {
    type: "file",
    accept: "image/*",
    class: "sr-only",
    tabindex: "-1",
    "aria-label": _("Input picture"),
  });
  file.addEventListener("change", () => {
    if (file.files?.[0]) takeFile(file.files[0], form);
    file.value = "";
  });
  const empty = h(
    "button",
    { type: "button", class: "drop", on: { click: () => file.click() } },
    h("b", {}, _("Begin from a picture")),
    h("span", {}, _("Drop, paste or choose one. A picture made here brings its settings back.")),
  );
  const node = h("div", { class: "input-panel" }, file, empty);
  /** @type {FormPart | null} */
  let card = null;
  /** @type {[FormState, Shape] | null} */
  let latest = null;
  const load = async () => {
    card = { node: h("div", {}), update: () => {} }; // once, however often it is asked for
    const { inputCard } = await import("./input-card.js");
    card = inputCard({ form, onEdit });
    node.append(card.node);
    if (latest?.[0].input) card.update(...latest);
    card.node.hidden = !latest?.[0].input;
  };
  /**
   * @param {FormState} state
   * @param {Shape} shape
   */
  const update = (state, shape) => {
    const canUse = !shape.modes.size || WITH_INPUT.some((mode) => shape.modes.has(mode));
    latest = [state, shape];
    empty.hidden = Boolean(state.input) || !canUse;
    node.hidden = empty.hidden && !state.input;
    if (card) card.node.hidden = !state.input;
    if (!state.input) return;
    if (card) card.update(state, shape);
    else load();
  };
  return { node, update };
}

/**
 * Listen to drops and pastes on the whole page.
 * @param {HTMLElement} root
 * @param {FormStore} form
 */
export function catchFiles(root, form) {
  const over = (/** @type {DragEvent} */ event) => {
    if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
    event.preventDefault();
    root.classList.toggle("dropping", event.type === "dragover");
  };
  const drop = (/** @type {DragEvent} */ event) => {
    const file = event.dataTransfer?.files?.[0];
    root.classList.remove("dropping");
    if (!file) return;
    event.preventDefault();
    takeFile(file, form);
  };
  const paste = (/** @type {ClipboardEvent} */ event) => {
    const file = [...(event.clipboardData?.files || [])].find((item) => item.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    takeFile(file, form);
  };
  const leave = (/** @type {DragEvent} */ event) => !event.relatedTarget && root.classList.remove("dropping");
  const stop = new AbortController();
  const { signal } = stop;
  document.addEventListener("dragover", over, { signal });
  document.addEventListener("dragleave", leave, { signal });
  document.addEventListener("drop", drop, { signal });
  document.addEventListener("paste", paste, { signal });
  return () => stop.abort();
}

/**
 * The little row of an input that says where the result goes.
 * @param {FormStore} form
 */
export function replyNotice(form) {
  const close = iconButton("close", _("Do not post it there"), () => form.set({ replyTo: null }), {
    class: "btn-small",
  });
  const node = h("div", { class: "notice reply", hidden: true });
  fill(
    node,
    h("p", { class: "grow" }, _("From Discord: what you make from this picture is posted back into its channel.")),
    close,
  );
  return { node, update: (/** @type {FormState} */ { replyTo }) => (node.hidden = !replyTo) };
}
