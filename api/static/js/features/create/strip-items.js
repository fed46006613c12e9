/** What the strip below the picture holds: what waits and runs, then the newest results. */

import { thumbnail } from "../../pictures/thumb.js";
import { events, isActive } from "../../shell/events.js";
import { findAll, h, icon } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

const MAX_DONE = 40;

/**
 * Fill `node`, the strip, and keep it up to date; `onShow` hears which job was pressed.
 * @param {HTMLElement} node
 * @param {(job: Api.Job) => void} onShow
 * @returns {{select: (id: string) => void, destroy: () => void}}
 */
export function stripItems(node, onShow) {
  const list = h("ol", { class: "strip-list" });
  node.append(list);
  /** @type {Map<string, StripItem>} */
  const items = new Map();
  let selected = "";
  /** @param {Api.Job} job */
  function put(job) {
    if (!job.is_mine) return;
    if (job.images.length && job.images.every((image) => image.is_gone)) return drop(job); // nothing left to show
    const kind = isActive(job) ? "active" : "ended";
    const old = items.get(job.id);
    if (old && old.kind === kind && (kind === "active" || old.job === job)) {
      old.job = job;
      return;
    }
    old?.card?.destroy();
    const item = kind === "active" ? activeItem(job, onShow) : endedItem(job, onShow);
    item.node.dataset.created = job.created_at;
    if (old) old.node.replaceWith(item.node);
    else insert(list, item.node);
    items.set(job.id, item);
    item.node.toggleAttribute("aria-current", job.id === selected);
    node.hidden = false;
    trim(list, items);
  }
  /** @param {{ id: string }} job */
  function drop({ id }) {
    items.get(id)?.card?.destroy();
    items.get(id)?.node.remove();
    items.delete(id);
    node.hidden = !items.size;
  }
  const stops = [events.on("job", put), events.on("gone", drop)];
  for (const job of events.jobs.values()) put(job);
  return {
    select(id) {
      selected = id;
      for (const [each, item] of items) item.node.toggleAttribute("aria-current", each === id);
      if (id) items.get(id)?.node.scrollIntoView?.({ block: "nearest", inline: "nearest" });
    },
    destroy() {
      for (const stop of stops) stop();
      for (const item of items.values()) item.card?.destroy();
    },
  };
}

/**
 * Newest first, by when they were asked for.
 * @param {HTMLElement} list
 * @param {HTMLElement} node
 */
function insert(list, node) {
  const created = node.dataset.created ?? "";
  const before = findAll(list, "li").find((tile) => (tile.dataset.created ?? "") <= created);
  list.insertBefore(node, before || null);
}

/** @param {HTMLElement} list @param {Map<string, StripItem>} items */
function trim(list, items) {
  if (list.children.length <= MAX_DONE) return;
  for (const node of findAll(list, "li").slice(MAX_DONE)) {
    if (node.classList.contains("strip-active")) continue;
    items.delete(node.dataset.id ?? "");
    node.remove();
  }
}

/**
 * @param {Api.Job} job
 * @param {(job: Api.Job) => void} onShow
 */
function activeItem(job, onShow) {
  const pick = h("button", {
    type: "button",
    class: "strip-cover",
    "aria-label": _("Show job {short_id}: {prompt}", { short_id: job.short_id, prompt: job.prompt }),
    on: { click: () => onShow(events.jobs.get(job.id) || job) },
  });
  /** @type {StripItem} */
  const item = {
    kind: "active",
    job,
    card: null,
    node: h("li", { class: "strip-active", dataset: { id: job.id } }, pick),
  };
  import("../../pictures/job-card.js").then(({ jobCard }) => {
    if (!item.node.isConnected) return;
    item.card = jobCard(events.jobs.get(job.id) || job, { isCompact: true });
    item.node.append(item.card);
  });
  return item;
}

/**
 * @param {Api.Job} job
 * @param {(job: Api.Job) => void} onShow
 * @returns {StripItem}
 */
function endedItem(job, onShow) {
  const left = job.images.filter((image) => !image.is_gone);
  const picture = left[0]
    ? thumbnail({ ...left[0], alt: "" }, { size: 256 })
    : h("span", { class: `strip-none ${job.status}` }, icon(job.status === "failed" ? "warning" : "close"));
  const label = `${job.prompt || _("Picture")}${job.status === "done" ? "" : ` (${job.status})`}`;
  return {
    kind: "ended",
    job,
    card: null,
    node: h(
      "li",
      { class: "strip-done", dataset: { id: job.id } },
      h(
        "button",
        {
          type: "button",
          "aria-label": label,
          title: label,
          on: { click: () => onShow(events.jobs.get(job.id) || job) },
        },
        picture,
        left.length > 1 && h("span", { class: "strip-count num" }, left.length),
      ),
    ),
  };
}
