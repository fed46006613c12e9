/** The keyboard shortcuts of the studio, by where they work. */

import { h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

/** @type {[string, [string[], string][]][]} */
const SHORTCUTS = [
  [
    _("Everywhere"),
    [
      [["Alt", "Space"], _("to the prompt")],
      [["Esc"], _("close a dialog, a menu or a picture")],
    ],
  ],
  [_("Create"), [[["Ctrl", "Enter"], "draw"]]],
  [
    _("Gallery and feed"),
    [
      [["← ↑ → ↓"], _("from picture to picture")],
      [["Enter"], _("open a picture")],
      [["X"], _("select it")],
      [["Shift", "← →"], _("select several")],
      [["Ctrl", "A"], _("select all")],
      [["F"], "favourite"],
    ],
  ],
  [
    _("One picture"),
    [
      [["← →"], _("the one before, the one after")],
      [["+"], "larger"],
      [["-"], "smaller"],
      [["0"], _("fit the screen")],
      [["F"], "favourite"],
      [["I"], _("its details")],
      [["C"], _("compare with what it was made from")],
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
