/** The parts of the dashboard that are no charts: figures at a glance, engines, errors, alerts, the queue now. */

import { withLane } from "../../shell/engine-state.js";
import { fill, h, icon } from "../../ui/dom.js";
import { _, _n } from "../../ui/text.js";
import { formatSpan, money, percent, timeAgo } from "../../ui/words.js";
import { tableOf } from "./table.js";

/** @type {Record<string, string>} */
const LEVELS = { error: "bad", warning: "warn" };

/**
 * A card with a heading and a place that is filled later.
 * @param {string} title
 */
export function panel(title) {
  const body = h("div", { class: "panel-body" });
  const element = h("section", { class: "card panel", "aria-label": title }, h("h2", {}, title), body);
  return { element, show: (/** @type {Child[]} */ ...children) => fill(body, ...children) };
}

/**
 * The figures at the top.
 * @param {Api.Totals} totals of the answer of `/api/dashboard`
 * @param {{waiting: number, running: number}} queue
 * @param {string} when words for the days they are of
 * @returns {HTMLElement}
 */
export function glance(totals, queue, when) {
  const { done, failed, seconds, from_cache: cached } = totals;
  const drawn = done - cached;
  const figures = [
    [
      _("In the queue"),
      _("{waiting} waiting", { waiting: queue.waiting }),
      _("{running} running", { running: queue.running }),
    ],
    [_("Jobs done"), String(done), _("{failed} failed, {when}", { failed, when })],
    [_("Success rate"), percent(totals.success_rate), _("of the jobs that ended")],
    [_("Time per job"), drawn > 0 ? formatSpan(seconds / drawn) : "–", _("on average")],
    [_("Spent"), money(totals.cost_usd), `${_n("{n} picture", "{n} pictures", totals.images)}, ${when}`],
  ];
  return h(
    "dl",
    { class: "glance" },
    figures.map(([name, value, more]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, h("strong", {}, value), h("span", {}, more))),
    ),
  );
}

/**
 * One line an engine: how many, how well, how fast, how dear.
 * @param {Api.EngineFigures[]} engines
 */
export function engineTable(engines) {
  if (!engines.length) return nothing(_("No job has ended in this time."));
  const columns = [
    _("Engine"),
    _("Done"),
    _("Failed"),
    _("Success"),
    _("Mean time"),
    _("95 of 100 within"),
    _("Cost"),
  ].map((title, at) => ({
    title,
    isNumber: at > 0,
  }));
  const rows = engines.map((row) => [
    row.engine,
    row.done,
    row.failed,
    rate(row.success_rate),
    seconds(row.mean_seconds),
    seconds(row.p95_seconds),
    money(row.cost_usd),
  ]);
  return tableOf(_("Success and time per engine"), columns, rows);
}

/** @param {number | null} share */
function rate(share) {
  if (share === null || share === undefined) return "–";
  return h(
    "span",
    { class: `rate rate-${rateTone(share)}` },
    h("span", { class: "bar", "aria-hidden": "true" }, h("i", { style: { "--part": String(share) } })),
    percent(share),
  );
}

/** @param {number} share */
function rateTone(share) {
  if (share >= 0.95) return "good";
  return share >= 0.8 ? "warn" : "bad";
}

/** @param {number | null} value */
const seconds = (value) => (value === null || value === undefined ? "–" : formatSpan(value));

/**
 * What failed: code, how often, when last, what was said.
 * @param {Api.Failures[]} errors
 */
export function errorTable(errors) {
  if (!errors.length) return nothing(_("Nothing failed in this time."), "check");
  const columns = [
    { title: _("Error") },
    { title: _("Count"), isNumber: true },
    { title: _("Last") },
    { title: _("What was said") },
  ];
  const rows = errors.map((row) => [h("code", {}, row.code), row.count, timeAgo(row.last), row.example]);
  return tableOf(_("Errors"), columns, rows);
}

/**
 * Warnings of this process, newest first.
 * @param {Api.Alert[]} alerts
 */
export function alertList(alerts) {
  if (!alerts.length) return nothing(_("No alerts: errors, times, budget and keys are within their limits."), "check");
  return h("ul", { class: "alerts" }, alerts.map(alertItem));
}

/** @param {Api.Alert} alert */
function alertItem(alert) {
  const tone = LEVELS[alert.level] ?? "warn";
  return h(
    "li",
    { dataset: { tone } },
    icon("warning"),
    h(
      "div",
      { class: "grow" },
      h("p", {}, alert.message),
      h("p", { class: "faint small" }, h("time", { datetime: alert.since }, timeAgo(alert.since))),
    ),
  );
}

/**
 * The queue as it is: one line an engine; those of other people only while they work.
 * @param {Api.Queue} queue
 * @param {Map<string, Api.Engine>} known the engines this reader may use, by lane
 */
export function queueNow(queue, known) {
  const lanes = Object.entries(queue.engines ?? {}).filter(
    ([lane, { waiting, running }]) => known.has(lane) || waiting || running,
  );
  if (!lanes.length)
    return h(
      "p",
      { class: "muted" },
      _("{waiting} waiting, {running} running.", { waiting: queue.waiting, running: queue.running }),
    );
  return h(
    "ul",
    { class: "lanes" },
    lanes.map(([lane, state]) => {
      const engine = known.get(lane);
      return engine ? laneItem(engine.label, withLane(engine, state)) : laneItem(_("Somebody's own engine"), state);
    }),
  );
}

/** @param {string} label @param {Api.Lane | Api.Engine} state */
function laneItem(label, state) {
  /** @type {Record<string, string>} */
  const words = { up: _("ready"), busy: _("busy"), paused: _("paused"), down: _("down") };
  const wait = state.wait_s ? `, ${_("next in {span}", { span: formatSpan(state.wait_s) })}` : "";
  return h(
    "li",
    {},
    h("span", { class: `dot dot-${state.state}`, "aria-hidden": "true" }),
    h("span", { class: "grow" }, label),
    h(
      "span",
      { class: "muted small num" },
      _("{state} · {waiting} waiting, {running} running", {
        state: words[state.state] ?? _("not checked"),
        waiting: state.waiting,
        running: state.running,
      }),
      wait,
    ),
  );
}

/** @param {string} words */
function nothing(words, name = "info") {
  return h("p", { class: "panel-none" }, icon(name), words);
}
