/** The button of a menu; the menu itself is loaded when one is opened. */
import { h, icon } from "./dom.js";

/**
 * A button that opens a menu; `items` is called at each opening.
 * @param {string} label
 * @param {() => MenuEntry[]} items
 * @param {{ icon?: string, text?: boolean, class?: string }} [look]
 */
export function menuButton(label, items, { icon: name = "more", text = false, class: extra = "" } = {}) {
  const node = h(
    "button",
    {
      type: "button",
      class: `btn ${text ? "" : "btn-ghost btn-icon"} ${extra}`,
      "aria-haspopup": "menu",
      "aria-expanded": "false",
    },
    icon(name),
    text && label,
  );
  if (!text) Object.assign(node, { title: label, ariaLabel: label });
  node.addEventListener("click", async (event) => {
    event.stopPropagation();
    const { openMenu } = await import("./menu.js");
    if (node.isConnected) openMenu(node, items());
  });
  return node;
}
