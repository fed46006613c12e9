/**
 * What people do to kept pictures, and the word of it to every list that shows them.
 */

import { api } from "../api.js";
import { openDialog } from "../ui/dialog.js";
import { toast } from "../ui/toast.js";
import { announce } from "../dom.js";

const changes = new EventTarget();

/**
 * Hear of changes made anywhere on the page.
 * @param {"favorite"|"removed"} name
 * @param {(detail: {ids: string[], isOn?: boolean}) => void} listener
 * @returns {() => void} stops listening
 */
export function onChange(name, listener) {
  const hear = (event) => listener(event.detail);
  changes.addEventListener(name, hear);
  return () => changes.removeEventListener(name, hear);
}

const tell = (name, detail) => changes.dispatchEvent(new CustomEvent(name, { detail }));

/** Say what went wrong, and what to do about it. */
export function complain(error) {
  toast([error.message, error.hint].filter(Boolean).join(" "), { kind: "bad" });
}

/**
 * Make a picture a favourite, or no longer. Shown at once, taken back if the server refuses.
 * @param {object} picture @param {boolean} [isOn]
 */
export async function setFavorite(picture, isOn = !picture.is_favorite) {
  mark([picture], isOn);
  try {
    await (isOn ? api.put(`/api/favorites/${picture.id}`) : api.del(`/api/favorites/${picture.id}`));
    announce(isOn ? "Added to favourites" : "No longer a favourite");
  } catch (error) {
    mark([picture], !isOn);
    complain(error);
  }
}

/** Tell every list that these are favourites now, or are not. */
export function mark(pictures, isOn) {
  pictures.forEach((picture) => (picture.is_favorite = isOn));
  tell("favorite", { ids: pictures.map((picture) => picture.id), isOn });
}

/** Tell every list that these are gone. */
export function forget(ids) {
  tell("removed", { ids });
}

/**
 * Delete pictures after asking.
 * @param {object[]} pictures
 * @returns {Promise<boolean>} whether any was deleted
 */
export async function deletePictures(pictures) {
  const many = pictures.length;
  const favourites = pictures.filter((picture) => picture.is_favorite).length;
  const answer = await openDialog({
    title: many === 1 ? "Delete this picture?" : `Delete ${many} pictures?`,
    body: favourites
      ? `${favourites === many ? (many === 1 ? "It is a favourite" : "All are favourites") : `${favourites} of them are favourites`}. This cannot be undone.`
      : "This cannot be undone.",
    actions: [
      { label: "Keep", value: "" },
      { label: many === 1 ? "Delete" : `Delete ${many}`, value: "delete", kind: "danger" },
    ],
  });
  if (answer !== "delete") return false;
  const gone = await eachOf(pictures, (picture) => api.del(`/api/gallery/${picture.id}`));
  forget(gone.map((picture) => picture.id));
  if (gone.length) toast(gone.length === 1 ? "Picture deleted" : `${gone.length} pictures deleted`);
  return gone.length > 0;
}

/**
 * Do one thing with many pictures, a few at a time; the first failure is told once.
 * @returns {Promise<object[]>} those it worked for
 */
export async function eachOf(pictures, act) {
  const done = [];
  const left = [...pictures];
  let failure = null;
  const work = async () => {
    for (let picture = left.shift(); picture; picture = left.shift()) {
      try {
        await act(picture);
        done.push(picture);
      } catch (error) {
        failure ??= error;
        if (error.status === 429) left.length = 0; // the rest would be refused too
      }
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  if (failure) complain(failure);
  return done;
}
