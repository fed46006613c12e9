/**
 * Collections: making, naming, deleting them, and putting pictures in.
 */

import { api } from "../shell/api.js";
import { closeWith, confirmDialog, openDialog } from "../ui/dialog.js";
import { field, fill, h, icon } from "../ui/dom.js";
import { asApiError } from "../ui/errors.js";
import { _ } from "../ui/text.js";
import { toast, toastError } from "../ui/toast.js";
import { eachOf, tellCollections } from "./changes.js";
import { thumbnail } from "./picture.js";

const MAX_NAME_CHARS = 80;

/** All collections of this person. @returns {Promise<Api.Collection[]>} */
export async function loadCollections() {
  return (await api.get("/api/collections")).collections;
}

/**
 * Ask which collection, or make one, and put the pictures in.
 * @param {Picture[]} pictures
 * @returns {Promise<boolean>} whether they were put somewhere
 */
export async function collect(pictures) {
  let collections;
  try {
    collections = await loadCollections();
  } catch (error) {
    toastError(error);
    return false;
  }
  const chosen = collections.length ? await choose(collections, pictures.length) : "new";
  const collection = chosen === "new" ? await editCollection() : collections.find(({ id }) => id === chosen);
  if (!collection) return false;
  const put = await eachOf(pictures, (picture) => api.put(`/api/collections/${collection.id}/pictures/${picture.id}`));
  put.forEach((picture) => (picture.collections = [...new Set([...(picture.collections ?? []), collection.id])]));
  if (put.length)
    toast(
      put.length === 1
        ? _("Added to “{name}”.", { name: collection.name })
        : _("{count} pictures added to “{name}”.", { count: put.length, name: collection.name }),
      { kind: "good" },
    );
  tellCollections();
  return put.length > 0;
}

/**
 * Take pictures out of a collection.
 * @param {Picture[]} pictures
 * @param {Api.Collection} collection
 * @returns {Promise<Picture[]>} those that are out
 */
export async function uncollect(pictures, collection) {
  const out = await eachOf(pictures, (picture) => api.del(`/api/collections/${collection.id}/pictures/${picture.id}`));
  for (const picture of out) picture.collections = (picture.collections ?? []).filter((id) => id !== collection.id);
  if (out.length)
    toast(
      out.length === 1
        ? _("Taken out of “{name}”.", { name: collection.name })
        : _("{count} pictures taken out of “{name}”.", { count: out.length, name: collection.name }),
    );
  tellCollections();
  return out;
}

/** @param {Api.Collection[]} collections @param {number} count */
function choose(collections, count) {
  const list = h("ul", { class: "picks" });
  const pick = (/** @type {string} */ id) => closeWith(list, id);
  /** @param {Api.Collection} collection */
  const row = (collection) =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "pick", on: { click: () => pick(collection.id) } },
        coverOf(collection),
        h("span", { class: "grow" }, collection.name),
        h("span", { class: "faint small num" }, String(collection.count)),
      ),
    );
  fill(list, collections.map(row));
  return openDialog({
    title: count === 1 ? _("Add to a collection") : _("Add {count} pictures to a collection", { count }),
    body: list,
    actions: [{ label: _("New collection"), value: "new", kind: "primary", icon: "plus" }],
  });
}

/**
 * A collection's cover, or an outline where it has none.
 * @param {Api.Collection} collection
 * @returns {HTMLElement}
 */
export function coverOf(collection) {
  const cover = collection.cover;
  if (!cover || cover.is_gone) return h("span", { class: "cover is-bare" }, icon("folder"));
  return h("img", { class: "cover", src: thumbnail(cover, 128), alt: "", width: 44, height: 44, loading: "lazy" });
}

/**
 * Name a new collection, or rename one.
 * @param {Api.Collection | null} [old]
 * @returns {Promise<Api.Collection | null>} the collection, null if it was not saved
 */
export function editCollection(old = null) {
  const name = h("input", {
    class: "input",
    value: old?.name ?? "",
    maxlength: MAX_NAME_CHARS,
    required: true,
    autofocus: true,
  });
  const about = h("textarea", { class: "textarea", rows: 2, maxlength: 500, value: old?.description ?? "" });
  const problem = h("p", { class: "error-text", role: "alert" });
  const save = async () => {
    const body = { name: name.value.trim(), description: about.value.trim() };
    if (!body.name) {
      problem.textContent = _("Give it a name, for example: Portraits.");
      name.focus();
      return false;
    }
    try {
      const saved = await (old ? api.patch(`/api/collections/${old.id}`, body) : api.post("/api/collections", body));
      tellCollections();
      return { ...old, ...body, ...saved };
    } catch (error) {
      const { message, hint } = asApiError(error);
      fill(problem, [message, hint].filter(Boolean).join(" "));
      return false;
    }
  };
  const form = h(
    "form",
    { class: "stack" },
    field(_("Name"), name),
    field(_("What it holds (optional)"), about),
    problem,
  );
  return openDialog({
    title: old ? _("Rename collection") : _("New collection"),
    body: form,
    actions: [{ label: _("Save"), kind: "primary", run: save }],
    onOpen: (_dialog, close) =>
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const saved = await save();
        if (saved) close(saved);
      }),
  });
}

/**
 * Delete a collection after asking; its pictures stay.
 * @param {Api.Collection} collection
 * @returns {Promise<boolean>}
 */
export async function deleteCollection(collection) {
  const text = _("The pictures stay in your history, but those that are no favourites expire again.");
  if (
    !(await confirmDialog({
      title: _("Delete “{name}”?", { name: collection.name }),
      text,
      action: _("Delete"),
      isDanger: true,
    }))
  )
    return false;
  try {
    await api.del(`/api/collections/${collection.id}`);
    toast(_("“{name}” deleted.", { name: collection.name }));
    tellCollections();
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}
