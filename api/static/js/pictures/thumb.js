/** Small pictures that keep their place. */

import { h, icon } from "../ui/dom.js";
import { _ } from "../ui/text.js";

const PREVIEW_SIZE = 512;

/**
 * A thumbnail that keeps its place before it loads; an expired one says so.
 * @param {Api.Image} image
 */
export function thumbnail(image, { size = PREVIEW_SIZE, lazy = true, alt = image.alt } = {}) {
  if (image.is_gone)
    return h(
      "div",
      {
        class: "thumb gone",
        style: { aspectRatio: `${image.width} / ${image.height}` },
        role: "img",
        "aria-label": _("Expired picture"),
      },
      icon("clock"),
      h("span", {}, _("Expired")),
    );
  const src = image.thumbnail_url.includes("size=")
    ? image.thumbnail_url
    : `${image.thumbnail_url}${image.thumbnail_url.includes("?") ? "&" : "?"}size=${size}`;
  const node = h("img", {
    class: "thumb",
    src,
    alt,
    width: image.width,
    height: image.height,
    loading: lazy ? "lazy" : "eager",
    decoding: "async",
    draggable: "false",
  });
  node.addEventListener("error", () => node.replaceWith(thumbnail({ ...image, is_gone: true })), { once: true });
  return node;
}
