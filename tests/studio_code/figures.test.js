import assert from "node:assert/strict";
import { test } from "node:test";
import { daily, dayName, hourly, stacked } from "../../api/static/js/features/dashboard/figures.js";
import { money, percent } from "../../api/static/js/ui/words.js";

const NOON_S = Date.parse("2026-11-21T12:34:56Z") / 1000;

test("hours without a job are drawn as nothing, oldest first", () => {
  const counted = hourly([{ start: "2026-11-21T10:00:00Z", done: 3, failed: 1 }], 4, NOON_S);
  assert.deepEqual(counted.done, [0, 3, 0, 0]);
  assert.deepEqual(counted.failed, [0, 1, 0, 0]);
  assert.equal(counted.starts.at(-1), Date.parse("2026-11-21T12:00:00Z") / 1000);
});

test("hours before the time shown are left out", () => {
  assert.deepEqual(hourly([{ start: "2026-11-20T10:00:00Z", done: 3, failed: 0 }], 2, NOON_S).done, [0, 0]);
});

test("people are ranked by what they spent; the rest are one", () => {
  const today = new Date("2026-11-21T12:00:00Z");
  const rows = ["a", "b", "c", "d", "e", "f", "g"].map((user, at) => ({
    day: "2026-11-21",
    user,
    images: 1,
    cost_usd: at + 1,
  }));
  const { days, people, total } = daily(rows, "cost_usd", 2, today);
  assert.deepEqual(days, ["2026-11-20", "2026-11-21"]);
  assert.deepEqual(
    people.map(({ name }) => name),
    ["g", "f", "e", "d", "c", "2 others"],
  );
  assert.deepEqual(people.at(-1)?.values, [0, 3]);
  assert.equal(total, 28);
});

test("a day that is not shown counts for nobody, and one person's days add up", () => {
  const today = new Date("2026-11-21T12:00:00Z");
  const row = (day, images) => ({ day, user: "a", engine: "", images, cost_usd: 0 });
  const { people, total } = daily(
    [row("2026-11-01", 9), row("2026-11-20", 2), row("2026-11-20", 3)],
    "images",
    2,
    today,
  );
  assert.deepEqual([people[0].values, total], [[5, 0], 5]);
});

test("money and shares in words", () => {
  assert.deepEqual([0, 0.0123, 0.5, 12.5].map(money), ["$0", "$0.012", "$0.50", "$12.50"]);
  assert.deepEqual([null, 0.934, 0.996, 1, 0].map(percent), ["–", "93 %", "99.6 %", "100 %", "0 %"]);
  assert.equal(dayName(new Date("2026-11-21T23:59:59Z")), "2026-11-21");
});

test("each series stands on those before it", () => {
  assert.deepEqual(
    stacked([
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
    [
      [1, 2],
      [4, 6],
      [9, 12],
    ],
  );
  assert.deepEqual(stacked([]), []);
});
