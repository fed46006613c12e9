/** One workflow: drawn, with a table of what goes where that can be corrected; then kept under a name. */

import { api } from "../api.js";
import { button, field, fill, h, iconButton } from "../dom.js";
import { toCreate } from "../pass.js";
import { toast, toastError } from "../ui/toast.js";
import { FIELDS, labelOf, mappingOf, marksOf, mayHold } from "./fields.js";
import { valueSlots } from "./graph-file.js";
import { graphView } from "./graph-view.js";

/**
 * Open a workflow for looking and correcting.
 * @param {{name: string, graph: import("./graph-file.js").Graph, fields: Array<{field: string, slots: string[]}>,
 *   token: string|null, isStored: boolean, mayChange: boolean}} workflow
 * `token` names an analysed file that is not kept yet.
 * @param {{onSaved: (name: string) => void, onClose: () => void}} listener
 * @returns {HTMLElement}
 */
export function workflowEditor(workflow, { onSaved, onClose }) {
  const mapping = mappingOf(workflow.fields);
  const places = valueSlots(workflow.graph);
  const view = graphView(workflow.graph, { onPick: (slot) => focusRow(element, slot) });
  const rows = h("tbody");
  const change = async (name, slots) => {
    const before = mapping.get(name);
    mapping.set(name, slots);
    draw();
    if (!workflow.isStored) return;
    try {
      await api.patch(`/api/workflows/${encodeURIComponent(workflow.name)}`, { field: name, value: slots.join(", ") || "none" });
      toast(`${labelOf(name)} is changed.`, { kind: "good" });
    } catch (error) {
      mapping.set(name, before);
      draw();
      toastError(error);
    }
  };
  const draw = () => {
    view.mark(marksOf(mapping));
    const focused = rows.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
    fill(rows, [...mapping].map(([name, slots]) => mappingRow({ name, slots, places, view, isFixed: !workflow.mayChange, change: (next) => change(name, next) })));
    if (focused) [...rows.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === focused)?.focus();
  };
  const element = h(
    "section",
    { class: "card wf-editor", "aria-label": workflow.isStored ? `Workflow ${workflow.name}` : "New workflow" },
    heading(workflow, onClose),
    view.element,
    table(rows),
    workflow.isStored ? storedFoot(workflow) : saveForm(workflow, mapping, onSaved),
  );
  draw();
  return element;
}

function heading(workflow, onClose) {
  const counts = `${workflow.graph.nodes.length} nodes, ${workflow.graph.links.length} links`;
  return h(
    "header",
    { class: "card-head" },
    h("h3", {}, workflow.isStored ? workflow.name : workflow.name || "New workflow"),
    h("span", { class: "muted small" }, counts),
    iconButton("close", "Close this workflow", onClose),
  );
}

function table(rows) {
  const head = h("tr", {}, h("th", { scope: "col" }, "What you say"), h("th", { scope: "col" }, "Goes into"));
  return h("div", { class: "wf-mapping" }, h("table", { class: "table" }, h("caption", { class: "sr-only" }, "What of a request goes into which node"), h("thead", {}, head), rows));
}

function mappingRow({ name, slots, places, view, isFixed, change }) {
  const spec = FIELDS.find((one) => one.field === name) ?? { kind: "any", many: false };
  const fitting = places.filter(({ slot, input }) => slots.includes(slot) || mayHold(spec.kind, input.value));
  const label = labelOf(name);
  const shown = slots.length ? slots : [""];
  const selects = shown.map((slot, at) => slotSelect({ label: at ? `${label}, place ${at + 1}` : label, slot, fitting, isFixed, pick: (next) => change(replaced(slots, at, next)) }));
  const rest = fitting.filter(({ slot }) => !slots.includes(slot));
  const canAdd = !isFixed && spec.many && slots.length > 0 && rest.length > 0;
  const add = canAdd && iconButton("plus", `Another place for ${label.toLowerCase()}`, () => change([...slots, rest[0].slot]), { class: "btn-small" });
  const nodes = slots.map((slot) => slot.slice(0, slot.indexOf(".")));
  const show = () => view.show(nodes[0] ?? null);
  return h("tr", { class: slots.length ? "is-mapped" : "", dataset: { slots: slots.join(" ") }, on: { pointerenter: show, focusin: show, pointerleave: () => view.show(null), focusout: () => view.show(null) } },
    h("th", { scope: "row" }, label), h("td", {}, h("div", { class: "wf-places" }, selects, add)));
}

function replaced(slots, at, next) {
  const changed = [...slots];
  if (next) changed[at] = next;
  else changed.splice(at, 1);
  return [...new Set(changed)];
}

function slotSelect({ label, slot, fitting, isFixed, pick }) {
  const groups = grouped(fitting);
  const options = [...groups].map(([node, inputs]) =>
    h("optgroup", { label: `${node.id} · ${node.title}` }, inputs.map((one) => h("option", { value: one.slot }, optionWords(one)))),
  );
  const select = h("select", { class: "select", "aria-label": label, disabled: isFixed, on: { change: () => pick(select.value) } }, h("option", { value: "" }, "Not used"), options);
  select.value = slot;
  return select;
}

function grouped(places) {
  const groups = new Map();
  for (const place of places) groups.set(place.node, [...(groups.get(place.node) ?? []), place]);
  return groups;
}

function optionWords({ node, input }) {
  return `${input.name}  (${node.id} · ${node.title})`;
}

function focusRow(editor, slot) {
  const row = [...editor.querySelectorAll("tr[data-slots]")].find((one) => one.dataset.slots.split(" ").includes(slot));
  const select = row && [...row.querySelectorAll("select")].find((one) => one.value === slot);
  select?.focus();
}

function storedFoot(workflow) {
  const flag = `--workflow ${/[^\w-]/.test(workflow.name) ? `"${workflow.name}"` : workflow.name}`;
  const use = () => toCreate({ draft: { workflow: workflow.name, options: {} }, isAddition: true });
  return h("div", { class: "wf-foot" }, button("Use in Create", use, { class: "btn-primary", icon: "create" }), h("p", { class: "muted small" }, "Or say ", h("code", {}, flag), " behind a prompt.", workflow.mayChange && " Changes in the table are kept at once."));
}

function saveForm(workflow, mapping, onSaved) {
  const name = h("input", { class: "input", required: true, maxlength: "60", value: workflow.name, autocomplete: "off", spellcheck: "false" });
  const submit = button("Keep this workflow", null, { type: "submit", class: "btn-primary", icon: "check" });
  const save = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      const said = Object.fromEntries([...mapping].filter(([, slots]) => slots.length));
      await api.put(`/api/workflows/${encodeURIComponent(name.value)}`, { token: workflow.token, mapping: said });
      toast(`The workflow ${name.value} is kept.`, { kind: "good" });
      onSaved(name.value);
    } catch (error) {
      toastError(error);
    } finally {
      submit.disabled = false;
    }
  };
  return h("form", { class: "wf-foot", on: { submit: save } }, field("Name", name, { hint: "People say it as --workflow name." }), submit);
}
