/**
 * Bars over time, drawn by uPlot in the colours of the theme, with the same figures as a table behind a button.
 *
 * uPlot is loaded with the first chart only, from api/static/vendor/uplot.
 */

import { button, fill, h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { stacked } from "./figures.js";
import { tableOf } from "./table.js";

const LIBRARY = "/static/vendor/uplot";
const HEIGHT = 220;
const LABEL_PX = 62;
const BAR_SHARE = 0.72;
const MAX_BAR = 46;

/** @type {Promise<PlotMaker> | null} */
let library = null;

function load() {
  library ??= import(`${LIBRARY}/uPlot.esm.js`).then(async (module) => {
    const link = h("link", { rel: "stylesheet", href: `${LIBRARY}/uPlot.min.css` });
    const ready = new Promise((done) => Object.assign(link, { onload: done, onerror: done }));
    document.head.append(link);
    await ready;
    return module.default;
  });
  return library;
}

/**
 * A chart of stacked bars in a card.
 * @param {{title: string, tools?: Node|null}} options
 * @returns {{element: HTMLElement, show: (data: ChartData) => Promise<void>, end: () => void}}
 */
export function barChart({ title, tools = null }) {
  const plot = h("div", { class: "chart-plot", role: "img", "aria-label": title });
  const legend = h("ul", { class: "chart-legend" });
  const table = h("div", { class: "chart-table", hidden: true });
  const summary = h("p", { class: "muted small" });
  const swap = () => {
    table.hidden = !table.hidden;
    plot.hidden = !table.hidden;
    toggle.setAttribute("aria-pressed", String(!table.hidden));
    draw();
  };
  const toggle = button(_("Show as table"), swap, {
    class: "btn-ghost btn-small",
    icon: "list",
    "aria-pressed": "false",
  });
  const element = h(
    "section",
    { class: "card chart", "aria-label": title },
    h("header", { class: "card-head" }, h("h2", {}, title), tools),
    summary,
    plot,
    table,
    h("footer", { class: "chart-foot" }, legend, toggle),
  );
  /** @type {ChartData | null} */
  let data = null;
  /** @type {Plot | null} */
  let chart = null;
  const draw = async () => {
    const UPlot = await load();
    chart?.destroy();
    chart = null;
    if (!data || plot.hidden || !plot.clientWidth) return;
    chart = new UPlot(optionsOf(UPlot, data, plot), valuesOf(data), plot);
  };
  const watch = watching(plot, () => chart?.setSize({ width: plot.clientWidth, height: HEIGHT }), draw);
  return {
    element,
    async show(next) {
      data = next;
      summary.textContent = next.summary;
      plot.setAttribute("aria-label", `${title}. ${next.summary}`);
      fill(
        legend,
        next.series.map((row) =>
          h("li", {}, h("span", { class: "chart-key", style: { background: `var(${row.token})` } }), row.name),
        ),
      );
      fill(table, tableFor(title, next));
      await draw();
    },
    end() {
      watch();
      chart?.destroy();
    },
  };
}

/** uPlot draws back to front, so the tallest sums come first. @param {ChartData} data */
function valuesOf(data) {
  return [data.times, ...stacked(data.series.map((row) => row.values)).reverse()];
}

/** @param {PlotMaker} UPlot @param {ChartData} data @param {HTMLElement} plot */
function optionsOf(UPlot, data, plot) {
  const colour = colours(plot);
  const bars = UPlot.paths.bars({ size: [BAR_SHARE, MAX_BAR], radius: 0.06 });
  const series = [...data.series]
    .reverse()
    .map((row) => ({ label: row.name, fill: colour(row.token), width: 0, paths: bars, points: { show: false } }));
  const gap = data.times.length > 1 ? data.times[1] - data.times[0] : 3600;
  const line = { stroke: colour("--muted"), font: `12px ${getComputedStyle(plot).fontFamily}`, ticks: { show: false } };
  return {
    width: plot.clientWidth,
    height: HEIGHT,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    select: { show: false },
    scales: {
      x: { time: true, range: () => [data.times[0] - gap / 2, data.times[data.times.length - 1] + gap / 2] },
      y: {
        range: (/** @type {unknown} */ _self, /** @type {number} */ _low, /** @type {number} */ high) => [
          0,
          Math.max(high * 1.08, data.least ?? 1),
        ],
      },
    },
    axes: [
      {
        ...line,
        grid: { show: false },
        space: 64,
        size: 34,
        values: (/** @type {unknown} */ _self, /** @type {number[]} */ splits) => splits.map((row) => data.tick(row)),
        splits: data.splits ? (/** @type {Plot} */ chart) => thinned(data.splits ?? [], chart.width) : undefined,
      },
      {
        ...line,
        grid: { stroke: colour("--line"), width: 1 },
        size: 52,
        values: (/** @type {unknown} */ _self, /** @type {number[]} */ splits) => splits.map((row) => data.format(row)),
        incrs: data.incrs,
      },
    ],
    series: [{}, ...series],
    plugins: [tooltip(data)],
  };
}

/**
 * So many marks on the axis of time as have room for their words.
 * @param {number[]} splits
 * @param {number} width
 */
function thinned(splits, width) {
  const every = Math.ceil((splits.length * LABEL_PX) / width);
  return splits.filter((_item, at) => (splits.length - 1 - at) % every === 0);
}

/** Tokens as colours a canvas understands: worked out by an element that has them. @param {HTMLElement} place */
function colours(place) {
  return (/** @type {string} */ token) => {
    const probe = h("span", { hidden: true, style: { color: `var(${token})` } });
    place.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}

/** The figures under the pointer, in a small box; touch and keyboard have the table. @param {ChartData} data */
function tooltip(data) {
  const box = h("div", { class: "chart-tip", hidden: true });
  const place = (/** @type {Plot} */ chart) => {
    const { idx, left } = chart.cursor;
    box.hidden = idx === null || idx === undefined || left < 0;
    if (box.hidden) return;
    fill(
      box,
      h("strong", {}, data.when(data.times[idx ?? 0])),
      data.series.map((row) =>
        h(
          "p",
          {},
          h("span", { class: "chart-key", style: { background: `var(${row.token})` } }),
          `${row.name} `,
          h("b", {}, data.format(row.values[idx ?? 0])),
        ),
      ),
    );
    const room = chart.over.clientWidth - box.offsetWidth - 8;
    box.style.left = `${Math.max(0, Math.min(left + 14, room))}px`;
  };
  return { hooks: { init: (/** @type {Plot} */ chart) => chart.over.append(box), setCursor: place } };
}

/** @param {string} title @param {ChartData} data */
function tableFor(title, data) {
  const columns = [{ title: _("When") }, ...data.series.map((row) => ({ title: row.name, isNumber: true }))];
  const rows = data.times
    .map((time, at) => [data.when(time), ...data.series.map((row) => data.format(row.values[at]))])
    .reverse();
  return tableOf(title, columns, rows);
}

/**
 * Follow the width of the place and the theme of the page; returns the way to stop.
 * @param {HTMLElement} place
 * @param {() => void} onResize
 * @param {() => void} onTheme
 */
function watching(place, onResize, onTheme) {
  const sizes = new ResizeObserver(onResize);
  sizes.observe(place);
  const themes = new MutationObserver(onTheme);
  themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const system = matchMedia("(prefers-color-scheme: light)");
  system.addEventListener("change", onTheme);
  return () => {
    sizes.disconnect();
    themes.disconnect();
    system.removeEventListener("change", onTheme);
  };
}
