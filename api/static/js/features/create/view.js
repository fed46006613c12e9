/** Create: prompt, settings, the picture in the middle, the queue below it. */

import { session } from "../../shell/api.js";
import { events } from "../../shell/events.js";
import { takeHandoff } from "../../shell/pass.js";
import { getPref, setPref } from "../../shell/prefs.js";
import { button, debounce, h, iconButton, useCss } from "../../ui/dom.js";
import { asApiError } from "../../ui/errors.js";
import { _ } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";
import { money } from "../../ui/words.js";
import { estimateLine } from "./estimate.js";
import { makeForm, toBody } from "./form.js";
import { catchFiles, inputPanel, replyNotice } from "./input.js";
import { settingsPanel } from "./panel.js";
import { promptBox } from "./prompt-box.js";
import { makeEngines } from "./shape.js";
import { makeStage } from "./stage.js";
import { queueStrip } from "./strip.js";
import { stylePicker } from "./styles.js";

export const title = _("Create");

/**
 * Mount the view. `params`: {job} opens that job; {text} fills the prompt.
 * @param {HTMLElement} root
 * @param {Record<string, string>} params
 */
export async function mount(root, params) {
  await useCss("create");
  const form = makeForm();
  const engines = makeEngines();
  const view = /** @type {CreateView} */ ({ form, engines, isSending: false }); // its parts follow one another
  view.shape = () => engines.shapeOf(form.get().backend);
  view.stage = makeStage({
    form,
    onOpen: async (...which) => (await looking()).openLarge(...which),
    onCompare: compareWith,
  });
  view.strip = queueStrip({ onShow: (job) => showJob(view, job) });
  build(view, root);
  const stops = [wire(view), catchFiles(root, form)];
  engines.load();
  begin(view, params);
  return () => {
    form.flush();
    stops.forEach((stop) => stop());
    [view.stage, view.strip, view.box].forEach((part) => part.destroy());
    engines.stop();
    view.estimate.stop();
  };
}

/**
 * @param {CreateView} view
 * @param {HTMLElement} root
 */
function build(view, root) {
  const { form, engines } = view;
  const submit = () => generate(view);
  view.box = promptBox({ form, engines, shape: view.shape, onSubmit: submit });
  view.styles = stylePicker(form);
  view.bodyOf = () => toBody(form.get(), view.shape(), view.box.parsed().draft, view.styles.values(form.get().styles));
  view.estimate = estimateLine({ bodyOf: view.bodyOf });
  view.input = inputPanel({ form, onEdit: () => openEditor(view) });
  view.panel = settingsPanel({ form, engines, styles: view.styles, inputPanel: view.input });
  view.reply = replyNotice(form);
  view.go = button(_("Generate"), submit, { class: "btn-primary go", icon: "create", title: _("Ctrl + Enter") });
  view.negative = h("textarea", {
    class: "textarea negative",
    rows: 2,
    id: "negative",
    "aria-label": _("Negative prompt"),
    placeholder: _("What should not be in the picture"),
    value: form.get().negative,
    on: { input: () => form.set({ negative: view.negative.value }) },
  });
  view.negativeFold = h(
    "details",
    { class: "fold", open: Boolean(form.get().negative) },
    h("summary", {}, _("Negative prompt")),
    view.negative,
    menuOpener(_("Ready-made"), async (anchor) => (await import("./negatives.js")).negativeMenu(anchor, form)),
  );
  const tools = h(
    "div",
    { class: "row prompt-tools" },
    menuOpener(_("Templates"), async (anchor) => (await import("./templates.js")).templateMenu(anchor, form)),
    priced(
      button(_("Enhance"), async () => (await import("./enhance.js")).enhance(form), { class: "btn-ghost btn-small" }),
      "enhance_usd",
    ),
    priced(describeButton(view), "describe_usd"),
    h("span", { class: "grow" }),
    iconButton("trash", _("Clear the form"), () => clearForm(form), { class: "btn-small" }),
  );
  const writing = h(
    "section",
    { class: "writing", "aria-label": _("Prompt") },
    view.reply.node,
    view.box.node,
    tools,
    view.negativeFold,
    h("div", { class: "go-row" }, view.go, view.estimate.node),
  );
  const left = h("div", { class: "create-left" }, writing, view.panel.node);
  const beside = h("div", { class: "create-right" }, view.stage.node, view.strip.node);
  root.append(
    h("h1", { class: "sr-only" }, title),
    h(
      "div",
      { class: "create" },
      left,
      beside,
      h("div", { class: "drop-veil", "aria-hidden": "true" }, _("Drop the picture anywhere")),
    ),
  );
}

/**
 * @param {string} label
 * @param {(anchor: HTMLElement) => Promise<unknown>} open
 */
const menuOpener = (label, open) =>
  button(label, (event) => open(event.currentTarget), {
    class: "btn-ghost btn-small",
    icon: "template",
    "aria-haspopup": "menu",
  });

/** @param {CreateView} view */
function describeButton(view) {
  view.describe = button(_("Describe the picture"), async () => (await import("./files.js")).describeInput(view.form), {
    class: "btn-ghost btn-small",
    icon: "eye",
    hidden: true,
  });
  return view.describe;
}

/**
 * Write what the text engine takes on a button that asks it.
 * @param {HTMLElement} node @param {"enhance_usd" | "describe_usd"} name
 */
function priced(node, name) {
  session.then(({ text }) => {
    if (text) node.dataset.model = text.model;
    if (text?.[name]) node.append(` · ${money(text[name])}`);
  });
  return node;
}

/** @param {FormStore} form */
function clearForm(form) {
  const before = { ...form.get() };
  form.reset();
  toast(_("The form is empty."), { action: { label: _("Undo"), run: () => form.set(before) } });
}

const sending = () => import("./send.js");

/** What shows a job comes while one still writes, so that nothing moves when the job is there. */
const fetchAhead = () =>
  Promise.all([
    sending(),
    import("./stage-job.js"),
    import("./strip-items.js"),
    useCss("strip"),
    import("../../pictures/job-card.js"),
  ]);

/**
 * Draw what depends on the state.
 * @param {CreateView} view
 */
function drawView(view) {
  const state = view.form.get();
  const shape = view.shape();
  view.panel.update();
  view.panel.node.dataset.known = String(view.engines.isLoaded);
  view.styles.update(state);
  view.input.update(state, shape);
  view.reply.update(state);
  view.describe.hidden = !state.input || !(shape.supports.describe || view.describe.dataset.model);
  view.negativeFold.hidden = !shape.supports.negative;
  if (document.activeElement !== view.negative) view.negative.value = state.negative;
  if (state.negative) view.negativeFold.open = true;
}

/**
 * Draw now and after each change.
 * @param {CreateView} view
 */
function wire(view) {
  const { form, engines } = view;
  const draw = () => drawView(view);
  /**
   * @param {FormState} state
   * @param {Set<string>} changed
   */
  const onForm = (state, changed) => {
    draw();
    if (changed.has("text")) fetchAhead();
    if ([...changed].some((name) => !["isPrivate", "replyTo", "seed"].includes(name))) view.estimate.ask();
    if (changed.has("input") && !state.input) view.stage.cover(null);
    if (
      (changed.has("edit") || changed.has("input")) &&
      state.input &&
      ["inpaint", "outpaint"].includes(state.edit) &&
      !state.mask
    )
      openEditor(view);
    else if (changed.has("edit")) view.stage.cover(null);
  };
  // What comes of the picture in the middle takes its place; its seed stands there, ready to be locked.
  /** @param {Api.Job} job */
  const onJob = (job) => {
    const shown = view.stage.job();
    const isNew = view.known && !view.known.has(job.id);
    view.known?.add(job.id);
    if (isNew && job.is_mine && shown && job.parent_id === shown.id && !view.stage.isCovered()) showJob(view, job);
    keepSeed(job);
  };
  /** @param {Api.Job} job */
  const keepSeed = (job) =>
    job.id === view.stage.job()?.id &&
    job.status === "done" &&
    job.images[0] &&
    !form.get().isSeedLocked &&
    form.set({ seed: job.images[0].seed });
  const onEngines = debounce(() => {
    draw();
    view.estimate.ask();
  }, 50);
  view.box.onParsed(() => view.estimate.ask());
  draw();
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (
      event.key === "Enter" &&
      (event.ctrlKey || event.metaKey) &&
      !event.defaultPrevented &&
      !document.querySelector("dialog[open]")
    )
      generate(view);
  };
  const offs = [
    form.on(onForm),
    engines.on(onEngines),
    events.on("job", onJob),
    events.on("deleted", async (ids) => (await looking()).forgetPictures(ids)),
  ];
  document.addEventListener("keydown", keys);
  return () => {
    offs.forEach((off) => off());
    onEngines.cancel();
    document.removeEventListener("keydown", keys);
  };
}

/** What Create is opened with is loaded when there is something. */
const arrivals = () => import("./arrivals.js");

/**
 * What to show first: a handed over picture, a job by its link, else the newest of your own.
 * @param {CreateView} view
 * @param {Record<string, string>} params
 */
async function begin(view, params) {
  const handed = takeHandoff();
  if (handed) await (await arrivals()).takeOver(view, handed);
  else if (params.text) view.form.set({ text: params.text });
  if (getPref("focus-prompt", false)) {
    setPref("focus-prompt", null);
    view.box.input.focus();
  }
  if (params.job) await (await arrivals()).openJob(view, params.job, (job) => showJob(view, job));
  try {
    if (!events.isLoaded) await events.load();
    const jobs = [...events.jobs.values()];
    view.known = new Set(events.jobs.keys());
    if (!view.stage.job() && !params.job)
      showJob(view, jobs.find((job) => job.is_mine && ["queued", "running"].includes(job.status)) || null);
  } catch (error) {
    if (asApiError(error).status !== 401) toastError(error);
  }
}

/** @param {CreateView} view @param {Api.Job | null} job */
function showJob(view, job) {
  view.stage.show(job);
  view.strip.select(job?.id || "");
}

/** @param {CreateView} view */
const generate = async (view) => (await sending()).generate(view, { showJob, openEditor });

/** @param {CreateView} view */
async function openEditor(view) {
  const { input, edit } = view.form.get();
  if (!input) return;
  const { openMask, openFrame } = await import("./editors.js");
  await (edit === "outpaint" ? openFrame : openMask)(view, input);
}

/** Looking closer at pictures is loaded when somebody does. */
const looking = () => import("./looking.js");

/**
 * @param {Api.Job} job
 * @param {Api.Image} image
 */
function compareWith(job, image) {
  const holder = h("div", { class: "compare-holder" });
  looking().then((look) => look.compareIn(holder, job, image));
  return holder;
}
