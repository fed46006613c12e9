/**
 * The bar that appears when pictures are picked: what can be done with all of them at once.
 */

import { FORMATS } from "../../pictures/actions.js";
import { deletePictures, onChange, setFavorites } from "../../pictures/changes.js";
import { collect, uncollect } from "../../pictures/collect.js";
import { api } from "../../shell/api.js";
import { announce, fill, find, h, icon, iconButton } from "../../ui/dom.js";
import { openMenu } from "../../ui/menu.js";
import { _ } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";

/**
 * The bar itself.
 * @param {import("../../pictures/grid.js").Grid} grid the wall whose selection it serves
 * @param {() => Api.Collection | null} collection the collection that is shown, if one is
 * @returns {{element: HTMLElement, stop: () => void}}
 */
export function bulkBar(grid, collection) {
  const { selection } = grid;
  const picked = () => grid.pictures.filter(({ id }) => selection.has(id));
  const count = h("p", { class: "bulk-count num" });
  const heart = tool("heart", _("Favourite"), () => favourite(picked()));
  const take = tool("minus", _("Take out"), async () => {
    const shown = collection();
    const out = shown ? await uncollect(picked(), shown) : [];
    grid.remove(out.map(({ id }) => id));
  });
  const zip = tool("download", _("Download"), () =>
    openMenu(
      zip,
      FORMATS.map(([format, label, hint]) => ({
        label: _("ZIP of {format}", { format: label }),
        hint,
        run: () => download(picked(), format, zip),
      })),
    ),
  );
  zip.setAttribute("aria-haspopup", "menu");
  const bar = h(
    "div",
    { class: "bulk", role: "toolbar", "aria-label": _("Picked pictures"), hidden: true },
    iconButton("close", _("Clear the selection (Esc)"), () => selection.clear()),
    count,
    tool("grid", _("Select all shown"), () => selection.all()),
    h("span", { class: "grow" }),
    heart,
    tool("folder", _("Add to collection"), () => collect(picked())),
    take,
    zip,
    tool("trash", _("Delete"), () => deletePictures(picked()), "btn-danger"),
  );
  const show = () => {
    if (bar.hidden && selection.size) announce(_("Selecting pictures. X picks or drops one, Escape ends it."));
    bar.hidden = selection.size === 0;
    count.textContent = _("{size} picked", { size: selection.size });
    take.hidden = !collection();
    fill(
      /** @type {HTMLElement} */ (find(heart, "span")),
      allFavourites(picked()) ? _("Remove favourites") : _("Favourite"),
    );
  };
  selection.onChange(show);
  return { element: bar, stop: onChange("favorite", show) };
}

/**
 * @param {string} name
 * @param {string} label
 * @param {() => unknown} run
 */
function tool(name, label, run, extra = "") {
  return h(
    "button",
    { type: "button", class: `btn btn-ghost bulk-tool ${extra}`, title: label, on: { click: run } },
    icon(name),
    h("span", {}, label),
  );
}

/** @param {Picture[]} pictures */
const allFavourites = (pictures) => pictures.length > 0 && pictures.every((picture) => picture.is_favorite);

/** @param {Picture[]} pictures */
async function favourite(pictures) {
  const isOn = !allFavourites(pictures);
  const done = await setFavorites(pictures, isOn);
  if (done.length)
    toast(
      isOn
        ? _("{count} kept as favourites: they will not expire.", { count: done.length })
        : _("{count} no longer favourites.", { count: done.length }),
      {
        kind: "good",
      },
    );
}

/**
 * @param {Picture[]} pictures
 * @param {string} format
 * @param {HTMLButtonElement} anchor
 */
async function download(pictures, format, anchor) {
  anchor.disabled = true;
  announce(_("Packing the pictures."));
  try {
    const ids = pictures.map(({ id }) => id);
    const file = await api.post("/api/archive", { ids, format }, { as: "blob" });
    const link = h("a", { href: URL.createObjectURL(file), download: `easel-${ids.length}-pictures.zip` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads it after the click has returned
  } catch (error) {
    toastError(error);
  } finally {
    anchor.disabled = false;
  }
}
