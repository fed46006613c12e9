/** Figures in words: spans, moments, sizes, sums. Pure. */

import { _ } from "./text.js";

/** 8 -> "8 s", 75 -> "1 min 15 s", 4000 -> "1 h 6 min". @param {number | null | undefined} seconds */
export function formatSpan(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  const s = Math.max(0, seconds);
  if (s < 10) return `${s < 1 ? Math.max(0.1, s).toFixed(1) : Math.round(s)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  const whole = Math.round(s);
  if (whole < 3600)
    return whole % 60 && whole < 600
      ? _("{floor} min {whole} s", { floor: Math.floor(whole / 60), whole: whole % 60 })
      : _("{round} min", { round: Math.round(whole / 60) });
  if (whole < 86400)
    return _("{floor} h {floor2} min", { floor: Math.floor(whole / 3600), floor2: Math.floor((whole % 3600) / 60) });
  return `${Math.round(whole / 86400)} d`;
}

/**
 * "just now", "4 min ago", "in 3 h", or the date when it is longer than a week.
 * @param {string | null | undefined} iso
 */
export function timeAgo(iso) {
  if (!iso) return "";
  const then = new Date(iso);
  const s = (Date.now() - then.getTime()) / 1000;
  if (Math.abs(s) < 45) return _("just now");
  if (Math.abs(s) > 7 * 86400)
    return then.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
  const span = roughly(Math.abs(s));
  return s > 0 ? _("{span} ago", { span }) : _("in {span}", { span });
}

/** @param {number} s */
function roughly(s) {
  if (s < 3570) return _("{round} min", { round: Math.round(s / 60) });
  return s < 86400 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

/** 1536000 -> "1.5 MB". @param {number} n */
export function formatBytes(n) {
  if (n < 1000) return `${n} B`;
  return n < 1e6 ? `${Math.round(n / 1e3)} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

/**
 * 0.0123 -> "$0.012", 12.5 -> "$12.50", 0 -> "$0".
 * @param {number} usd
 */
export function money(usd) {
  if (!usd) return "$0";
  return `$${usd < 0.1 ? +usd.toFixed(usd < 0.01 ? 4 : 3) : usd.toFixed(2)}`;
}

/**
 * 0.934 -> "93 %"; unknown stays a dash.
 * @param {number | null} share
 */
export function percent(share) {
  if (share === null || share === undefined) return "–";
  const value = share * 100;
  return `${value > 99 && value < 100 ? value.toFixed(1) : Math.round(value)} %`;
}
