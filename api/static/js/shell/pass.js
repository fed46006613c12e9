/** The way into Create with something in hand: small, because the first page needs no more of it. */
import { go } from "./router.js";

/** @type {Handoff | null} */
let waiting = null;

/**
 * Open Create with something to begin from.
 * @param {Partial<Handoff>} what
 * `command` is prompt syntax with flags; `draft` holds fields by the names of Job.request; `isAddition` leaves what
 * stands
 * in Create and adds the draft to it; `maskFor` is the picture whose mask is to be painted at once.
 */
export function toCreate(what) {
  waiting = {
    command: "",
    draft: null,
    replyTo: null,
    ...what,
    initImage: what.initImage || what.maskFor || null,
    mode: what.maskFor ? "inpaint" : (what.mode ?? null),
  };
  go("create");
}

/** What `toCreate` left, once (the Create view calls this). */
export function takeHandoff() {
  const what = waiting;
  waiting = null;
  return what;
}

/** A new key that makes one press of a button one job, however often the request is sent. */
export const newKey = () =>
  crypto.randomUUID ? crypto.randomUUID() : `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
