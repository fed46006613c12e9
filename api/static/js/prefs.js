/** What this browser remembers: small values in localStorage under "easel.<name>", safe where storage is off. */
const listeners = new Map();

/** Read a value, or `fallback` when there is none (or storage is switched off). */
export function getPref(name, fallback = null) {
  try {
    const text = localStorage.getItem(`easel.${name}`);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

/** Keep a value (`null` forgets it) and tell those who listen. */
export function setPref(name, value) {
  try {
    if (value === null || value === undefined) localStorage.removeItem(`easel.${name}`);
    else localStorage.setItem(`easel.${name}`, JSON.stringify(value));
  } catch {
    // A full or forbidden storage only costs the memory across reloads.
  }
  if (name === "theme") document.documentElement.dataset.theme = value || "dark";
  for (const fn of listeners.get(name) || []) fn(value);
}

/** Call `fn(value)` when the preference changes in this page; returns the way to stop. */
export function onPref(name, fn) {
  if (!listeners.has(name)) listeners.set(name, new Set());
  listeners.get(name).add(fn);
  return () => listeners.get(name).delete(fn);
}
