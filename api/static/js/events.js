/** The live stream (GET /events): keeps the newest state of every job, and comes back by itself after a lost connection. */
import { api, session } from "./api.js";
import { parseExact } from "./exact.js";

const KINDS = ["job", "queue", "gone", "alert"];
const MAX_JOBS = 300;
const HIDDEN_MS = 30000;
const ACTIVE = new Set(["queued", "running"]);
const handlers = new Map();
let source = null;
let wait = 1000;
let timer = 0;
let wasConnected = false;
let rest = 0;

export const events = {
  /** Newest state of each job by id, as far as this page has seen it. */
  jobs: new Map(),
  /** The last `queue` event: {waiting, running, engines}. */
  queue: null,
  connected: false,

  /** Listen to "job" (Job), "queue", "gone" ({id}), "alert" or "state" ({connected}); returns the way to stop. */
  on(kind, fn) {
    if (!handlers.has(kind)) handlers.set(kind, new Set());
    handlers.get(kind).add(fn);
    return () => handlers.get(kind).delete(fn);
  },

  /** Were this caller's newest jobs loaded already? */
  isLoaded: false,

  /** Take in a job from an answer (POST /api/jobs ...); the stream may have been quicker, then its state stays. */
  put(job) {
    const known = events.jobs.get(job.id);
    if (known && RANK(known) > RANK(job)) return known;
    remember(job);
    emit("job", job);
    return job;
  },

  /** A job was deleted here or elsewhere. */
  forget(id) {
    events.jobs.delete(id);
    emit("gone", { id });
  },

  /** Fill `jobs` with this caller's newest ones. */
  async load(query = { scope: "mine", limit: 50 }) {
    const { jobs } = await api.get("/api/jobs", query, { quiet: true });
    for (const job of [...jobs].reverse()) events.put(job);
    events.isLoaded = true;
    return jobs;
  },
};

const RANK = (job) => ["queued", "running"].indexOf(job.status) + 1 || 3;
export const isActive = (job) => ACTIVE.has(job.status);

function emit(kind, data) {
  for (const fn of [...(handlers.get(kind) || [])]) {
    try {
      fn(data);
    } catch (error) {
      console.error("A listener failed.", error); // one broken listener must not stop the others
    }
  }
}

function remember(job) {
  events.jobs.set(job.id, job);
  if (events.jobs.size <= MAX_JOBS) return;
  for (const [id, old] of events.jobs) {
    if (events.jobs.size <= MAX_JOBS) break;
    if (!isActive(old)) events.jobs.delete(id);
  }
}

function setConnected(now) {
  if (events.connected === now) return;
  events.connected = now;
  emit("state", { connected: now });
}

function take(kind, data) {
  if (kind === "job") remember(data);
  else if (kind === "gone") events.jobs.delete(data.id);
  else if (kind === "queue") events.queue = data;
  emit(kind, data);
}

function connect() {
  clearTimeout(timer);
  source?.close();
  source = new EventSource("/events");
  source.addEventListener("hello", () => {
    wait = 1000;
    setConnected(true);
    if (wasConnected) catchUp();
    wasConnected = true;
  });
  source.addEventListener("resync", catchUp); // we fell behind: the server left something out
  for (const kind of KINDS) source.addEventListener(kind, (event) => take(kind, parseExact(event.data)));
  source.onerror = () => {
    setConnected(false);
    source.close(); // our own pace: a browser gives up for good after an error status
    timer = setTimeout(connect, wait + Math.random() * 400);
    wait = Math.min(wait * 1.7, 20000);
  };
}

/** What came or ended while we were away is no longer sent: ask for it. */
async function catchUp() {
  if (events.isLoaded) await events.load().catch(() => null);
  const lost = [...events.jobs.values()].filter(isActive);
  await Promise.allSettled(lost.map(async (job) => {
    try {
      events.put(await api.get(`/api/jobs/${job.id}`, null, { quiet: true }));
    } catch (error) {
      if (error.status === 404) events.forget(job.id);
    }
  }));
}

/** Open the stream once somebody is signed in. */
export async function startEvents() {
  if (!(await session).user) return;
  connect();
  window.addEventListener("online", connect);
  document.addEventListener("visibilitychange", () => {
    clearTimeout(rest);
    if (document.hidden) rest = setTimeout(pause, HIDDEN_MS);
    else if (!source || !events.connected) connect();
  });
}

/** A page nobody looks at gives its connection back: a browser has only six for one address, over all tabs. */
function pause() {
  clearTimeout(timer);
  source?.close();
  source = null;
}
