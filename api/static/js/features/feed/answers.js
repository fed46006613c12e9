/**
 * What Easel answers to a command: messages that only the one who typed sees.
 */

import { statusText } from "../../pictures/job-text.js";
import { button, h, icon } from "../../ui/dom.js";
import { asApiError } from "../../ui/errors.js";
import { _, _n, _nodes } from "../../ui/text.js";
import { formatSpan, percent } from "../../ui/words.js";
import { COMMANDS } from "./commands.js";

const MODELS_SHOWN = 25;
const NAMES_SHOWN = 200;
/** The lists beside the models: words, and where they come from. @type {[string, ...NameList[]][]} */
const OTHER_LISTS = [
  [_("LoRAs"), "loras"],
  ["VAEs", "vaes"],
  [_("Upscalers"), "upscalers"],
  [_("ControlNets"), "controls", "control_models"],
  [_("Embeddings"), "embeddings"],
  [_("Samplers"), "samplers"],
  [_("Schedulers"), "schedulers"],
  [_("Styles"), "styles"],
];
/** @type {Record<string, [string, string]>} */
const STATES = {
  up: ["good", "ready"],
  busy: ["busy", "busy"],
  paused: ["paused", "paused"],
  down: ["down", _("not answering")],
  unknown: ["", _("not asked yet")],
};
// no text: prompts are not translated
const EXAMPLES = [
  "a red fox in the snow",
  "portrait of Riley --negative ugly, blurry, distorted",
  "cyberpunk cityscape --size 768x512 --steps 30",
  "a castle at sunset, watercolor --ar 16:9 --seed 42",
  "a cozy cabin in the woods --batch 4",
];

/**
 * A message from Easel.
 * @param {string} line what was typed; keys never reach this
 * @param {Child[]} parts
 * @returns {HTMLElement}
 */
export function answer(line, ...parts) {
  const node = h(
    "article",
    { class: "msg msg-easel" },
    h("span", { class: "avatar is-easel", "aria-hidden": "true" }, icon("create")),
    h(
      "div",
      { class: "msg-body" },
      h(
        "header",
        { class: "msg-head" },
        h("strong", {}, "Easel"),
        line && h("code", { class: "msg-said clip" }, line),
        h("span", { class: "faint small" }, _("only you see this")),
      ),
      parts.map((part) => (typeof part === "string" ? h("p", {}, part) : part)),
    ),
  );
  return node;
}

/**
 * Something went wrong: what, and what to do.
 * @param {string} line
 * @param {unknown} error
 * @returns {HTMLElement}
 */
export function refusal(line, error) {
  const { message, hint } = asApiError(error);
  return answer(
    line,
    h(
      "div",
      { class: "notice notice-bad" },
      icon("warning"),
      h("div", {}, h("p", {}, message), hint && h("p", { class: "muted" }, hint)),
    ),
  );
}

/**
 * `/help`.
 * @param {string} line
 * @param {Api.Option[]} options the table of the API
 * @param {(text: string) => void} onTry
 */
export function help(line, options, onTry) {
  const examples = EXAMPLES.map((text) =>
    h("li", {}, h("button", { type: "button", class: "example", on: { click: () => onTry(text) } }, text)),
  );
  const commands = COMMANDS.map(({ name, usage, meaning }) => pair(`/${name} ${usage}`.trim(), meaning));
  const rows = options.map(({ example, flags, meaning }) => pair(example || flags[0], meaning));
  return answer(
    line,
    _("Say what you would like to see; options go behind it. Press an example to take it:"),
    h("ul", { class: "examples" }, examples),
    h("details", { class: "fold", open: true }, h("summary", {}, _("Commands")), h("dl", { class: "terms" }, commands)),
    rows.length > 0 &&
      h(
        "details",
        { class: "fold" },
        h("summary", {}, _("All options ({count})", { count: rows.length })),
        h("dl", { class: "terms" }, rows),
      ),
  );
}

/** @param {string} term @param {string} meaning */
const pair = (term, meaning) => [h("dt", {}, h("code", {}, term)), h("dd", {}, meaning)];

/**
 * `/models`: numbered, 25 at a time.
 * @param {string} line
 * @param {Api.Engine[]} engines
 * @param {string} words
 * @param {(text: string) => void} onTry
 * @param {string} usage
 */
export function models(line, engines, words, onTry, usage) {
  const own = engines.filter(({ is_fallback: isFallback }) => !isFallback);
  if (!own.length) {
    return answer(
      line,
      h(
        "p",
        {},
        _nodes("No SD API connected. Connect one: {usage} or on the {page}.", {
          usage: h("code", {}, usage),
          page: h("a", { href: "#/engines" }, _("Engines page")),
        }),
      ),
      engines.length > 0 &&
        h(
          "p",
          { class: "muted" },
          _("Until then pictures are made by {names}.", { names: engines.map(({ label }) => label).join(", ") }),
        ),
    );
  }
  const hasAny = own.some(({ capabilities }) => capabilities?.models?.length);
  const lists = own.map((engine) => [
    modelList(engine, words.toLowerCase(), onTry),
    otherLists(engine, words.toLowerCase()),
  ]);
  return answer(
    line,
    lists,
    hasAny && h("p", { class: "faint small" }, _("Press a model to use it: it fills in --model.")),
  );
}

/**
 * Everything else an engine has by name, each list folded; a list without a match is left out.
 * @param {Api.Engine} engine
 * @param {string} words
 */
function otherLists(engine, words) {
  const offered = engine.capabilities;
  if (!offered) return null;
  return OTHER_LISTS.map(([title, ...keys]) => {
    const names = [...new Set(keys.flatMap((key) => offered[key] ?? []))].filter((name) =>
      name.toLowerCase().includes(words),
    );
    const rest = names.length - NAMES_SHOWN;
    const first = names.slice(0, NAMES_SHOWN).join(", ");
    const text = rest > 0 ? _("{names} and {rest} more", { names: first, rest }) : first;
    return (
      names.length > 0 &&
      h("details", {}, h("summary", {}, `${title} (${names.length})`), h("p", { class: "small" }, text))
    );
  });
}

/**
 * @param {Api.Engine} engine
 * @param {string} words
 * @param {(text: string) => void} onTry
 */
function modelList(engine, words, onTry) {
  const head = h("h2", {}, _("Available models · {label}", { label: engine.label }));
  if (!engine.capabilities) return [head, h("p", { class: "muted" }, engine.error || _("It has not answered yet."))];
  const all = (engine.capabilities.models ?? []).map((model, i) => ({ ...model, number: i + 1 }));
  const found = all.filter(({ title, name }) => `${title} ${name}`.toLowerCase().includes(words));
  if (!found.length)
    return [
      head,
      h(
        "p",
        { class: "muted" },
        all.length
          ? _("None of its {count} models matches “{words}”.", { count: all.length, words })
          : _("This engine has nothing to choose from."),
      ),
    ];
  const list = h("ol", { class: "models" });
  const more = button("", () => show(), { class: "btn-small" });
  const row = (/** @type {Api.Model & { number: number }} */ { number, name, title, is_loaded: isLoaded }) =>
    h(
      "li",
      {},
      h("span", { class: "faint num" }, `${number}.`),
      h(
        "button",
        {
          type: "button",
          class: "example",
          title: name,
          on: { click: () => onTry(`--model ${/\s/.test(title) ? `"${title}"` : title}`) },
        },
        title,
      ),
      isLoaded && h("span", { class: "badge badge-good" }, "loaded"),
    );
  const show = () => {
    const from = list.children.length;
    list.append(...found.slice(from, from + MODELS_SHOWN).map(row));
    more.hidden = list.children.length >= found.length;
    more.textContent = _("Show {more} more of {all}", {
      more: Math.min(MODELS_SHOWN, found.length - list.children.length),
      all: found.length,
    });
  };
  show();
  return [head, list, more];
}

/**
 * `/queue`: engines, then your own jobs.
 * @param {string} line
 * @param {Api.Engine[]} engines
 * @param {Api.Job[]} jobs
 */
export function queue(line, engines, jobs) {
  const rows = jobs.map((job) =>
    h(
      "li",
      {},
      h("code", {}, job.short_id),
      h("span", { class: "muted" }, statusText(job)),
      h("span", { class: "clip grow" }, job.prompt),
    ),
  );
  return answer(
    line,
    h("ul", { class: "lines" }, engines.map(load)),
    h("h2", {}, jobs.length ? _("Your pictures") : _("You have nothing waiting.")),
    rows.length > 0 && h("ul", { class: "lines" }, rows),
  );
}

/** @param {Api.Engine} engine */
function load(engine) {
  const { running, waiting } = engine;
  const jobs = _("{running} being drawn, {waiting} waiting", { running, waiting });
  const wait = engine.wait_s >= 1 && _("about {span} to wait", { span: formatSpan(engine.wait_s) });
  const busy = running || waiting ? [jobs, wait].filter(Boolean).join(", ") : _("free");
  const words = engine.state === "down" ? engine.error || _("not answering") : busy;
  return h(
    "li",
    {},
    h("span", { class: `dot dot-${STATES[engine.state]?.[0] ?? ""}` }),
    h("strong", {}, engine.label),
    h("span", { class: "muted" }, words),
  );
}

/**
 * `/status`: every engine, and why one is down.
 * @param {string} line
 * @param {Api.Engine[]} engines
 */
export function status(line, engines) {
  const rows = engines.map((engine) => {
    const [sign, words] = STATES[engine.state] ?? STATES.unknown;
    const speed = engine.seconds_per_job
      ? _("about {span} a picture", { span: formatSpan(engine.seconds_per_job) })
      : "";
    const why =
      engine.state === "down"
        ? [engine.error, engine.hint].filter(Boolean).join(" ")
        : [speed, engine.price].filter(Boolean).join(" · ");
    return h(
      "li",
      {},
      h("span", { class: `dot dot-${sign}` }),
      h("strong", {}, engine.label),
      h("span", { class: "muted" }, [words, why].filter(Boolean).join(" · ")),
    );
  });
  return answer(
    line,
    rows.length ? h("ul", { class: "lines" }, rows) : _("No engine is set up."),
    h("p", { class: "small" }, h("a", { href: "#/engines" }, _("Open Engines"))),
  );
}

/**
 * `/style` without a prompt: all styles.
 * @param {string} line
 * @param {Api.Style[]} all
 * @param {(text: string) => void} onTry
 */
export function styles(line, all, onTry) {
  const row = (/** @type {Api.Style} */ { id, name, description }) =>
    h(
      "li",
      {},
      h("button", { type: "button", class: "example", on: { click: () => onTry(`/style ${id} `) } }, id),
      h("span", { class: "muted" }, [name !== id && name, description].filter(Boolean).join(" · ")),
    );
  return answer(
    line,
    all.length ? h("ul", { class: "lines" }, all.map(row)) : _("There are no styles."),
    h(
      "p",
      { class: "faint small" },
      _nodes("Press a style to use it, or make your own in {page}.", {
        page: h("a", { href: "#/settings" }, _("Settings")),
      }),
    ),
  );
}

/**
 * `/pnginfo`: the parameters in a picture's file.
 * @param {string} line
 * @param {Api.Recall} recalled
 * @param {(text: string) => void} onTry
 */
export function parameters(line, { text, command }, onTry) {
  if (!text) return answer(line, _("This file does not say how it was made. Sites that re-compress pictures drop it."));
  return answer(
    line,
    h("p", { class: "told mono small" }, text),
    command &&
      h(
        "div",
        { class: "row" },
        button(_("Put into the box"), () => onTry(command ?? ""), { class: "btn-small", icon: "text" }),
      ),
  );
}

/**
 * `/stats`: the figures of today.
 * @param {string} line
 * @param {Api.Dashboard} figures
 */
export function stats(line, { totals, engines, queue: now, errors }) {
  const pictures = _n("{n} picture today", "{n} pictures today", totals.images);
  const cost = totals.cost_usd ? `$${totals.cost_usd.toFixed(2)}` : "";
  const whole = [
    pictures,
    totals.failed && _("{failed} failed", { failed: totals.failed }),
    totals.cancelled && _("{cancelled} cancelled", { cancelled: totals.cancelled }),
    totals.success_rate !== null && _("{share} went well", { share: percent(totals.success_rate) }),
    cost,
  ]
    .filter(Boolean)
    .join(" · ");
  const row = (/** @type {Api.EngineFigures} */ { engine, done, mean_seconds: mean, success_rate: rate }) =>
    h(
      "li",
      {},
      h("strong", {}, engine),
      h(
        "span",
        { class: "muted" },
        [
          _("{done} done", { done }),
          mean !== null && _("{span} each", { span: formatSpan(mean) }),
          rate !== null && percent(rate),
        ]
          .filter(Boolean)
          .join(" · "),
      ),
    );
  const worst =
    errors.length > 0 &&
    _("Most often went wrong: {error} ({count}×)", {
      error: errors[0].example || errors[0].code,
      count: errors[0].count,
    });
  return answer(
    line,
    whole,
    engines.length > 0 && h("ul", { class: "lines" }, engines.map(row)),
    worst,
    _("Now {running} being drawn, {waiting} waiting.", { running: now.running, waiting: now.waiting }),
    h("p", { class: "small" }, h("a", { href: "#/dashboard" }, _("Open Dashboard"))),
  );
}
