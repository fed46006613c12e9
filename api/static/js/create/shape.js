/** Which controls make sense: the chosen engine's capabilities, or all engines' together while none is chosen. */
import { api } from "../api.js";
import { events } from "../events.js";

const NAMED = ["models", "samplers", "schedulers", "loras", "vaes", "upscalers"];
const FLAGS = [
  "negative",
  "seed",
  "steps",
  "cfg_scale",
  "clip_skip",
  "hires",
  "guidance",
  "mask_fill",
  "only_masked",
  "describe",
];
const LATER_MS = 60000;

/** Holds the engines; `shapeOf(name)` is drawn from; `on(fn)` is told when they change. */
export function makeEngines() {
  const listeners = new Set();
  const store = { engines: [], isLoaded: false, load, shapeOf: (name) => shapeOf(store.engines, name), on, stop };
  let stopEvents = events.on("queue", (queue) => live(store, queue, tell));
  const timer = setInterval(() => document.hidden || load(), LATER_MS);
  function tell() {
    for (const fn of [...listeners]) fn(store.engines);
  }
  async function load() {
    try {
      store.engines = (await api.get("/api/engines", null, { quiet: true })).engines;
    } catch {
      return; // the form works without; the next turn asks again
    }
    store.isLoaded = true;
    tell();
  }
  function on(fn) {
    listeners.add(fn);
    return () => listeners.delete(fn);
  }
  function stop() {
    stopEvents?.();
    stopEvents = null;
    clearInterval(timer);
    listeners.clear();
  }
  return store;
}

/** The queue's event carries states and waits by lane: keep the list's own up to date between two loads. */
function live(store, queue, tell) {
  let changed = false;
  for (const engine of store.engines) {
    const now = queue.engines?.[engine.name];
    if (!now || (now.state === engine.state && now.waiting === engine.waiting && now.wait_s === engine.wait_s))
      continue;
    Object.assign(engine, now);
    changed = true;
  }
  if (changed) tell();
}

function shapeOf(engines, name) {
  const chosen = engines.filter((engine) => engine.capabilities && (name ? engine.name === name : !engine.is_fallback));
  const known = (chosen.length ? chosen : engines.filter((engine) => engine.capabilities)).map(
    (engine) => engine.capabilities,
  );
  const lists = Object.fromEntries(
    NAMED.map((each) => [
      each,
      merged(
        known.map((caps) => caps[each]),
        each,
      ),
    ]),
  );
  const supports = Object.fromEntries(
    FLAGS.map((flag) => [flag, !known.length || known.some((caps) => caps.supports[flag])]),
  );
  const first = known[0] || {};
  return {
    lists,
    supports,
    modes: new Set(known.flatMap((caps) => caps.modes)),
    /** Is there anything to choose? `null` lists take any name. */
    has: (each) => lists[each] === null || lists[each].length > 0,
    grid: first.size_grid || 8,
    minSide: first.min_side || 64,
    maxSide: Math.max(...known.map((caps) => caps.max_side), first.max_side || 2048),
    maxBatch: Math.max(1, ...known.map((caps) => caps.max_batch)),
    maxSteps: Math.max(0, ...known.map((caps) => caps.max_steps ?? 150)) || 150,
    defaults: {
      width: first.default_width || 512,
      height: first.default_height || 512,
      steps: first.default_steps || 20,
      cfg: first.default_cfg_scale || 7,
    },
  };
}

/** All names once; null when one engine takes any and none lists them. */
function merged(all, each) {
  const known = all.filter(Boolean);
  if (!known.length) return all.some((one) => one === null) ? null : [];
  const byName = new Map();
  for (const one of known.flat())
    byName.set(
      one.name ?? one,
      each === "models"
        ? { value: one.name, label: one.title || one.name, hint: one.is_loaded ? "loaded" : one.family || "" }
        : { value: one.name ?? one, label: one.name ?? one },
    );
  return [...byName.values()];
}
