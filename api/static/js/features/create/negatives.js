/** Ready-made negative prompts: what most pictures of a kind had better be without. */

import { openMenu } from "../../ui/menu.js";
import { _ } from "../../ui/text.js";

// no text: prompts are not translated
const READY = [
  [_("General"), _("for any picture"), "blurry, low quality, jpeg artifacts, watermark, signature, text"],
  [
    _("Photo"),
    _("nothing painted"),
    "cartoon, painting, illustration, 3d render, oversaturated, overexposed, blurry, grainy",
  ],
  [
    _("People"),
    _("hands and faces"),
    "bad anatomy, deformed hands, extra fingers, missing fingers, extra limbs, disfigured face",
  ],
];

/**
 * Open the menu of them at `anchor`; a choice is added to what stands there, word by word and once.
 * @param {HTMLElement} anchor
 * @param {FormStore} form
 */
export function negativeMenu(anchor, form) {
  openMenu(
    anchor,
    READY.map(([label, hint, text]) => ({
      label,
      hint,
      run: () => form.set({ negative: joined(form.get().negative, text) }),
    })),
  );
}

/** @param {string} standing @param {string} text */
function joined(standing, text) {
  const words = `${standing}, ${text}`
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);
  return [...new Set(words)].join(", ");
}
