/** Prompt templates: texts to begin from, kept on the server; "{{word}}" is a gap that is asked for. */

import { api } from "../../shell/api.js";
import { openDialog } from "../../ui/dialog.js";
import { field, fill, h, iconButton } from "../../ui/dom.js";
import { openMenu } from "../../ui/menu.js";
import { _ } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";
import { mayReplace } from "./files.js";

const GAP = /\{\{\s*([^{}]+?)\s*\}\}/g;

/**
 * Open the menu of templates at `anchor`.
 * @param {HTMLElement} anchor
 * @param {FormStore} form
 */
export async function templateMenu(anchor, form) {
  let templates = [];
  try {
    ({ templates } = await api.get("/api/templates"));
  } catch (error) {
    return toastError(error);
  }
  const rows = templates.slice(0, 12).map((template) => ({
    label: template.name,
    icon: "template",
    hint: template.uses ? `${template.uses}×` : "",
    run: () => use(template, form),
  }));
  const keep = { label: _("Save this prompt"), icon: "plus", disabled: !form.get().text.trim(), run: () => save(form) };
  const mine = templates.filter((template) => template.is_mine);
  openMenu(anchor, [
    ...rows,
    rows.length > 0 && "-",
    keep,
    mine.length > 0 && { label: _("Remove templates"), icon: "trash", run: () => manage(mine) },
  ]);
}

/**
 * @param {Api.Template} template
 * @param {FormStore} form
 */
async function use(template, form) {
  try {
    const { text } = await api.post(`/api/templates/${template.id}/use`);
    const filled = await fillGaps(text || template.text);
    if (filled !== null && (await mayReplace(form))) form.set({ text: filled });
  } catch (error) {
    toastError(error);
  }
}

/**
 * Ask for each gap of a text; null when that was given up.
 * @param {string} text
 */
async function fillGaps(text) {
  const gaps = [...new Set([...text.matchAll(GAP)].map((match) => match[1]))];
  if (!gaps.length) return text;
  const inputs = new Map(gaps.map((gap) => [gap, h("input", { class: "input", autocomplete: "off" })]));
  const body = h(
    "div",
    { class: "stack" },
    [...inputs].map(([gap, input]) => field(gap, input)),
  );
  const done = await openDialog({
    title: _("Fill in the gaps"),
    body,
    actions: [{ label: _("Use it"), value: "use", kind: "primary" }],
    onOpen: () => inputs.get(gaps[0])?.focus(),
  });
  return done ? text.replace(GAP, (_all, gap) => inputs.get(gap)?.value.trim() || gap) : null;
}

/** @param {FormStore} form */
async function save(form) {
  const name = h("input", { class: "input", maxlength: 80, placeholder: _("Portrait, soft light") });
  const { text } = form.get();
  const body = h(
    "div",
    { class: "stack" },
    field(_("Name"), name),
    h("p", { class: "small" }, _("Write {gap} in a prompt for a gap that is asked for each time.", { gap: "{{who}}" })),
  );
  const run = async () => {
    if (!name.value.trim()) {
      name.focus();
      return false;
    }
    try {
      await api.post("/api/templates", { name: name.value.trim(), text });
      toast(_("Template saved."), { kind: "good" });
      return true;
    } catch (error) {
      toastError(error);
      return false;
    }
  };
  await openDialog({
    title: _("Save as a template"),
    body,
    actions: [{ label: _("Save"), kind: "primary", run }],
    onOpen: () => name.focus(),
  });
}

/** @param {Api.Template[]} templates */
async function manage(templates) {
  const list = h("ul", { class: "stack" });
  const draw = (/** @type {Api.Template[]} */ left) =>
    fill(
      list,
      left.map((template) =>
        h(
          "li",
          { class: "row" },
          h("span", { class: "grow clip" }, template.name),
          iconButton("trash", _("Delete {name}", { name: template.name }), async () => {
            try {
              await api.del(`/api/templates/${template.id}`);
              draw(left.filter((each) => each !== template));
            } catch (error) {
              toastError(error);
            }
          }),
        ),
      ),
    );
  draw(templates);
  await openDialog({ title: _("Your templates"), body: list, actions: [{ label: _("Done"), kind: "primary" }] });
}
