/** Completion in the prompt: flags, and the names that may follow them. */
import { fill, h } from "../../ui/dom.js";

/**
 * What could be meant at the caret: flags after `--`, names after `--model ` and its like.
 * @param {Pick<PromptState, "input" | "options" | "shape">} box
 * @returns {Offer[]}
 */
export function findOffers({ input, options, shape }) {
  if (input.selectionStart !== input.selectionEnd) return [];
  const before = input.value.slice(0, input.selectionStart);
  const flag = /(?:^|\s)--([a-z_]*)$/i.exec(before);
  if (flag) {
    const typed = flag[1].toLowerCase();
    return options
      .filter((option) => option.flags.some((name) => name.slice(2).startsWith(typed)))
      .map((option) => ({
        insert: `--${option.name} `,
        from: before.length - typed.length - 2,
        label: option.flags[0],
        hint: option.meaning,
      }));
  }
  const named = /(?:^|\s)--([a-z_]+)\s+([^\s][^-]*|)$/i.exec(before);
  if (!named) return [];
  return names(named[1].toLowerCase(), options, shape())
    .filter(
      (offer) =>
        `${offer.label} ${offer.value}`.toLowerCase().includes(named[2].toLowerCase()) && offer.value !== named[2],
    )
    .map((offer) => ({
      insert: `${offer.value} `,
      from: before.length - named[2].length,
      label: offer.label,
      hint: offer.hint,
    }));
}

/** @param {string} flag @param {Api.Option[]} options @param {Shape} shape @returns {Option[]} */
function names(flag, options, shape) {
  const option = options.find((offer) => offer.flags.includes(`--${flag}`));
  if (option?.choices?.length) return option.choices.map((value) => ({ value, label: value }));
  return (option && shape.lists[/** @type {ListName} */ (option.names)]) || [];
}

/** Write the offers into their list. @param {PromptState} box */
export function listOffers({ list, offers }) {
  fill(
    list,
    offers.map((offer, at) =>
      h(
        "li",
        { role: "option", id: `${list.id}-${at}`, dataset: { at }, "aria-selected": String(at === 0) },
        h("span", { class: "mono" }, offer.label),
        offer.hint && h("span", { class: "item-hint clip" }, offer.hint),
      ),
    ),
  );
}
