/** Dialogs on <dialog>: the browser keeps the focus inside and gives it back; Esc closes. */

import { append, button, find, h, iconButton, uid, useCss } from "./dom.js";
import { _ } from "./text.js";

await useCss("overlays", { isBase: true });

/** @type {WeakMap<HTMLDialogElement, (value?: unknown) => void>} */
const closers = new WeakMap();

/** Close the dialog that `node` is in, with a value. @param {HTMLElement} node @param {unknown} value */
export function closeWith(node, value) {
  const dialog = node.closest("dialog");
  if (dialog) closers.get(dialog)?.(value);
}

/**
 * Open a dialog.
 * @param {DialogSpec} spec `run(dialog)` of an action may be async and keeps the dialog open when it returns false
 * @returns {Promise<any>} the value of the chosen action (or what `run` returned), null when it was closed.
 */
export function openDialog({ title, body, actions = [], size = "", onOpen = null }) {
  return new Promise((resolve) => {
    /** @type {unknown} */
    let result = null;
    const id = uid("dialog");
    const dialog = h("dialog", { class: `dialog ${size}`, "aria-labelledby": id });
    const close = (/** @type {unknown} */ value = null) => {
      result = value;
      dialog.close();
    };
    const foot = actions.map((action) => actionButton(action, close, dialog));
    append(
      dialog,
      h(
        "div",
        { class: "dialog-head" },
        h("h2", { id }, title),
        iconButton("close", _("Close"), () => close()),
      ),
      h(
        "div",
        { class: "dialog-body", tabindex: foot.length ? null : "0" },
        typeof body === "string" ? h("p", {}, body) : body,
      ),
      foot.length ? h("div", { class: "dialog-foot" }, foot) : null,
    );
    dialog.addEventListener("click", (event) => event.target === dialog && close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    closers.set(dialog, close);
    document.body.append(dialog);
    dialog.showModal();
    (find(dialog, "[autofocus]") || foot.at(-1) || find(dialog, "button"))?.focus();
    onOpen?.(dialog, close);
  });
}

/**
 * @param {DialogAction} action
 * @param {(value?: unknown) => void} close
 * @param {HTMLDialogElement} dialog
 */
function actionButton({ label, value = null, kind = "ghost", run = null, icon }, close, dialog) {
  const press = async () => {
    if (!run) return close(value ?? label);
    node.disabled = true;
    try {
      const answer = await run(dialog);
      if (answer !== false) close(answer ?? value ?? label);
    } finally {
      node.disabled = false;
    }
  };
  const node = button(label, press, { class: kind === "plain" ? "" : `btn-${kind}`, icon });
  return node;
}

/**
 * Ask yes or no; resolves to true only when the action was chosen.
 * @param {{ title: string, text: string, action: string, isDanger?: boolean }} question
 */
export async function confirmDialog({ title, text, action, isDanger = false }) {
  const actions = [
    { label: _("Cancel"), value: false, kind: "plain", run: () => "no" },
    { label: action, value: "yes", kind: isDanger ? "danger" : "primary" },
  ];
  return (await openDialog({ title, body: text, actions })) === "yes";
}
