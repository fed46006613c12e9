/** A prompt as text: where its flags begin, and the words of styles in it. Pure. */

/**
 * Is there a flag in this text at all?
 * @param {string} text
 */
export const hasFlags = (text) => /(^|\s)--[a-z]/i.test(text);

/**
 * The text with the words of style presets put before its first flag.
 * @param {string} text
 * @param {string[]} values
 */
export function withStyles(text, values) {
  if (!values.length) return text.trim();
  const at = text.search(/(^|\s)--[a-z]/i);
  const prompt = (at < 0 ? text : text.slice(0, at)).trim();
  const flags = at < 0 ? "" : text.slice(at).trim();
  const missing = values.filter((value) => !prompt.includes(value));
  return [[prompt, ...missing].filter(Boolean).join(", "), flags].filter(Boolean).join(" ");
}
