/**
 * The commands of the feed: names as in Discord, what each is for, and how a typed line is taken apart. No page, no
 * API.
 */

import { _ } from "../../ui/text.js";

/** Commands by their first name, in the order `/help` lists them. */
export const COMMANDS = [
  {
    name: "generate",
    aliases: ["gen", "img", "dream", "imagine"],
    usage: "<prompt> [--options]",
    meaning: _("Make a picture"),
  },
  { name: "upscale", aliases: [], usage: "[2|4]", meaning: _("Make the last picture larger") },
  { name: "remix", aliases: ["vary"], usage: "[new prompt]", meaning: _("A variation of the last picture") },
  { name: "describe", aliases: [], usage: "", meaning: _("Find words for the last picture") },
  { name: "inpaint", aliases: [], usage: "", meaning: _("Redraw a part of the last picture, in Create") },
  { name: "outpaint", aliases: [], usage: "", meaning: _("Continue the last picture beyond its edges, in Create") },
  { name: "style", aliases: ["styles"], usage: "[style] [prompt]", meaning: _("List the styles, or draw in one") },
  { name: "pnginfo", aliases: [], usage: "", meaning: _("Read how the picture you attach or reply to was made") },
  { name: "compare", aliases: [], usage: "<prompt> [--options]", meaning: _("The same prompt on several engines") },
  { name: "models", aliases: ["sdmodels", "list_models"], usage: "[words]", meaning: _("List the models you can use") },
  { name: "queue", aliases: [], usage: "", meaning: _("How busy it is, and where your pictures stand") },
  {
    name: "cancel",
    aliases: ["stop"],
    usage: "[job|all]",
    meaning: _("Cancel your pictures that wait or are being drawn"),
  },
  { name: "status", aliases: ["engines"], usage: "", meaning: _("How every engine is doing, and why one is down") },
  { name: "stats", aliases: [], usage: "", meaning: _("What was drawn today, how fast, and what went wrong") },
  { name: "sdconnect", aliases: ["sdlink"], usage: "<kind> <address> [key]", meaning: _("Bring your own engine") },
  { name: "sdtest", aliases: [], usage: "", meaning: _("Test your engine") },
  { name: "sddisconnect", aliases: [], usage: "", meaning: _("Forget your engine and its key") },
  { name: "gallery", aliases: ["history", "favourites", "favorites"], usage: "", meaning: _("Open the gallery") },
  { name: "help", aliases: ["?", "h"], usage: "", meaning: _("How to make pictures here") },
];

const BY_NAME = new Map(
  COMMANDS.flatMap((command) => [command.name, ...command.aliases].map((name) => [name, command])),
);
const COMMAND_LINE = /^[/!]\s?([\p{L}_?]+)(?:\s+|$)(.*)$/su;
const MAX_SLIPS = 3; // more wrong letters than that is another word

/**
 * Take a line apart.
 * @param {string} line
 * @returns {{kind: "empty"} | {kind: "prompt", text: string} | {kind: "command", command: Command, text: string, word:
 *   string}
 *   | {kind: "unknown", word: string, nearest: Command | null, text: string}}
 */
export function parseLine(line) {
  const text = line.trim();
  if (!text) return { kind: "empty" };
  const [, word, rest] = COMMAND_LINE.exec(text) ?? [];
  if (!word) return { kind: "prompt", text };
  const command = BY_NAME.get(word.toLowerCase());
  if (command) return { kind: "command", command, text: rest.trim(), word: word.toLowerCase() };
  return { kind: "unknown", word, nearest: nearest(word.toLowerCase()), text: rest.trim() };
}

/**
 * The command whose name is closest to a word.
 * @param {string} word
 * @returns {Command | null}
 */
export function nearest(word) {
  /** @type {{ slips: number, command: Command } | null} */
  let best = null;
  for (const [name, command] of BY_NAME) {
    if (name.length < 2) continue; // every single character is one slip away from another
    const slips = name.startsWith(word) && word.length > 1 ? 1 : distance(word, name);
    if (!best || slips < best.slips) best = { slips, command };
  }
  return best && best.slips <= Math.min(MAX_SLIPS, Math.max(1, Math.floor(word.length / 2))) ? best.command : null;
}

/**
 * Commands that fit what has been typed so far, best first, each under the name that fits.
 * @param {string} word
 * @returns {{name: string, command: Command}[]}
 */
export function matching(word) {
  const typed = word.toLowerCase();
  const found = COMMANDS.flatMap((command) => {
    const names = [command.name, ...command.aliases];
    const name = names.find((each) => each.startsWith(typed)) ?? names.find((each) => each.includes(typed));
    const ownRank = name === command.name ? 0 : 1;
    return name ? [{ name, command, rank: name.startsWith(typed) ? ownRank : 2 }] : [];
  });
  return found.sort((first, two) => first.rank - two.rank);
}

/**
 * Wrong, missing, extra and swapped letters between two words (Damerau-Levenshtein, restricted).
 * @param {string} first
 * @param {string} two
 */
function distance(first, two) {
  const rows = [[...Array(two.length + 1).keys()]];
  for (let i = 1; i <= first.length; i += 1) {
    rows.push([i]);
    for (let j = 1; j <= two.length; j += 1) {
      const cost = first[i - 1] === two[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost);
      if (i > 1 && j > 1 && first[i - 1] === two[j - 2] && first[i - 2] === two[j - 1])
        least = Math.min(least, rows[i - 2][j - 2] + 1);
      rows[i].push(least);
    }
  }
  return rows[first.length][two.length];
}
