import assert from "node:assert/strict";
import { test } from "node:test";
import "./page.js";
import { readSeed } from "../../api/static/js/features/create/controls.js";
import { fromDraft, makeForm, mediaOf, toBody } from "../../api/static/js/features/create/form.js";
import { expected } from "../../api/static/js/features/create/size.js";
import { hasFlags, withStyles } from "../../api/static/js/pictures/prompt.js";
import { FIELDS } from "../../api/static/js/shell/fields.js";

const ALL = new Proxy({}, { get: () => true });
const NOTHING = new Proxy({}, { get: () => false });
const shape = { supports: ALL, has: () => true, modes: new Set() };
const state = (patch) => {
  const form = makeForm();
  form.set(patch);
  return form.get();
};
const bodyOf = (patch, flagged = {}, styles = []) => toBody(state(patch), shape, flagged, styles);

test("a flag is two dashes before a letter, not a dash within a word", () => {
  assert.deepEqual(["a fox --steps 3", "--ar 3:2", "well--known", "a -- b"].map(hasFlags), [true, true, false, false]);
});

test("words of styles stand before the first flag, and only once", () => {
  assert.equal(withStyles("a fox --ar 3:2", ["oil", "soft"]), "a fox, oil, soft --ar 3:2");
  assert.equal(withStyles("a fox, oil", ["oil"]), "a fox, oil");
  assert.equal(withStyles("  a fox ", []), "a fox");
  assert.equal(withStyles("--ar 3:2", ["oil"]), "oil --ar 3:2");
});

test("an empty form says the text alone", () => {
  assert.deepEqual(bodyOf({ text: "a fox" }), { text: "a fox" });
});

test("what is said is sent by the API's names", () => {
  const fields = {
    text: "a fox",
    negative: " snow ",
    width: 128,
    height: 64,
    fields: { steps: 9, cfg_scale: 5.5, batch_size: 2, sampler: "Euler" },
  };
  assert.deepEqual(bodyOf({ ...fields, seed: 7, isSeedLocked: true, isPrivate: true }), {
    text: "a fox",
    negative_prompt: "snow",
    width: 128,
    height: 64,
    steps: 9,
    cfg_scale: 5.5,
    seed: 7,
    sampler: "Euler",
    batch_size: 2,
    is_private: true,
  });
});

test("a flag in the text wins over its control", () => {
  assert.deepEqual(bodyOf({ text: "a fox --steps 2", fields: { steps: 9 }, aspect: "3:2" }, { steps: 2, width: 64 }), {
    text: "a fox --steps 2",
  });
});

test("what the engine cannot do is left out", () => {
  const bare = { supports: NOTHING, has: () => false, modes: new Set() };
  const form = state({ text: "a fox", fields: { steps: 9, sampler: "Euler" }, loras: [{ name: "x", weight: 1 }] });
  assert.deepEqual(toBody(form, bare, {}, []), { text: "a fox" });
});

test("every field of the page is sent by its name where the engine and the picture let it mean something", () => {
  const input = { media_id: "m1", url: "/u", width: 64, height: 64 };
  assert.ok(FIELDS.length > 10);
  for (const field of FIELDS) {
    const value = field.choices?.[1] ?? (field.is_flag || (field.list ? "x" : (field.high ?? 0)));
    const edit = field.modes?.includes("txt2img") === false ? { input, edit: "inpaint" } : {};
    const body = (more) => bodyOf({ text: "x", ...edit, ...more });
    assert.equal(body({ fields: { [field.name]: value } })[field.name], value);
    assert.equal(field.name in body({ fields: { [field.name]: null } }), false);
    assert.deepEqual(fromDraft({ [field.name]: value }).fields, { [field.name]: value });
    const form = state({ text: "x", ...edit, fields: { [field.name]: value } });
    const bare = { supports: NOTHING, has: () => false };
    assert.equal(field.name in toBody(form, bare, {}, []), !(field.needs || field.list));
  }
});

test("a field that means nothing to what is done with the picture is left out", () => {
  const input = { media_id: "m1", url: "/u", width: 64, height: 64 };
  const fields = { mask_blur: 3, denoising_strength: 0.5, steps: 9 };
  assert.deepEqual(bodyOf({ text: "x", fields }), { text: "x", steps: 9 });
  assert.equal("mask_blur" in bodyOf({ text: "x", input, edit: "img2img", fields }), false);
  assert.equal("denoising_strength" in bodyOf({ text: "x", input, edit: "outpaint", fields }), false);
});

test("what a part of the fields leaves out stays; an empty form says none", () => {
  const form = makeForm();
  form.set({ fields: { steps: 3, model: "x" } });
  form.set({ fields: { steps: null } });
  assert.deepEqual([form.get().fields.steps, form.get().fields.model], [null, "x"]);
  form.reset({ isBare: true });
  assert.equal(form.get().fields.model, null);
});

test("a seed that is not locked is left to chance", () => {
  assert.equal("seed" in bodyOf({ text: "a fox", seed: 7, isSeedLocked: false }), false);
});

test("an upscale says its factor and none of the sizes", () => {
  const input = { media_id: "m1", url: "/u", width: 64, height: 64 };
  assert.deepEqual(
    bodyOf({ text: "", input, edit: "upscale", factor: 3, width: 99, height: 99, fields: { batch_size: 4 } }),
    {
      text: "",
      init_image: "m1",
      mode: "upscale",
      upscale_factor: 3,
    },
  );
});

test("restyling says a style or another picture, how strongly, and none of the sizes", () => {
  const input = { media_id: "m1", url: "/u", width: 64, height: 64 };
  const form = { text: "", input, edit: "restyle", width: 99, height: 99 };
  const plain = { text: "", init_image: "m1", mode: "restyle" };
  assert.deepEqual(bodyOf(form), plain);
  assert.deepEqual(bodyOf({ ...form, restyle: { styles: ["painting 5"] }, fields: { denoising_strength: 0.5 } }), {
    ...plain,
    styles: ["painting 5"],
    denoising_strength: 0.5,
  });
  assert.deepEqual(bodyOf({ ...form, restyle: { more_images: ["m2"] } }), { ...plain, more_images: ["m2"] });
});

test("inpainting sends the mask and how it begins; outpainting its frame", () => {
  const input = { media_id: "m1", url: "/u", width: 64, height: 64 };
  const mask = { ...input, media_id: "m2" };
  const fields = { mask_fill: "noise", mask_blur: 3, denoising_strength: 0.5 };
  const inpaint = bodyOf({ text: "x", input, edit: "inpaint", mask, fields });
  assert.deepEqual(inpaint, {
    text: "x",
    init_image: "m1",
    denoising_strength: 0.5,
    mask_image: "m2",
    mask_fill: "noise",
    mask_blur: 3,
  });
  assert.equal(bodyOf({ text: "x", input, edit: "outpaint", zoom: 1.5 }).zoom, 1.5);
});

test("a draft fills the form; its seed is locked", () => {
  const draft = { prompt: "a fox", negative_prompt: "snow", cfg_scale: 5, seed: "18446744073709551615", steps: null };
  assert.deepEqual(fromDraft(draft), {
    negative: "snow",
    fields: { cfg_scale: 5 },
    text: "a fox",
    seed: "18446744073709551615",
    isSeedLocked: true,
  });
  assert.deepEqual(fromDraft({ aspect: [3, 2] }), { aspect: "3:2", width: null, height: null });
  assert.deepEqual(fromDraft({}), {});
});

test("a form tells those who listen what changed, and nothing when nothing did", () => {
  const form = makeForm();
  const heard = [];
  const stop = form.on((_state, changed) => heard.push([...changed]));
  form.set({ text: "a", fields: { steps: 3 } });
  form.set({ text: "a" });
  stop();
  form.set({ text: "b" });
  assert.deepEqual(heard, [["text", "fields"]]);
  form.reset();
  assert.equal(form.get().text, "");
});

test("a picture, a result and an upload are all pictures to begin from", () => {
  const size = { url: "/u", width: 1, height: 2 };
  assert.deepEqual(mediaOf({ id: "p", ...size }), { media_id: "p", ...size });
  assert.deepEqual(mediaOf({ media_id: "m", ...size }), { media_id: "m", ...size });
});

test("a seed is read to its last digit; none is null", () => {
  const read = { 7: 7, "1 234 567": 1234567, "9007199254740993": "9007199254740993" };
  for (const [typed, seed] of Object.entries(read)) assert.equal(readSeed(typed), seed);
  assert.equal(readSeed("99999999999999999999999"), "18446744073709551615");
  for (const none of ["", "-1", "random", "1.5e"]) assert.equal(readSeed(none), null);
});

test("the size to expect is what was said, the picture's, or the shape in the model's own pixels", () => {
  const model = { defaults: { width: 512, height: 512 }, grid: 8 };
  assert.deepEqual(expected({ width: 128, height: 64 }, model), [128, 64]);
  assert.deepEqual(expected({}, model), [512, 512]);
  assert.deepEqual(expected({ input: { width: 30, height: 20 } }, model), [30, 20]);
  assert.deepEqual(expected({ aspect: "16:9" }, model), [680, 384]);
});

test("defaults for some fields leave the others unsaid", () => {
  globalThis.localStorage = {
    getItem: (name) => (name === "easel.defaults" ? '{"steps": 30}' : null),
    setItem: () => {},
  };
  const { fields } = makeForm().get();
  delete globalThis.localStorage;
  assert.equal(fields.steps, 30);
  assert.deepEqual(
    FIELDS.filter(({ name }) => fields[name] === undefined),
    [],
  );
});
