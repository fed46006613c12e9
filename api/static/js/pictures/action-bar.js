/** The actions of a picture as a row of buttons: the usual ones in sight, the rest behind "More". */

import { h, icon } from "../ui/dom.js";
import { openMenu } from "../ui/menu.js";
import { _ } from "../ui/text.js";
import { actionsOf } from "./actions.js";
import { writePrices } from "./prices.js";

const IN_SIGHT = ["reroll", "vary", "upscale", "remix"];
const ALWAYS = "finish"; // what a draft is for

/**
 * A row of buttons for a picture.
 * @param {Picture} picture
 * @param {{inSight?: string[], isSmall?: boolean}} [options] which actions are buttons; the rest is a menu
 * @returns {HTMLElement}
 */
export function actionBar(picture, { inSight = IN_SIGHT, isSmall = false } = {}) {
  const size = isSmall ? " btn-small" : "";
  const first = actionsOf(picture).filter(({ id }) => id === ALWAYS || inSight.includes(id));
  const more = h(
    "button",
    {
      type: "button",
      class: `btn btn-ghost btn-icon act-more${size}`,
      title: _("More"),
      "aria-label": _("More actions"),
      "aria-haspopup": "menu",
      "aria-expanded": "false",
    },
    icon("more"),
  );
  more.addEventListener("click", () => openMenu(more, withLine(rest(picture, inSight))));
  const buttons = first.map((action) => actionButton(action, size));
  const bar = h("div", { class: "acts", role: "group", "aria-label": _("Actions for this picture") }, buttons, more);
  writePrices(bar, picture.job_id);
  return bar;
}

/**
 * @param {Picture} picture
 * @param {string[]} inSight
 */
const rest = (picture, inSight) => actionsOf(picture).filter(({ id }) => id !== ALWAYS && !inSight.includes(id));

/** @param {Action[]} actions @returns {MenuEntry[]} */
const withLine = (actions) => actions.flatMap((action) => (action.danger ? ["-", action] : [action]));

/**
 * @param {Action} action
 * @param {string} size
 */
function actionButton(action, size) {
  const node = h(
    "button",
    {
      type: "button",
      class: `btn btn-ghost act${size}`,
      title: action.label,
      "aria-label": action.label,
      "data-act": action.id,
    },
    icon(action.icon),
    h("span", {}, action.label),
  );
  node.addEventListener("click", async () => {
    node.disabled = true; // one press is one job
    try {
      await action.run(node);
    } finally {
      node.disabled = false;
    }
  });
  return node;
}
