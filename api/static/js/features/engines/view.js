/** Engines: how each one is right now, what it has, connecting more; and ComfyUI workflows. */

import { api, session } from "../../shell/api.js";
import { events } from "../../shell/events.js";
import { confirmDialog } from "../../ui/dialog.js";
import { button, debounce, fill, h, icon, useCss } from "../../ui/dom.js";
import { wordsOf } from "../../ui/errors.js";
import { _ } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";
import { engineCard } from "./card.js";
import { connectEngine } from "./connect.js";
import { offerPanel } from "./offer.js";
import { workflowSection } from "./workflows.js";

export const title = _("Engines");

const ASK_AGAIN_MS = 15000;
const AFTER_CHANGE_MS = 800;

/**
 * Draw the view.
 * @param {HTMLElement} root
 * @returns {Promise<() => void>} what ends it
 */
export async function mount(root) {
  await useCss("engines");
  const board = new Board();
  const workflows = workflowSection();
  const refresh = button(_("Refresh"), (event) => board.refresh(event.currentTarget), {
    class: "btn-ghost",
    icon: "refresh",
    title: _("Ask every engine again"),
  });
  const connect = button(_("Connect an engine"), () => board.connect(), { class: "btn-primary", icon: "plus" });
  const place = (await session).user?.is_admin ? h("div", { "aria-busy": "true" }) : null;
  fill(
    root,
    h(
      "div",
      { class: "page" },
      h("header", { class: "page-head" }, h("h1", {}, _("Engines")), refresh, connect),
      board.element,
      workflows.element,
      place,
    ),
  );
  const stop = [events.on("queue", (queue) => board.live(queue))];
  const timers = [
    setInterval(() => board.tick(), 1000),
    setInterval(() => document.hidden || board.follow(), ASK_AGAIN_MS),
  ];
  await board.load();
  if (events.queue) board.live(events.queue);
  workflows.load().catch(toastError);
  const models = place ? await showModels(place) : null;
  return () => {
    models?.end();
    timers.forEach(clearInterval);
    board.soon.cancel();
    stop.forEach((off) => off());
  };
}

/** Put what only admins see into its place. @param {HTMLElement} place */
async function showModels(place) {
  const { modelSection } = await import("./models.js");
  const section = modelSection();
  place.replaceWith(section.element);
  section.load();
  return section;
}

class Board {
  constructor() {
    this.element = h(
      "div",
      { class: "engine-grid", "aria-busy": "true" },
      h("div", { class: "skeleton engine-card" }),
      h("div", { class: "skeleton engine-card" }),
    );
    /** @type {Map<string, EngineCard>} */
    this.cards = new Map();
    /** @type {Api.Kind[]} */
    this.kinds = [];
    /** @type {{ name: string, panel: HTMLElement, opener: HTMLElement } | null} */
    this.opened = null;
    this.soon = debounce(() => this.follow(), AFTER_CHANGE_MS);
  }

  async load() {
    try {
      const [{ engines }, { kinds }] = await Promise.all([api.get("/api/engines"), api.get("/api/kinds")]);
      this.kinds = kinds;
      this.draw(engines);
    } catch (error) {
      const again = button(_("Try again"), () => this.load(), { class: "btn-primary", icon: "refresh" });
      fill(
        this.element,
        h(
          "div",
          { class: "empty" },
          icon("warning"),
          h("h2", {}, _("The engines could not be listed")),
          h("p", {}, wordsOf(error)),
          again,
        ),
      );
    } finally {
      this.element.removeAttribute("aria-busy");
    }
  }

  /** @param {Api.Engine[]} engines */
  draw(engines) {
    this.close();
    this.cards = new Map(engines.map((engine) => [engine.name, this.cardOf(engine)]));
    if (engines.length)
      fill(
        this.element,
        [...this.cards.values()].map((card) => card.element),
      );
    else fill(this.element, this.nothing());
  }

  /** @param {Api.Engine} engine */
  cardOf(engine) {
    const kindTitle = engine.kind_title;
    /** @type {import("./card.js").CardActions} */
    const actions = {
      test: (item) => api.post(`/api/engines/${encodeURIComponent(item.name)}/test`),
      disconnect: (item) => this.disconnect(item),
      offer: (item, card, opener) => this.toggle(item, card, opener),
    };
    return engineCard(engine, { kindTitle, actions });
  }

  nothing() {
    const connect = button(_("Connect an engine"), () => this.connect(), { class: "btn-primary", icon: "plus" });
    return h(
      "div",
      { class: "empty" },
      icon("engines"),
      h("h2", {}, _("No engine yet")),
      h(
        "p",
        {},
        _(
          "An engine draws the pictures: Automatic1111 or Forge, ComfyUI, a Flux app, the AI Horde and others. " +
            "Connect one that you can reach.",
        ),
      ),
      connect,
    );
  }

  /** @param {Api.Queue} queue */
  live(queue) {
    const changed = Object.entries(queue.engines ?? {}).filter(([lane, state]) => this.cards.get(lane)?.live(state));
    if (changed.length) this.soon(); // why it is down or paused is told with the list only
  }

  /** Bring the cards up to date without drawing them again. */
  async follow() {
    const answer = await api.get("/api/engines", null, { quiet: true }).catch(() => null); // the next turn asks again
    if (!answer || !this.cards.size) return;
    const names = answer.engines.map((engine) => engine.name);
    if (names.join() !== [...this.cards.keys()].join()) this.draw(answer.engines);
    else answer.engines.forEach((engine) => this.cards.get(engine.name)?.update(engine));
  }

  tick() {
    for (const card of this.cards.values()) card.tick();
  }

  /** @param {HTMLButtonElement} pressed */
  async refresh(pressed) {
    pressed.disabled = true;
    try {
      const { engines } = await api.post("/api/engines/refresh");
      this.draw(engines);
      toast(_("Every engine was asked again."));
    } catch (error) {
      toastError(error);
    } finally {
      pressed.disabled = false;
    }
  }

  async connect() {
    const mine = [...this.cards.values()].map((card) => card.engine()).find((item) => item.is_mine);
    const engine = await connectEngine(this.kinds, mine?.label ?? "");
    if (!engine) return;
    toast(_("{label} is connected.", { label: engine.label }), { kind: "good" });
    await this.load();
  }

  /** @param {Api.Engine} engine */
  async disconnect(engine) {
    const sure = await confirmDialog({
      title: _("Disconnect {label}?", { label: engine.label }),
      text: _(
        "Its waiting jobs go to another engine, or fail if none can draw them. Easel forgets its address and key.",
      ),
      action: _("Disconnect"),
      isDanger: true,
    });
    if (!sure) return;
    try {
      await api.del(`/api/engines/${encodeURIComponent(engine.name)}`);
      toast(_("{label} is disconnected.", { label: engine.label }));
      await this.load();
    } catch (error) {
      toastError(error);
    }
  }

  /**
   * @param {Api.Engine} engine
   * @param {HTMLElement} card
   * @param {HTMLElement} opener
   */
  toggle(engine, card, opener) {
    const wasOpen = this.opened?.name === engine.name;
    this.close();
    if (wasOpen) return;
    const panel = offerPanel(engine, () => {
      this.close();
      opener.focus();
    });
    card.after(panel);
    opener.setAttribute("aria-expanded", "true");
    this.opened = { name: engine.name, panel, opener };
    panel.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  close() {
    this.opened?.panel.remove();
    this.opened?.opener.setAttribute("aria-expanded", "false");
    this.opened = null;
  }
}
