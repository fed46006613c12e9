/** The settings beside the picture: only those that the chosen engine has. */

import { getPref, setPref } from "../../shell/prefs.js";
import { slider } from "../../ui/controls.js";
import { field, fill, h, iconButton } from "../../ui/dom.js";
import { formatSpan } from "../../ui/words.js";
import { choice, seedControl } from "./controls.js";
import { sizeChooser, summary } from "./size.js";

/** @type {Record<string, string>} */
const STATE_WORDS = { up: "ready", busy: "busy", paused: "paused", down: "not answering", unknown: "" };

/**
 * The panel of settings.
 * @param {{ form: FormStore, engines: EngineStore, styles: { node: Node }, inputPanel: { node: Node } }} spec
 * @returns {Part<[]>}
 */
export function settingsPanel({ form, engines, styles, inputPanel }) {
  const parts = makeParts(form);
  const line = h("span", { class: "faint num clip" });
  const more = moreSettings(form);
  const body = h(
    "div",
    { class: "panel-body", id: "settings-body" },
    inputPanel.node,
    styles.node,
    parts.size.node,
    parts.engine.node,
    parts.workflow.node,
    parts.model.node,
    h("div", { class: "stack group" }, parts.steps.node, parts.cfg.node, parts.guidance.node, parts.batch.node),
    parts.seed.node,
    more.node,
  );
  const fold = h(
    "button",
    { type: "button", class: "panel-fold", "aria-expanded": "false", "aria-controls": "settings-body" },
    h("span", { class: "panel-word" }, "Settings"),
    line,
  );
  const node = h("section", { class: "panel", "aria-label": "Settings" }, fold, body);
  const unfold = (/** @type {boolean} */ is) =>
    fold.setAttribute("aria-expanded", String(node.classList.toggle("open", is)));
  fold.addEventListener("click", () => unfold(!node.classList.contains("open")));
  let wasBrought = false;
  const update = () => {
    const state = form.get();
    const isBrought = Boolean(state.input || state.workflow);
    if (isBrought && !wasBrought) unfold(true); // on a phone nobody would see that it came
    wasBrought = isBrought;
    draw(parts, state, engines, line, body);
    more.update(state, engines.shapeOf(state.backend));
  };
  return { node, update };
}

/**
 * The rarer settings, loaded when they are unfolded.
 * @param {FormStore} form
 */
function moreSettings(form) {
  const inner = h("div", { class: "stack" });
  const node = h(
    "details",
    { class: "fold", open: getPref("create-more", false) },
    h("summary", {}, "More settings"),
    inner,
  );
  /** @type {FormPart["update"]} */
  let update = () => {};
  /** @type {[FormState, Shape] | null} */
  let latest = null;
  const load = async () => {
    const { moreParts } = await import("./more.js");
    if (inner.childElementCount) return;
    const parts = moreParts(form);
    inner.append(...parts.nodes);
    update = parts.update;
    if (latest) update(...latest);
  };
  node.addEventListener("toggle", () => {
    setPref("create-more", node.open);
    if (node.open) load();
  });
  if (node.open) load();
  return {
    node,
    update(/** @type {[FormState, Shape]} */ ...now) {
      latest = now;
      update(...now);
    },
  };
}

/** @param {FormStore} form */
function makeParts(form) {
  const set = (/** @type {keyof FormState} */ name) => (/** @type {unknown} */ value) => form.set({ [name]: value });
  return {
    size: sizeChooser(form),
    seed: seedControl(form),
    engine: engineSelect(form),
    workflow: workflowChip(form),
    model: choice({ label: "Model", name: "model", list: "models", form, placeholder: "The engine's choice" }),
    steps: slider({ label: "Steps", min: 1, max: 150, onChange: set("steps") }),
    cfg: slider({ label: "Prompt strength (CFG)", min: 1, max: 20, step: 0.5, onChange: set("cfg") }),
    guidance: slider({ label: "Guidance (Flux)", min: 1, max: 10, step: 0.1, onChange: set("guidance") }),
    batch: slider({ label: "Pictures", min: 1, max: 8, isOptional: false, onChange: set("batch") }),
  };
}

/** @param {FormStore} form */
function engineSelect(form) {
  const select = h("select", {
    class: "select",
    on: { change: (event) => form.set({ backend: event.currentTarget.value }) },
  });
  const state = h("p", { class: "hint row" });
  const node = field("Engine", select);
  node.append(state);
  return { node, select, state };
}

/**
 * The workflow to draw with.
 * @param {FormStore} form
 */
function workflowChip(form) {
  const name = h("span", { class: "grow clip" });
  const node = h(
    "div",
    { class: "notice reply", hidden: true },
    name,
    iconButton("close", "Without this workflow", () => form.set({ workflow: "", options: {} }), { class: "btn-small" }),
  );
  let isAsked = false;
  /** @param {FormState} state */
  const update = ({ workflow }) => {
    node.hidden = !workflow;
    name.textContent = `Workflow: ${workflow}`;
    if (!workflow || isAsked) return;
    isAsked = true;
    import("./workflow-options.js").then((it) => it.showOptions(node, form));
  };
  return { node, update };
}

/**
 * @param {{ select: HTMLSelectElement, state: HTMLElement }} places
 * @param {FormState} form
 * @param {Api.Engine[]} engines
 */
function drawEngines({ select, state }, { backend }, engines) {
  /** @param {Api.Engine} engine */
  const words = (engine) =>
    [
      engine.label,
      STATE_WORDS[engine.state],
      engine.wait_s > 1 ? `about ${formatSpan(engine.wait_s)}` : "",
      engine.price,
    ]
      .filter(Boolean)
      .join(" · ");
  const gone = backend && !engines.some((engine) => engine.name === backend);
  const wanted = [
    ["", "Automatic: the most suitable"],
    ...engines.map((engine) => [engine.name, words(engine)]),
    ...(gone ? [[backend, `${backend} (not here now)`]] : []),
  ];
  if (document.activeElement !== select || select.options.length !== wanted.length)
    fill(
      select,
      wanted.map(([value, label]) => h("option", { value }, label)),
    );
  select.value = backend;
  const chosen = engines.find((engine) => engine.name === backend);
  const text =
    chosen && (chosen.state === "down" ? [chosen.error, chosen.hint].filter(Boolean).join(" ") : chosen.remark);
  fill(state, text && [h("span", { class: `dot dot-${chosen?.state}` }), h("span", {}, text)]);
  state.hidden = !text;
}

/**
 * @param {ReturnType<typeof makeParts>} parts
 * @param {FormState} state
 * @param {EngineStore} engines
 * @param {HTMLElement} line
 * @param {HTMLElement} body
 */
function draw(parts, state, engines, line, body) {
  const shape = engines.shapeOf(state.backend);
  const { supports, defaults } = shape;
  const isUpscale = Boolean(state.input) && state.edit === "upscale";
  for (const part of [parts.size, parts.model, parts.seed, parts.workflow]) part.update(state, shape);
  drawEngines(parts.engine, state, engines.engines);
  parts.steps.update(state.steps, defaults.steps, { max: Math.min(150, shape.maxSteps) });
  parts.cfg.update(state.cfg, defaults.cfg);
  parts.guidance.update(state.guidance, 3.5);
  parts.batch.update(state.batch, 1, { max: Math.max(2, shape.maxBatch) });
  parts.steps.node.hidden = !supports.steps;
  parts.cfg.node.hidden = !supports.cfg_scale;
  parts.guidance.node.hidden = !supports.guidance;
  parts.batch.node.hidden = shape.maxBatch <= 1;
  parts.size.node.hidden = isUpscale;
  body.classList.toggle("upscaling", isUpscale);
  summary(line, state, shape);
}
