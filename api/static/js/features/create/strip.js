/** The strip below the picture. A press shows one of its jobs in the middle; it is filled with the first job. */

import { events } from "../../shell/events.js";
import { h, useCss } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

/**
 * The strip: its place, and its jobs when there are some.
 * @param {{ onShow: (job: Api.Job) => void }} spec
 * @returns {{ node: HTMLElement, select: (id: string) => void, destroy: Stop }}
 */
export function queueStrip({ onShow }) {
  const label = _("Queue and newest pictures");
  const node = h("section", { class: "strip", "aria-label": label, tabindex: "0", hidden: true });
  let selected = "";
  /** @type {{ select: (id: string) => void, destroy: Stop } | null} */
  let items = null;
  let isOver = false;
  const load = async () => {
    stop();
    const [{ stripItems }] = await Promise.all([import("./strip-items.js"), useCss("strip")]);
    if (isOver) return;
    items = stripItems(node, onShow);
    items.select(selected);
  };
  const stop = events.on("job", (job) => job.is_mine && load());
  if ([...events.jobs.values()].some((job) => job.is_mine)) load();
  return {
    node,
    select(id) {
      selected = id;
      items?.select(id);
    },
    destroy() {
      isOver = true;
      stop();
      items?.destroy();
    },
  };
}
