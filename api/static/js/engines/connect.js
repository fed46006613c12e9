/** The form that connects an engine: which kind, where it is, its key. The server tests it before it is kept. */

import { api } from "../api.js";
import { h } from "../dom.js";
import { openDialog } from "../ui/dialog.js";
import { failure, layerList } from "./card.js";

/**
 * Ask for an engine and connect it.
 * @param {Array<{kind: string, title: string, needs_url: boolean, needs_key: boolean, example: string, help: string}>} kinds
 * @returns {Promise<object|null>} the engine, or null when the dialog was closed
 */
export async function connectEngine(kinds) {
  let connected = null;
  const { form, fields } = makeForm(kinds);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    connected = await tryToConnect(form, fields);
    if (connected) form.closest("dialog").close();
  });
  await openDialog({ title: "Connect an engine", body: form, actions: [] });
  return connected;
}

function makeForm(kinds) {
  const options = kinds.map((kind) => h("option", { value: kind.kind }, kind.title));
  const kind = h("select", { id: "connect-kind", class: "select" }, ...options);
  const url = h("input", { id: "connect-url", class: "input", type: "url", autocomplete: "off", spellcheck: "false", inputmode: "url" });
  const key = h("input", { id: "connect-key", class: "input", type: "password", autocomplete: "off" });
  const label = h("input", { id: "connect-label", class: "input", type: "text", maxlength: "40", autocomplete: "off", placeholder: "Studio GPU" });
  const help = h("p", { class: "connect-help", id: "connect-help" });
  const outcome = h("div", { class: "connect-outcome", "aria-live": "polite" });
  const submit = h("button", { type: "submit", class: "btn btn-primary" }, "Test and connect");
  const labels = { url: h("label", { for: "connect-url" }), key: h("label", { for: "connect-key" }) };
  const explain = () => {
    const told = kinds.find((one) => one.kind === kind.value);
    help.textContent = told.help;
    url.required = told.needs_url;
    url.placeholder = told.example;
    labels.url.textContent = told.needs_url ? "Address" : "Address (only for one of your own)";
    key.required = told.needs_key;
    labels.key.textContent = told.needs_key ? "Key" : "Key (if it asks for one)";
  };
  kind.addEventListener("change", explain);
  explain();
  const form = h(
    "form",
    { class: "connect-form" },
    h("div", { class: "field" }, h("label", { for: "connect-kind" }, "Kind"), kind, help),
    h("div", { class: "field" }, labels.url, url),
    h("div", { class: "field" }, labels.key, key),
    h("div", { class: "field" }, h("label", { for: "connect-label" }, "Name (as you want to see it)"), label),
    outcome,
    h("div", { class: "connect-actions" }, submit),
  );
  return { form, fields: { kind, url, key, label, outcome, submit } };
}

async function tryToConnect(form, { kind, url, key, label, outcome, submit }) {
  submit.disabled = true;
  form.setAttribute("aria-busy", "true");
  outcome.replaceChildren(h("p", { class: "engine-testing" }, "Testing the connection…"));
  const said = { kind: kind.value, url: url.value.trim(), key: key.value, label: label.value.trim() };
  try {
    return await api.post("/api/engines", said);
  } catch (error) {
    outcome.replaceChildren(failure(error.message, error.hint), layerList(error.layer));
    ({ url, key, label, kind })[error.field]?.focus();
    return null;
  } finally {
    submit.disabled = false;
    form.removeAttribute("aria-busy");
  }
}
