/** The dashboard: jobs per hour, engines, costs, errors, alerts and the queue as it is now. */

import { api, session } from "../../shell/api.js";
import { events } from "../../shell/events.js";
import { setQuery } from "../../shell/router.js";
import { announce, append, button, debounce, fill, h, icon, useCss } from "../../ui/dom.js";
import { wordsOf } from "../../ui/errors.js";
import { _, _n } from "../../ui/text.js";
import { money } from "../../ui/words.js";
import { booksPanel } from "./books.js";
import { barChart } from "./chart.js";
import { daily, hourly } from "./figures.js";
import { alertList, engineTable, errorTable, glance, panel, queueNow } from "./panels.js";

export const title = _("Dashboard");

const REFRESH_MS = 60000;
const AFTER_JOB_MS = 3000;
const WEEK_DAYS = 7;
const PEOPLE_TOKENS = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-rest"];

/**
 * Draw the view.
 * @param {HTMLElement} root
 * @param {{days?: string}} params
 * @returns {Promise<() => void>} what ends it
 */
export async function mount(root, params) {
  await useCss("dashboard");
  const dashboard = new Dashboard(params.days === "7" ? 7 : 1);
  fill(root, dashboard.element);
  await dashboard.load();
  return () => dashboard.end();
}

class Dashboard {
  /** @param {number} days */
  constructor(days) {
    this.days = days;
    /** @type {"cost_usd" | "images"} */
    this.measure = "cost_usd";
    /** @type {Api.Dashboard | null} */
    this.figures = null;
    /** @type {Api.Dashboard | null} */
    this.week = null;
    /** @type {Api.Costs | null} */
    this.booked = null;
    /** @type {Map<string, Api.Engine>} */
    this.known = new Map();
    this.top = h("div", { class: "dash-top" }, h("div", { class: "skeleton dash-skeleton" }));
    this.failed = h("div", { "aria-live": "polite" });
    this.hours = barChart({ title: _("Jobs per hour") });
    this.costs = barChart({ title: _("Per person and day"), tools: this.measureChoice() });
    this.engines = panel(_("Engines"));
    this.errors = panel(_("Errors"));
    this.alerts = panel(_("Alerts"));
    this.queue = panel(_("Queue now"));
    this.books = panel(_("Money"));
    this.rest = h("div", { class: "dash-rest", hidden: true });
    this.element = this.layout();
    this.timer = setInterval(() => document.hidden || this.load(), REFRESH_MS);
    this.later = debounce(() => this.load(), AFTER_JOB_MS);
    this.offs = [
      events.on("queue", () => this.drawQueue()),
      events.on("job", (job) => job.finished_at && this.later()),
      events.on("alert", () => this.later()),
      events.on("missed", () => this.later()),
    ];
  }

  layout() {
    const head = h("header", { class: "page-head" }, h("h1", {}, _("Dashboard")), this.dayChoice());
    const charts = h("div", { class: "dash-charts" }, this.hours.element, this.costs.element);
    const side = h("div", { class: "dash-pair" }, this.queue.element, this.alerts.element);
    append(this.rest, side, charts, this.books.element, this.engines.element, this.errors.element);
    return h("div", { class: "page dash" }, head, this.failed, this.top, this.rest);
  }

  dayChoice() {
    return choice(
      _("Time shown"),
      /** @type {[number, string][]} */ ([
        [1, _("Today")],
        [7, "7 days"],
      ]),
      this.days,
      (days) => {
        this.days = days;
        setQuery({ days });
        this.load();
      },
    );
  }

  measureChoice() {
    return choice(
      _("What is counted"),
      /** @type {["cost_usd" | "images", string][]} */ ([
        ["cost_usd", _("Cost")],
        ["images", _("Pictures")],
      ]),
      this.measure,
      (measure) => {
        this.measure = measure;
        if (this.figures) this.drawCosts();
      },
    );
  }

  async load() {
    this.later.cancel();
    try {
      // a single day of costs is no chart: that one always shows a week
      const [figures, week] = await Promise.all([
        api.get("/api/dashboard", { days: this.days }),
        this.days < WEEK_DAYS ? api.get("/api/dashboard", { days: WEEK_DAYS }) : null,
      ]);
      this.booked = await this.loadBooks();
      this.figures = figures;
      this.week = week ?? figures;
      fill(this.failed);
      await this.loadEngines();
    } catch (error) {
      const again = button(_("Try again"), () => this.load(), { class: "btn-small", icon: "refresh" });
      fill(
        this.failed,
        h("div", { class: "notice notice-bad" }, icon("warning"), h("p", { class: "grow" }, wordsOf(error)), again),
      );
      return;
    }
    await this.draw();
  }

  /** Everybody's for an admin, your own for others. */
  async loadBooks() {
    const { user } = await session;
    const whose = user?.is_admin ? "all" : "mine";
    return api.get("/api/costs", { whose, days: this.days });
  }

  async loadEngines() {
    const { engines } = await api.get("/api/engines");
    this.known = new Map(engines.map((engine) => [engine.name, engine]));
  }

  async draw() {
    this.rest.hidden = false; // it comes whole: nothing moves when the figures are there
    this.drawQueue();
    if (!this.figures) return;
    if (this.booked) this.books.show(booksPanel(this.booked));
    this.engines.show(engineTable(this.figures.engines));
    this.errors.show(errorTable(this.figures.errors));
    this.alerts.show(alertList(this.figures.alerts));
    await Promise.all([this.drawHours(), this.drawCosts()]);
  }

  drawQueue() {
    if (!this.figures) return;
    const queue = events.queue ?? this.figures.queue;
    fill(
      this.top,
      glance(this.figures.totals, queue, this.days === 1 ? _("today") : _("{days} days", { days: this.days })),
    );
    this.queue.show(queueNow(queue, this.known));
  }

  drawHours() {
    const { starts, done, failed } = hourly(this.figures?.hours ?? [], this.days * 24);
    /** @param {number[]} values */
    const sum = (values) => values.reduce((all, item) => all + item, 0);
    const [most, at] = done.reduce(
      ([top, where], item, index) => (item + failed[index] > top ? [item + failed[index], index] : [top, where]),
      [0, -1],
    );
    const peak = at < 0 ? "" : _("Most in one hour: {most}, {hour}.", { most, hour: hourWords(starts[at]) });
    return this.hours.show({
      times: starts,
      series: [
        { name: _("Done"), token: "--good", values: done },
        { name: _("Failed"), token: "--bad", values: failed },
      ],
      summary: _("{done} done and {failed} failed in {span}. {peak}", {
        done: sum(done),
        failed: sum(failed),
        span: this.days === 1 ? _("24 hours") : _("7 days"),
        peak,
      }),
      when: hourWords,
      /** @param {number} time */
      tick: (time) => (this.days === 1 ? clock(time) : weekday(time)),
      format: (value) => String(value),
      incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      splits: this.days === 1 ? null : midnights(starts),
    });
  }

  drawCosts() {
    const { days: names, people, total } = daily(this.week?.days ?? [], this.measure, WEEK_DAYS);
    const isMoney = this.measure === "cost_usd";
    const format = isMoney ? money : String;
    const times = names.map((name) => Date.parse(`${name}T12:00:00Z`) / 1000);
    const none = isMoney ? _("Nothing was spent: what was drawn was free.") : _("No picture was drawn.");
    const spent = isMoney ? _("{cost} spent", { cost: money(total) }) : _n("{n} picture", "{n} pictures", total);
    return this.costs.show({
      times,
      series: people.map((item, at) => ({ name: item.name, token: PEOPLE_TOKENS[at], values: item.values })),
      summary: total ? _("{spent} since {day}, days in UTC.", { spent, day: dayWords(times[0]) }) : none,
      when: dayWords,
      tick: weekday,
      format,
      incrs: isMoney ? undefined : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000],
      least: isMoney ? 0.01 : 1,
      splits: times,
    });
  }

  end() {
    clearInterval(this.timer);
    this.later.cancel();
    this.offs.forEach((off) => off());
    this.hours.end();
    this.costs.end();
  }
}

/**
 * @template {string | number} V
 * @param {string} label
 * @param {[V, string][]} options
 * @param {V} chosen
 * @param {(value: V) => void} pick
 */
function choice(label, options, chosen, pick) {
  const buttons = options.map(([value, words]) =>
    h(
      "button",
      { type: "button", "aria-pressed": String(value === chosen), on: { click: () => press(value, words) } },
      words,
    ),
  );
  const press = (/** @type {V} */ value, /** @type {string} */ words) => {
    buttons.forEach((item, at) => item.setAttribute("aria-pressed", String(options[at][0] === value)));
    announce(words);
    pick(value);
  };
  return h("div", { class: "seg", role: "group", "aria-label": label }, buttons);
}

/** @param {number} time */
const asDate = (time) => new Date(time * 1000);
/** @param {number} time */
const clock = (time) => asDate(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
/** @param {number} time */
const weekday = (time) => asDate(time).toLocaleDateString([], { weekday: "short", day: "numeric" });
/** @param {number} time */
const dayWords = (time) => asDate(time).toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });
/** @param {number} time */
const hourWords = (time) => `${asDate(time).toLocaleDateString([], { weekday: "long" })}, ${clock(time)}`;
/** @param {number[]} starts */
const midnights = (starts) => starts.filter((time) => asDate(time).getHours() === 0);
