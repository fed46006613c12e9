/**
 * Everything known about one picture, with the buttons that copy it.
 */

import { copyText } from "../ui/clipboard.js";
import { button, h } from "../ui/dom.js";
import { _ } from "../ui/text.js";
import { formatBytes, formatSpan, timeAgo } from "../ui/words.js";

/** @type {Record<string, string>} */
const MODES = {
  txt2img: _("From words"),
  img2img: _("From a picture"),
  inpaint: _("Inpainted"),
  upscale: _("Upscaled"),
  restyle: _("Restyled"),
};
/** @type {Record<string, string>} */
const KINDS = {
  "image/png": "PNG",
  "image/jpeg": "JPEG",
  "image/webp": "WebP",
  "image/gif": "GIF",
  "video/mp4": "MP4 video",
  "video/webm": _("WebM video"),
};

/**
 * The side sheet of the lightbox.
 * @param {Picture} picture
 * @returns {DocumentFragment}
 */
export function sheet(picture) {
  const all = document.createDocumentFragment();
  all.append(
    h("h2", {}, _("About this picture")),
    words(_("Prompt"), picture.prompt || _("No prompt")),
    ...(picture.negative_prompt ? [words(_("Negative prompt"), picture.negative_prompt)] : []),
    copies(picture),
    h(
      "dl",
      { class: "facts" },
      facts(picture).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
    ),
  );
  return all;
}

/**
 * @param {string} title
 * @param {string} text
 */
function words(title, text) {
  return h("section", { class: "sheet-words" }, h("h3", {}, title), h("p", {}, text));
}

/** @param {Picture} picture */
function copies(picture) {
  const seed = picture.seed !== null && picture.seed !== undefined;
  const items = [
    seed ? [_("Copy seed"), String(picture.seed), _("Seed copied.")] : [],
    picture.command ? [_("Copy command line"), `/generate ${picture.command}`, _("Command line copied.")] : [],
    [_("Copy parameters"), parametersOf(picture), _("Parameters copied.")],
  ].filter(({ length }) => length);
  const buttons = items.map(([label, text, done]) =>
    button(label, () => copyText(text, done), { class: "btn-small", icon: "copy" }),
  );
  return h("div", { class: "row row-wrap", role: "group", "aria-label": _("Copy") }, buttons);
}

/** @param {Picture} picture */
function facts(picture) {
  const rows = [
    [_("Made"), MODES[picture.mode] ?? picture.mode],
    [_("Model"), picture.model],
    [_("Engine"), picture.engine],
    [_("Size"), picture.width && `${picture.width} × ${picture.height}`],
    [_("Steps"), picture.steps],
    ["CFG scale", picture.cfg_scale],
    [_("Sampler"), picture.sampler],
    [_("Seed"), picture.seed],
    [_("Took"), picture.seconds && formatSpan(picture.seconds)],
    [_("Cost"), picture.cost_usd ? `$${picture.cost_usd.toFixed(4)}` : null],
    [
      _("File"),
      picture.size_bytes && `${KINDS[picture.media_type] ?? picture.media_type}, ${formatBytes(picture.size_bytes)}`,
    ],
    [_("When"), when(picture.created_at)],
    [_("Kept"), kept(picture)],
    [_("Seen by"), picture.is_private ? _("Only you") : _("Everyone here")],
  ];
  return rows.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== 0);
}

/** @param {string} iso */
function when(iso) {
  return iso ? h("time", { datetime: iso, title: new Date(iso).toLocaleString() }, timeAgo(iso)) : null;
}

/** @param {Picture} picture */
function kept(picture) {
  if (picture.is_gone) return _("Expired");
  if (picture.is_favorite) return _("For good: a favourite");
  if (picture.collections?.length) return _("For good: in a collection");
  return picture.expires_at ? h("span", {}, _("Expires "), when(picture.expires_at)) : null;
}

/**
 * The parameters as A1111 writes them; from the server where it gave them.
 * @param {Picture} picture
 */
function parametersOf(picture) {
  if (picture.parameters) return picture.parameters;
  // no text: read by other programs
  const settings = [
    ["Steps", picture.steps],
    ["Sampler", picture.sampler],
    ["CFG scale", picture.cfg_scale],
    ["Seed", picture.seed],
    ["Size", `${picture.width}x${picture.height}`],
    ["Model", picture.model],
  ];
  const known = settings.filter(([, value]) => value !== null && value !== undefined && value !== "");
  // no text: read by other programs
  const negative = picture.negative_prompt ? `\nNegative prompt: ${picture.negative_prompt}` : "";
  return `${picture.prompt}${negative}\n${known.map(([name, value]) => `${name}: ${value}`).join(", ")}`;
}
