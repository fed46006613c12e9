/** The prompt written more fully: shown beside the one that stands there, and taken over only when that is chosen. */

import { api } from "../../shell/api.js";
import { openDialog } from "../../ui/dialog.js";
import { h, uid } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";

const RULES = "rules";

/**
 * Have the words of the form written more fully, and offer what came of it. Flags stay as they are.
 * @param {FormStore} form
 */
export async function enhance(form) {
  const before = form.get().text;
  const [words, flags] = split(before);
  if (!words) {
    toast(_("Write a few words first."));
    return;
  }
  try {
    const answer = await api.post("/api/enhance", { prompt: words });
    const chosen = await choose(words, answer);
    if (!chosen) return;
    form.set({ text: [chosen, flags].filter(Boolean).join(" ") });
    toast(_("The prompt is replaced."), { action: { label: _("Undo"), run: () => form.set({ text: before }) } });
  } catch (error) {
    toastError(error);
  }
}

/**
 * @param {string} before
 * @param {Api.EnhancedPrompt} answer
 * @returns {Promise<string>} the prompt that was chosen, "" where none was
 */
async function choose(before, answer) {
  const prompts = [answer.prompt, ...answer.others];
  const name = uid("enhanced");
  const rows = prompts.map((prompt, n) =>
    h(
      "label",
      { class: "enhanced-row" },
      h("input", { type: "radio", name, value: String(n), checked: n === 0 }),
      h("span", { dir: "auto" }, prompt),
    ),
  );
  const advice = answer.advice.map((line) => h("li", {}, line));
  const notes = answer.source === RULES ? answer.notes : [_("Written by {model}.", { model: answer.source })];
  const body = h(
    "div",
    { class: "stack" },
    h("p", { class: "muted", dir: "auto" }, _("Before: {prompt}", { prompt: before })),
    h("div", { class: "stack", role: "radiogroup", "aria-label": _("Prompts to choose from") }, rows),
    advice.length > 0 && h("ul", {}, advice),
    notes.map((note) => h("p", { class: "muted" }, note)),
  );
  const isTaken = await openDialog({
    title: _("Enhance the prompt"),
    body,
    actions: [{ label: _("Use it"), value: "use", kind: "primary" }],
  });
  if (!isTaken) return "";
  const at = rows.findIndex((row) => row.querySelector("input")?.checked);
  return prompts[at] ?? "";
}

/**
 * @param {string} text
 * @returns {[string, string]} the words, and the flags behind them
 */
function split(text) {
  const at = text.search(/(^|\s)--[a-z]/i);
  return at < 0 ? [text.trim(), ""] : [text.slice(0, at).trim(), text.slice(at).trim()];
}
