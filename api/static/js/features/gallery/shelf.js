/**
 * The shelf above the wall: all pictures, favourites, and the collections; and what can be done with the chosen one.
 */

import { coverOf, deleteCollection, editCollection, loadCollections } from "../../pictures/collect.js";
import { button, fill, h, icon } from "../../ui/dom.js";
import { asApiError } from "../../ui/errors.js";
import { openMenu } from "../../ui/menu.js";
import { _ } from "../../ui/text.js";

/**
 * The shelf itself.
 * @param {Place} place what is shown
 * @param {(place: Place) => void} onPick
 * @returns {{ element: HTMLElement, refresh: () => Promise<void>, chosen: () => Api.Collection | null,
 *   show: (place: Place) => void }}
 */
export function shelf(place, onPick) {
  let now = place;
  /** @type {Api.Collection[]} */
  let collections = [];
  const list = h("div", { class: "shelf", role: "group", "aria-label": _("What to show") });
  const chosen = () => collections.find(({ id }) => id === now.collection) ?? null;
  const pick = (/** @type {Place} */ next) => {
    show(next);
    onPick(next);
  };
  /**
   * @param {Child} label
   * @param {Place} next
   * @param {boolean} isOn
   * @param {Child} before
   */
  const chip = (label, next, isOn, before) =>
    h(
      "button",
      { type: "button", class: "chip shelf-chip", "aria-pressed": String(isOn), on: { click: () => pick(next) } },
      before,
      label,
    );
  const show = (next = now) => {
    now = next;
    const collection = chosen();
    const active = document.activeElement?.closest?.(".shelf") ? document.activeElement.textContent : null;
    fill(
      list,
      chip(_("My pictures"), {}, !now.favorites && !now.collection && !now.everyone, icon("gallery")),
      chip(_("Favourites"), { favorites: true }, Boolean(now.favorites), icon("heart")),
      chip(_("Everyone’s"), { everyone: true }, Boolean(now.everyone), icon("feed")),
      collections.map((each) =>
        chip(
          [h("span", { class: "clip" }, each.name), h("span", { class: "faint num" }, String(each.count))],
          { collection: each.id },
          each.id === now.collection,
          coverOf(each),
        ),
      ),
      h("button", { type: "button", class: "chip", on: { click: create } }, icon("plus"), _("New collection")),
      collection && more(collection, pick),
    );
    if (active) [...list.querySelectorAll("button")].find((node) => node.textContent === active)?.focus();
  };
  const create = async () => {
    const made = await editCollection();
    if (!made?.id) return;
    await refresh();
    pick({ collection: made.id });
  };
  const refresh = async () => {
    try {
      collections = await loadCollections();
    } catch (error) {
      if (asApiError(error).status === 401) return; // the sign-in dialog says it
      collections = [];
    }
    show();
  };
  show();
  return { element: list, refresh, chosen, show };
}

/** @param {Api.Collection} collection @param {(place: Place) => void} pick */
function more(collection, pick) {
  const node = button(
    _("Edit collection"),
    () =>
      openMenu(node, [
        { label: _("Rename…"), icon: "remix", run: () => editCollection(collection) },
        "-",
        {
          label: _("Delete collection…"),
          icon: "trash",
          danger: true,
          run: async () => (await deleteCollection(collection)) && pick({}),
        },
      ]),
    { class: "btn-ghost btn-small", icon: "more", "aria-haspopup": "menu", "aria-expanded": "false" },
  );
  return node;
}
