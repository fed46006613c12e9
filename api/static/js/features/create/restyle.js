/** The styles that a picture can be painted in, each with what it does to one; or the style of another picture. */

import { api } from "../../shell/api.js";
import { button, fill, findAll, h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { uploadPicture } from "./files.js";

/**
 * @param {FormStore} form
 * @returns {{node: HTMLElement, update: (state: FormState) => void}}
 */
export function restylePicker(form) {
  const row = h("div", { class: "styles", role: "group", "aria-label": _("Styles to paint in"), tabindex: "0" });
  const chosen = h("p", { class: "small muted" });
  const file = h("input", {
    type: "file",
    accept: "image/*",
    class: "sr-only",
    tabindex: "-1",
    "aria-label": _("Like"),
  });
  /** @param {File} blob */
  const keepStyle = async (blob) => {
    const picture = await uploadPicture(blob);
    if (picture) form.set({ restyle: { more_images: [picture.media_id] } });
  };
  file.addEventListener("change", () => {
    if (file.files?.[0]) form.pending = keepStyle(file.files[0]);
    file.value = "";
  });
  const like = button(_("Like another picture"), () => file.click(), { class: "btn-small", icon: "image" });
  const node = h("div", { class: "stack" }, row, h("div", { class: "row" }, like, file), chosen);
  /** The engine whose styles are shown. */
  let shown = "";
  /** @param {FormState} state */
  function update({ restyle, backend }) {
    const name = restyle && "styles" in restyle ? restyle.styles[0] : "";
    const isLike = Boolean(restyle && "more_images" in restyle);
    for (const each of findAll(row, "button")) each.setAttribute("aria-pressed", String(each.dataset.id === name));
    like.setAttribute("aria-pressed", String(isLike));
    chosen.textContent = isLike ? _("In the style of the picture you chose.") : "";
    if (shown !== `of ${backend}`) load(backend);
  }
  /** @param {string} backend */
  async function load(backend) {
    shown = `of ${backend}`; // no text: a mark that an engine was asked for
    const { engines } = await api.get("/api/engines", null, { quiet: true });
    const able = engines.filter(({ capabilities }) => capabilities?.modes.includes("restyle"));
    const engine = able.find(({ name }) => name === backend) ?? able[0];
    fill(
      row,
      (engine?.capabilities?.styles ?? []).map((name) => tile(name, form)),
    );
    row.hidden = !row.childElementCount;
    update(form.get());
  }
  return { node, update };
}

/**
 * @param {string} name
 * @param {FormStore} form
 */
function tile(name, form) {
  const picture = h("img", {
    src: `/static/styles/${name.toLowerCase().replace(/\W+/g, "-")}.webp`,
    alt: "",
    width: 72,
    height: 72,
    loading: "lazy",
    decoding: "async",
  });
  picture.addEventListener("error", () =>
    picture.replaceWith(h("span", { class: "style-mark", "aria-hidden": "true" }, name.slice(0, 1))),
  );
  const press = () => {
    const now = form.get().restyle;
    const isOn = now && "styles" in now && now.styles[0] === name;
    form.set({ restyle: isOn ? null : { styles: [name] } });
  };
  return h(
    "button",
    { type: "button", class: "style-tile", dataset: { id: name }, "aria-pressed": "false", on: { click: press } },
    picture,
    h("span", { class: "clip" }, name),
  );
}
