/** The keyboard shortcuts of the studio, by where they work. */

import { h } from "../../ui/dom.js";

/** @type {[string, [string[], string][]][]} */
const SHORTCUTS = [
  [
    "Everywhere",
    [
      [["Alt", "Space"], "to the prompt"],
      [["Esc"], "close a dialog, a menu or a picture"],
    ],
  ],
  ["Create", [[["Ctrl", "Enter"], "draw"]]],
  [
    "Gallery and feed",
    [
      [["← ↑ → ↓"], "from picture to picture"],
      [["Enter"], "open a picture"],
      [["X"], "select it"],
      [["Shift", "← →"], "select several"],
      [["Ctrl", "A"], "select all"],
      [["F"], "favourite"],
    ],
  ],
  [
    "One picture",
    [
      [["← →"], "the one before, the one after"],
      [["+"], "larger"],
      [["-"], "smaller"],
      [["0"], "fit the screen"],
      [["F"], "favourite"],
      [["I"], "its details"],
      [["C"], "compare with what it was made from"],
      [["D"], "download"],
      [["Delete"], "delete"],
    ],
  ],
];

/** The list of them. */
export function shortcutList() {
  return h(
    "div",
    { class: "shortcuts" },
    SHORTCUTS.map(([where, rows]) => h("section", {}, h("h3", {}, where), h("dl", {}, rows.map(row)))),
  );
}

/** @param {[string[], string]} shortcut */
function row([keys, words]) {
  return h(
    "div",
    {},
    h(
      "dt",
      {},
      keys.map((key, at) => [at ? " + " : "", h("kbd", {}, key)]),
    ),
    h("dd", {}, words),
  );
}
