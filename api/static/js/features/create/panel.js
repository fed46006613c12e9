/** The settings beside the picture: only those that the chosen engine has. */

import { FIELDS } from "../../shell/fields.js";
import { getPref, setPref } from "../../shell/prefs.js";
import { field, fill, h, iconButton } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { formatSpan } from "../../ui/words.js";
import { fieldControl, seedControl } from "./controls.js";
import { isAlone } from "./form.js";
import { sizeChooser, summary } from "./size.js";

/** @type {Record<string, string>} */
const STATE_WORDS = { up: _("ready"), busy: _("busy"), paused: _("paused"), down: _("not answering"), unknown: "" };

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
    parts.named.map((part) => part.node),
    h("div", { class: "stack group" }, ...parts.numbers.map((part) => part.node)),
    parts.seed.node,
    more.node,
  );
  const fold = h(
    "button",
    { type: "button", class: "panel-fold", "aria-expanded": "false", "aria-controls": "settings-body" },
    h("span", { class: "panel-word" }, _("Settings")),
    line,
  );
  const node = h("section", { class: "panel", "aria-label": _("Settings") }, fold, body);
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
    h("summary", {}, _("More settings")),
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
  const main = FIELDS.filter(({ place }) => place === "main");
  return {
    size: sizeChooser(form),
    seed: seedControl(form),
    engine: engineSelect(form),
    workflow: workflowChip(form),
    named: main.filter(({ list }) => list).map((row) => fieldControl(row, form)),
    numbers: main.filter(({ list }) => !list).map((row) => fieldControl(row, form)),
  };
}

/** @param {FormStore} form */
function engineSelect(form) {
  const select = h("select", {
    class: "select",
    on: { change: (event) => form.set({ backend: event.currentTarget.value }) },
  });
  const state = h("p", { class: "hint row" });
  const node = field(_("Engine"), select);
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
    iconButton("close", _("Without this workflow"), () => form.set({ workflow: "", options: {} }), {
      class: "btn-small",
    }),
  );
  let isAsked = false;
  /** @param {FormState} state */
  const update = ({ workflow }) => {
    node.hidden = !workflow;
    name.textContent = _("Workflow: {workflow}", { workflow });
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
      engine.wait_s > 1 ? _("about {span}", { span: formatSpan(engine.wait_s) }) : "",
      engine.price,
    ]
      .filter(Boolean)
      .join(" · ");
  const gone = backend && !engines.some((engine) => engine.name === backend);
  const wanted = [
    ["", _("Automatic: the most suitable")],
    ...engines.map((engine) => [engine.name, words(engine)]),
    ...(gone ? [[backend, _("{backend} (not here now)", { backend })]] : []),
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
  for (const part of [parts.size, ...parts.named, ...parts.numbers, parts.seed, parts.workflow])
    part.update(state, shape);
  drawEngines(parts.engine, state, engines.engines);
  parts.size.node.hidden = isAlone(state);
  body.classList.toggle("upscaling", isAlone(state));
  summary(line, state, shape);
}
