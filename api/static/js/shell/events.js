/** The live stream (GET /events): the newest state of every job. */

import { asApiError } from "../ui/errors.js";
import { api, session } from "./api.js";

const MAX_JOBS = 300;
const ACTIVE = new Set(["queued", "running"]);
/** @type {Map<string, Set<(data: never) => unknown>>} */
const handlers = new Map();
let isAsked = false; // for jobs: what changed since, before the stream was open, is not sent

export const events = {
  /** Newest state of each job by id, as far as this page has seen it. */
  jobs: /** @type {Map<string, Api.Job>} */ (new Map()),
  /** The last `queue` event: {waiting, running, engines}. */
  queue: /** @type {Api.Queue | null} */ (null),
  connected: false,

  /**
   * Listen to "job" (Job), "queue", "gone" ({id}), "alert", "state" ({connected}), "missed" (something may have
   * happened that was not sent), "star" or "deleted" (ids of pictures); returns the way to stop.
   * @template {keyof EventKinds} K
   * @param {K} kind
   * @param {(data: EventKinds[K]) => unknown} fn
   * @returns {Stop}
   */
  on(kind, fn) {
    const heard = handlers.get(kind) ?? new Set();
    handlers.set(kind, heard.add(fn));
    return () => heard.delete(fn);
  },

  /** Were this caller's newest jobs loaded already? */
  isLoaded: false,

  /**
   * Take in a job from an answer (POST /api/jobs ...); the stream may have been quicker, then its state stays.
   * @param {Api.Job} job
   */
  put(job) {
    const known = events.jobs.get(job.id);
    if (known && (RANK(known) > RANK(job) || JSON.stringify(known) === JSON.stringify(job))) return known;
    remember(job);
    emit("job", job);
    return job;
  },

  /**
   * These pictures are favourites now, or are not: in every job that has them.
   * @param {string[]} ids @param {boolean} isOn
   */
  star(ids, isOn) {
    for (const job of events.jobs.values()) {
      for (const image of job.images) if (ids.includes(image.id)) image.is_favorite = isOn;
    }
    emit("star", ids);
  },

  /** These pictures were deleted. @param {string[]} ids */
  lose(ids) {
    emit("deleted", ids);
  },

  /** A job was deleted here or elsewhere. @param {string} id */
  forget(id) {
    events.jobs.delete(id);
    emit("gone", { id });
  },

  /** Fill `jobs` with this caller's newest ones. */
  async load(query = { scope: "mine", limit: 50 }) {
    isAsked = true;
    const { jobs } = await api.get("/api/jobs", query, { quiet: true });
    for (const job of [...jobs].reverse()) events.put(job);
    events.isLoaded = true;
    return jobs;
  },
};

/** @param {Api.Job} job */
const RANK = (job) => ["queued", "running"].indexOf(job.status) + 1 || 3;

/** Does the job wait or run? @param {{ status: string }} job */
export const isActive = (job) => ACTIVE.has(job.status);

/**
 * @template {keyof EventKinds} K
 * @param {K} kind @param {EventKinds[K]} data
 */
function emit(kind, data) {
  for (const fn of [...(handlers.get(kind) || [])]) {
    try {
      fn(/** @type {never} */ (data));
    } catch (error) {
      console.error("A listener failed.", error); // one broken listener must not stop the others
    }
  }
}

/** @param {Api.Job} job */
function remember(job) {
  events.jobs.set(job.id, job);
  if (events.jobs.size <= MAX_JOBS) return;
  for (const [id, old] of events.jobs) {
    if (events.jobs.size <= MAX_JOBS) break;
    if (!isActive(old)) events.jobs.delete(id);
  }
}

/**
 * An event says nothing of favourites, which are each person's own: what was known stays.
 * @param {Api.Job} job @param {Api.Job | undefined} known
 */
function keepStars(job, known) {
  const stars = new Set(known?.images.filter((image) => image.is_favorite).map(({ id }) => id));
  for (const image of job.images) image.is_favorite ||= stars.has(image.id);
}

/** @param {boolean} now */
function setConnected(now) {
  if (events.connected === now) return;
  events.connected = now;
  emit("state", { connected: now });
}

/** @param {string} kind @param {unknown} data */
function take(kind, data) {
  if (kind === "job") {
    const job = /** @type {Api.Job} */ (data);
    keepStars(job, events.jobs.get(job.id));
    remember(job);
  }
  if (kind === "gone") events.jobs.delete(/** @type {EventKinds["gone"]} */ (data).id);
  else if (kind === "queue") events.queue = /** @type {Api.Queue} */ (data);
  emit(/** @type {keyof EventKinds} */ (kind), /** @type {EventKinds[keyof EventKinds]} */ (data));
}

/** @type {StreamReport} */
function hear(kind, data) {
  if (kind === "hello") {
    setConnected(true);
    catchUp();
  } else if (kind === "lost") setConnected(false);
  else if (kind === "resync") catchUp();
  else take(kind, data);
}

/** What came or ended while we were away is no longer sent: ask for it. */
async function catchUp() {
  emit("missed", null);
  if (isAsked) await events.load().catch(() => null);
  const lost = [...events.jobs.values()].filter(isActive);
  await Promise.allSettled(
    lost.map(async (job) => {
      try {
        events.put(await api.get(`/api/jobs/${job.id}`, null, { quiet: true }));
      } catch (error) {
        if (asApiError(error).status === 404) events.forget(job.id);
      }
    }),
  );
}

/** Open the stream once somebody is signed in. */
export async function startEvents() {
  const { user, open_job, version } = await session;
  if (!user) return;
  // another person, a link to another job and another version of this page need a stream of their own
  if (typeof SharedWorker === "function") shareStream(JSON.stringify([version, user.id, user.how, open_job]));
  else ownStream();
}

/** @param {string} name */
function shareStream(name) {
  /** @type {SharedWorker | null} */
  let worker = null;
  const join = () => {
    worker = new SharedWorker("/static/js/shell/stream-worker.js", { type: "module", name });
    worker.onerror = () => {
      worker = null;
      ownStream();
    };
    worker.port.onmessage = ({ data: [kind, data] }) => hear(kind, data);
  };
  const send = (/** @type {string} */ text) => worker?.port.postMessage(text);
  join();
  window.addEventListener("online", () => send("retry"));
  document.addEventListener("visibilitychange", () => document.hidden || send("retry"));
  window.addEventListener("pagehide", () => send("bye"));
  window.addEventListener("pageshow", (event) => event.persisted && worker && join());
}

/** For a browser without module workers. */
const ownStream = () => import("./stream.js").then(({ watchAlone }) => watchAlone(hear));
