/** Draws a workflow as nodes and links, with the inputs that Easel fills in marked by what goes there. */

import { h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { HEAD_HEIGHT, layOut, NODE_WIDTH, ROW_HEIGHT } from "./graph-layout.js";

const SVG = "http://www.w3.org/2000/svg";
const READABLE = 0.55;
const ZOOMS = [0.15, 0.25, 0.35, 0.5, 0.65, 0.8, 1, 1.25, 1.5];
const MAX_LABEL = 24;
/** @type {GraphBox} */
const NOWHERE = { x: 0, y: 0, width: NODE_WIDTH, height: HEAD_HEIGHT };
const ROW_CHARS = 34;

/**
 * Make an SVG element: attributes, then children (strings become text).
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {(Node | string | null)[]} children
 */
function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** @param {string} text @param {number} length */
const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/**
 * Draw a graph in a frame that scrolls, drags and zooms.
 * @param {Graph} graph
 * @param {{onPick?: (slot: string) => void, problems?: Set<string>}} options `problems`: nodes the engine lacks
 * @returns {{element: HTMLElement, mark: (marks: Map<string, string[]>) => void, show: (nodeId: string|null) => void}}
 */
export function graphView(graph, { onPick, problems = new Set() } = {}) {
  const layout = layOut(graph);
  /** @type {Map<string, SVGElement>} */
  const rows = new Map();
  /** @type {Map<string, SVGElement>} */
  const nodes = new Map();
  const svg = s("svg", { viewBox: `0 0 ${layout.width} ${layout.height}`, class: "wf-svg", "aria-hidden": "true" });
  svg.append(...layout.lines.map(drawLine));
  for (const node of graph.nodes) {
    const drawn = drawNode(node, layout.boxes.get(node.id) ?? NOWHERE, problems.has(node.id), rows, onPick);
    nodes.set(node.id, drawn);
    svg.append(drawn);
  }
  const frame = h("div", { class: "wf-frame", tabindex: "0", role: "region", "aria-label": describe(graph) }, svg);
  const zoom = zoomer(frame, svg, layout);
  dragging(frame);
  return {
    element: h("div", { class: "wf-graph" }, frame, zoom),
    mark: (marks) => rows.forEach((row, slot) => markRow(row, marks.get(slot))),
    show: (id) => nodes.forEach((drawn, key) => drawn.classList.toggle("is-shown", key === id)),
  };
}

/** @param {Graph} graph */
function describe(graph) {
  const { nodes, links } = graph;
  return _("Workflow of {nodes} nodes and {links} links. What goes where is in the table below.", {
    nodes: nodes.length,
    links: links.length,
  });
}

/** @param {ReturnType<typeof layOut>["lines"][number]} line */
function drawLine({ points, from, to }) {
  const [[x, y], ...rest] = points;
  let path = `M${x} ${y}`;
  let [lastX, lastY] = [x, y];
  for (const [nextX, nextY] of rest) {
    const bend = Math.max(24, Math.abs(nextX - lastX) / 2);
    path += nextY === lastY ? ` H${nextX}` : ` C${lastX + bend} ${lastY} ${nextX - bend} ${nextY} ${nextX} ${nextY}`;
    [lastX, lastY] = [nextX, nextY];
  }
  return s("path", { d: path, class: "wf-link", "data-from": from, "data-to": to });
}

/**
 * @param {GraphNode} node
 * @param {GraphBox} box
 * @param {boolean} isMissing
 * @param {Map<string, SVGElement>} rows
 * @param {((slot: string) => void) | undefined} onPick
 */
function drawNode(node, box, isMissing, rows, onPick) {
  const group = s("svg", { x: box.x, y: box.y, width: box.width, height: box.height, class: "wf-node" });
  if (isMissing) group.classList.add("is-missing");
  group.append(
    s("rect", { x: 0.5, y: 0.5, width: box.width - 1, height: box.height - 1, rx: 8, class: "wf-box" }),
    s("title", {}, `${node.title} (${node.type}), node ${node.id}`),
    s("text", { x: 12, y: 19, class: "wf-title" }, cut(node.title, 28)),
    s("text", { x: 12, y: 35, class: "wf-type" }, cut(`${node.id} · ${node.type}`, 36)),
  );
  node.inputs.forEach((input, at) => {
    const row = drawRow(input, HEAD_HEIGHT + at * ROW_HEIGHT);
    if (!input.link) {
      rows.set(`${node.id}.${input.name}`, row);
      row.addEventListener("click", () => onPick?.(`${node.id}.${input.name}`));
    }
    group.append(row);
  });
  return group;
}

/** @param {GraphInput} input @param {number} y */
function drawRow(input, y) {
  const row = s("g", { transform: `translate(0 ${y})`, class: input.link ? "wf-row is-linked" : "wf-row" });
  const value = input.link || input.value === undefined ? "" : ` ${oneLine(input.value)}`;
  row.append(
    s("rect", { x: 1, y: 1, width: NODE_WIDTH - 2, height: ROW_HEIGHT - 2, class: "wf-mark" }),
    s(
      "text",
      { x: 12, y: 15, class: "wf-input" },
      input.name,
      s("tspan", { class: "wf-value" }, cut(value, room(input))),
    ),
  );
  if (input.link) row.append(s("circle", { cx: 1.5, cy: ROW_HEIGHT / 2, r: 3.5, class: "wf-port" }));
  return row;
}

/** @param {GraphInput} input */
const room = (input) => Math.max(6, ROW_CHARS - input.name.length);
/** @param {unknown} value */
const oneLine = (value) =>
  (typeof value === "string" ? value : (JSON.stringify(value) ?? "")).replace(/\s+/g, " ").trim();

/** @param {SVGElement} row @param {string[] | undefined} words */
function markRow(row, words) {
  row.querySelector(".wf-tag")?.remove();
  row.classList.toggle("is-mapped", Boolean(words));
  if (!words) return;
  const text = cut(words.join(", "), MAX_LABEL);
  const width = text.length * 6.6 + 14;
  row.append(
    s(
      "g",
      { class: "wf-tag", transform: `translate(${NODE_WIDTH - width - 6} 3)` },
      // over the end of a long value
      s("rect", { x: -8, y: -1, width: width + 12, height: ROW_HEIGHT - 4, class: "wf-veil" }),
      s("rect", { width, height: ROW_HEIGHT - 6, rx: 4 }),
      s("text", { x: width / 2, y: 12, "text-anchor": "middle" }, text),
    ),
  );
}

/** @param {HTMLElement} frame @param {SVGElement} svg @param {{ width: number, height: number }} layout */
function zoomer(frame, svg, layout) {
  const reading = h("span", { class: "wf-zoom-now" });
  let scale = 1;
  const set = (/** @type {number} */ next) => {
    scale = next;
    svg.style.width = `${layout.width * scale}px`;
    svg.style.height = `${layout.height * scale}px`;
    reading.textContent = `${Math.round(scale * 100)} %`;
  };
  const fit = (/** @type {number} */ least) =>
    set(Math.min(1, Math.max(least, (frame.clientWidth - 2) / layout.width)));
  /** @param {number} by */
  const step = (by) => {
    const larger = ZOOMS.filter((zoom) => zoom > scale + 0.01);
    const smaller = ZOOMS.filter((zoom) => zoom < scale - 0.01);
    set((by > 0 ? larger[0] : smaller.at(-1)) ?? scale);
  };
  /** @param {string} text @param {string} label @param {() => void} click */
  const button = (text, label, click) =>
    h(
      "button",
      { type: "button", class: "btn btn-ghost btn-small", "aria-label": label, title: label, on: { click } },
      text,
    );
  set(1);
  requestAnimationFrame(() => fit(READABLE)); // once it stands in the page and has a width
  return h(
    "div",
    { class: "wf-zooms" },
    button("−", _("Smaller"), () => step(-1)),
    reading,
    button("+", _("Larger"), () => step(1)),
    button(_("Fit"), _("Show the whole workflow"), () => fit(ZOOMS[0])),
  );
}

/** @param {HTMLElement} frame */
function dragging(frame) {
  /** @type {Point | null} */
  let from = null;
  frame.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    from = { x: event.clientX + frame.scrollLeft, y: event.clientY + frame.scrollTop };
  });
  frame.addEventListener("pointermove", (event) => {
    if (!from || !(event.buttons & 1)) return;
    frame.classList.add("is-dragged");
    frame.scrollTo(from.x - event.clientX, from.y - event.clientY);
  });
  const end = () => {
    from = null;
    frame.classList.remove("is-dragged");
  };
  frame.addEventListener("pointerup", end);
  frame.addEventListener("pointerleave", end);
}
