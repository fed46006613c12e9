/**
 * One's own engine by command: `/sdconnect`, `/sdtest`, `/sddisconnect`, as in Discord. Keys are sent, never shown.
 */

import { api } from "../../shell/api.js";
import { confirmDialog } from "../../ui/dialog.js";
import { h, icon } from "../../ui/dom.js";
import { _, _nodes } from "../../ui/text.js";
import { answer } from "./answers.js";

/** How an engine is connected, with the first kind as the example. @returns {Promise<string>} */
export async function usage() {
  const [{ kind, example }] = (await api.get("/api/kinds")).kinds;
  return `/sdconnect ${kind} ${example}`;
}

const own = async () =>
  (await api.get("/api/engines")).engines.filter(({ is_mine: isMine, owner }) => isMine && owner === "user");

/**
 * `/sdconnect <kind> <address> [key]`: tested first, then kept.
 * @param {string} text
 * @param {string} typed
 * @param {FeedDoors} feed
 */
export async function connect(text, typed, feed) {
  const [kind = "", url = "", ...rest] = text.split(/\s+/);
  if (!kind || !url) {
    return feed.say(
      answer(
        typed,
        _("Say what it is and where: {usage} [key]", { usage: await usage() }),
        h(
          "p",
          {},
          _nodes("Or use the form on the {page}.", { page: h("a", { href: "#/engines" }, _("Engines page")) }),
        ),
      ),
    );
  }
  const engine = await api.post("/api/engines", { kind: kind.toLowerCase(), url, key: rest.join(" "), label: "" });
  feed.say(connected(typed, engine));
}

/**
 * `/sdtest`: a live round trip to each of your own engines.
 * @param {string} typed
 * @param {FeedDoors} feed
 */
export async function test(typed, feed) {
  const engines = await own();
  if (!engines.length)
    return feed.say(
      answer(
        typed,
        _("You have no engine of your own here."),
        _("Say what it is and where: {usage} [key]", { usage: await usage() }),
      ),
    );
  for (const engine of engines) {
    const result = await api.post(`/api/engines/${encodeURIComponent(engine.name)}/test`);
    if (result.is_ok) feed.say(connected(typed, engine, result.message.replace(/^Connection OK[:.]?\s*/, "")));
    else
      feed.say(
        answer(
          typed,
          h(
            "div",
            { class: "notice notice-bad" },
            icon("warning"),
            h(
              "div",
              {},
              h("p", {}, `${engine.label}: ${result.message}`),
              result.hint && h("p", { class: "muted" }, result.hint),
            ),
          ),
        ),
      );
  }
}

/**
 * `/sddisconnect`: forget the engine and its key, after asking.
 * @param {string} typed
 * @param {FeedDoors} feed
 */
export async function disconnect(typed, feed) {
  const engines = await own();
  if (!engines.length)
    return feed.say(answer(typed, _("You have no engine of your own here, so there is nothing to forget.")));
  const names = engines.map(({ label }) => label).join(", ");
  const isSure = await confirmDialog({
    title: _("Forget your engine?"),
    text: _("{names} and its key are removed. You can connect it again at any time.", { names }),
    action: _("Forget it"),
    isDanger: true,
  });
  if (!isSure) return undefined;
  for (const { name } of engines) await api.del(`/api/engines/${encodeURIComponent(name)}`);
  return feed.say(answer(typed, _("{names} is forgotten, and its key with it.", { names })));
}

/**
 * @param {string} typed
 * @param {Api.Engine} engine
 */
function connected(typed, engine, words = "") {
  return answer(
    typed,
    h("p", {}, h("strong", {}, _("Connection OK"))),
    h(
      "dl",
      { class: "facts-line" },
      h("dt", {}, _("API type")),
      h("dd", {}, engine.kind),
      h("dt", {}, _("Engine")),
      h("dd", {}, engine.label),
    ),
    words,
    h("p", {}, _nodes("Ready to generate! Try {command}", { command: h("code", {}, "/generate <prompt>") })),
  );
}
