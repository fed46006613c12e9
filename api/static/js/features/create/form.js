/** What stands in the Create form: kept across reloads, sent as POST /api/jobs, filled from drafts. */
import { withStyles } from "../../pictures/prompt.js";
import { FIELDS } from "../../shell/fields.js";
import { getPref, setPref } from "../../shell/prefs.js";

/** `null` and empty mean "not said": Easel and the engine decide. Sizes in pixels. @type {FormState} */
const EMPTY = {
  text: "",
  negative: "",
  styles: [],
  aspect: null,
  width: null,
  height: null,
  seed: null,
  isSeedLocked: false,
  loras: [],
  hires: null,
  backend: "",
  isPrivate: false,
  input: null,
  edit: "img2img",
  mask: null,
  zoom: null,
  pan: null,
  factor: 2,
  restyle: null,
  workflow: "",
  options: {},
  replyTo: null,
  fields: Object.fromEntries(FIELDS.map(({ name }) => [name, null])),
};
const STORED = "create";
const DEFAULTS = "defaults"; // what Settings let people choose, by the names of Job.request

/** @type {() => FormState} */
const blank = () => merged(EMPTY, fromDraft(getPref(DEFAULTS, /** @type {Partial<Api.Draft>} */ ({}))));

/**
 * What a part leaves out of the fields stays as it was.
 * @param {FormState} state
 * @param {Partial<FormState>} patch
 */
const merged = (state, patch) => ({ ...state, ...patch, fields: { ...state.fields, ...patch.fields } });

/** @param {Partial<FormState>} state */
const namesOf = (state) => /** @type {(keyof FormState)[]} */ (Object.keys(state));

/** A small store: `get()`, `set(patch)`, `on(fn(state, changedNames))`. @returns {FormStore} */
export function makeForm() {
  const base = blank();
  /** @type {FormState} */
  let state = merged(base, { ...getPref(STORED, {}), replyTo: null });
  /** @type {Set<(state: FormState, changed: Set<string>) => unknown>} */
  const listeners = new Set();
  let timer = 0;
  const keep = () => {
    const isOwn = (/** @type {keyof FormState} */ name) => JSON.stringify(state[name]) !== JSON.stringify(base[name]);
    const kept = namesOf(state).filter((name) => name !== "replyTo" && isOwn(name));
    setPref(STORED, Object.fromEntries(kept.map((name) => [name, state[name]])));
  };
  return {
    get: () => state,
    set(patch) {
      const next = merged(state, patch);
      const changed = namesOf(patch).filter((name) => JSON.stringify(state[name]) !== JSON.stringify(next[name]));
      if (!changed.length) return;
      state = next;
      clearTimeout(timer);
      timer = setTimeout(keep, 200);
      for (const fn of [...listeners]) fn(state, new Set(changed));
    },
    /** Back to the defaults, or (`isBare`) to nothing said; the prompt is emptied too. */
    reset({ isBare = false } = {}) {
      this.set(isBare ? EMPTY : blank());
    },
    on(fn) {
      listeners.add(fn);
      return () => listeners.delete(fn);
    },
    flush() {
      clearTimeout(timer);
      keep();
    },
  };
}

/**
 * The body of POST /api/jobs: what was said and what the engine has; flags in the text (`flagged`) win over controls.
 * @param {FormState} form
 * @param {Pick<Shape, "supports" | "has" | "modes">} shape of the engine's controls
 * @param {Partial<Api.Draft>} flagged the draft that the text's flags give
 * @param {string[]} styleValues words of the chosen presets
 */
export function toBody(form, shape, flagged, styleValues) {
  const { supports, has } = shape;
  /** @type {Record<string, unknown>} */
  const body = { text: withStyles(form.text, styleValues) };
  const say = (/** @type {string} */ name, /** @type {unknown} */ value, may = true) => {
    if (may && value !== null && value !== undefined && value !== "" && !(name in flagged)) body[name] = value;
  };
  say("negative_prompt", form.negative.trim(), supports.negative);
  if (!("width" in flagged || "height" in flagged || "aspect" in flagged)) saySize(body, form);
  say("seed", form.isSeedLocked ? form.seed : null, supports.seed);
  for (const field of FIELDS) {
    const value = form.fields[field.name];
    say(field.name, value, maySay(field, form, shape) && !(field.is_filled && value === field.usual));
  }
  if (form.loras.length && has("loras") && !("loras" in flagged)) body.loras = form.loras.filter((item) => item.name);
  say("hires", form.hires, supports.hires && !form.input);
  say("backend", form.backend);
  say("workflow", form.workflow);
  if (form.workflow) body.options = { ...form.options, ...flagged.options };
  if (form.input) sayInput(body, form);
  if (form.isPrivate) body.is_private = true;
  if (form.replyTo) body.reply_to = form.replyTo;
  return body;
}

/** @param {Record<string, unknown>} body @param {FormState} form */
function saySize(body, form) {
  if (form.width && form.height) Object.assign(body, { width: form.width, height: form.height });
  else if (form.aspect) body.aspect = form.aspect;
}

/**
 * Whether a field means something to this engine, with this picture to begin from.
 * @param {FormField} field
 * @param {FormState} form
 * @param {Pick<Shape, "supports" | "has">} shape
 */
export function maySay({ needs, list, modes, place }, { input, edit }, { supports, has }) {
  const mode = input ? edit : "txt2img";
  if ((needs && !supports[needs]) || (list && !has(list))) return false;
  return !modes || modes.includes(mode) || (mode === "outpaint" && place !== "input");
}

/** Whether the picture needs no words. @param {FormState} form */
export const isAlone = ({ input, edit }) => Boolean(input) && ["upscale", "restyle"].includes(edit);

/** @param {Record<string, unknown>} body @param {FormState} form */
function sayInput(body, form) {
  body.init_image = form.input?.media_id;
  if (isAlone(form)) {
    body.mode = form.edit;
    if (form.edit === "restyle") Object.assign(body, form.restyle);
    else body.upscale_factor = form.factor;
    for (const name of ["width", "height", "aspect", "hires"]) delete body[name];
  } else if (form.mask && form.edit !== "img2img") body.mask_image = form.mask.media_id;
  else if (form.edit === "outpaint")
    Object.assign(body, form.pan ? { pan: form.pan } : form.zoom && { zoom: form.zoom });
}

/** The fields of the form by the names of Job.request. @type {[keyof Api.Draft, keyof FormState][]} */
const SAME = [
  ["negative_prompt", "negative"],
  ["backend", "backend"],
  ["workflow", "workflow"],
  ["options", "options"],
  ["width", "width"],
  ["height", "height"],
  ["hires", "hires"],
  ["loras", "loras"],
];

/**
 * Fields of the form for a draft by the names of Job.request.
 * @param {Partial<Api.Draft>} draft
 * @returns {Partial<FormState>}
 */
export function fromDraft(draft) {
  const isSaid = (/** @type {keyof Api.Draft} */ name) => draft[name] !== undefined && draft[name] !== null;
  const known = SAME.filter(([name]) => isSaid(name));
  /** @type {Partial<FormState>} */
  const patch = Object.fromEntries(known.map(([name, own]) => [own, draft[name]]));
  const fields = FIELDS.filter(({ name }) => isSaid(name));
  if (fields.length)
    patch.fields = Object.fromEntries(fields.map(({ name }) => [name, /** @type {FieldValue} */ (draft[name])]));
  if (draft.prompt !== undefined) patch.text = draft.prompt ?? "";
  if (draft.aspect) patch.aspect = Array.isArray(draft.aspect) ? draft.aspect.join(":") : draft.aspect;
  if (patch.aspect && !patch.width) Object.assign(patch, { width: null, height: null });
  if (draft.seed !== undefined && draft.seed !== null) Object.assign(patch, { seed: draft.seed, isSeedLocked: true });
  return patch;
}

/**
 * A Media for anything with an id: an Image, a Picture or a Media.
 * @param {AnyPicture | Api.Media} item
 * @returns {Api.Media}
 */
export const mediaOf = (item) => ({
  media_id: "media_id" in item ? item.media_id : item.id,
  url: item.url,
  width: item.width,
  height: item.height,
});
