/** Tables of the dashboard: plain ones, and those that stand behind a chart. */

import { h } from "../../ui/dom.js";

/**
 * Make a table.
 * @param {string} caption for screen readers
 * @param {Array<{title: string, isNumber?: boolean}>} columns
 * @param {Array<Array<Node|string|number>>} rows the first cell of each names it
 * @returns {HTMLElement} the table in a frame that scrolls sideways where it must
 */
export function tableOf(caption, columns, rows) {
  const classOf = (/** @type {number} */ at) => (columns[at].isNumber ? "num is-number" : "");
  const head = h(
    "tr",
    {},
    columns.map((column, at) => h("th", { scope: "col", class: classOf(at) }, column.title)),
  );
  const body = rows.map((cells) =>
    h(
      "tr",
      {},
      cells.map((cell, at) => h(at ? "td" : "th", { class: classOf(at), scope: at ? null : "row" }, cell)),
    ),
  );
  const table = h(
    "table",
    { class: "table" },
    h("caption", { class: "sr-only" }, caption),
    h("thead", {}, head),
    h("tbody", {}, body),
  );
  return h("div", { class: "scroll-x", tabindex: "0", role: "group", "aria-label": caption }, table);
}
