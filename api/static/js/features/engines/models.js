/** Models that Easel itself draws with, for admins: size and licence are shown and agreed to before anything comes. */

import { api } from "../../shell/api.js";
import { confirmDialog, openDialog } from "../../ui/dialog.js";
import { button, fill, h } from "../../ui/dom.js";
import { wordsOf } from "../../ui/errors.js";
import { _ } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";
import { percent } from "../../ui/words.js";

const LOOK_AGAIN_MS = 1000;
const GB = 1e9;

/** Make the section; `load` fills it, `end` stops looking again. */
export function modelSection() {
  const list = h("div", { class: "model-list", "aria-busy": "true" });
  const note = h("p", { class: "muted small" });
  const element = h(
    "section",
    { class: "models", "aria-label": _("Models on this machine") },
    h("h2", {}, _("Models on this machine")),
    h(
      "p",
      { class: "muted" },
      _("Easel can draw with a model by itself. It fetches none before you agree to its licence."),
    ),
    note,
    list,
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let again;
  const load = async () => {
    clearTimeout(again);
    try {
      const found = await api.get("/api/models");
      if (!element.isConnected) return;
      note.textContent = noteOf(found);
      draw(list, found.models, load);
      if (found.models.some((model) => model.fetch?.state === "running")) again = setTimeout(load, LOOK_AGAIN_MS);
    } catch (error) {
      note.textContent = wordsOf(error);
    } finally {
      list.removeAttribute("aria-busy");
    }
  };
  return { element, load, end: () => clearTimeout(again) };
}

/** @param {Api.OwnModels} found */
function noteOf({ can_draw, hint, others }) {
  const missing = can_draw ? "" : _("What draws with them is not installed. {hint}", { hint });
  return [missing, others.length ? _("Your own: {names}", { names: others.join(", ") }) : ""].filter(Boolean).join(" ");
}

/**
 * Draw the rows again; the focus stays at the button that has it.
 * @param {HTMLElement} list
 * @param {Api.OwnModel[]} models
 * @param {() => Promise<void>} load
 */
function draw(list, models, load) {
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.model : "";
  fill(
    list,
    models.map((model) => row(model, load)),
  );
  if (focused) /** @type {HTMLElement | null} */ (list.querySelector(`[data-model="${focused}"]`))?.focus();
}

/** @param {Api.OwnModel} model @param {() => Promise<void>} load */
function row(model, load) {
  const facts = [_("{size} GB", { size: model.size_gb }), model.fits, model.good_for].join(" · ");
  return h(
    "article",
    { class: "model-row", "aria-label": model.title },
    h(
      "div",
      {},
      h("h3", {}, model.title),
      h("p", { class: "muted small" }, facts),
      h("p", { class: "small" }, licenceOf(model), !model.is_commercial && ` ${NOT_COMMERCIAL}`),
      progress(model),
    ),
    action(model, load),
  );
}

/** @param {Api.OwnModel} model */
const licenceOf = ({ licence, licence_url: href }) => h("a", { href, target: "_blank", rel: "noopener" }, licence);

const NOT_COMMERCIAL = _("This licence is not for commercial use.");

/** @param {Api.OwnModel} model */
function progress({ fetch, title }) {
  if (!fetch || fetch.state === "done") return null;
  if (fetch.state === "failed")
    return h("p", { class: "notice notice-bad small", role: "status" }, [fetch.error, fetch.hint].join(" ").trim());
  const speed = (fetch.bytes_per_s / 1e6).toFixed(1);
  return [
    h("progress", {
      max: String(fetch.total || 1),
      value: String(fetch.done),
      "aria-label": _("Fetching {title}", { title }),
    }),
    h(
      "p",
      { class: "small" },
      _("{share} of {size} GB, {speed} MB a second", {
        share: percent(fetch.total ? fetch.done / fetch.total : 0),
        size: (fetch.total / GB).toFixed(1),
        speed,
      }),
    ),
  ];
}

/** @param {Api.OwnModel} model @param {() => Promise<void>} load */
function action(model, load) {
  const run = (/** @type {() => Promise<unknown>} */ work) => () => work().then(load).catch(toastError);
  const props = { class: "btn-small", "data-model": model.name };
  if (model.fetch?.state === "running")
    return button(
      _("Stop"),
      run(() => api.del(`/api/models/${model.name}/fetch`)),
      props,
    );
  if (model.is_here)
    return button(
      _("Delete"),
      run(() => remove(model)),
      { ...props, icon: "trash" },
    );
  return button(
    _("Fetch"),
    run(() => agree(model)),
    { ...props, icon: "download" },
  );
}

/** @param {Api.OwnModel} model */
async function agree({ name }) {
  const { model, size, left } = await api.get(`/api/models/${name}`);
  const sizes = _("{left} of {size} GB are to be fetched.", {
    left: (left / GB).toFixed(1),
    size: (size / GB).toFixed(1),
  });
  const body = h(
    "div",
    { class: "stack" },
    h("p", {}, sizes),
    h("p", {}, _("Licence: "), licenceOf(model)),
    !model.is_commercial && h("p", { class: "notice" }, NOT_COMMERCIAL),
    model.is_gated && h("p", {}, _("The hub gives it only to who has agreed there, with a token: HF_TOKEN.")),
    h("p", { class: "muted" }, _("On this machine: {fits}.", { fits: model.fits })),
  );
  const actions = [
    { label: _("Cancel"), value: false, kind: "plain", run: () => "no" },
    { label: _("I agree: fetch it"), value: "yes", kind: "primary" },
  ];
  if ((await openDialog({ title: model.title, body, actions })) !== "yes") return;
  await api.post(`/api/models/${name}/fetch`, { licence: model.licence });
}

/** @param {Api.OwnModel} model */
async function remove({ name, title }) {
  const sure = await confirmDialog({
    title: _("Delete {title}?", { title }),
    text: _("It can be fetched again."),
    action: _("Delete"),
    isDanger: true,
  });
  if (!sure) return;
  const { freed } = await api.del(`/api/models/${name}`);
  toast(_("{title} is deleted: {size} GB are free again.", { title, size: (freed / GB).toFixed(1) }));
}
