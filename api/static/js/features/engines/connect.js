/** The form that connects an engine: which kind, where it is, its key. The server tests it before it is kept. */

import { api } from "../../shell/api.js";
import { closeWith, openDialog } from "../../ui/dialog.js";
import { button, field, fill, h } from "../../ui/dom.js";
import { asApiError } from "../../ui/errors.js";
import { _ } from "../../ui/text.js";
import { failure, layerList } from "./card.js";

/**
 * Ask for an engine and connect it.
 * @param {Array<{kind: string, title: string, needs_url: boolean, needs_key: boolean, example: string, help: string}>}
 *   kinds
 * @param {string} before your own engine whose place it takes, "" when there is none
 * @returns {Promise<Api.Engine | null>} the engine, or null when the dialog was closed
 */
export function connectEngine(kinds, before = "") {
  const { form, controls } = makeForm(kinds, before);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const engine = await tryToConnect(form, controls);
    if (engine) closeWith(form, engine);
  });
  return openDialog({ title: _("Connect an engine"), body: form });
}

/** @param {Api.Kind[]} kinds @param {string} before */
function makeForm(kinds, before) {
  const kind = h(
    "select",
    { class: "select", autofocus: true },
    kinds.map((item) => h("option", { value: item.kind }, item.title)),
  );
  const url = h("input", { class: "input", type: "url", autocomplete: "off", spellcheck: "false" });
  const key = h("input", { class: "input", type: "password", autocomplete: "off" });
  const label = h("input", {
    class: "input",
    type: "text",
    maxlength: "40",
    autocomplete: "off",
    placeholder: _("Studio GPU"),
  });
  const help = h("p", { class: "hint" });
  const outcome = h("div", { "aria-live": "polite" });
  const submit = button(_("Test and connect"), null, { type: "submit", class: "btn-primary", icon: "plug" });
  const labels = { url: h("span", {}, _("Address")), key: h("span", {}, _("Key")) };
  const fields = { url: field(labels.url, url), key: field(labels.key, key) };
  const explain = () => {
    const chosen = kinds.find((item) => item.kind === kind.value);
    if (!chosen) return;
    fill(help, chosen.help);
    url.required = chosen.needs_url;
    url.placeholder = chosen.example;
    labels.url.textContent = chosen.needs_url ? _("Address") : _("Address (only if you run one of your own)");
    key.required = chosen.needs_key;
    labels.key.textContent = chosen.needs_key ? _("Key") : _("Key (only if it asks for one)");
  };
  kind.addEventListener("change", explain);
  explain();
  const form = h(
    "form",
    { class: "stack" },
    field(_("Kind"), kind),
    help,
    fields.url,
    fields.key,
    field(_("Name"), label, { hint: _("What people see; leave it empty for the name of its kind.") }),
    before &&
      h(
        "p",
        { class: "small" },
        _("It takes the place of {before}: each person has one engine of their own.", { before }),
      ),
    outcome,
    h("div", { class: "row" }, submit),
  );
  return { form, controls: { kind, url, key, label, outcome, submit } };
}

/** @param {HTMLFormElement} form @param {ReturnType<typeof makeForm>["controls"]} controls */
async function tryToConnect(form, { kind, url, key, label, outcome, submit }) {
  submit.disabled = true;
  form.setAttribute("aria-busy", "true");
  fill(outcome, h("p", { class: "engine-testing" }, _("Testing the connection…")));
  try {
    return await api.post("/api/engines", {
      kind: kind.value,
      url: url.value.trim(),
      key: key.value,
      label: label.value.trim(),
    });
  } catch (error) {
    const { message, hint, layer, field: wrong } = asApiError(error);
    fill(outcome, failure(message, hint), layerList(layer));
    const wanted = Object.entries({ url, key, label, kind }).find(([name]) => name === wrong);
    wanted?.[1].focus();
    return null;
  } finally {
    submit.disabled = false;
    form.removeAttribute("aria-busy");
  }
}
