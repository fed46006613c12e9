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
  const known = all.filter((one) => one !== null);
  if (!known.length) return all.length ? null : [];
  /** @type {Map<string, Option>} */
  const byName = new Map();
  for (const one of known.flat()) {
    if (typeof one === "string") byName.set(one, { value: one, label: one });
    else {
      const hint = one.is_loaded ? "loaded" : one.licence;
      byName.set(one.name, { value: one.name, label: one.title || one.name, hint });
    }
  }
  return [...byName.values()];
}
