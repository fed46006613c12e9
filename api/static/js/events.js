/** The live stream (GET /events): the newest state of every job. */
import { api, session } from "./api.js";

const MAX_JOBS = 300;
const ACTIVE = new Set(["queued", "running"]);
const handlers = new Map();
let wasConnected = false;

export const events = {
  /** Newest state of each job by id, as far as this page has seen it. */
  jobs: new Map(),
  /** The last `queue` event: {waiting, running, engines}. */
  queue: null,
  connected: false,

  /**
   * Listen to "job" (Job), "queue", "gone" ({id}), "alert", "state" ({connected}), "star" or "deleted" (ids of
   * pictures); returns the way to stop.
   */
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

  /** These pictures are favourites now, or are not: in every job that has them. */
  star(ids, isOn) {
    for (const job of events.jobs.values()) {
      for (const image of job.images) if (ids.includes(image.id)) image.is_favorite = isOn;
    }
    emit("star", ids);
  },

  /** These pictures were deleted. */
  lose(ids) {
    emit("deleted", ids);
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

/** An event says nothing of favourites, which are each person's own: what was known stays. */
function keepStars(job, known) {
  const stars = new Set(known?.images.filter((image) => image.is_favorite).map(({ id }) => id));
  for (const image of job.images) image.is_favorite ||= stars.has(image.id);
}

function setConnected(now) {
  if (events.connected === now) return;
  events.connected = now;
  emit("state", { connected: now });
}

function take(kind, data) {
  if (kind === "job") {
    keepStars(data, events.jobs.get(data.id));
    remember(data);
  }
  if (kind === "gone") events.jobs.delete(data.id);
  else if (kind === "queue") events.queue = data;
  emit(kind, data);
}

function hear(kind, data) {
  if (kind === "hello") {
    setConnected(true);
    if (wasConnected) catchUp();
    wasConnected = true;
  } else if (kind === "lost") setConnected(false);
  else if (kind === "resync") catchUp();
  else take(kind, data);
}

/** What came or ended while we were away is no longer sent: ask for it. */
async function catchUp() {
  if (events.isLoaded) await events.load().catch(() => null);
  const lost = [...events.jobs.values()].filter(isActive);
  await Promise.allSettled(
    lost.map(async (job) => {
      try {
        events.put(await api.get(`/api/jobs/${job.id}`, null, { quiet: true }));
      } catch (error) {
        if (error.status === 404) events.forget(job.id);
      }
    }),
  );
}

/** Open the stream once somebody is signed in. */
export async function startEvents() {
  const { user, csrf, version } = await session;
  if (!user) return;
  // another person, or another version of this page, needs a stream of its own
  if (typeof SharedWorker === "function") shareStream(JSON.stringify([version, user.name, user.how, csrf]));
  else ownStream();
}

function shareStream(name) {
  let worker = null;
  const join = () => {
    worker = new SharedWorker("/static/js/stream-worker.js", { type: "module", name });
    worker.onerror = () => {
      worker = null;
      ownStream();
    };
    worker.port.onmessage = ({ data: [kind, data] }) => hear(kind, data);
  };
  const send = (text) => worker?.port.postMessage(text);
  join();
  window.addEventListener("online", () => send("retry"));
  document.addEventListener("visibilitychange", () => document.hidden || send("retry"));
  window.addEventListener("pagehide", () => send("bye"));
  window.addEventListener("pageshow", (event) => event.persisted && worker && join());
}

/** For a browser without module workers. */
const ownStream = () => import("./stream.js").then(({ watchAlone }) => watchAlone(hear));
