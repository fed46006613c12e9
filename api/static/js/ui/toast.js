/** Short notices at the corner; errors stay until they are closed. */

import { announce, button, byId, h, icon, iconButton } from "./dom.js";
import { ApiError, isAborted } from "./errors.js";
import { _ } from "./text.js";

const STAY_MS = 5000;
const BAD_STAY_MS = 12000;
const MAX_SHOWN = 4;

/**
 * Show a notice. `kind`: "info"|"good"|"bad"; `hint`: a second, quieter line; `action`: {label, run}.
 * @param {string} text
 * @param {Notice} [notice]
 * @returns {Stop} closes it
 */
export function toast(text, { kind = "info", hint = "", action = null, stay } = {}) {
  const area = byId("toasts");
  let timer = 0;
  const close = () => {
    clearTimeout(timer);
    node.remove();
  };
  const run = () => {
    close();
    action?.run();
  };
  const act = action && button(action.label, run, { class: "btn-ghost btn-small" });
  const node = h(
    "div",
    { class: `toast toast-${kind}` },
    kind === "bad" && icon("warning"),
    h("div", { class: "grow" }, h("p", {}, text), hint && h("p", {}, hint)),
    act,
    iconButton("close", _("Close this notice"), close, { class: "btn-small" }),
  );
  const arm = () => (timer = setTimeout(close, stay ?? (kind === "bad" ? BAD_STAY_MS : STAY_MS)));
  node.addEventListener("pointerenter", () => clearTimeout(timer));
  node.addEventListener("pointerleave", arm);
  area.append(node);
  while (area.children.length > MAX_SHOWN) area.firstElementChild?.remove();
  announce(hint ? `${text} ${hint}` : text);
  arm();
  return close;
}

/**
 * Show what went wrong: the API's sentence and its hint. Cancelled requests are no news.
 * @param {unknown} error
 */
export function toastError(error) {
  if (isAborted(error) || (error instanceof ApiError && error.status === 401 && error.code === "sign_in")) return;
  if (!(error instanceof ApiError)) console.error(error);
  const isTold = error instanceof ApiError;
  toast(isTold ? error.message : _("Something went wrong on this page."), {
    kind: "bad",
    hint: isTold ? error.hint : _("Reload it and try again."),
  });
}
