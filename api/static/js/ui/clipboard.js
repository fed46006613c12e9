/** Text onto the clipboard. */
import { toast } from "./toast.js";

/**
 * Put text on the clipboard and say so.
 * @param {string} text
 */
export async function copyText(text, words = "Copied.") {
  try {
    await navigator.clipboard.writeText(text);
    toast(words);
  } catch {
    toast("The browser did not allow copying.", { kind: "bad", hint: "Select the text and copy it by hand." });
  }
}
