/** What a job's state is in words, and the time it still takes, ticking. */
import { _ } from "../ui/text.js";
import { formatSpan } from "../ui/words.js";

const seen = new WeakMap();
const tickers = new Set();
let clock = 0;

/**
 * Remember when this state arrived: times in it count from then.
 * @param {Api.Job} job
 */
export function stamp(job) {
  if (!seen.has(job)) seen.set(job, performance.now());
  return job;
}

/** @param {Api.Job} job */
const since = (job) => (performance.now() - (seen.get(stamp(job)) ?? performance.now())) / 1000;

/**
 * Seconds until it is done as far as known, else null.
 * @param {Api.Job} job
 */
export function secondsLeft(job) {
  const left = job.status === "running" ? (job.progress?.eta_s ?? job.eta_s) : job.eta_s;
  return left === null || left === undefined ? null : Math.max(0, left - since(job));
}

/** @param {number | null} s */
function about(s) {
  if (s === null) return "";
  return s < 1 ? _("any moment") : _("about {span}", { span: formatSpan(Math.max(1, Math.round(s))) });
}

/**
 * 1 -> "1st", 12 -> "12th".
 * @param {number} n
 */
export function ordinal(n) {
  const tens = n % 100;
  const end = tens > 10 && tens < 14 ? "th" : ({ 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th");
  return `${n}${end}`;
}

/**
 * One line on where the job stands: "3rd in line · about 14 s".
 * @param {Api.Job} job
 */
export function statusText(job) {
  if (job.status === "queued") return queuedText(job);
  if (job.status === "running") return runningText(job);
  if (job.status === "done") return doneText(job);
  if (job.status === "failed") return job.error?.message || _("It failed.");
  return job.status === "cancelled" ? _("Cancelled") : _("Expired: it waited too long");
}

/** @param {Api.Job} job */
function doneText(job) {
  const took = job.seconds ? formatSpan(job.seconds) : _("Done");
  return [job.from_cache ? _("From the cache") : took, job.engine && _("on {engine}", { engine: job.engine })]
    .filter(Boolean)
    .join(" ");
}

/** @param {Api.Job} job */
function queuedText(job) {
  const left = job.hold_s ? Math.max(0, job.hold_s - since(job)) : null;
  if (job.hold === "down") return _("{engine} is not answering; the job keeps its place", { engine: job.engine });
  if (job.hold === "paused")
    return left
      ? _("{engine} is paused, for another {span}", { engine: job.engine, span: formatSpan(left) })
      : _("{engine} is paused", { engine: job.engine });
  return [placeText(job.position), about(secondsLeft(job))].filter(Boolean).join(" · ");
}

/** @param {number | null} position */
function placeText(position) {
  if (!position) return _("Waiting");
  return position === 1 ? _("Next in line") : _("{place} in line", { place: ordinal(position) });
}

/** @param {Api.Job} job */
function runningText(job) {
  const { step, steps, note } = job.progress || {};
  const what = note || (step && steps ? _("Step {step} of {steps}", { step, steps }) : _("Drawing"));
  return [what, about(secondsLeft(job))].filter(Boolean).join(" · ");
}

/**
 * Call `fn` every second until the returned function is called; one clock for the whole page.
 * @param {() => unknown} fn
 */
export function everySecond(fn) {
  tickers.add(fn);
  clock ||= setInterval(() => document.hidden || [...tickers].forEach((each) => each()), 1000);
  return () => {
    tickers.delete(fn);
    if (tickers.size) return;
    clearInterval(clock);
    clock = 0;
  };
}

/**
 * Things that cannot be said twice: "512 x 512 · 20 steps · seed 7 · DreamShaper".
 * @param {Api.Job} job
 * @param {Api.Image} [image]
 */
export function factsOf(job, image) {
  const { request } = job;
  const width = image?.width ?? request.width;
  return [
    width && `${width} × ${image?.height ?? request.height}`,
    request.steps && _("{steps} steps", { steps: request.steps }),
    (image?.seed ?? request.seed) !== null && _("seed {seed}", { seed: image?.seed ?? request.seed }),
    job.model,
  ]
    .filter(Boolean)
    .join(" · ");
}
