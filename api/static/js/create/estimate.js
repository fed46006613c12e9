/** What a picture would cost and how long it would take, before it is asked for. */
import { api } from "../api.js";
import { debounce, fill, formatSpan, h } from "../dom.js";

/** The line beside Generate: what it costs and when it is there. Asked quietly, never in the way. */
export function estimateLine({ bodyOf, afterMs = 300 }) {
  const node = h("p", { class: "estimate num", "aria-live": "off" }, " ");
  let flight = null;
  const ask = debounce(async () => {
    flight?.abort();
    flight = new AbortController();
    try {
      show(node, await api.post("/api/estimate", bodyOf(), { quiet: true, signal: flight.signal }));
    } catch (error) {
      if (error.name !== "AbortError")
        fill(
          node,
          error.status === 400 || error.status === 422 ? [h("span", { class: "refused" }, error.message)] : " ",
        );
    }
  }, afterMs);
  const stop = () => {
    ask.cancel();
    flight?.abort();
  };
  return { node, ask, stop };
}

function show(node, { engine, wait_s: wait, seconds, price, refused, notes }) {
  if (refused) return void fill(node, h("span", { class: "refused" }, refused));
  fill(node, [engine, timeWords(wait || 0, seconds), price].filter(Boolean).join(" · ") || " ");
  node.title = (notes || []).join("\n");
}

function timeWords(wait, seconds) {
  if (seconds !== null && seconds !== undefined) return `about ${formatSpan(Math.max(1, wait + seconds))}`;
  return wait > 1 ? `starts in about ${formatSpan(wait)}` : "";
}
