/** One workflow: drawn, with a table of what goes where that can be corrected; then kept under a name. */

import { api } from "../../shell/api.js";
import { toCreate } from "../../shell/pass.js";
import { button, field, fill, findAll, h, icon, iconButton } from "../../ui/dom.js";
import { _, _nodes } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";
import { FIELDS, labelOf, mappingOf, marksOf, mayHold } from "./fields.js";
import { valueSlots } from "./graph-file.js";
import { graphView } from "./graph-view.js";

/**
 * Open a workflow for looking and correcting.
 * @param {OpenWorkflow} workflow
 * @param {{onSaved: (name: string) => void, onClose: () => void}} listener
 * @returns {HTMLElement}
 */
export function workflowEditor(workflow, { onSaved, onClose }) {
  const mapping = mappingOf(workflow.fields);
  const places = valueSlots(workflow.graph);
  const view = graphView(workflow.graph, { onPick: (slot) => focusRow(rows, slot) });
  const rows = h("tbody");
  /**
   * @param {string} name
   * @param {string[]} slots
   */
  const change = async (name, slots) => {
    const before = mapping.get(name);
    mapping.set(name, slots);
    draw();
    if (!workflow.isStored) return;
    try {
      await api.patch(`/api/workflows/${encodeURIComponent(workflow.name)}`, {
        field: name,
        value: slots.join(", ") || "none",
      });
      toast(_("{label} is changed.", { label: labelOf(name) }), { kind: "good" });
    } catch (error) {
      mapping.set(name, before ?? []);
      draw();
      toastError(error);
    }
  };
  const draw = () => {
    view.mark(marksOf(mapping));
    const active = document.activeElement;
    const focused = active && rows.contains(active) && active.getAttribute("aria-label");
    fill(
      rows,
      [...mapping].map(([name, slots]) =>
        mappingRow({ name, slots, places, view, isFixed: !workflow.mayChange, change: (next) => change(name, next) }),
      ),
    );
    if (focused)
      findAll(rows, "[aria-label]")
        .find((item) => item.getAttribute("aria-label") === focused)
        ?.focus();
  };
  const element = h(
    "section",
    {
      class: "card wf-editor",
      "aria-label": workflow.isStored ? _("Workflow {name}", { name: workflow.name }) : _("New workflow"),
    },
    heading(workflow, onClose),
    problemList(workflow.problems),
    view.element,
    table(rows),
    workflow.isStored ? storedFoot(workflow) : saveForm(workflow, mapping, onSaved),
  );
  draw();
  return element;
}

/**
 * @param {OpenWorkflow} workflow
 * @param {() => void} onClose
 */
function heading(workflow, onClose) {
  const counts = _("{nodes} nodes, {links} links", {
    nodes: workflow.graph.nodes.length,
    links: workflow.graph.links.length,
  });
  return h(
    "header",
    { class: "card-head" },
    h("h3", {}, workflow.isStored ? workflow.name : workflow.name || _("New workflow")),
    h("span", { class: "muted small" }, counts),
    iconButton("close", _("Close this workflow"), onClose),
  );
}

/** @param {string[]} problems */
function problemList(problems) {
  if (!problems.length) return null;
  return h(
    "div",
    { class: "notice notice-bad" },
    icon("warning"),
    h(
      "div",
      {},
      problems.map((problem) => h("p", {}, problem)),
    ),
  );
}

/** @param {HTMLElement} rows */
function table(rows) {
  const head = h("tr", {}, h("th", { scope: "col" }, _("What you say")), h("th", { scope: "col" }, _("Goes into")));
  return h(
    "div",
    { class: "wf-mapping" },
    h(
      "table",
      { class: "table" },
      h("caption", { class: "sr-only" }, _("What of a request goes into which node")),
      h("thead", {}, head),
      rows,
    ),
  );
}

/**
 * @param {{ name: string, slots: string[], places: GraphSlot[], view: { show: (node: string | null) => void },
 *   isFixed: boolean, change: (slots: string[]) => void }} row
 */
function mappingRow({ name, slots, places, view, isFixed, change }) {
  const spec = FIELDS.find((item) => item.field === name) ?? { kind: /** @type {const} */ ("any"), many: false };
  const fitting = places.filter(({ slot, input }) => slots.includes(slot) || mayHold(spec.kind, input.value));
  const label = labelOf(name);
  const shown = slots.length ? slots : [""];
  const selects = shown.map((slot, at) =>
    slotSelect({
      label: at ? `${label}, place ${at + 1}` : label,
      slot,
      fitting,
      isFixed,
      pick: (next) => change(replaced(slots, at, next)),
    }),
  );
  const rest = fitting.filter(({ slot }) => !slots.includes(slot));
  const canAdd = !isFixed && spec.many && slots.length > 0 && rest.length > 0;
  const add =
    canAdd &&
    iconButton(
      "plus",
      _("Another place for {name}", { name: label.toLowerCase() }),
      () => change([...slots, rest[0].slot]),
      {
        class: "btn-small",
      },
    );
  const nodes = slots.map((slot) => slot.slice(0, slot.indexOf(".")));
  const show = () => view.show(nodes[0] ?? null);
  return h(
    "tr",
    {
      class: slots.length ? "is-mapped" : "",
      dataset: { slots: slots.join(" ") },
      on: { pointerenter: show, focusin: show, pointerleave: () => view.show(null), focusout: () => view.show(null) },
    },
    h("th", { scope: "row" }, label),
    h("td", {}, h("div", { class: "wf-places" }, selects, add)),
  );
}

/** @param {string[]} slots @param {number} at @param {string} next */
function replaced(slots, at, next) {
  const changed = [...slots];
  if (next) changed[at] = next;
  else changed.splice(at, 1);
  return [...new Set(changed)];
}

/**
 * @param {{ label: string, slot: string, fitting: GraphSlot[], isFixed: boolean, pick: (slot: string) => void }} spec
 */
function slotSelect({ label, slot, fitting, isFixed, pick }) {
  const groups = grouped(fitting);
  const options = [...groups].map(([node, inputs]) =>
    h(
      "optgroup",
      { label: `${node.id} · ${node.title}` },
      inputs.map((item) => h("option", { value: item.slot }, optionWords(item))),
    ),
  );
  const select = h(
    "select",
    {
      class: "select",
      "aria-label": label,
      disabled: isFixed,
      on: { change: (event) => pick(event.currentTarget.value) },
    },
    h("option", { value: "" }, _("Not used")),
    options,
  );
  select.value = slot;
  return select;
}

/** @param {GraphSlot[]} places */
function grouped(places) {
  /** @type {Map<GraphNode, GraphSlot[]>} */
  const groups = new Map();
  for (const place of places) groups.set(place.node, [...(groups.get(place.node) ?? []), place]);
  return groups;
}

/** @param {GraphSlot} place */
function optionWords({ node, input }) {
  return `${input.name}  (${node.id} · ${node.title})`;
}

/** @param {HTMLElement} rows @param {string} slot */
function focusRow(rows, slot) {
  const row = findAll(rows, "tr[data-slots]").find((item) => item.dataset.slots?.split(" ").includes(slot));
  const select = row && [...row.querySelectorAll("select")].find((item) => item.value === slot);
  select?.focus();
}

/** @param {OpenWorkflow} workflow */
function storedFoot(workflow) {
  const flag = `--workflow ${/[^\w-]/.test(workflow.name) ? `"${workflow.name}"` : workflow.name}`;
  const use = () => toCreate({ draft: { workflow: workflow.name, options: {} }, isAddition: true });
  return h(
    "div",
    { class: "wf-foot" },
    button(_("Use in Create"), use, { class: "btn-primary", icon: "create" }),
    h(
      "p",
      { class: "muted small" },
      _nodes("Or say {flag} behind a prompt.", { flag: h("code", {}, flag) }),
      workflow.mayChange && [" ", _("Changes in the table are kept at once.")],
    ),
  );
}

/**
 * @param {OpenWorkflow} workflow
 * @param {Map<string, string[]>} mapping
 * @param {(name: string) => void} onSaved
 */
function saveForm(workflow, mapping, onSaved) {
  const name = h("input", {
    class: "input",
    required: true,
    maxlength: "60",
    value: workflow.name,
    autocomplete: "off",
    spellcheck: "false",
  });
  const submit = button(_("Keep this workflow"), null, { type: "submit", class: "btn-primary", icon: "check" });
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      const chosen = Object.fromEntries([...mapping].filter(([, slots]) => slots.length));
      await api.put(`/api/workflows/${encodeURIComponent(name.value)}`, { token: workflow.token, mapping: chosen });
      toast(_("The workflow {name} is kept.", { name: name.value }), { kind: "good" });
      onSaved(name.value);
    } catch (error) {
      toastError(error);
    } finally {
      submit.disabled = false;
    }
  };
  return h(
    "form",
    { class: "wf-foot", on: { submit: save } },
    field(_("Name"), name, { hint: _("People say it as --workflow name.") }),
    submit,
  );
}
