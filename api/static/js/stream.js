/** One connection to GET /events, which comes back by itself. Used by the worker of all tabs, or by a page alone. */
import { parseExact } from "./exact.js";

const KINDS = ["job", "queue", "gone", "alert"];
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 20000;
const HIDDEN_MS = 30000;

/**
 * Keep a stream open. `report(kind, data)` hears "hello" (connected), "lost", "resync" and the server's own kinds.
 * @returns {{retry: () => void, close: () => void}} connect at once; give the connection back
 */
export function openStream(report) {
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
    source = new EventSource("/events");
    source.addEventListener("hello", () => {
      wait = FIRST_WAIT_MS;
      report("hello", null);
    });
    source.addEventListener("resync", () => report("resync", null)); // we fell behind: the server left something out
    for (const kind of KINDS) source.addEventListener(kind, (event) => report(kind, parseExact(event.data)));
    source.onerror = () => {
      report("lost", null);
      source.close(); // our own pace: a browser gives up for good after an error status
      timer = setTimeout(connect, wait + Math.random() * 400);
      wait = Math.min(wait * 1.7, LONGEST_WAIT_MS);
    };
  };
  connect();
  return { retry: connect, close };
}

/** A stream of one page's own, given back when nobody looks: a browser has only six connections for one address. */
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
