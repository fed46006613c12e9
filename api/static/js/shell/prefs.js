/** What this browser remembers: small values in localStorage under "easel.<name>", safe where storage is off. */

/** @type {Map<string, Set<(value: unknown) => void>>} */
const listeners = new Map();

/**
 * Read a value, or `fallback` when there is none (or storage is switched off).
 * @template T
 * @param {string} name
 * @param {T} fallback
 * @returns {T}
 */
export function getPref(name, fallback) {
  try {
    const text = localStorage.getItem(`easel.${name}`);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

/** Keep a value (`null` forgets it) and tell those who listen. @param {string} name @param {unknown} value */
export function setPref(name, value) {
  try {
    if (value === null || value === undefined) localStorage.removeItem(`easel.${name}`);
    else localStorage.setItem(`easel.${name}`, JSON.stringify(value));
  } catch {
    // A full or forbidden storage only costs the memory across reloads.
  }
  if (name === "theme") document.documentElement.dataset.theme = String(value || "dark");
  for (const fn of listeners.get(name) || []) fn(value);
}

/**
 * Call `fn(value)` when the preference changes in this page; returns the way to stop.
 * @param {string} name
 * @param {(value: unknown) => void} fn
 */
export function onPref(name, fn) {
  const heard = listeners.get(name) ?? new Set();
  listeners.set(name, heard.add(fn));
  return () => heard.delete(fn);
}
