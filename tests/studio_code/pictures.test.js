import assert from "node:assert/strict";
import { test } from "node:test";
import { altOf, aspectOf, jobOf, pictureOf } from "../../api/static/js/pictures/picture.js";
import { ApiError, asApiError, isAborted, wordsOf } from "../../api/static/js/ui/errors.js";

const IMAGE = { id: "i", url: "/u", width: 30, height: 20, alt: "", seed: 7, is_favorite: false };
const JOB = {
  id: "j",
  prompt: "a fox",
  mode: "txt2img",
  model: null,
  engine: "gpu",
  seconds: 3,
  created_at: "2026-11-21T10:00:00Z",
  finished_at: "2026-11-21T10:01:00Z",
  command: "a fox --steps 3",
  is_mine: true,
  request: { negative_prompt: "snow", model: "dream", steps: 3, cfg_scale: 7, sampler: null },
  images: [IMAGE],
};

test("a result of a job has the shape of a gallery's picture", () => {
  const picture = pictureOf({ ...IMAGE }, JOB);
  assert.deepEqual(
    [picture.job_id, picture.prompt, picture.negative_prompt, picture.model, picture.created_at, picture.job],
    ["j", "a fox", "snow", "dream", "2026-11-21T10:01:00Z", JOB],
  );
});

test("the same result is the same picture wherever it is shown, favourite or not", () => {
  const image = { ...IMAGE };
  const picture = pictureOf(image, JOB);
  assert.equal(pictureOf(image, JOB), picture);
  image.is_favorite = true;
  assert.equal(picture.is_favorite, true);
  picture.is_favorite = false;
  assert.equal(image.is_favorite, false);
});

test("a gallery's picture stays what it is, and tells as much of its job as it knows", () => {
  const row = { ...IMAGE, job_id: "j", command: "a fox", is_mine: false };
  assert.equal(pictureOf(row, JOB), row);
  assert.deepEqual(jobOf(row), { id: "j", command: "a fox", is_mine: false, request: {} });
  assert.equal(jobOf(pictureOf({ ...IMAGE }, JOB)), JOB);
});

test("a picture is told of in words and shapes, whatever is known", () => {
  assert.deepEqual([altOf({ alt: "red" }), altOf({ prompt: "a fox" }), altOf({})].at(-1), "Picture without a prompt");
  assert.deepEqual([aspectOf(IMAGE), aspectOf({ width: 0, height: 9 })], [1.5, 1]);
});

test("what the API refuses is told with its hint; a fault of the page with its own words", () => {
  const problem = { status: 429, error: "Too much.", hint: "Wait.", retry_after: 3, sign_in_url: "/in", code: "limit" };
  const error = new ApiError(problem);
  assert.deepEqual([error.name, error.status, error.retryAfter, error.signInUrl], ["ApiError", 429, 3, "/in"]);
  assert.equal(wordsOf(error), "Too much. Wait.");
  assert.equal(asApiError(error), error);
  assert.deepEqual([asApiError(new Error("broken")).status, wordsOf("odd")], [-1, "odd"]);
});

test("a request that was given up is no error of anybody", () => {
  assert.deepEqual([isAborted(new DOMException("", "AbortError")), isAborted(new Error("AbortError"))], [true, false]);
});
