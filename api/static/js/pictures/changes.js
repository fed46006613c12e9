/**
 * What people do to kept pictures, and the word of it to every list that shows them.
 */

import { api } from "../shell/api.js";
import { events } from "../shell/events.js";
import { confirmDialog } from "../ui/dialog.js";
import { announce } from "../ui/dom.js";
import { asApiError } from "../ui/errors.js";
import { _, _n } from "../ui/text.js";
import { toast, toastError } from "../ui/toast.js";

const changes = new EventTarget();

/**
 * Hear of changes made anywhere on the page.
 * @param {"favorite"|"removed"|"collections"} name
 * @param {(detail: Change) => void} listener
 * @returns {() => void} stops listening
 */
export function onChange(name, listener) {
  const hear = (/** @type {Event} */ event) => listener(/** @type {CustomEvent<Change>} */ (event).detail);
  changes.addEventListener(name, hear);
  return () => changes.removeEventListener(name, hear);
}

/** @param {string} name @param {Partial<Change>} detail */
const tell = (name, detail) =>
  changes.dispatchEvent(new CustomEvent(name, { detail: { ids: [], isOn: false, ...detail } }));

/**
 * Make a picture a favourite, or no longer.
 * @param {AnyPicture} picture
 */
export async function setFavorite(picture) {
  const isOn = !picture.is_favorite;
  const done = await setFavorites([picture], isOn);
  if (done.length) announce(isOn ? _("Added to favourites") : _("No longer a favourite"));
}

/**
 * Make pictures favourites, or no longer. Shown at once, taken back where the server refuses.
 * @template {AnyPicture} P
 * @param {P[]} pictures
 * @param {boolean} isOn
 * @returns {Promise<P[]>} those that were changed
 */
export function setFavorites(pictures, isOn) {
  const changing = pictures.filter((picture) => Boolean(picture.is_favorite) !== isOn);
  mark(changing, isOn);
  const stored = store(changing, isOn);
  pending = stored;
  return stored;
}

/** @type {Promise<unknown>} */
let pending = Promise.resolve();

/** Resolves when the server knows of the last favourite: a list that is asked for before would lack it. */
export const settled = () => pending;

/**
 * @template {AnyPicture} P
 * @param {P[]} pictures
 * @param {boolean} isOn
 */
async function store(pictures, isOn) {
  const send = (/** @type {P} */ { id }) => (isOn ? api.put(`/api/favorites/${id}`) : api.del(`/api/favorites/${id}`));
  const done = await eachOf(pictures, send);
  const refused = pictures.filter((picture) => !done.includes(picture));
  if (refused.length) mark(refused, !isOn);
  return done;
}

/**
 * Tell every list that these are favourites now, or are not.
 * @param {AnyPicture[]} pictures
 * @param {boolean} isOn
 */
function mark(pictures, isOn) {
  const ids = pictures.map((picture) => picture.id);
  pictures.forEach((picture) => (picture.is_favorite = isOn));
  events.star(ids, isOn);
  tell("favorite", { ids, isOn });
}

/** Tell every list that collections changed. */
export function tellCollections() {
  tell("collections", {});
}

/**
 * Tell every list that these are gone.
 * @param {string[]} ids
 */
export function forget(ids) {
  events.lose(ids);
  tell("removed", { ids });
}

/**
 * Delete pictures after asking; those of others stay.
 * @param {AnyPicture[]} chosen
 * @returns {Promise<boolean>} whether any was deleted
 */
export async function deletePictures(chosen) {
  const pictures = chosen.filter((picture) => picture.is_mine !== false);
  const many = pictures.length;
  if (!many) {
    toast(_("Only your own pictures can be deleted."));
    return false;
  }
  const isSure = await confirmDialog({
    title: _n("Delete this picture?", "Delete {n} pictures?", many),
    text: `${warning(pictures)}${_("Gone at once, for everybody. This cannot be undone.")}`,
    action: _n("Delete", "Delete {n} pictures", many),
    isDanger: true,
  });
  if (!isSure) return false;
  const gone = await eachOf(pictures, (picture) => api.del(`/api/gallery/${picture.id}`));
  forget(gone.map((picture) => picture.id));
  if (gone.length) toast(_n("Picture deleted", "{n} pictures deleted", gone.length));
  return gone.length > 0;
}

/** @param {AnyPicture[]} pictures */
function warning(pictures) {
  const favourites = pictures.filter((picture) => picture.is_favorite).length;
  if (!favourites) return "";
  if (pictures.length === 1) return _("It is a favourite. ");
  return _n("One of them is a favourite. ", "{n} of them are favourites. ", favourites);
}

/**
 * Do one thing with many pictures, a few at a time; the first failure is told once.
 * @template {AnyPicture} P
 * @param {P[]} pictures
 * @param {(picture: P) => Promise<unknown>} act
 * @returns {Promise<P[]>} those it worked for
 */
export async function eachOf(pictures, act) {
  /** @type {P[]} */
  const done = [];
  const left = [...pictures];
  /** @type {unknown} */
  let failure = null;
  const work = async () => {
    for (let picture = left.shift(); picture; picture = left.shift()) {
      try {
        await act(picture);
        done.push(picture);
      } catch (error) {
        failure ??= error;
        if (asApiError(error).status === 429) left.length = 0; // the rest would be refused too
      }
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  if (failure) toastError(failure);
  return done;
}
