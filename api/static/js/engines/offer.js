/** What an engine has, searchable: models, samplers, LoRAs, upscalers and the like; a click takes one to Create. */

import { announce, h } from "../dom.js";
import { toCreate } from "../handoff.js";

const SHOWN = 120;

/** Each list: its words, where it comes from, and how Create is told of one item. */
const LISTS = [
  { key: "models", title: "Models", draft: (item) => ({ model: item.name }) },
  { key: "samplers", title: "Samplers", draft: (item) => ({ sampler: item.name }) },
  { key: "schedulers", title: "Schedulers", draft: (item) => ({ scheduler: item.name }) },
  { key: "loras", title: "LoRAs", draft: (item) => ({ loras: [{ name: item.name, weight: 1 }] }) },
  { key: "upscalers", title: "Upscalers", draft: null },
  { key: "vaes", title: "VAEs", draft: (item) => ({ vae: item.name }) },
  { key: "controls", title: "Controls", draft: null },
  { key: "styles", title: "Styles", draft: (item) => ({ styles: [item.name] }) },
];

/**
 * Show what one engine has.
 * @param {object} engine as `/api/engines` lists it
 * @param {() => void} onClose
 * @returns {HTMLElement}
 */
export function offerPanel(engine, onClose) {
  const told = engine.capabilities;
  const close = h("button", { type: "button", class: "btn btn-ghost", on: { click: onClose } }, "Close");
  const head = h("header", { class: "offer-head" }, h("h3", {}, `What ${engine.label} has`), close);
  const panel = h("section", { class: "card offer", "aria-label": `What ${engine.label} has` }, head);
  if (!told) {
    panel.append(h("p", { class: "offer-none" }, "Nothing is known yet: it has not answered so far. Test it to see why."));
    return panel;
  }
  const filled = LISTS.map((list) => ({ ...list, items: itemsOf(told[list.key]) })).filter((list) => list.items.length);
  panel.append(limits(told));
  if (filled.length) panel.append(...searchable(filled));
  else panel.append(h("p", { class: "offer-none" }, "It names no models or samplers: it draws in its own way."));
  return panel;
}

/** Lists hold names or objects with a name; both become {name, title, note}. */
function itemsOf(list) {
  return (list ?? []).map((item) => {
    if (typeof item === "string") return { name: item, title: item, note: "" };
    const title = item.title || item.name;
    const note = [title === item.name ? "" : item.name, item.family, item.is_loaded ? "loaded" : ""].filter(Boolean).join(" · ");
    return { name: item.name, title, note };
  });
}

function limits(told) {
  const words = [
    told.modes?.length ? told.modes.map((mode) => MODES[mode] ?? mode).join(", ") : "",
    told.min_side && told.max_side ? `${told.min_side} to ${told.max_side} px a side` : "",
    told.max_batch > 1 ? `up to ${told.max_batch} pictures at once` : "",
    told.supports?.workflows ? "runs workflows" : "",
  ];
  return h("p", { class: "offer-limits" }, words.filter(Boolean).join(" · "));
}

const MODES = { txt2img: "text to picture", img2img: "picture to picture", inpaint: "inpaint", upscale: "upscale" };

function searchable(lists) {
  let open = lists[0];
  const results = h("ul", { class: "offer-list" });
  const count = h("p", { class: "offer-count", role: "status" });
  const search = h("input", { type: "search", class: "input", "aria-label": "Search what it has", placeholder: "Search", on: { input: () => draw() } });
  const tabs = lists.map((list) =>
    h("button", { type: "button", class: "chip", "aria-pressed": "false", on: { click: () => choose(list) } }, `${list.title} ${list.items.length}`),
  );
  const draw = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = open.items.filter((item) => words.every((word) => `${item.title} ${item.note}`.toLowerCase().includes(word)));
    results.replaceChildren(...found.slice(0, SHOWN).map((item) => entry(open, item)));
    count.textContent = countWords(found.length, open.items.length);
    tabs.forEach((tab, at) => tab.setAttribute("aria-pressed", String(lists[at] === open)));
  };
  const choose = (list) => {
    open = list;
    search.value = "";
    draw();
  };
  draw();
  return [h("div", { class: "offer-tools" }, h("div", { class: "offer-tabs" }, ...tabs), search), count, results];
}

function countWords(found, all) {
  if (!found) return "Nothing has these words in its name.";
  if (found > SHOWN) return `${found} found, the first ${SHOWN} are shown. Type more of the name.`;
  return found === all ? "" : `${found} of ${all}`;
}

function entry(list, item) {
  const text = [h("span", { class: "offer-title" }, item.title), item.note ? h("span", { class: "offer-note" }, item.note) : ""];
  if (!list.draft) return h("li", { class: "offer-item" }, ...text);
  const use = () => {
    announce(`${item.title} is set in Create`);
    toCreate({ command: null, draft: list.draft(item), initImage: null, mode: null, maskFor: null });
  };
  return h("li", {}, h("button", { type: "button", class: "offer-item", title: "Use in Create", on: { click: use } }, ...text));
}
