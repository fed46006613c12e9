/** Your own styles: words added after a prompt. Everybody sees them, so admins alone change them. */

import { api } from "../../shell/api.js";
import { closeWith, confirmDialog, openDialog } from "../../ui/dialog.js";
import { button, field, fill, h, icon, iconButton } from "../../ui/dom.js";
import { wordsOf } from "../../ui/errors.js";
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
      title: `Delete the style ${style.name}?`,
      text: "Pictures that were drawn with it stay as they are.",
      action: "Delete",
      isDanger: true,
    });
    if (!sure) return;
    try {
      await api.del(`/api/styles/${encodeURIComponent(style.id)}`);
      toast(`The style ${style.name} is deleted.`);
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
        button("New style", () => newStyle(load), { class: "btn-small", icon: "plus" }),
      ),
  );
}

/** @param {Api.Style[]} styles @param {((style: Api.Style) => void) | false} remove */
function styleList(styles, remove) {
  const own = styles.filter((style) => style.is_custom);
  const others = styles.length - own.length;
  const rest = `${others} built-in styles are in Create.`;
  if (!own.length) return h("p", { class: "muted" }, `No styles of your own yet. ${rest}`);
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
      iconButton("trash", `Delete the style ${style.name}`, () => remove(style), { class: "btn-small btn-danger" }),
  );
}

/** @param {() => Promise<void>} load */
async function newStyle(load) {
  const name = h("input", {
    class: "input",
    required: true,
    maxlength: "80",
    autocomplete: "off",
    placeholder: "Lino print",
    autofocus: true,
  });
  const value = h("textarea", {
    class: "textarea",
    required: true,
    maxlength: "1000",
    placeholder: "linocut print, two inks, rough paper",
  });
  const description = h("input", { class: "input", maxlength: "500", autocomplete: "off" });
  const outcome = h("div", { role: "alert" });
  const submit = button("Add the style", null, { type: "submit", class: "btn-primary", icon: "plus" });
  const form = h(
    "form",
    { class: "stack" },
    field("Name", name),
    field("Words to add after the prompt", value),
    field("What it looks like (may stay empty)", description),
    outcome,
    h("div", { class: "row" }, submit),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = {
      id: idOf(name.value),
      name: name.value.trim(),
      description: description.value.trim(),
      value: value.value.trim(),
    };
    try {
      closeWith(form, await api.post("/api/styles", said));
    } catch (error) {
      fill(outcome, h("p", { class: "error-text" }, wordsOf(error)));
    }
  });
  const made = await openDialog({ title: "New style", body: form });
  if (!made) return;
  toast(`The style ${made.name} is added.`, { kind: "good" });
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
