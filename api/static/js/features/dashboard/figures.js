/** The figures of the dashboard, shaped for charts and tables. Pure. */

import { _ } from "../../ui/text.js";

const HOUR_S = 3600;
const TOP_USERS = 5;

/**
 * Hours with their gaps filled, oldest first, so that a quiet hour is drawn as nothing instead of being left out.
 * @param {Array<{start: string, done: number, failed: number}>} hours
 * @param {number} count how many, the present one included
 * @param {number} nowS
 * @returns {{starts: number[], done: number[], failed: number[]}} `starts` in unix seconds
 */
export function hourly(hours, count, nowS = Date.now() / 1000) {
  const byHour = new Map(hours.map((hour) => [Math.floor(Date.parse(hour.start) / 1000 / HOUR_S), hour]));
  const last = Math.floor(nowS / HOUR_S);
  const keys = Array.from({ length: count }, (_item, at) => last - count + 1 + at);
  return {
    starts: keys.map((key) => key * HOUR_S),
    done: keys.map((key) => byHour.get(key)?.done ?? 0),
    failed: keys.map((key) => byHour.get(key)?.failed ?? 0),
  };
}

/**
 * What each person spent (or drew) each day, those who spent most first, the rest as one.
 * @param {Array<{day: string, user: string, images: number, cost_usd: number}>} rows
 * @param {"cost_usd"|"images"} measure
 * @param {number} days
 * @param {Date} today
 * @returns {{days: string[], people: Array<{name: string, values: number[], total: number}>, total: number}}
 */
export function daily(rows, measure, days, today = new Date()) {
  const names = Array.from({ length: days }, (_item, index) =>
    dayName(new Date(today.getTime() - (days - 1 - index) * 24 * HOUR_S * 1000)),
  );
  const at = new Map(names.map((name, index) => [name, index]));
  const people = new Map();
  for (const row of rows) {
    const index = at.get(row.day);
    if (index === undefined) continue;
    const values = people.get(row.user) ?? new Array(days).fill(0);
    values[index] += row[measure];
    people.set(row.user, values);
  }
  /** @param {number[]} values */
  const sum = (values) => values.reduce((all, row) => all + row, 0);
  const ranked = [...people]
    .map(([name, values]) => ({ name, values, total: sum(values) }))
    .sort((row, other) => other.total - row.total);
  const shown = ranked.slice(0, TOP_USERS);
  const rest = ranked.slice(TOP_USERS);
  if (rest.length) {
    const values = names.map((_item, index) => sum(rest.map((row) => row.values[index])));
    shown.push({ name: _("{count} others", { count: rest.length }), values, total: sum(values) });
  }
  return { days: names, people: shown, total: sum(ranked.map((row) => row.total)) };
}

/**
 * "2026-11-21" of a moment, in UTC as the server counts days.
 * @param {Date} moment
 */
export const dayName = (moment) => moment.toISOString().slice(0, 10);

/**
 * Values stacked on each other: each series becomes the sum of itself and those before it.
 * @param {number[][]} series
 */
export function stacked(series) {
  const sums = series[0]?.map(() => 0) ?? [];
  return series.map((values) => values.map((value, at) => (sums[at] += value)));
}
