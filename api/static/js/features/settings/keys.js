/** API keys: list, make (the token is shown once), revoke. For admins. */

import { api } from "../../shell/api.js";
import { copyText } from "../../ui/clipboard.js";
import { closeWith, confirmDialog, openDialog } from "../../ui/dialog.js";
import { button, field, fill, h, icon } from "../../ui/dom.js";
import { wordsOf } from "../../ui/errors.js";
import { _, _nodes } from "../../ui/text.js";
import { toast, toastError } from "../../ui/toast.js";
import { timeAgo } from "../../ui/words.js";

const SCOPES = [
  ["read", _("Read"), _("see jobs, pictures and engines")],
  ["generate", _("Generate"), _("draw, change and cancel")],
  ["admin", _("Admin"), _("everything the owner may")],
];

/**
 * The section of API keys.
 * @returns {HTMLElement}
 */
export function keySection() {
  const list = h("div", { "aria-live": "polite" }, h("div", { class: "skeleton settings-skeleton" }));
  const load = async () => {
    try {
      const { keys } = await api.get("/api/keys");
      fill(list, keyList(keys, revoke));
    } catch (error) {
      fill(list, h("div", { class: "notice notice-bad" }, icon("warning"), h("p", {}, wordsOf(error))));
    }
  };
  /** @param {Api.Key} key */
  const revoke = async (key) => {
    const sure = await confirmDialog({
      title: _("Revoke the key {name}?", { name: key.name }),
      text: _("Programs that use it are refused at once. This cannot be taken back."),
      action: _("Revoke"),
      isDanger: true,
    });
    if (!sure) return;
    try {
      await api.del(`/api/keys/${encodeURIComponent(key.id)}`);
      toast(_("The key {name} is revoked.", { name: key.name }));
      await load();
    } catch (error) {
      toastError(error);
    }
  };
  load();
  return h(
    "div",
    { class: "stack" },
    list,
    h(
      "div",
      { class: "row" },
      button(_("New key"), () => newKey(load), { class: "btn-small", icon: "plus" }),
    ),
  );
}

/** @param {Api.Key[]} keys @param {(key: Api.Key) => void} revoke */
function keyList(keys, revoke) {
  const live = keys.filter((key) => !key.revoked_at);
  if (!live.length) return h("p", { class: "muted" }, _("No keys yet. A program needs one to use Easel's API."));
  return h(
    "ul",
    { class: "settings-list" },
    live.map((key) => keyItem(key, () => revoke(key))),
  );
}

/** @param {Api.Key} key @param {(key: Api.Key) => void} revoke */
function keyItem(key, revoke) {
  const about = [
    key.scopes.join(", "),
    key.last_used_at ? _("used {timeAgo}", { timeAgo: timeAgo(key.last_used_at) }) : _("never used"),
    key.rate_per_minute ? _("{rate_per_minute} requests a minute", { rate_per_minute: key.rate_per_minute }) : "",
    key.expires_at ? _("ends {timeAgo}", { timeAgo: timeAgo(key.expires_at) }) : "",
  ];
  return h(
    "li",
    {},
    icon("key"),
    h(
      "div",
      { class: "grow" },
      h("strong", {}, key.name),
      h("p", { class: "muted small" }, about.filter(Boolean).join(" · ")),
    ),
    button(_("Revoke"), () => revoke(key), {
      class: "btn-ghost btn-small btn-danger",
      "aria-label": _("Revoke the key {name}", { name: key.name }),
    }),
  );
}

/** @param {() => Promise<void>} load */
async function newKey(load) {
  const { form, outcome, values } = keyForm();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      closeWith(form, await api.post("/api/keys", values()));
    } catch (error) {
      fill(outcome, h("p", { class: "error-text" }, wordsOf(error)));
    }
  });
  const made = await openDialog({ title: _("New API key"), body: form });
  if (!made) return;
  await load();
  await showToken(made.token);
}

function keyForm() {
  const name = h("input", {
    class: "input",
    required: true,
    maxlength: "60",
    autocomplete: "off",
    placeholder: _("Blog bot"),
    autofocus: true,
  });
  const rate = h("input", { class: "input", type: "number", min: "1", max: "6000", placeholder: _("no limit") });
  const boxes = SCOPES.map(([value]) => h("input", { type: "checkbox", value, checked: value !== "admin" }));
  const choices = SCOPES.map(([, label, words], at) =>
    h(
      "label",
      { class: "settings-check" },
      boxes[at],
      h("span", {}, h("strong", {}, label), h("span", { class: "muted" }, ` ${words}`)),
    ),
  );
  const outcome = h("div", { role: "alert" });
  const submit = button(_("Make the key"), null, { type: "submit", class: "btn-primary", icon: "key" });
  const form = h(
    "form",
    { class: "stack" },
    field(_("Name"), name, { hint: _("Who or what will use it.") }),
    h("fieldset", {}, h("legend", { class: "label" }, _("It may")), choices),
    field(_("Requests a minute"), rate),
    outcome,
    h("div", { class: "row" }, submit),
  );
  const values = () => ({
    name: name.value.trim(),
    scopes: boxes.filter((box) => box.checked).map((box) => box.value),
    rate_per_minute: rate.value ? Number(rate.value) : null,
  });
  return { form, outcome, values };
}

/** @param {string} token */
function showToken(token) {
  const box = h("input", {
    class: "input mono",
    readonly: true,
    value: token,
    "aria-label": _("The new key"),
    on: { focus: (event) => event.currentTarget.select() },
  });
  const body = h(
    "div",
    { class: "stack" },
    h(
      "p",
      {},
      _nodes("Copy it now: it is stored nowhere and cannot be shown again. A program sends it as {header}.", {
        header: h("code", {}, "Authorization: Bearer …"),
      }),
    ),
    box,
  );
  const copy = async () => {
    await copyText(token, _("The key is copied."));
    return false;
  };
  return openDialog({
    title: _("Your new key"),
    body,
    actions: [
      { label: _("Copy"), kind: "primary", icon: "copy", run: copy },
      { label: _("Done"), kind: "plain" },
    ],
  });
}
