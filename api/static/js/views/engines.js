/** Engines: how each one is right now, what it has, connecting more; and ComfyUI workflows. */

import { api } from "../api.js";
import { button, fill, h, icon, useCss } from "../dom.js";
import { engineCard } from "../engines/card.js";
import { connectEngine } from "../engines/connect.js";
import { offerPanel } from "../engines/offer.js";
import { workflowSection } from "../engines/workflows.js";
import { events } from "../events.js";
import { confirmDialog } from "../ui/dialog.js";
import { toast, toastError } from "../ui/toast.js";

export const title = "Engines";

/**
 * Draw the view.
 * @param {HTMLElement} root
 * @returns {Promise<() => void>} what ends it
 */
export async function mount(root) {
  await useCss("engines");
  const board = new Board();
  const workflows = workflowSection();
  const refresh = button("Refresh", () => board.refresh(refresh), { class: "btn-ghost", icon: "refresh", title: "Ask every engine again" });
  const connect = button("Connect an engine", () => board.connect(), { class: "btn-primary", icon: "plus" });
  fill(root, h("div", { class: "page" }, h("header", { class: "page-head" }, h("h1", {}, "Engines"), refresh, connect), board.element, workflows.element));
  const stop = [events.on("queue", (queue) => board.live(queue))];
  const ticker = setInterval(() => board.tick(), 1000);
  await board.load();
  if (events.queue) board.live(events.queue);
  workflows.load().catch(toastError);
  return () => {
    clearInterval(ticker);
    stop.forEach((off) => off());
  };
}

class Board {
  constructor() {
    this.element = h("div", { class: "engine-grid", "aria-busy": "true" }, h("div", { class: "skeleton engine-card" }), h("div", { class: "skeleton engine-card" }));
    this.cards = new Map();
    this.kinds = [];
    this.opened = null;
  }

  async load() {
    try {
      const [{ engines }, { kinds }] = await Promise.all([api.get("/api/engines"), api.get("/api/kinds")]);
      this.kinds = kinds;
      this.draw(engines);
    } catch (error) {
      const again = button("Try again", () => this.load(), { class: "btn-primary", icon: "refresh" });
      fill(this.element, h("div", { class: "empty" }, icon("warning"), h("h2", {}, "The engines could not be listed"), h("p", {}, `${error.message} ${error.hint ?? ""}`), again));
    } finally {
      this.element.removeAttribute("aria-busy");
    }
  }

  draw(engines) {
    this.close();
    this.cards = new Map(engines.map((engine) => [engine.name, this.cardOf(engine)]));
    if (engines.length) fill(this.element, [...this.cards.values()].map((card) => card.element));
    else fill(this.element, this.nothing());
  }

  cardOf(engine) {
    const kindTitle = this.kinds.find((one) => one.kind === engine.kind)?.title ?? engine.kind;
    const actions = {
      test: (one) => api.post(`/api/engines/${encodeURIComponent(one.name)}/test`),
      disconnect: (one) => this.disconnect(one),
      offer: (one, card, opener) => this.toggle(one, card, opener),
    };
    return engineCard(engine, { kindTitle, actions });
  }

  nothing() {
    const connect = button("Connect an engine", () => this.connect(), { class: "btn-primary", icon: "plus" });
    return h("div", { class: "empty" }, icon("engines"), h("h2", {}, "No engine yet"), h("p", {}, "An engine draws the pictures: Automatic1111 or Forge, ComfyUI, a Flux app, the AI Horde and others. Connect one that you can reach."), connect);
  }

  live(queue) {
    for (const [lane, state] of Object.entries(queue.engines ?? {})) this.cards.get(lane)?.live(state);
  }

  tick() {
    for (const card of this.cards.values()) card.tick();
  }

  async refresh(pressed) {
    pressed.disabled = true;
    try {
      const { engines } = await api.post("/api/engines/refresh");
      this.draw(engines);
      toast("Every engine was asked again.");
    } catch (error) {
      toastError(error);
    } finally {
      pressed.disabled = false;
    }
  }

  async connect() {
    const engine = await connectEngine(this.kinds);
    if (!engine) return;
    toast(`${engine.label} is connected.`, { kind: "good" });
    await this.load();
  }

  async disconnect(engine) {
    const sure = await confirmDialog({ title: `Disconnect ${engine.label}?`, text: "Its waiting jobs go to another engine, or fail if none can draw them. Easel forgets its address and key.", action: "Disconnect", isDanger: true });
    if (!sure) return;
    try {
      await api.del(`/api/engines/${encodeURIComponent(engine.name)}`);
      toast(`${engine.label} is disconnected.`);
      await this.load();
    } catch (error) {
      toastError(error);
    }
  }

  toggle(engine, card, opener) {
    const wasOpen = this.opened?.name === engine.name;
    this.close();
    if (wasOpen) return;
    const panel = offerPanel(engine, () => (this.close(), opener.focus()));
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
