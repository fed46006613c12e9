import assert from "node:assert/strict";
import { test } from "node:test";
import { debounce, uid } from "../../api/static/js/ui/dom.js";
import { formatBytes, formatSpan, timeAgo } from "../../api/static/js/ui/words.js";

test("spans are told in the two largest units that matter", () => {
  const expected = {
    0: "0.1 s",
    0.42: "0.4 s",
    8: "8 s",
    59.4: "59 s",
    75: "1 min 15 s",
    600: "10 min",
    4000: "1 h 6 min",
  };
  for (const [seconds, words] of Object.entries(expected)) assert.equal(formatSpan(Number(seconds)), words);
  assert.equal(formatSpan(200000), "2 d");
});

test("no span is no word", () => {
  for (const none of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(formatSpan(none), "");
});

test("a moment is told by its distance, and by its date after a week", () => {
  const ago = (seconds) => timeAgo(new Date(Date.now() - seconds * 1000).toISOString());
  assert.equal(ago(3), "just now");
  assert.equal(ago(240), "4 min ago");
  assert.equal(ago(3 * 3600), "3 h ago");
  assert.equal(ago(-3 * 3600), "in 3 h");
  assert.equal(ago(2 * 86400), "2 d ago");
  assert.match(ago(400 * 86400), /\d{4}/);
  assert.equal(timeAgo(null), "");
});

test("bytes", () => {
  assert.deepEqual([999, 1500, 1536000].map(formatBytes), ["999 B", "2 kB", "1.5 MB"]);
  assert.notEqual(uid("x"), uid("x"));
});

test("a call is made once when things are quiet, and not at all when it was cancelled", () => {
  const { setTimeout, clearTimeout } = globalThis;
  const waiting = new Set();
  globalThis.setTimeout = (run) => waiting.add(run) && waiting.size;
  const heard = [];
  const later = debounce((word) => heard.push(word), 50);
  globalThis.clearTimeout = () => waiting.clear();
  later("one");
  later("two");
  for (const run of waiting) run();
  assert.deepEqual(heard, ["two"]);
  waiting.clear();
  later("three");
  later.cancel();
  assert.equal(waiting.size, 0);
  Object.assign(globalThis, { setTimeout, clearTimeout });
});
