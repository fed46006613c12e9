/** Videos among the pictures, played by the browser. */

import { h } from "../ui/dom.js";
import { _ } from "../ui/text.js";

/**
 * A player; the browser asks the server for the parts it needs.
 * @param {Api.Image} image
 * @param {string} poster the address of its still
 * @param {object} [props]
 * @returns {HTMLVideoElement}
 */
export function player(image, poster, props = {}) {
  const node = h("video", {
    src: image.url,
    poster,
    controls: true,
    loop: true,
    playsinline: true,
    preload: "metadata",
    width: image.width,
    height: image.height,
    "aria-label": image.alt || _("Generated video"),
    ...props,
  });
  node.muted = true; // an attribute would not be heeded on an element that was made by a script
  return node;
}

/**
 * Whether it is a video: its thumbnail is a still then.
 * @param {Api.Image} image
 */
export const isVideo = (image) => Boolean(image.media_type?.startsWith("video/"));
