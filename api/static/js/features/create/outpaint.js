/** The frame of a picture to be outpainted: drag its edges, or take a ready-made zoom or side. */

import { button, h } from "../../ui/dom.js";
import { _ } from "../../ui/text.js";
import { confirmButtons, editorFrame, makeView } from "./editor.js";

/** @type {Record<Edge, [number, number]>} */
const EDGES = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };
/** @type {Edge[]} */
const EDGE_NAMES = ["left", "right", "up", "down"];
/** @type {Record<Edge, Edge>} */
const OPPOSITE = { left: "right", right: "left", up: "down", down: "up" };
/** @type {Record<Edge, string>} */
const WORDS = { left: _("Left"), right: _("Right"), up: _("Up"), down: _("Down") };

/**
 * Make the frame editor. Sizes in pixels of the picture; edges snap to `grid`.
 * @param {{ url: string, width: number, height: number, grid?: number, maxSide?: number,
 *   onDone: (frame: FrameChoice) => unknown, onCancel: () => void }} spec
 * @returns {Editor}
 */
export function frameEditor({ url, width, height, grid = 64, maxSide = 2048, onDone, onCancel }) {
  const picture = h("img", { src: url, alt: "", width, height, draggable: "false", class: "frame-source" });
  const handles = EDGE_NAMES.map((edge) =>
    h("button", {
      type: "button",
      class: `edge edge-${edge}`,
      dataset: { edge },
      "aria-label": _("{edge} edge: drag, or use the arrow keys", { edge: WORDS[edge] }),
    }),
  );
  const sheet = h("div", { class: "sheet open-sheet" }, picture, handles);
  const words = h("output", { class: "num muted small" });
  const { node, area, bar } = editorFrame(_("Frame: drag the edges to where the picture should continue"), sheet);
  const reach = { width: width * 1.9, height: height * 1.9 };
  /** @type {FrameEditor} */
  const editor = {
    sheet,
    picture,
    words,
    width,
    height,
    grid,
    most: (axis) => Math.max(0, maxSide - (axis === 0 ? width : height)),
    pads: { left: 0, right: 0, up: 0, down: 0 },
    view: makeView(area, sheet, { ...reach, margin: 8 }),
    origin: { x: (reach.width - width) / 2, y: (reach.height - height) / 2 },
    zoom: null,
  };
  const zooms = [1.25, 1.5, 2].map((zoom) =>
    button(_("Zoom out {zoom}×", { zoom }), () => spread(editor, zoom), { class: "btn-small" }),
  );
  bar.append(
    h(
      "div",
      { class: "row row-wrap" },
      zooms,
      button(_("Reset"), () => spread(editor, 1), { class: "btn-small btn-ghost" }),
    ),
    words,
    ...confirmButtons(
      _("Use this frame"),
      () => onDone(editor.zoom ? { zoom: editor.zoom } : { ...editor.pads }),
      onCancel,
    ),
  );
  EDGE_NAMES.forEach((edge, at) => listen(editor, handles[at], edge));
  draw(editor);
  return Object.assign(node, { destroy: () => editor.view.destroy() });
}

/**
 * @param {FrameEditor} editor
 * @param {number} zoom
 */
function spread(editor, zoom) {
  const x = snap(editor, (editor.width * (zoom - 1)) / 2);
  const y = snap(editor, (editor.height * (zoom - 1)) / 2);
  editor.pads = { left: x, right: x, up: y, down: y };
  editor.zoom = zoom > 1 ? zoom : null;
  draw(editor);
}

/**
 * @param {FrameEditor} editor
 * @param {number} value
 */
const snap = ({ grid }, value) => Math.max(0, Math.round(value / grid) * grid);

/**
 * @param {FrameEditor} editor
 * @param {HTMLElement} handle
 * @param {Edge} edge
 */
function listen(editor, handle, edge) {
  const [dx, dy] = EDGES[edge];
  /** @type {(Point & { pad: number }) | null} */
  let from = null;
  handle.addEventListener("pointerdown", (event) => {
    event.stopPropagation();
    handle.setPointerCapture(event.pointerId);
    from = { x: event.clientX, y: event.clientY, pad: editor.pads[edge] };
  });
  handle.addEventListener("pointermove", (event) => {
    if (!from) return;
    const moved = ((event.clientX - from.x) * dx + (event.clientY - from.y) * dy) / editor.view.scale();
    set(editor, edge, from.pad + moved);
  });
  for (const kind of ["pointerup", "pointercancel"]) handle.addEventListener(kind, () => (from = null));
  handle.addEventListener("keydown", (event) => {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -dx, ArrowRight: dx, ArrowUp: -dy, ArrowDown: dy };
    const by = steps[event.key];
    if (!by) return;
    event.preventDefault();
    set(editor, edge, editor.pads[edge] + by * editor.grid);
  });
}

/**
 * @param {FrameEditor} editor
 * @param {Edge} edge
 * @param {number} value
 */
function set(editor, edge, value) {
  const axis = edge === "left" || edge === "right" ? 0 : 1;
  const other = OPPOSITE[edge];
  editor.pads[edge] = snap(editor, Math.min(value, editor.most(axis) - editor.pads[other]));
  editor.zoom = null;
  draw(editor);
}

/** @param {FrameEditor} editor */
function draw({ sheet, picture, words, width, height, pads, origin, zoom }) {
  const place = { x: origin.x - pads.left, y: origin.y - pads.up };
  const size = { w: width + pads.left + pads.right, t: height + pads.up + pads.down };
  sheet.style.setProperty("--x", `${place.x}px`);
  sheet.style.setProperty("--y", `${place.y}px`);
  sheet.style.setProperty("--fw", `${size.w}px`);
  sheet.style.setProperty("--fh", `${size.t}px`);
  Object.assign(picture.style, { left: `${origin.x}px`, top: `${origin.y}px` });
  words.textContent = zoom
    ? _("{width} × {height}, the picture smaller in it", { width, height })
    : `${size.w} × ${size.t}`;
}

/**
 * The padded picture and its mask: the old picture in place, its border colours smeared outwards, white where it is
 * new.
 * @param {string} url
 * @param {Pads} pads
 * @returns {Promise<{picture: Blob, mask: Blob}>}
 */
export async function padPicture(url, { left, right, up, down }) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const { naturalWidth: w, naturalHeight: t } = image;
  const canvas = Object.assign(document.createElement("canvas"), { width: w + left + right, height: t + up + down });
  const pen = penOf(canvas);
  smear(pen, image, { left, right, up, down, w, t });
  pen.drawImage(image, left, up);
  const mask = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const ink = penOf(mask);
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, mask.width, mask.height);
  ink.fillStyle = "#000";
  ink.fillRect(left, up, w, t);
  return { picture: await blobOf(canvas), mask: await blobOf(mask) };
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
const blobOf = (canvas) =>
  new Promise((done, fail) =>
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("The picture could not be written."))), "image/png"),
  );

/** @param {HTMLCanvasElement} canvas */
const penOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

/**
 * Colours to begin from: the picture's own border drawn outwards, so that the new part fits in tone.
 * @param {CanvasRenderingContext2D} pen
 * @param {HTMLImageElement} image
 * @param {Pads & { w: number, t: number }} sizes
 */
function smear(pen, image, { left, right, up, down, w, t }) {
  const strips = [
    [0, 0, 1, t, 0, up, left, t],
    [w - 1, 0, 1, t, left + w, up, right, t],
    [0, 0, w, 1, left, 0, w, up],
    [0, t - 1, w, 1, left, up + t, w, down],
    [0, 0, 1, 1, 0, 0, left, up],
    [w - 1, 0, 1, 1, left + w, 0, right, up],
    [0, t - 1, 1, 1, 0, up + t, left, down],
    [w - 1, t - 1, 1, 1, left + w, up + t, right, down],
  ];
  for (const [sx, sy, sw, sh, dx, dy, dw, dh] of strips)
    if (dw && dh) pen.drawImage(image, sx, sy, sw, sh, dx, dy, dw, dh);
}
