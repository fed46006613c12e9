/** The API's own description (/openapi.json) as a page: routes by subject, what they take, what they answer. */

import { byId, fill, h } from "./ui/dom.js";
import { _, _nodes } from "./ui/text.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const root = byId("docs");

show().catch((error) =>
  fill(root, h("h1", {}, _("The description cannot be read")), h("p", { role: "alert" }, error.message)),
);

async function show() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`The server answered ${answer.status}. Please reload the page.`);
  const spec = await answer.json();
  const subjects = byTag(spec.paths);
  fill(
    root,
    h("h1", {}, `${spec.info.title} ${spec.info.version}: API`),
    h("p", {}, spec.info.description),
    h(
      "p",
      {},
      _nodes("Programs send {header}. The same as one file: {file}.", {
        header: h("code", {}, "Authorization: Bearer esl_…"),
        file: h("a", { href: "/openapi.json" }, "/openapi.json"),
      }),
      " ",
      h("a", { href: "/" }, _("To the studio")),
    ),
    h(
      "nav",
      { "aria-label": _("Subjects") },
      h(
        "ul",
        { class: "docs-tags" },
        [...subjects.keys(), "schemas"].map((tag) => h("li", {}, h("a", { href: `#${idOf(tag)}` }, tag))),
      ),
    ),
    [...subjects].map(([tag, routes]) =>
      h("section", { class: "docs-tag", id: idOf(tag) }, h("h2", {}, tag), routes.map(route)),
    ),
    h(
      "section",
      { class: "docs-tag", id: "schemas" },
      h("h2", {}, "schemas"),
      Object.entries(spec.components?.schemas ?? {}).map(([name, schema]) => shape(name, schema)),
    ),
  );
  if (location.hash) open(location.hash);
  window.addEventListener("hashchange", () => open(location.hash));
}

/**
 * A link to a schema opens it.
 * @param {string} hash
 */
function open(hash) {
  const target = document.getElementById(decodeURIComponent(hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
  target?.scrollIntoView();
}

/** @param {string} tag */
const idOf = (tag) => tag.replace(/[^A-Za-z0-9]+/g, "-");

/** @param {Record<string, Record<string, Operation>>} paths */
function byTag(paths) {
  /** @type {Map<string, { path: string, method: string, about: Operation }[]>} */
  const subjects = new Map();
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of METHODS.filter((name) => methods[name])) {
      const tag = methods[method].tags?.[0] ?? "others";
      subjects.set(tag, [...(subjects.get(tag) ?? []), { path, method, about: methods[method] }]);
    }
  }
  return subjects;
}

/** @param {{ path: string, method: string, about: Operation }} route */
function route({ path, method, about }) {
  return h(
    "details",
    { class: "docs-route", id: about.operationId },
    h(
      "summary",
      {},
      h("span", { class: "docs-method" }, method.toUpperCase()),
      h("code", { class: "docs-path" }, path),
      h("span", { class: "docs-words" }, firstSentence(about.description) || about.summary),
    ),
    h(
      "div",
      { class: "docs-body" },
      about.description && h("p", {}, about.description),
      parameters(about.parameters ?? []),
      body(about.requestBody),
      answers(about.responses),
    ),
  );
}

const firstSentence = (text = "") => text.split(/(?<=\.)\s/)[0];

/** @param {NonNullable<Operation["parameters"]>} all */
function parameters(all) {
  if (!all.length) return null;
  const rows = all.map((part) => [
    h("code", {}, part.name),
    part.in,
    typeOf(part.schema),
    part.required ? "needed" : standard(part.schema),
    part.description ?? part.schema?.description ?? "",
  ]);
  return table([_("Parameter"), _("in"), _("kind"), "", ""], rows);
}

/** @param {Schema | undefined} schema */
const standard = (schema) =>
  schema?.default === undefined || schema.default === "" || schema.default === null
    ? ""
    : _("{usual} by default", { usual: JSON.stringify(schema.default) });

/** @param {Operation["requestBody"]} asked */
function body(asked) {
  if (!asked) return null;
  const kinds = Object.entries(asked.content);
  return h(
    "div",
    { class: "docs-body" },
    h("h3", {}, _("It takes")),
    kinds.map(([kind, { schema, example }]) => [
      h("p", {}, h("code", {}, kind), " ", typeOf(schema)),
      example !== undefined && h("pre", {}, JSON.stringify(example, null, 2)),
    ]),
  );
}

/** @param {Operation["responses"]} responses */
function answers(responses) {
  const rows = Object.entries(responses).map(([status, { description, content }]) => [
    h("code", {}, status),
    description,
    Object.entries(content ?? {}).map(([kind, { schema }]) => h("div", {}, h("code", {}, kind), " ", typeOf(schema))),
  ]);
  return table([_("Answer"), "", _("content")], rows);
}

/** A schema in words, with links to those that have a name. @param {Schema | undefined} schema @returns {Child} */
function typeOf(schema) {
  if (!schema || !Object.keys(schema).length) return "";
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return h("a", { href: `#${name}` }, name);
  }
  const several = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (several) return several.flatMap((part, at) => [at ? " or " : "", typeOf(part)]);
  if (schema.enum) return schema.enum.map((part) => JSON.stringify(part)).join(", ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array")
    return schema.prefixItems
      ? [_("list of"), " ", schema.prefixItems.flatMap((part, at) => [at ? ", " : "", typeOf(part)])]
      : [_("list of"), " ", typeOf(schema.items)];
  return [schema.format ?? schema.type ?? "", range(schema)];
}

/** @param {Schema} schema */
function range({ minimum, maximum, minLength, maxLength, maxItems, pattern }) {
  const words = [
    minimum !== undefined && _("from {minimum}", { minimum }),
    maximum !== undefined && _("to {maximum}", { maximum }),
    minLength !== undefined && _("{minLength} characters or more", { minLength }),
    maxLength !== undefined && _("at most {maxLength} characters", { maxLength }),
    maxItems !== undefined && _("at most {maxItems}", { maxItems }),
    pattern && _("like {pattern}", { pattern }),
  ];
  const limits = words.filter(Boolean).join(", ");
  return limits ? ` (${limits})` : "";
}

/** @param {string} name @param {Schema} schema */
function shape(name, schema) {
  const needed = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([field, about]) => [
    h("code", {}, field),
    typeOf(about),
    needed.has(field) ? "always" : standard(about),
    about.description ?? "",
  ]);
  return h(
    "details",
    { class: "docs-schema", id: name },
    h(
      "summary",
      {},
      h("code", {}, name),
      h("span", { class: "docs-words" }, (schema.description ?? "").split("\n")[0]),
    ),
    h(
      "div",
      { class: "docs-body" },
      rows.length ? table([_("Field"), _("kind"), "", ""], rows) : h("p", {}, typeOf(schema)),
    ),
  );
}

/** @param {string[]} heads @param {Child[][]} rows */
function table(heads, rows) {
  return h(
    "table",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        heads.map((head) => h("th", { scope: "col" }, head)),
      ),
    ),
    h(
      "tbody",
      {},
      rows.map((cells) =>
        h(
          "tr",
          {},
          cells.map((cell) => h("td", {}, cell)),
        ),
      ),
    ),
  );
}
