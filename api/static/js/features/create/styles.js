/** Style presets: words that are added to the prompt, each with a small picture of what they do. */

import { api } from "../../shell/api.js";
import { fill, findAll, h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

const MAX_STYLES = 5;

/**
 * The tiles of styles.
 * @param {FormStore} form
 * @returns {{node: HTMLElement, update: (state: FormState) => void, values: (ids: string[]) => string[]}}
 */
export function stylePicker(form) {
  const row = h("div", { class: "styles", role: "group", "aria-label": _("Styles"), tabindex: "0" });
  const node = h("div", { class: "field" }, h("span", { class: "label" }, _("Style")), row);
  /** @type {Api.Style[]} */
  let all = [];
  node.hidden = true;
  api.get("/api/styles", null, { quiet: true }).then(
    ({ styles }) => {
      all = styles;
      node.hidden = !styles.length;
      fill(
        row,
        styles.map((style) => tile(style, form)),
      );
      update(form.get());
    },
    () => {},
  );
  /** @param {FormState} state */
  function update({ styles }) {
    for (const each of findAll(row, "button"))
      each.setAttribute("aria-pressed", String(styles.includes(each.dataset.id ?? "")));
  }
  return {
    node,
    update,
    values: (ids) =>
      all
        .filter((style) => ids.includes(style.id))
        .map((style) => style.value)
        .filter(Boolean),
  };
}

/**
 * @param {Api.Style} style
 * @param {FormStore} form
 */
function tile(style, form) {
  const press = () => {
    const now = form.get().styles;
    form.set({
      styles: now.includes(style.id) ? now.filter((id) => id !== style.id) : [...now, style.id].slice(-MAX_STYLES),
    });
  };
  const picture = style.thumbnail_url
    ? h("img", { src: style.thumbnail_url, alt: "", width: 72, height: 72, loading: "lazy", decoding: "async" })
    : h(
        "span",
        { class: "style-mark", "aria-hidden": "true", style: { "--tint": tint(style.id) } },
        style.name.slice(0, 1),
      );
  return h(
    "button",
    {
      type: "button",
      class: "style-tile",
      dataset: { id: style.id },
      "aria-pressed": "false",
      title: style.description || style.value,
      on: { click: press },
    },
    picture,
    h("span", { class: "clip" }, style.name),
  );
}

/**
 * A quiet colour of its own for a style without a picture: the same name, the same colour.
 * @param {string} id
 */
function tint(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 360;
  return `hsl(${sum} 32% 42%)`;
}
