/** Text onto the clipboard. */
import { _ } from "./text.js";
import { toast } from "./toast.js";

/**
 * Put text on the clipboard and say so.
 * @param {string} text
 */
export async function copyText(text, words = _("Copied.")) {
  try {
    await navigator.clipboard.writeText(text);
    toast(words);
  } catch {
    toast(_("The browser did not allow copying."), { kind: "bad", hint: _("Select the text and copy it by hand.") });
  }
}
