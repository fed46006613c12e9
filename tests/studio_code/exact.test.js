import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExact } from "../../api/static/js/shell/exact.js";

test("a seed of 64 bits comes as text, so that no digit is lost", () => {
  assert.deepEqual(parseExact('{"seed": 18446744073709551615}'), { seed: "18446744073709551615" });
  assert.deepEqual(parseExact('{"images":[{"seed":9007199254740993},{"seed":7}]}'), {
    images: [{ seed: "9007199254740993" }, { seed: 7 }],
  });
});

test("what a number can hold stays one", () => {
  assert.deepEqual(parseExact('{"seed": 9007199254740991, "steps": 20}'), { seed: 9007199254740991, steps: 20 });
});

test("a prompt that speaks of a seed is left alone", () => {
  const prompt = 'say "seed": 18446744073709551615, twice';
  assert.deepEqual(parseExact(JSON.stringify({ prompt })), { prompt });
});

test("what is no JSON is refused", () => {
  assert.throws(() => parseExact("<html>"), SyntaxError);
});
