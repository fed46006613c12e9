/**
 * Drop a picture file on the page: what it was made with opens in Create.
 */

import { api } from "../shell/api.js";
import { toCreate } from "../shell/pass.js";
import { announce, h, icon } from "../ui/dom.js";
import { _ } from "../ui/text.js";
import { toast, toastError } from "../ui/toast.js";

/** @param {DragEvent} event */
const isFileDrag = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

/**
 * Read the parameters out of a file and open Create with them.
 * @param {File} file
 */
export async function recall(file) {
  if (!file.type.startsWith("image/")) {
    return void toast(_("That is not a picture."), { kind: "bad", hint: _("Drop a PNG, JPEG or WebP file.") });
  }
  announce(_("Reading the picture."));
  try {
    const { command, draft } = await api.upload("/api/recall", file);
    if (command) return toCreate({ command, draft });
    const toInput = async () => toCreate({ initImage: await api.upload("/api/uploads", file), mode: "img2img" });
    toast(_("This file does not say how it was made."), {
      hint: _("Sites that re-compress pictures drop it."),
      action: { label: _("Use as input"), run: () => toInput().catch(toastError) },
    });
  } catch (error) {
    toastError(error);
  }
}

/**
 * Take dropped files anywhere on the page.
 * @param {(file: File) => void} onFile
 * @param {string} words what the page says while a file hovers over it
 * @returns {() => void} stops it
 */
export function catchDrops(onFile, words) {
  const sign = h("div", { class: "drop-sign", "aria-hidden": "true", hidden: true }, icon("upload"), h("p", {}, words));
  let depth = 0; // dragenter and dragleave come for every element on the way
  /** @param {number} by */
  const show = (by) => {
    depth = Math.max(0, depth + by);
    sign.hidden = depth === 0;
  };
  /** @type {Record<string, (event: DragEvent) => unknown>} */
  const on = {
    dragenter: (event) => {
      if (!isFileDrag(event)) return;
      event.preventDefault();
      show(1);
    },
    dragleave: (event) => isFileDrag(event) && show(-1),
    dragover: (event) => isFileDrag(event) && event.preventDefault(),
    drop: (event) => {
      if (!isFileDrag(event)) return;
      event.preventDefault();
      show(-depth);
      const [file] = event.dataTransfer?.files ?? [];
      if (file) onFile(file);
    },
  };
  for (const [name, fn] of Object.entries(on)) document.addEventListener(name, /** @type {EventListener} */ (fn));
  document.body.append(sign);
  return () => {
    for (const [name, fn] of Object.entries(on)) document.removeEventListener(name, /** @type {EventListener} */ (fn));
    sign.remove();
  };
}
