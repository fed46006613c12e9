/** Which controls make sense: the chosen engine's capabilities, or all engines' together while none is chosen. */
import { api } from "../../shell/api.js";
import { events } from "../../shell/events.js";
import { FIELDS, listed } from "../../shell/fields.js";

/** @type {ListName[]} */
const NAMED = [...FIELDS.flatMap(({ list }) => list ?? []), "loras"];
/** @type {SupportName[]} */
const FLAGS = [...FIELDS.flatMap(({ needs }) => needs ?? []), "negative", "seed", "hires", "describe"];
const LATER_MS = 60000;

/** Holds the engines; `shapeOf(name)` is drawn from; `on(fn)` is told when they change. @returns {EngineStore} */
export function makeEngines() {
  /** @type {Set<(engines: Api.Engine[]) => unknown>} */
  const listeners = new Set();
  /** @type {EngineStore} */
  const store = { engines: [], isLoaded: false, load, shapeOf: (name) => shapeOf(store.engines, name), on, stop };
  /** @type {Stop | null} */
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
  /** @type {EngineStore["on"]} */
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

/**
 * The queue's event carries states and waits by lane: keep the list's own up to date between two loads.
 * @param {EngineStore} store
 * @param {Api.Queue} queue
 * @param {() => void} tell
 */
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

/** @param {Api.Engine[]} engines @param {string} name @returns {Shape} */
function shapeOf(engines, name) {
  const able = engines.filter((engine) => engine.capabilities);
  const chosen = able.filter((engine) => (name ? engine.name === name : !engine.is_fallback));
  const usable = chosen.length ? chosen : able.filter(({ fills }) => !fills.length);
  const known = usable.flatMap(({ capabilities }) => capabilities ?? []);
  // what fills a gap adds what it does, and no control for anything else
  const fillers = name ? [] : able.filter(({ fills }) => fills.length);
  const entries = NAMED.map((each) => [each, listed(known.map((caps) => caps[each]))]);
  const larger = [...usable, ...fillers].flatMap(({ capabilities }) => capabilities ?? []);
  entries.push(["upscalers", listed(larger.map((caps) => caps.upscalers))]);
  const lists = /** @type {Shape["lists"]} */ (Object.fromEntries(entries));
  const may = FLAGS.map((flag) => [flag, !known.length || known.some((caps) => caps.supports[flag])]);
  const supports = /** @type {Shape["supports"]} */ (Object.fromEntries(may));
  const first = known.at(0);
  return {
    lists,
    supports,
    modes: new Set([...known.flatMap((caps) => caps.modes), ...fillers.flatMap(({ fills }) => fills)]),
    has: (each) => lists[each]?.length !== 0,
    grid: first?.size_grid || 8,
    minSide: first?.min_side || 64,
    maxSide: Math.max(...known.map((caps) => caps.max_side), first?.max_side || 2048),
    most: (figure) => Math.max(0, ...known.map((caps) => caps[figure])),
    first: (figure) => first?.[figure] ?? 0,
    defaults: { width: first?.default_width || 512, height: first?.default_height || 512 },
  };
}
