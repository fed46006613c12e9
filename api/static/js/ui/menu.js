/** Menus with roving focus: arrows, Home, End, letters, Esc; they open beside their button, in the top layer. */

import { find, findAll, h, icon, isWithin, useCss } from "./dom.js";
import { _ } from "./text.js";

await useCss("overlays", { isBase: true });

const GAP = 4;
/** @type {{ menu: HTMLElement, anchor: HTMLElement, onPress: EventListener, onScroll: EventListener } | null} */
let open = null;

/**
 * Open a menu at `anchor`. Items: {label, icon, run(anchor), hint, danger, disabled, checked} or "-" for a line.
 * Falsy items are skipped. Inside a <dialog> the menu joins it, else it would lie behind.
 * @param {HTMLElement} anchor
 * @param {MenuEntry[]} items
 */
export function openMenu(anchor, items) {
  if (open?.anchor === anchor) return closeMenu();
  closeMenu();
  const menu = h("div", {
    class: "menu",
    role: "menu",
    "aria-label": anchor.getAttribute("aria-label") || anchor.textContent.trim() || _("Menu"),
  });
  for (const item of items)
    if (item) menu.append(item === "-" ? h("hr", { role: "separator" }) : menuItem(item, anchor));
  (anchor.closest("dialog") || document.body).append(menu);
  anchor.setAttribute("aria-expanded", "true");
  place(menu, anchor);
  const onPress = (/** @type {Event} */ event) => !isWithin(event, menu) && !isWithin(event, anchor) && closeMenu();
  const onScroll = (/** @type {Event} */ event) => event.target !== menu && closeMenu();
  open = { menu, anchor, onPress, onScroll };
  menu.addEventListener("keydown", onKey);
  setTimeout(() => {
    if (open?.menu !== menu) return;
    document.addEventListener("pointerdown", onPress, true);
    document.addEventListener("scroll", onScroll, true);
    window.addEventListener("resize", onScroll);
  });
  find(menu, "button:not(:disabled)")?.focus({ preventScroll: true });
}

/** Close the open menu, if any; the focus goes back when it was inside. */
export function closeMenu() {
  if (!open) return;
  const { menu, anchor, onPress, onScroll } = open;
  open = null;
  const hadFocus = menu.contains(document.activeElement);
  document.removeEventListener("pointerdown", onPress, true);
  document.removeEventListener("scroll", onScroll, true);
  window.removeEventListener("resize", onScroll);
  anchor.setAttribute("aria-expanded", "false");
  menu.remove();
  if (hadFocus) anchor.focus({ preventScroll: true });
}

/**
 * @param {MenuItem} item
 * @param {HTMLElement} anchor
 */
function menuItem(item, anchor) {
  const run = () => {
    closeMenu();
    item.run(anchor);
  };
  const role = item.checked === undefined ? "menuitem" : "menuitemradio";
  return h(
    "button",
    {
      type: "button",
      role,
      tabindex: "-1",
      class: item.danger ? "danger" : "",
      disabled: Boolean(item.disabled),
      "aria-checked": item.checked === undefined ? null : String(item.checked),
      on: { click: run },
    },
    item.checked ? icon("check") : item.icon && icon(item.icon),
    item.label,
    item.hint && h("span", { class: "item-hint" }, item.hint),
  );
}

/**
 * @param {HTMLElement} menu
 * @param {HTMLElement} anchor
 */
function place(menu, anchor) {
  const from = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const isTooWide = from.right - width > 8 && from.left + width > innerWidth - 8;
  const left = Math.max(8, isTooWide ? from.right - width : from.left);
  const below = from.bottom + GAP;
  const above = from.top - height - GAP;
  const isBelow = below + height <= innerHeight - 8 || above < 8;
  menu.style.left = `${Math.min(left, innerWidth - width - 8)}px`;
  menu.style.top = `${Math.max(8, isBelow ? Math.min(below, innerHeight - height - 8) : above)}px`;
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const items = findAll(/** @type {HTMLElement} */ (event.currentTarget), "button:not(:disabled)");
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at - 1 + items.length) % items.length,
    Home: 0,
    End: items.length - 1,
  }[event.key];
  if (to !== undefined) items[to].focus();
  else if (event.key === "Escape" || event.key === "Tab") closeMenu();
  else if (event.key.length === 1 && /\S/.test(event.key))
    items
      .find((item, i) => i > at && item.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))
      ?.focus();
  else return;
  if (event.key === "Tab") return;
  event.preventDefault();
  event.stopPropagation();
}
