/**
 * The options of the chosen workflow: a control for each, with its range and the value of the export as placeholder.
 */

import { api } from "../../shell/api.js";
import { field, fill, findAll, h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

/**
 * Keep the options of the form's workflow behind `chip`, which says its name.
 * @param {HTMLElement} chip
 * @param {FormStore} form
 */
export function showOptions(chip, form) {
  const node = h("div", {
    class: "stack group",
    role: "group",
    "aria-label": _("Options of the workflow"),
    hidden: true,
  });
  chip.after(node);
  let shown = "";
  /** @param {FormState} state */
  const update = ({ workflow, options }) => {
    if (workflow === shown) return write(node, options);
    shown = workflow;
    node.hidden = true;
    fill(node);
    if (workflow) load(workflow);
  };
  /** @param {string} name */
  async function load(name) {
    const found = await api.get(`/api/workflows/${encodeURIComponent(name)}`, null, { quiet: true }).catch(() => null);
    if (shown !== name || !found?.options.length) return;
    fill(
      node,
      found.options.map((option) => control(option, form)),
    );
    node.hidden = false;
    write(node, form.get().options);
  }
  form.on(update);
  update(form.get());
}

/**
 * @param {Api.WorkflowOption} option
 * @param {FormStore} form
 */
function control(option, form) {
  /** @param {string} value */
  const say = (value) => {
    const { [option.name]: _dropped, ...others } = form.get().options;
    form.set({ options: value === "" ? others : { ...others, [option.name]: value } });
  };
  const node = made(option, {
    class: option.choices.length || option.kind === "flag" ? "select" : "input",
    dataset: { option: option.name },
  });
  node.addEventListener("change", () => say(node.value));
  return field(option.name.replaceAll("_", " "), node, { hint: hintOf(option) });
}

/**
 * @param {Api.WorkflowOption} option
 * @param {Omit<Props, "on">} props
 * @returns {HTMLInputElement | HTMLSelectElement}
 */
function made(option, props) {
  const choices = option.kind === "flag" ? ["yes", "no"] : option.choices;
  if (choices.length)
    return h(
      "select",
      props,
      h("option", { value: "" }, _("As exported: {default}", { default: option.default })),
      choices.map((value) => h("option", { value }, value)),
    );
  const isNumber = ["whole", "number"].includes(option.kind);
  return h("input", {
    ...props,
    type: isNumber ? "number" : "text",
    placeholder: option.default,
    ...(isNumber && {
      inputmode: "decimal",
      min: option.low,
      max: option.high,
      step: option.kind === "whole" ? 1 : "any",
    }),
  });
}

/** @param {Api.WorkflowOption} option */
function hintOf({ low, high }) {
  if (low === null && high === null) return "";
  return [low !== null && _("from {low}", { low }), high !== null && high < 1e9 && _("to {high}", { high })]
    .filter(Boolean)
    .join(" ");
}

/**
 * Show what the form says, but not over what somebody is typing.
 * @param {HTMLElement} node
 * @param {FormState["options"]} options
 */
function write(node, options) {
  for (const input of findAll(node, "[data-option]")) {
    const value = options[input.dataset.option ?? ""] ?? "";
    if (input !== document.activeElement) Object.assign(input, { value });
  }
}
