/** Videos among the pictures: told apart by their media type, played by the browser, marked where only a still is shown. */
import { h } from "../dom.js";

/** @param {object} image Image or Picture @returns {boolean} */
export const isVideo = (image) => Boolean(image?.media_type?.startsWith("video/"));

/**
 * A player; the browser asks the server for the parts it needs.
 * @param {object} image
 * @param {string} poster the address of its still
 * @param {object} [props]
 * @returns {HTMLVideoElement}
 */
export function player(image, poster, props = {}) {
  const node = h("video", { src: image.url, poster, controls: true, loop: true, playsinline: true, preload: "metadata", width: image.width, height: image.height, "aria-label": image.alt || "Generated video", ...props });
  node.muted = true; // an attribute would not be heeded on an element that was made by a script
  return node;
}
