/** What an engine has, searchable: models, samplers, LoRAs, upscalers and the like; a click takes one to Create. */

import { toCreate } from "../../shell/pass.js";
import { append, fill, h, iconButton } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

const SHOWN = 120;

/** Each list: its words, where it comes from, and how Create is told of one item. @type {OfferList[]} */
const LISTS = [
  { key: "models", title: _("Models"), draft: (item) => ({ model: item.name }) },
  { key: "samplers", title: _("Samplers"), draft: (item) => ({ sampler: item.name }) },
  { key: "schedulers", title: _("Schedulers"), draft: (item) => ({ scheduler: item.name }) },
  { key: "loras", title: _("LoRAs"), draft: (item) => ({ loras: [{ name: item.name, weight: 1, details: "" }] }) },
  { key: "upscalers", title: _("Upscalers"), draft: null },
  { key: "vaes", title: "VAEs", draft: (item) => ({ vae: item.name }) },
  { key: "embeddings", title: _("Embeddings"), draft: null },
  { key: "controls", title: _("Controls"), draft: null },
  { key: "control_models", title: _("Control models"), draft: null },
  { key: "styles", title: _("Styles"), draft: null },
];

/**
 * Show what one engine has.
 * @param {Api.Engine} engine as `/api/engines` lists it
 * @param {() => void} onClose
 * @returns {HTMLElement}
 */
export function offerPanel(engine, onClose) {
  const capabilities = engine.capabilities;
  const head = h(
    "header",
    { class: "card-head" },
    h("h3", {}, _("What {label} has", { label: engine.label })),
    iconButton("close", _("Close this list"), onClose),
  );
  const panel = h(
    "section",
    { class: "card offer", "aria-label": _("What {label} has", { label: engine.label }) },
    head,
  );
  if (!capabilities)
    return append(
      panel,
      h("p", { class: "muted" }, _("Nothing is known yet: it has not answered so far. Test it to see why.")),
    );
  const filled = LISTS.map((list) => ({ ...list, items: itemsOf(capabilities[list.key]) })).filter(
    (list) => list.items.length,
  );
  const nothing = h("p", { class: "muted" }, _("It names no models or samplers: it draws in its own way."));
  return append(panel, limits(capabilities), filled.length ? searchable(filled) : nothing);
}

/**
 * Lists hold names or objects with a name; both become {name, title, note}.
 * @param {string[] | Api.Model[] | null} list
 * @returns {OfferItem[]}
 */
function itemsOf(list) {
  return (list ?? []).map((item) => {
    if (typeof item === "string") return { name: item, title: item, note: "" };
    const title = item.title || item.name;
    const parts = [title === item.name ? "" : item.name, item.is_loaded ? "loaded" : "", item.licence];
    const note = parts.filter(Boolean).join(" · ");
    return { name: item.name, title, note };
  });
}

/** @param {Api.Capabilities} capabilities */
function limits(capabilities) {
  const words = [
    capabilities.modes?.length ? capabilities.modes.map((mode) => MODES[mode] ?? mode).join(", ") : "",
    capabilities.min_side && capabilities.max_side
      ? _("{min_side} to {max_side} px a side", { min_side: capabilities.min_side, max_side: capabilities.max_side })
      : "",
    capabilities.max_batch > 1 ? _("up to {max_batch} pictures at once", { max_batch: capabilities.max_batch }) : "",
    capabilities.supports?.workflows ? _("runs workflows") : "",
  ];
  return h("p", { class: "muted small" }, words.filter(Boolean).join(" · "));
}

/** @type {Record<string, string>} */
const MODES = {
  txt2img: _("text to picture"),
  img2img: _("picture to picture"),
  inpaint: "inpaint",
  upscale: "upscale",
  restyle: "restyle",
};

/** @param {(OfferList & { items: OfferItem[] })[]} lists */
function searchable(lists) {
  let open = lists[0];
  const results = h("ul", { class: "offer-list" });
  const count = h("p", { class: "offer-count muted small", role: "status" });
  const search = h("input", {
    type: "search",
    class: "input",
    "aria-label": _("Search what it has"),
    placeholder: _("Search"),
    on: { input: () => draw() },
  });
  const choose = (/** @type {OfferList & { items: OfferItem[] }} */ list) => {
    open = list;
    search.value = "";
    draw();
  };
  const tabs = lists.map((list) =>
    h(
      "button",
      { type: "button", class: "chip", on: { click: () => choose(list) } },
      `${list.title} ${list.items.length}`,
    ),
  );
  const draw = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = open.items.filter((item) =>
      words.every((word) => `${item.title} ${item.note}`.toLowerCase().includes(word)),
    );
    fill(
      results,
      found.slice(0, SHOWN).map((item) => entry(open, item)),
    );
    count.textContent = countWords(found.length, open.items.length);
    tabs.forEach((tab, at) => tab.setAttribute("aria-pressed", String(lists[at] === open)));
  };
  draw();
  return [h("div", { class: "offer-tools" }, h("div", { class: "offer-tabs" }, tabs), search), count, results];
}

/** @param {number} found @param {number} all */
function countWords(found, all) {
  if (!found) return _("Nothing has these words in its name.");
  if (found > SHOWN) return _("{found} found, the first {SHOWN} are shown. Type more of the name.", { found, SHOWN });
  return found === all ? "" : _("{found} of {all}", { found, all });
}

/** @param {OfferList} list @param {OfferItem} item */
function entry(list, item) {
  const text = [
    h("span", { class: "offer-title" }, item.title),
    item.note && h("span", { class: "offer-note" }, item.note),
  ];
  const { draft } = list;
  if (!draft) return h("li", { class: "offer-item" }, text);
  const use = () => toCreate({ draft: draft(item), isAddition: true });
  return h(
    "li",
    {},
    h("button", { type: "button", class: "offer-item", title: _("Use in Create"), on: { click: use } }, text),
  );
}
