import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, ordinal, secondsLeft, statusText } from "../../api/static/js/pictures/job-text.js";

const job = (more) => ({ status: "queued", hold: "", engine: "gpu", progress: null, position: null, ...more });

test("places are counted in English", () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal), [
    "1st",
    "2nd",
    "3rd",
    "4th",
    "11th",
    "12th",
    "13th",
    "21st",
    "112th",
  ]);
});

test("a waiting job says its place and its time", () => {
  assert.equal(statusText(job({ position: 3, eta_s: 14 })), "3rd in line · about 14 s");
  assert.equal(statusText(job({ position: 1, eta_s: 0.2 })), "Next in line · any moment");
  assert.equal(statusText(job({ eta_s: null })), "Waiting");
});

test("a job whose engine rests says why", () => {
  assert.equal(statusText(job({ hold: "down" })), "gpu is not answering; the job keeps its place");
  assert.equal(statusText(job({ hold: "paused", hold_s: 75 })), "gpu is paused, for another 1 min 15 s");
  assert.equal(statusText(job({ hold: "paused", hold_s: 0 })), "gpu is paused");
});

test("a running job says its step, or what the engine says", () => {
  const progress = { step: 4, steps: 20, note: "", eta_s: 9 };
  assert.equal(statusText(job({ status: "running", progress })), "Step 4 of 20 · about 9 s");
  assert.equal(
    statusText(job({ status: "running", progress: { ...progress, note: "Loading" } })),
    "Loading · about 9 s",
  );
  assert.equal(statusText(job({ status: "running", eta_s: null })), "Drawing");
});

test("an ended job says how it ended", () => {
  assert.equal(statusText(job({ status: "done", seconds: 3.2 })), "3 s on gpu");
  assert.equal(statusText(job({ status: "done", from_cache: true, engine: "" })), "From the cache");
  assert.equal(statusText(job({ status: "failed", error: { message: "No memory." } })), "No memory.");
  assert.equal(statusText(job({ status: "failed", error: null })), "It failed.");
  assert.equal(statusText(job({ status: "cancelled" })), "Cancelled");
  assert.equal(statusText(job({ status: "expired" })), "Expired: it waited too long");
});

test("time that is unknown is not made up, and never below nothing", () => {
  assert.equal(secondsLeft(job({ eta_s: null })), null);
  assert.equal(secondsLeft(job({ eta_s: -5 })), 0);
});

test("the facts of a picture are its own before its job's", () => {
  const request = { width: 512, height: 768, steps: 20, seed: 7 };
  assert.equal(factsOf({ request, model: "M" }), "512 × 768 · 20 steps · seed 7 · M");
  assert.equal(
    factsOf({ request, model: null }, { width: 64, height: 32, seed: "18446744073709551615" }),
    "64 × 32 · 20 steps · seed 18446744073709551615",
  );
});
