/** What Create begins with, kept in this browser: only what was chosen, by the names of a job's request. */

import { getPref, setPref } from "../prefs.js";

const NAME = "defaults";

/**
 * The fields Create starts from; empty when nothing was chosen.
 * @returns {{width?: number, height?: number, steps?: number, cfg_scale?: number, batch_size?: number, sampler?:
 *   string,
 *   model?: string, negative_prompt?: string, backend?: string, is_private?: boolean}}
 */
export const readDefaults = () => getPref(NAME, {});

/** Keep one field; an empty value leaves it to Easel again. */
export function keepDefault(field, value) {
  const kept = { ...readDefaults() };
  if (value === "" || value === null || value === false || Number.isNaN(value)) delete kept[field];
  else kept[field] = value;
  setPref(NAME, Object.keys(kept).length ? kept : null);
}

/** Forget all of them. */
export const forgetDefaults = () => setPref(NAME, null);
