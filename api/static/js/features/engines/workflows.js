/** ComfyUI workflows: those that are kept, and a place to drop a new one on. */

import { api } from "../../shell/api.js";
import { confirmDialog } from "../../ui/dialog.js";
import { button, fill, h, icon, iconButton } from "../../ui/dom.js";
import { asApiError } from "../../ui/errors.js";
import { _ } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";
import { timeAgo } from "../../ui/words.js";
import { labelOf } from "./fields.js";
import { graphOfNodes, readGraph } from "./graph-file.js";
import { graphView } from "./graph-view.js";
import { workflowEditor } from "./workflow-editor.js";

/**
 * The section of workflows.
 * @returns {{element: HTMLElement, load: () => Promise<void>}}
 */
export function workflowSection() {
  const list = h("ul", { class: "wf-list" });
  const editor = h("div", { class: "wf-place" });
  const failed = h("div", { class: "stack", "aria-live": "polite" });
  /** @param {OpenWorkflow} workflow */
  const open = (workflow) => {
    fill(failed);
    const listener = {
      /** @param {string} name */
      async onSaved(name) {
        await load();
        await openStored(name);
      },
      onClose: () => fill(editor),
    };
    fill(editor, workflowEditor(workflow, listener));
    editor.firstElementChild?.scrollIntoView({ block: "start", behavior: "smooth" });
  };
  /** @param {string} name */
  const openStored = async (name) => {
    try {
      open(stored(await api.get(`/api/workflows/${encodeURIComponent(name)}`)));
    } catch (error) {
      toastError(error);
    }
  };
  /** @param {string} name */
  const remove = async (name) => {
    const sure = await confirmDialog({
      title: _("Delete the workflow {name}?", { name }),
      text: _("Jobs that were drawn with it keep their pictures."),
      action: _("Delete"),
      isDanger: true,
    });
    if (!sure) return;
    try {
      await api.del(`/api/workflows/${encodeURIComponent(name)}`);
      fill(editor);
      toast(_("The workflow {name} is deleted.", { name }));
      await load();
    } catch (error) {
      toastError(error);
    }
  };
  const load = async () => {
    const { workflows } = await api.get("/api/workflows");
    fill(
      list,
      workflows.map((item) => entry(item, { open: () => openStored(item.name), remove: () => remove(item.name) })),
    );
  };
  /** @param {File} file */
  const take = async (file) => {
    fill(failed);
    try {
      open(await analysed(file));
    } catch (error) {
      fill(editor);
      fill(failed, refusal(error), await refusedGraph(file, asApiError(error).message));
    }
  };
  const element = h(
    "section",
    { class: "workflows", "aria-labelledby": "workflows-title" },
    h("h2", { id: "workflows-title" }, _("Workflows")),
    intro(),
    dropZone(take),
    failed,
    list,
    editor,
  );
  return { element, load };
}

function intro() {
  return h(
    "p",
    { class: "muted" },
    _(
      "Draw with a ComfyUI graph of your own: save it in ComfyUI with Workflow → Save and put the file here. " +
        "Easel finds where prompt, seed and size go.",
    ),
  );
}

/** @param {Api.Workflow} workflow @param {{ open: () => void, remove: () => void }} acts */
function entry(workflow, { open, remove }) {
  const words = workflow.fields.filter(({ slots }) => slots.length).map(({ field }) => inText(labelOf(field)));
  const about = [
    workflow.is_mine ? "" : "everybody's",
    words.length ? _("takes {names}", { names: words.join(", ") }) : _("takes nothing of a request"),
    workflow.updated_at && timeAgo(workflow.updated_at),
  ];
  return h(
    "li",
    { class: "wf-entry" },
    h(
      "div",
      { class: "grow" },
      h("strong", {}, workflow.name),
      h("p", { class: "muted small" }, about.filter(Boolean).join(" · ")),
    ),
    button(_("Open"), open, {
      class: "btn-small",
      "aria-label": _("Open the workflow {name}", { name: workflow.name }),
    }),
    workflow.is_mine &&
      iconButton("trash", _("Delete the workflow {name}", { name: workflow.name }), remove, {
        class: "btn-small btn-danger",
      }),
  );
}

/**
 * "Seed" -> "seed" within a sentence; "CFG scale" and "LoRAs" stay.
 * @param {string} label
 */
const inText = (label) => (/[A-Z]/.test(label.slice(1)) ? label : label.toLowerCase());

/** @param {(file: File) => void} take */
function dropZone(take) {
  const input = h("input", {
    type: "file",
    accept: ".json,application/json,image/png,image/jpeg,image/webp",
    class: "sr-only",
    tabindex: "-1",
    "aria-label": _("Workflow file"),
  });
  input.addEventListener("change", () => {
    if (input.files?.[0]) take(input.files[0]);
    input.value = "";
  });
  const zone = h(
    "div",
    { class: "wf-drop" },
    icon("upload"),
    h("p", {}, _("Drop a workflow file here")),
    button(_("Choose a file"), () => input.click(), { class: "btn-small" }),
    input,
  );
  const hover = (/** @type {Event} */ event) => {
    event.preventDefault();
    zone.classList.toggle("is-over", event.type === "dragenter" || event.type === "dragover");
  };
  for (const kind of ["dragenter", "dragover", "dragleave"]) zone.addEventListener(kind, hover);
  zone.addEventListener("drop", (event) => {
    hover(event);
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
  return zone;
}

/** @param {unknown} error */
function refusal(error) {
  const { message, hint } = asApiError(error);
  return h(
    "div",
    { class: "notice notice-bad", role: "alert" },
    icon("warning"),
    h("div", {}, h("p", {}, message), hint && h("p", { class: "muted" }, hint)),
  );
}

/**
 * The drawing of a file that cannot be run, with the nodes that the refusal names.
 * @param {File} file
 * @param {string} message
 */
async function refusedGraph(file, message) {
  const graph = readGraph(await parsed(file));
  if (!graph) return null;
  const problems = new Set(graph.nodes.filter((node) => message.includes(node.type)).map((node) => node.id));
  return problems.size ? graphView(graph, { problems }).element : null;
}

/** @param {File} file */
async function parsed(file) {
  try {
    return JSON.parse(await file.text());
  } catch {
    return null; // the server has said what it is instead
  }
}

/** @param {File} file */
async function analysed(file) {
  const workflow = await api.upload("/api/workflows/analyse", new Blob([file], { type: "application/json" }));
  const graph = readGraph(await parsed(file)) ?? graphOfNodes(workflow.nodes);
  const name = file.name
    .replace(/(\.api)?\.json$/i, "")
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  return { ...shape(workflow), name, graph, isStored: false, mayChange: true };
}

/** @param {Api.WholeWorkflow} workflow @returns {OpenWorkflow} */
const stored = (workflow) => ({
  ...shape(workflow),
  name: workflow.name,
  graph: graphOfNodes(workflow.nodes),
  isStored: true,
  mayChange: workflow.is_mine,
});

/** @param {Api.WholeWorkflow | Api.Analysed} workflow */
function shape(workflow) {
  return { fields: workflow.fields, problems: workflow.problems, token: "token" in workflow ? workflow.token : null };
}
