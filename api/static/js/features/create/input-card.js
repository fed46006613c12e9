/** The card of an input picture: what to do with it, and how strongly. */

import { FIELDS } from "../../shell/fields.js";
import { segments } from "../../ui/controls.js";
import { button, h, iconButton } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { fieldControl } from "./controls.js";

/** @type {[Edit, string][]} */
const EDITS = [
  ["img2img", _("Change")],
  ["inpaint", _("Inpaint")],
  ["outpaint", _("Outpaint")],
  ["upscale", _("Upscale")],
  ["restyle", _("Restyle")],
];
/** @type {Record<string, string>} */
const NEEDS = { img2img: "img2img", inpaint: "inpaint", outpaint: "inpaint", upscale: "upscale", restyle: "restyle" };
/** @type {Record<Edit, string>} */
const HELP = {
  img2img: _("The whole picture is drawn again, guided by your prompt."),
  inpaint: _("Paint over what should change."),
  outpaint: _("Drag the frame to where the picture should continue."),
  upscale: _("The same picture with more pixels."),
  restyle: _("Painted in another style. It needs no words."),
};

/**
 * The card itself: it follows the form.
 * @param {{ form: FormStore, onEdit: () => void }} spec
 * @returns {FormPart}
 */
export function inputCard({ form, onEdit }) {
  const controls = editControls(form);
  const thumb = h("img", { class: "input-thumb", alt: _("The picture to begin from"), width: 64, height: 64 });
  const size = h("p", { class: "small faint num" });
  const help = h("p", { class: "small muted" });
  const word = h("span", {});
  const edit = button(word, () => onEdit(), { class: "btn-small", icon: "mask" });
  const remove = iconButton(
    "close",
    _("Remove the picture"),
    () => form.set({ input: null, mask: null, zoom: null, pan: null, replyTo: null }),
    { class: "btn-small" },
  );
  const node = h(
    "div",
    { class: "stack input-card" },
    h(
      "div",
      { class: "row" },
      thumb,
      h("div", { class: "grow" }, h("p", { class: "small" }, _("Input picture")), size),
      remove,
    ),
    controls.modes.node,
    help,
    edit,
    controls.nodes,
  );
  /**
   * @param {FormState} state
   * @param {Shape} shape
   */
  const update = (state, shape) => {
    if (!state.input) return;
    if (!thumb.src.endsWith(state.input.url)) thumb.src = state.input.url;
    size.textContent = `${state.input.width} × ${state.input.height}`;
    help.textContent = HELP[state.edit];
    drawEdit(edit, word, state);
    controls.update(state, shape);
  };
  return { node, update };
}

/** @param {HTMLElement} edit @param {HTMLElement} word @param {FormState} state */
function drawEdit(edit, word, { edit: mode, mask, zoom, pan }) {
  const isSet = Boolean(mask || zoom || pan);
  const changeFrame = zoom ? _("Change the frame ({zoom}×)", { zoom }) : _("Change the frame");
  const [set, change] =
    mode === "inpaint" ? [_("Paint the mask"), _("Change the mask")] : [_("Set the frame"), changeFrame];
  edit.hidden = !["inpaint", "outpaint"].includes(mode);
  word.textContent = isSet ? change : set;
  edit.classList.toggle("btn-primary", !isSet);
}

/** @param {FormStore} form */
function editControls(form) {
  const modes = segments(_("What to do with the picture"), EDITS, (edit) => {
    // painting has a usual strength of its own: all of it
    const isOther = (edit === "restyle") !== (form.get().edit === "restyle");
    /** @type {Record<string, FieldValue>} */
    const fields = isOther ? { denoising_strength: edit === "restyle" ? 1 : null } : {};
    form.set({ edit, mask: null, zoom: null, pan: null, fields });
  });
  const fields = FIELDS.filter(({ place }) => place === "input").map((field) => fieldControl(field, form));
  const factor = segments(
    _("Times larger"),
    /** @type {[number, string][]} */ ([
      [2, "2×"],
      [3, "3×"],
      [4, "4×"],
    ]),
    (value) => form.set({ factor: value }),
  );
  const tiles = h("div", {});
  /** @type {((state: FormState) => void) | null} */
  let updateTiles = null;
  const loadTiles = async () => {
    updateTiles = () => {}; // once, however often it is asked for
    const { restylePicker } = await import("./restyle.js");
    const picker = restylePicker(form);
    tiles.append(picker.node);
    updateTiles = picker.update;
    picker.update(form.get());
  };
  /**
   * @param {FormState} state
   * @param {Shape} shape
   */
  const update = (state, shape) => {
    modes.update(state.edit);
    tiles.hidden = state.edit !== "restyle";
    if (!tiles.hidden && !updateTiles) loadTiles();
    updateTiles?.(state);
    for (const each of modes.buttons)
      each.hidden = shape.modes.size > 0 && !shape.modes.has(NEEDS[each.dataset.value ?? ""]);
    for (const part of fields) part.update(state, shape);
    factor.update(state.factor);
    factor.node.hidden = state.edit !== "upscale";
  };
  return { modes, nodes: [factor.node, tiles, ...fields.map((part) => part.node)], update };
}
