/** The prompt: a growing text with flags, completion of flags and names, and what was understood, in chips. */

import { hasFlags } from "../../pictures/prompt.js";
import { api } from "../../shell/api.js";
import { debounce, h, hit, uid } from "../../ui/dom.js";
import { asApiError } from "../../ui/errors.js";
import { _ } from "../../ui/text.js";

const PARSE_AFTER_MS = 250;
const MAX_OFFERS = 8;

/**
 * Build the prompt box.
 * @param {{ form: FormStore, engines: EngineStore, shape: () => Shape, onSubmit: () => void }} parts
 */
export function promptBox({ form, engines, shape, onSubmit }) {
  const nodes = makeNodes(form.get().text);
  const { node, input, list, chips } = nodes;
  /** @type {PromptState} */
  const box = {
    ...nodes,
    form,
    engines,
    shape,
    options: [],
    offers: [],
    at: 0,
    result: { draft: {}, notes: [] },
    parsedText: "",
    listeners: new Set(),
  };
  const later = debounce(() => parse(box), PARSE_AFTER_MS);
  const fit = () => {
    grow(input);
    chips.classList.toggle("awaited", hasFlags(input.value)); // their room is there before them
  };
  api.get("/api/options", null, { quiet: true }).then(
    (answer) => (box.options = answer.options),
    () => {},
  );
  input.addEventListener("input", () => {
    form.set({ text: input.value });
    fit();
    offer(box);
    later();
  });
  input.addEventListener("keydown", (event) => onKey(box, event, onSubmit));
  input.addEventListener("click", () => offer(box));
  input.addEventListener("blur", () => close(box));
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const item = hit(event, "[role=option]");
    if (item) take(box, box.offers[Number(item.dataset.at)]);
  });
  const off = form.on((state, changed) => {
    if (!changed.has("text") || state.text === input.value) return;
    input.value = state.text;
    fit();
    later();
  });
  requestAnimationFrame(fit);
  later();
  return {
    node,
    input,
    parsed: () => box.result,
    settled: () => parse(box),
    /** @param {() => unknown} fn */
    onParsed: (/** @type {(result: Meant) => void} */ fn) => box.listeners.add(fn),
    destroy() {
      off();
      later.cancel();
    },
  };
}

/** @param {string} text */
function makeNodes(text) {
  const listId = uid("offers");
  const input = h("textarea", {
    id: "prompt",
    class: "prompt-input",
    rows: 3,
    placeholder: _("Describe the picture. Flags work too: -\u2060-\u2060ar\u00a03:2 -\u2060-\u2060steps\u00a030"),
    spellcheck: "true",
    "aria-label": _("Prompt"),
    "aria-autocomplete": "list",
    "aria-controls": listId,
    "aria-describedby": "prompt-chips",
    enterkeyhint: "enter",
    value: text,
  });
  const list = h("ul", {
    class: "combo-list offers",
    role: "listbox",
    id: listId,
    "aria-label": _("Suggestions"),
    hidden: true,
  });
  const chips = h("div", { class: "prompt-chips", id: "prompt-chips" });
  const node = h("div", { class: "prompt-box" }, input, list, chips);
  return { node, input, list, chips };
}

/** @param {HTMLTextAreaElement} input */
function grow(input) {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight + 2, innerHeight * 0.4)}px`;
}

/**
 * Ask what the flags mean; a text without flags needs no question.
 * @param {PromptState} box
 */
async function parse(box) {
  const text = box.form.get().text;
  if (text === box.parsedText) return;
  /** @type {Meant} */
  let result = { draft: {}, notes: [] };
  if (hasFlags(text)) {
    try {
      result = await api.post("/api/parse", { text, workflow: box.form.get().workflow }, { quiet: true });
    } catch (error) {
      const { status, message } = asApiError(error);
      result = { draft: {}, notes: status === 400 || status === 422 ? [message] : [] };
    }
    if (text !== box.form.get().text) return;
  }
  const { prompt: _prompt, ...flags } = result.draft;
  box.parsedText = text;
  box.result = { draft: flags, notes: result.notes || [] };
  for (const fn of box.listeners) fn(box.result);
  if (hasFlags(text)) (await import("./chips.js")).drawChips(box);
  else box.chips.replaceChildren();
}

/**
 * Show what could be meant at the caret; the completion itself is loaded with the first flag.
 * @param {PromptState} box
 */
async function offer(box) {
  if (!box.input.value.includes("--")) return close(box);
  const { findOffers, listOffers } = await import("./complete.js");
  if (document.activeElement !== box.input) return;
  box.offers = findOffers(box).slice(0, MAX_OFFERS);
  box.at = 0;
  if (!box.offers.length) return close(box);
  listOffers(box);
  box.list.hidden = false;
  mark(box);
}

/** @param {PromptState} box */
function close({ list, input }) {
  list.hidden = true;
  input.removeAttribute("aria-activedescendant");
}

/** @param {PromptState} box */
function mark({ list, input, at }) {
  [...list.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === at)));
  list.children[at]?.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", `${list.id}-${at}`);
}

/**
 * @param {PromptState} box
 * @param {Offer} taken
 */
function take(box, taken) {
  const { input } = box;
  input.setRangeText(taken.insert, taken.from, input.selectionStart, "end");
  input.dispatchEvent(new Event("input"));
}

/**
 * @param {PromptState} box
 * @param {KeyboardEvent} event
 * @param {() => void} onSubmit
 */
function onKey(box, event, onSubmit) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    close(box);
    return onSubmit();
  }
  if (box.list.hidden || event.isComposing) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    box.at = (box.at + step + box.offers.length) % box.offers.length;
    mark(box);
  } else if (event.key === "Tab" || event.key === "Enter") take(box, box.offers[box.at]);
  else if (event.key === "Escape") close(box);
  else return;
  event.preventDefault();
}
