/** Your own styles: words added after a prompt. Everybody sees them, so admins alone change them. */

import { api } from "../../shell/api.js";
import { closeWith, confirmDialog, openDialog } from "../../ui/dialog.js";
import { button, field, fill, h, icon, iconButton } from "../../ui/dom.js";
import { wordsOf } from "../../ui/errors.js";
import { _ } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";

/**
 * The section of custom styles.
 * @param {boolean} mayChange
 * @returns {HTMLElement}
 */
export function styleSection(mayChange) {
  const list = h("div", { "aria-live": "polite" }, h("div", { class: "skeleton settings-skeleton" }));
  const load = async () => {
    try {
      const { styles } = await api.get("/api/styles");
      fill(list, styleList(styles, mayChange && remove));
    } catch (error) {
      fill(list, h("div", { class: "notice notice-bad" }, icon("warning"), h("p", {}, wordsOf(error))));
    }
  };
  /** @param {Api.Style} style */
  const remove = async (style) => {
    const sure = await confirmDialog({
      title: _("Delete the style {name}?", { name: style.name }),
      text: _("Pictures that were drawn with it stay as they are."),
      action: _("Delete"),
      isDanger: true,
    });
    if (!sure) return;
    try {
      await api.del(`/api/styles/${encodeURIComponent(style.id)}`);
      toast(_("The style {name} is deleted.", { name: style.name }));
      await load();
    } catch (error) {
      toastError(error);
    }
  };
  load();
  return h(
    "div",
    { class: "stack" },
    list,
    mayChange &&
      h(
        "div",
        { class: "row" },
        button(_("New style"), () => newStyle(load), { class: "btn-small", icon: "plus" }),
      ),
  );
}

/** @param {Api.Style[]} styles @param {((style: Api.Style) => void) | false} remove */
function styleList(styles, remove) {
  const own = styles.filter((style) => style.is_custom);
  const others = styles.length - own.length;
  const rest = _("{others} built-in styles are in Create.", { others });
  if (!own.length) return h("p", { class: "muted" }, _("No styles of your own yet. {rest}", { rest }));
  return [
    h(
      "ul",
      { class: "settings-list" },
      own.map((style) => styleItem(style, remove)),
    ),
    h("p", { class: "faint small" }, rest),
  ];
}

/** @param {Api.Style} style @param {((style: Api.Style) => void) | false} remove */
function styleItem(style, remove) {
  return h(
    "li",
    {},
    h("div", { class: "grow" }, h("strong", {}, style.name), h("p", { class: "muted small" }, style.value)),
    remove &&
      iconButton("trash", _("Delete the style {name}", { name: style.name }), () => remove(style), {
        class: "btn-small btn-danger",
      }),
  );
}

/** @param {() => Promise<void>} load */
async function newStyle(load) {
  const name = h("input", {
    class: "input",
    required: true,
    maxlength: "80",
    autocomplete: "off",
    placeholder: _("Lino print"),
    autofocus: true,
  });
  const value = h("textarea", {
    class: "textarea",
    required: true,
    maxlength: "1000",
    placeholder: _("linocut print, two inks, rough paper"),
  });
  const description = h("input", { class: "input", maxlength: "500", autocomplete: "off" });
  const outcome = h("div", { role: "alert" });
  const submit = button(_("Add the style"), null, { type: "submit", class: "btn-primary", icon: "plus" });
  const form = h(
    "form",
    { class: "stack" },
    field(_("Name"), name),
    field(_("Words to add after the prompt"), value),
    field(_("What it looks like (may stay empty)"), description),
    outcome,
    h("div", { class: "row" }, submit),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = {
      id: idOf(name.value),
      name: name.value.trim(),
      description: description.value.trim(),
      value: value.value.trim(),
    };
    try {
      closeWith(form, await api.post("/api/styles", values));
    } catch (error) {
      fill(outcome, h("p", { class: "error-text" }, wordsOf(error)));
    }
  });
  const made = await openDialog({ title: _("New style"), body: form });
  if (!made) return;
  toast(_("The style {name} is added.", { name: made.name }), { kind: "good" });
  await load();
}

/**
 * "Lino print" -> "lino-print", as the server wants ids.
 * @param {string} name
 */
function idOf(name) {
  const plain = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  return plain || "style";
}
