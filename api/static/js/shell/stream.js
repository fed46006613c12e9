/** One connection to GET /events, which comes back by itself. Used by the worker of all tabs, or by a page alone. */
import { parseExact } from "./exact.js";

const KINDS = ["job", "queue", "gone", "alert"];
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 20000;
const HIDDEN_MS = 30000;

/**
 * Keep a stream open. `report(kind, data)` hears "hello" (connected), "lost", "resync" and the server's own kinds.
 * @param {StreamReport} report
 * @returns {{retry: () => void, close: () => void}} connect at once; give the connection back
 */
export function openStream(report) {
  /** @type {EventSource | null} */
  let source = null;
  let timer = 0;
  let wait = FIRST_WAIT_MS;

  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const connect = () => {
    close();
    const opened = new EventSource("/events");
    source = opened;
    opened.addEventListener("hello", () => {
      wait = FIRST_WAIT_MS;
      report("hello", null);
    });
    opened.addEventListener("resync", () => report("resync", null)); // we fell behind: the server left something out
    for (const kind of KINDS) opened.addEventListener(kind, (event) => report(kind, parseExact(event.data)));
    opened.onerror = () => {
      report("lost", null);
      opened.close(); // our own pace: a browser gives up for good after an error status
      timer = setTimeout(connect, wait + Math.random() * 400);
      wait = Math.min(wait * 1.7, LONGEST_WAIT_MS);
    };
  };
  connect();
  return { retry: connect, close };
}

/**
 * A stream of one page's own, given back when nobody looks: a browser has only six connections for one address.
 * @param {StreamReport} report
 */
export function watchAlone(report) {
  let rest = 0;
  const stream = openStream(report);
  window.addEventListener("online", stream.retry);
  document.addEventListener("visibilitychange", () => {
    clearTimeout(rest);
    if (document.hidden) rest = setTimeout(stream.close, HIDDEN_MS);
    else stream.retry();
  });
}
