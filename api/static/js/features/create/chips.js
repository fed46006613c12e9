/** What the flags of a prompt were understood as, in chips below it. */
import { FIELDS } from "../../shell/fields.js";
import { fill, h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";

/** @type {Map<string, string>} */
const WORDS = new Map(FIELDS.map(({ name, word }) => [name, word]));

/** @param {PromptState} box */
export function drawChips({ chips, result }) {
  const { options, ...own } = result.draft;
  const named = Object.entries({ ...own, ...options }).map(([name, value]) =>
    h(
      "span",
      { class: "chip small num" },
      `${WORDS.get(name) ?? name.replaceAll("_", " ")} `,
      h("b", {}, inWords(value)),
    ),
  );
  fill(
    chips,
    named,
    result.notes.map((note) => h("span", { class: "prompt-note" }, note)),
  );
}

/** @param {unknown} value @returns {string} */
function inWords(value) {
  if (Array.isArray(value)) return value.map(inWords).join(", ");
  if (!value || typeof value !== "object") return value === true ? _("yes") : String(value);
  const { name, weight, factor } = /** @type {{ name?: string, weight?: number, factor?: number }} */ (value);
  if (name) return weight === undefined ? name : `${name} ${weight}`;
  return factor ? `${factor}×` : _("yes");
}
