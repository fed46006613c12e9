/**
 * Does what a typed line says: prompts and commands through the API, answers back as messages.
 */

import { VARY_STRENGTH } from "../../pictures/actions.js";
import { ask, compare as askToCompare } from "../../pictures/paying.js";
import { withStyles } from "../../pictures/prompt.js";
import { api } from "../../shell/api.js";
import { events } from "../../shell/events.js";
import { toCreate } from "../../shell/pass.js";
import { go } from "../../shell/router.js";
import { button, h } from "../../ui/dom.js";
import { ApiError } from "../../ui/errors.js";
import { _, _n } from "../../ui/text.js";
import { answer, help, models, parameters, queue, refusal, stats, status, styles } from "./answers.js";
import { parseLine } from "./commands.js";
import { connect, disconnect, test, usage } from "./connect.js";

const SHOWN_CHARS = 120;

/**
 * Run one line.
 * @param {string} line
 * @param {FeedDoors} feed `target` is the picture that is meant when none is named
 * @returns {Promise<boolean>} false if it was refused, so that the line can go back into the box
 */
export async function run(line, feed) {
  const parsed = parseLine(line);
  const typed = line.trim().slice(0, SHOWN_CHARS);
  try {
    if (parsed.kind === "empty" && !feed.attached()) return false;
    if (parsed.kind === "empty") await make("", feed);
    else if (parsed.kind === "prompt") await make(parsed.text, feed);
    else if (parsed.kind === "unknown") unknown(parsed, feed);
    else await DO[parsed.command.name]({ text: parsed.text, typed, feed });
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    feed.say(refusal(hideKey(typed), error));
    return false;
  }
}

/**
 * A line without the key that may be in it.
 * @param {string} line
 * @returns {string}
 */
export function hideKey(line) {
  return line.replace(/^([/!]\s?(?:sdconnect|sdlink)\s+\S+\s+\S+)\s+.+$/is, "$1 …");
}

/** @type {Record<string, (asked: Asked) => unknown>} */
const DO = {
  generate: ({ text, typed, feed }) =>
    text || feed.attached()
      ? make(text, feed)
      : feed.say(
          answer(typed, _("Say what you would like to see, for example: /generate a red fox in the snow --steps 30")),
        ),
  upscale: (asked) => upscale(asked),
  remix: (asked) => remix(asked),
  describe: (asked) => describe(asked),
  inpaint: (asked) => open(asked, "inpaint"),
  outpaint: (asked) => open(asked, "outpaint"),
  style: (asked) => style(asked),
  pnginfo: (asked) => pnginfo(asked),
  compare: (asked) => compare(asked),
  models: async ({ text, typed, feed }) =>
    feed.say(models(typed, (await api.get("/api/engines")).engines, text, feed.fillBox, await usage())),
  queue: async ({ typed, feed }) => {
    const [{ engines }, { jobs }] = await Promise.all([
      api.get("/api/engines"),
      api.get("/api/jobs", { scope: "active", limit: 50 }),
    ]);
    feed.say(
      queue(
        typed,
        engines,
        jobs.filter(({ is_mine: isMine }) => isMine),
      ),
    );
  },
  cancel: (asked) => cancel(asked),
  status: async ({ typed, feed }) => feed.say(status(typed, (await api.get("/api/engines")).engines)),
  stats: async ({ typed, feed }) => feed.say(stats(typed, await api.get("/api/dashboard", { days: 1 }))),
  sdconnect: ({ text, typed, feed }) => connect(text, hideKey(typed), feed),
  sdtest: ({ typed, feed }) => test(typed, feed),
  sddisconnect: ({ typed, feed }) => disconnect(typed, feed),
  gallery: () => go("gallery"),
  help: async ({ typed, feed }) =>
    feed.say(help(typed, (await api.get("/api/options").catch(() => ({ options: [] }))).options, feed.fillBox)),
};

/**
 * Submit a prompt; an attached or replied-to picture goes in with it.
 * @param {string} text
 * @param {FeedDoors} feed
 */
async function make(text, feed, more = {}) {
  const reply = feed.reply();
  const init = feed.attached()?.media_id ?? reply?.id;
  const body = { text, ...(init ? { init_image: init } : {}), ...(reply ? { reply_to: reply.job_id } : {}), ...more };
  show(await ask("/api/jobs", body), feed);
}

/**
 * Show new jobs; what the parser remarked is shown where the jobs do not carry it.
 * @param {Api.Submitted | null} submitted
 * @param {FeedDoors} feed
 */
function show(submitted, feed) {
  if (!submitted) return; // the price was not agreed to
  const { jobs, notes } = submitted;
  for (const job of jobs) events.put(job);
  const untold = notes.filter((note) => !jobs.some((job) => job.notes.includes(note)));
  if (untold.length) feed.say(answer("", ...untold));
}

const NO_PICTURE = _("There is no picture to work on yet. Attach one, press Reply on one, or make one first.");

/**
 * Run a job from the meant picture, attached or made here.
 * @param {FeedDoors} feed
 * @param {object} changes
 */
async function from(feed, changes) {
  const attached = feed.attached();
  const picture = attached ? null : feed.target();
  if (attached) show(await ask("/api/jobs", { ...changes, init_image: attached.media_id }), feed);
  else if (!picture) feed.say(answer("", NO_PICTURE));
  else show(await ask(`/api/jobs/${picture.job_id}/again`, { image: picture.id, changes }), feed);
}

/** @param {Asked} asked */
async function upscale({ text, typed, feed }) {
  const factor = Number(text.replace(/x$/i, "") || 2);
  if (!(factor > 1 && factor <= 8))
    return feed.say(
      answer(typed, _("“{text}” is not a factor to upscale by. Try /upscale 2 or /upscale 4.", { text })),
    );
  await from(feed, { mode: "upscale", upscale_factor: factor, batch_size: 1 });
}

/** @param {Asked} asked */
const remix = ({ text, feed }) =>
  from(
    feed,
    text
      ? { text, ...(/--strength\b/.test(text) ? {} : { denoising_strength: VARY_STRENGTH }) }
      : { denoising_strength: VARY_STRENGTH },
  );

/** @param {Asked} asked */
async function describe({ typed, feed }) {
  const id = feed.attached()?.media_id ?? feed.target()?.id;
  if (!id) return feed.say(answer(typed, NO_PICTURE));
  const { text, engine } = await api.post("/api/describe", { media_id: id });
  const use = button(_("Use as prompt"), () => feed.fillBox(text), { class: "btn-small", icon: "text" });
  feed.say(
    answer(
      typed,
      h("blockquote", { class: "quote" }, text),
      h("div", { class: "row" }, use, h("span", { class: "faint small" }, engine && _("seen by {engine}", { engine }))),
    ),
  );
}

/**
 * An attached file as it is on disk, because what is uploaded loses its parameters; else the picture that is meant.
 * @param {Asked} asked
 */
async function pnginfo({ typed, feed }) {
  const url = feed.target()?.url;
  const file = feed.file() ?? (url && (await api.get(url, null, { as: "blob" })));
  feed.say(file ? parameters(typed, await api.upload("/api/recall", file), feed.fillBox) : answer(typed, NO_PICTURE));
}

/**
 * `/style cyberpunk a city`: that style's words come after the prompt; names are compared without case and hyphens.
 * @param {Asked} asked
 */
async function style({ text, typed, feed }) {
  const { styles: all } = await api.get("/api/styles");
  if (!text) return feed.say(styles(typed, all, feed.fillBox));
  /** @param {string} words */
  const plain = (words) => words.toLowerCase().replace(/[-\s]/g, " ");
  const names = all.flatMap((item) => [item.id, item.name].map((name) => ({ name, value: item.value })));
  const [found] = names
    .filter(({ name }) => `${plain(text)} `.startsWith(`${plain(name)} `))
    .sort((item, two) => two.name.length - item.name.length);
  if (!found)
    return feed.say(
      answer(
        typed,
        _("There is no style “{text}”. Available: {names}.", {
          text: text.split(" ")[0],
          names: all.map(({ id }) => id).join(", "),
        }),
      ),
    );
  const prompt = text.slice(found.name.length).trim();
  if (!prompt && !feed.attached() && !feed.reply())
    return feed.say(
      answer(typed, _("Say what to draw in it, for example: /style {name} a city", { name: found.name })),
    );
  return make(withStyles(prompt, [found.value]), feed);
}

/** @param {Asked} asked @param {Edit} mode */
function open({ typed, feed }, mode) {
  const picture = feed.attached() ?? feed.target();
  if (!picture) return feed.say(answer(typed, NO_PICTURE));
  return toCreate({ command: "command" in picture ? picture.command : "", initImage: picture, mode });
}

/**
 * The same words and seed on several engines, in a view of its own.
 * @param {Asked} asked
 */
async function compare({ text, typed, feed }) {
  if (!text)
    return feed.say(answer(typed, _("Say what to compare, for example: /compare a red fox in the snow --steps 20")));
  const found = await askToCompare({ text });
  if (!found) return; // the price was not agreed to
  for (const { job } of found.contenders) if (job) events.put(job);
  go(`comparison/${found.id}`);
}

/** @param {Asked} asked */
async function cancel({ text, typed, feed }) {
  const { jobs } = await api.get("/api/jobs", { scope: "active", limit: 200 });
  const own = jobs.filter(({ is_mine: isMine }) => isMine);
  const word = text.replace(/^#/, "").toLowerCase();
  const meant =
    !word || word === "all"
      ? own
      : own.filter(({ id, short_id: short }) => id === word || short.toLowerCase() === word);
  if (!meant.length) {
    return feed.say(
      answer(
        typed,
        own.length
          ? _("You have no job {text}. Yours are: {names}.", {
              text,
              names: own.map(({ short_id: short }) => short).join(", "),
            })
          : _("You have nothing waiting and nothing being drawn."),
      ),
    );
  }
  for (const job of meant) events.put(await api.post(`/api/jobs/${job.id}/cancel`));
  feed.say(answer(typed, _n("Cancelled.", "Cancelled {n} of your pictures.", meant.length)));
}

/** @param {{ word: string, nearest: Command | null, text: string }} parsed @param {FeedDoors} feed */
function unknown({ word, nearest, text }, feed) {
  const correction = nearest && `/${nearest.name}${text ? ` ${text}` : ""}`;
  const use =
    correction &&
    button(correction.length > 60 ? `/${nearest.name} …` : correction, () => feed.fillBox(correction), {
      class: "btn-small",
    });
  feed.say(
    answer(
      `/${word}`,
      nearest
        ? _("There is no command /{word}. Did you mean /{name}?", { word, name: nearest.name })
        : _("There is no command /{word}. /help lists them all.", { word }),
      use,
    ),
  );
}
