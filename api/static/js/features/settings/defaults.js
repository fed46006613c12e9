/** What Create begins with, kept in this browser: only what was chosen, by the names of a job's request. */

import { getPref, setPref } from "../../shell/prefs.js";

const NAME = "defaults";

/**
 * The fields Create starts from; empty when nothing was chosen.
 * @returns {Partial<Api.Draft>}
 */
export const readDefaults = () => getPref(NAME, {});

/**
 * Keep one field; an empty value leaves it to Easel again.
 * @param {keyof Api.Draft} field
 * @param {string | number} value
 */
export function keepDefault(field, value) {
  const { [field]: _before, ...others } = readDefaults();
  const isSaid = value !== "" && !Number.isNaN(value);
  const kept = isSaid ? { ...others, [field]: value } : others;
  setPref(NAME, Object.keys(kept).length ? kept : null);
}

/** Forget all of them. */
export const forgetDefaults = () => setPref(NAME, null);
