/**
 * A mask editor on canvas: paint what should change. Exports a PNG at the picture's size, white where it is repainted.
 */

import { segments, slider } from "../../ui/controls.js";
import { h, hit, iconButton } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { confirmButtons, editorFrame, makeView } from "./editor.js";

const MAX_UNDO = 24;
const TINT = "245, 138, 91";

/**
 * Make a mask editor.
 * @param {{url: string, width: number, height: number, maskUrl?: string|null,
 *   onDone: (png: Promise<Blob|null>) => unknown, onCancel: () => void}} spec
 * `onDone` gets the promise of the picture; of null when nothing is painted.
 * @returns {Editor}
 */
export function maskEditor({ url, width, height, maskUrl = null, onDone, onCancel }) {
  const mask = canvasOf(width, height);
  const shown = canvasOf(width, height);
  shown.className = "mask-shown";
  const picture = h("img", { src: url, alt: "", draggable: "false", width, height });
  const ring = h("span", { class: "mask-ring", "aria-hidden": "true" });
  const sheet = h("div", { class: "sheet", style: { width: `${width}px`, height: `${height}px` } }, picture, shown);
  const { node, area, bar } = editorFrame(_("Mask editor: paint over what should change"), sheet);
  const view = makeView(area, sheet, { width, height, onMove: () => moveRing(editor) });
  /** @type {MaskEditor} */
  const editor = {
    mask,
    shown,
    pen: penOf(mask, { willReadFrequently: true }),
    width,
    height,
    isErasing: false,
    size: Math.round(Math.max(width, height) / 9),
    feather: 0,
    done: [],
    undone: [],
    ring,
    view,
    frame: 0,
    at: null,
    setSize: () => {},
    setMode: () => {},
  };
  area.append(ring);
  bar.append(...toolsOf(editor), ...confirmButtons(_("Use this mask"), () => onDone(exportMask(editor)), onCancel));
  if (maskUrl) bringBack(editor, maskUrl);
  listen(editor, area, node);
  return Object.assign(node, { destroy: () => view.destroy() });
}

/** @param {HTMLCanvasElement} canvas @param {CanvasRenderingContext2DSettings} [how] */
const penOf = (canvas, how) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", how));

/** @param {number} width @param {number} height */
function canvasOf(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** @param {MaskEditor} editor */
function toolsOf(editor) {
  const mode = segments(
    _("Tool"),
    [
      ["brush", _("Brush")],
      ["erase", _("Eraser")],
    ],
    (value) => editor.setMode(value),
  );
  const size = slider({
    label: _("Size"),
    min: 4,
    max: Math.round(Math.max(editor.width, editor.height) / 2),
    isOptional: false,
    onChange(value) {
      editor.size = value ?? editor.size;
      moveRing(editor);
    },
  });
  const feather = slider({
    label: _("Feather"),
    min: 0,
    max: 64,
    isOptional: false,
    onChange(value) {
      editor.feather = value ?? 0;
      paint(editor);
    },
  });
  mode.update("brush");
  size.update(editor.size, editor.size);
  feather.update(0, 0);
  editor.setSize = (value) => {
    editor.size = value;
    size.update(value, value);
  };
  editor.setMode = (value) => {
    editor.isErasing = value === "erase";
    mode.update(editor.isErasing ? "erase" : "brush");
  };
  const steps = h(
    "div",
    { class: "row editor-steps" },
    iconButton("undo", _("Undo (Ctrl+Z)"), () => step(editor, editor.done, editor.undone)),
    iconButton("redo", _("Redo (Ctrl+Shift+Z)"), () => step(editor, editor.undone, editor.done)),
    iconButton("invert", _("Invert the mask"), () => invert(editor)),
    iconButton("trash", _("Clear the mask"), () => clear(editor)),
    iconButton("zoom-out", _("Zoom out"), () => editor.view.zoom(0.8)),
    iconButton("zoom-in", _("Zoom in"), () => editor.view.zoom(1.25)),
    iconButton("fit", _("Show all"), () => editor.view.fit()),
  );
  return [mode.node, size.node, feather.node, steps];
}

/**
 * @param {MaskEditor} editor
 * @param {HTMLElement} area
 * @param {HTMLElement} node
 */
function listen(editor, area, node) {
  /** @type {Point | null} */
  let last = null;
  const lift = () => {
    last = null;
  };
  area.addEventListener("pointerdown", (event) => {
    if (event.button || event.altKey || editor.view.isPanning()) return lift();
    area.setPointerCapture(event.pointerId);
    remember(editor);
    const from = editor.view.toSheet(event);
    stroke(editor, from, from, pressure(event));
    last = from;
  });
  area.addEventListener("pointermove", (event) => {
    moveRing(editor, event);
    if (!last) return;
    if (editor.view.isPanning()) return lift(); // a second finger came: it is a pinch
    for (const each of event.getCoalescedEvents?.() || [event]) {
      const next = editor.view.toSheet(each);
      stroke(editor, last, next, pressure(each));
      last = next;
    }
  });
  area.addEventListener("pointerup", lift);
  area.addEventListener("pointercancel", lift);
  area.addEventListener("pointerleave", () => (editor.ring.hidden = true));
  node.addEventListener("keydown", (event) => onKey(editor, event));
}

/**
 * A pen that is pressed lightly draws thinner; mouse and finger always draw full.
 * @param {PointerEvent} event
 */
const pressure = (event) => (event.pointerType === "pen" && event.pressure ? 0.35 + event.pressure * 0.65 : 1);

/**
 * @param {MaskEditor} editor
 * @param {KeyboardEvent} event
 */
function onKey(editor, event) {
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === "z") {
    if (event.shiftKey) step(editor, editor.undone, editor.done);
    else step(editor, editor.done, editor.undone);
  } else if (key === "[") editor.setSize(Math.max(4, Math.round(editor.size * 0.85)));
  else if (key === "]") editor.setSize(Math.min(editor.width, Math.round(editor.size * 1.18)));
  else if (key === "b") editor.setMode("brush");
  else if (key === "e") editor.setMode("erase");
  else return;
  if (hit(event, "input[type=number]") && !event.ctrlKey) return;
  event.preventDefault();
}

/**
 * @param {MaskEditor} editor
 * @param {Point} from
 * @param {Point} to
 * @param {number} share
 */
function stroke(editor, from, to, share) {
  const { pen } = editor;
  pen.globalCompositeOperation = editor.isErasing ? "destination-out" : "source-over";
  pen.strokeStyle = "#fff";
  pen.lineWidth = editor.size * share;
  pen.lineCap = "round";
  pen.lineJoin = "round";
  pen.beginPath();
  pen.moveTo(from.x, from.y);
  pen.lineTo(to.x + 0.01, to.y);
  pen.stroke();
  later(editor);
}

/** @param {MaskEditor} editor */
function later(editor) {
  editor.frame ||= requestAnimationFrame(() => {
    editor.frame = 0;
    paint(editor);
  });
}

/** What is seen: the mask in the accent colour, feathered as it will be. @param {MaskEditor} editor */
function paint({ shown, mask, width, height, feather }) {
  const pen = penOf(shown);
  pen.clearRect(0, 0, width, height);
  pen.globalCompositeOperation = "source-over";
  pen.filter = feather ? `blur(${feather / 2}px)` : "none";
  pen.drawImage(mask, 0, 0);
  pen.filter = "none";
  pen.globalCompositeOperation = "source-in";
  pen.fillStyle = `rgba(${TINT}, .62)`;
  pen.fillRect(0, 0, width, height);
}

/** @param {MaskEditor} editor */
function remember(editor) {
  editor.done.push(editor.pen.getImageData(0, 0, editor.width, editor.height));
  if (editor.done.length > MAX_UNDO) editor.done.shift();
  editor.undone.length = 0;
}

/**
 * @param {MaskEditor} editor
 * @param {ImageData[]} from
 * @param {ImageData[]} to
 */
function step(editor, from, to) {
  const state = from.pop();
  if (!state) return;
  to.push(editor.pen.getImageData(0, 0, editor.width, editor.height));
  editor.pen.putImageData(state, 0, 0);
  paint(editor);
}

/** @param {MaskEditor} editor */
function invert(editor) {
  remember(editor);
  editor.pen.globalCompositeOperation = "xor";
  editor.pen.fillStyle = "#fff";
  editor.pen.fillRect(0, 0, editor.width, editor.height);
  paint(editor);
}

/** @param {MaskEditor} editor */
function clear(editor) {
  remember(editor);
  editor.pen.clearRect(0, 0, editor.width, editor.height);
  paint(editor);
}

/**
 * @param {MaskEditor} editor
 * @param {PointerEvent} [event]
 */
function moveRing(editor, event) {
  if (event?.currentTarget instanceof Element) {
    const box = event.currentTarget.getBoundingClientRect();
    const isInner = event.target !== event.currentTarget;
    const at = isInner
      ? { x: event.clientX - box.left, y: event.clientY - box.top }
      : { x: event.offsetX, y: event.offsetY };
    editor.at = { ...at, isTouch: event.pointerType === "touch" };
  }
  if (!editor.at) return;
  const size = editor.size * editor.view.scale();
  editor.ring.hidden = editor.at.isTouch;
  Object.assign(editor.ring.style, {
    width: `${size}px`,
    height: `${size}px`,
    transform: `translate(${editor.at.x - size / 2}px, ${editor.at.y - size / 2}px)`,
  });
}

/**
 * Take up a mask that was made before: white becomes paint.
 * @param {MaskEditor} editor
 * @param {string} url
 */
function bringBack(editor, url) {
  const image = new Image();
  image.onload = () => {
    editor.pen.drawImage(image, 0, 0, editor.width, editor.height);
    const data = editor.pen.getImageData(0, 0, editor.width, editor.height);
    for (let at = 0; at < data.data.length; at += 4) {
      data.data[at + 3] = data.data[at];
      data.data.fill(255, at, at + 3);
    }
    editor.pen.putImageData(data, 0, 0);
    paint(editor);
  };
  image.src = url;
}

/** @param {MaskEditor} editor @returns {Promise<Blob | null>} */
async function exportMask({ mask, pen, width, height, feather }) {
  const alpha = pen.getImageData(0, 0, width, height).data;
  let isEmpty = true;
  for (let at = 3; at < alpha.length && isEmpty; at += 4) isEmpty = alpha[at] < 8;
  if (isEmpty) return null;
  const out = canvasOf(width, height);
  const to = penOf(out);
  to.fillStyle = "#000";
  to.fillRect(0, 0, width, height);
  to.filter = feather ? `blur(${feather / 2}px)` : "none";
  to.drawImage(mask, 0, 0);
  return new Promise((done) => out.toBlob(done, "image/png"));
}
