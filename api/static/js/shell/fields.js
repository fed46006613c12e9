/** The fields of the form, as the page brings them: the rows of generation/fields.py that have a place in it. */

/** @type {FormField[]} */
export const FIELDS = JSON.parse(
  /** @type {HTMLMetaElement?} */ (globalThis.document?.querySelector("meta[name=fields]"))?.content || "[]",
);

/**
 * The names that engines list, each once; null when one engine takes any and none lists them.
 * @param {(Api.Model[] | string[] | null)[]} all
 * @returns {Option[] | null}
 */
export function listed(all) {
  const known = all.filter((item) => item !== null);
  if (!known.length) return all.length ? null : [];
  /** @type {Map<string, Option>} */
  const byName = new Map();
  for (const item of known.flat()) {
    if (typeof item === "string") byName.set(item, { value: item, label: item });
    else {
      const hint = item.is_loaded ? "loaded" : item.licence;
      byName.set(item.name, { value: item.name, label: item.title || item.name, hint });
    }
  }
  return [...byName.values()];
}
