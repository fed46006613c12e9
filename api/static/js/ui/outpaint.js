/** The frame of a picture to be outpainted: drag its edges, or take a ready-made zoom or side. */

import { button, h } from "../dom.js";
import { confirmButtons, editorFrame, makeView } from "./editor.js";

const EDGES = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };
const WORDS = { left: "Left", right: "Right", up: "Up", down: "Down" };

/**
 * Make the frame editor. Sizes in pixels of the picture; edges snap to `grid`.
 * @param {{url: string, width: number, height: number, grid?: number, maxSide?: number, onDone: (frame: {left: number,
 *   right: number, up: number, down: number}|{zoom: number}) => void, onCancel: () => void}} spec
 * @returns {HTMLElement & {destroy: () => void}}
 */
export function frameEditor({ url, width, height, grid = 64, maxSide = 2048, onDone, onCancel }) {
  const picture = h("img", { src: url, alt: "", width, height, draggable: "false", class: "frame-source" });
  const handles = Object.keys(EDGES).map((edge) =>
    h("button", {
      type: "button",
      class: `edge edge-${edge}`,
      dataset: { edge },
      "aria-label": `${WORDS[edge]} edge: drag, or use the arrow keys`,
    }),
  );
  const sheet = h("div", { class: "sheet open-sheet" }, picture, handles);
  const words = h("output", { class: "num muted small" });
  const { node, area, bar } = editorFrame("Frame: drag the edges to where the picture shall continue", sheet);
  const most = (a) => Math.max(0, maxSide - (a === 0 ? width : height));
  const editor = { sheet, picture, words, width, height, grid, most, pads: { left: 0, right: 0, up: 0, down: 0 } };
  const reach = { width: width * 1.9, height: height * 1.9 };
  editor.view = makeView(area, sheet, { ...reach, margin: 8 });
  editor.origin = { x: (reach.width - width) / 2, y: (reach.height - height) / 2 };
  const zooms = [1.25, 1.5, 2].map((zoom) =>
    button(`Zoom out ${zoom}×`, () => spread(editor, zoom), { class: "btn-small" }),
  );
  bar.append(
    h(
      "div",
      { class: "row row-wrap" },
      zooms,
      button("Reset", () => spread(editor, 1), { class: "btn-small btn-ghost" }),
    ),
    words,
    ...confirmButtons(
      "Use this frame",
      () => onDone(editor.zoom ? { zoom: editor.zoom } : { ...editor.pads }),
      onCancel,
    ),
  );
  for (const handle of handles) listen(editor, handle);
  draw(editor);
  node.destroy = () => editor.view.destroy();
  return node;
}

function spread(editor, zoom) {
  const x = snap(editor, (editor.width * (zoom - 1)) / 2);
  const y = snap(editor, (editor.height * (zoom - 1)) / 2);
  editor.pads = { left: x, right: x, up: y, down: y };
  editor.zoom = zoom > 1 ? zoom : null;
  draw(editor);
}

const snap = ({ grid }, value) => Math.max(0, Math.round(value / grid) * grid);

function listen(editor, handle) {
  const { edge } = handle.dataset;
  const [dx, dy] = EDGES[edge];
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
    const by = { ArrowLeft: -dx, ArrowRight: dx, ArrowUp: -dy, ArrowDown: dy }[event.key];
    if (!by) return;
    event.preventDefault();
    set(editor, edge, editor.pads[edge] + by * editor.grid);
  });
}

function set(editor, edge, value) {
  const axis = edge === "left" || edge === "right" ? 0 : 1;
  const other = { left: "right", right: "left", up: "down", down: "up" }[edge];
  editor.pads[edge] = snap(editor, Math.min(value, editor.most(axis) - editor.pads[other]));
  editor.zoom = null;
  draw(editor);
}

function draw({ sheet, picture, words, width, height, pads, origin, zoom }) {
  const place = { x: origin.x - pads.left, y: origin.y - pads.up };
  const size = { w: width + pads.left + pads.right, t: height + pads.up + pads.down };
  sheet.style.setProperty("--x", `${place.x}px`);
  sheet.style.setProperty("--y", `${place.y}px`);
  sheet.style.setProperty("--fw", `${size.w}px`);
  sheet.style.setProperty("--fh", `${size.t}px`);
  Object.assign(picture.style, { left: `${origin.x}px`, top: `${origin.y}px` });
  words.textContent = zoom ? `${width} × ${height}, the picture smaller in it` : `${size.w} × ${size.t}`;
}

/**
 * The padded picture and its mask: the old picture in place, its border colours smeared outwards, white where it is
 * new.
 * @returns {Promise<{picture: Blob, mask: Blob}>}
 */
export async function padPicture(url, { left, right, up, down }) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const { naturalWidth: w, naturalHeight: t } = image;
  const canvas = Object.assign(document.createElement("canvas"), { width: w + left + right, height: t + up + down });
  const pen = canvas.getContext("2d");
  smear(pen, image, { left, right, up, down, w, t });
  pen.drawImage(image, left, up);
  const mask = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const ink = mask.getContext("2d");
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, mask.width, mask.height);
  ink.fillStyle = "#000";
  ink.fillRect(left, up, w, t);
  return { picture: await blobOf(canvas), mask: await blobOf(mask) };
}

const blobOf = (canvas) => new Promise((done) => canvas.toBlob(done, "image/png"));

/** Colours to begin from: the picture's own border drawn outwards, so that the new part fits in tone. */
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
