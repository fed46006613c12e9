/**
 * The graph of a workflow as nodes and links, read from an API-format export.
 *
 * Source: what ComfyUI's own "Export (API)" writes: {"3": {class_type, inputs: {name: value | [node, output]}, _meta}}.
 */

/** @typedef {{name: string, value: unknown, link: string|null}} Input */
/** @typedef {{id: string, type: string, title: string, inputs: Input[]}} Node */
/** @typedef {{from: string, to: string, input: string}} Link */
/** @typedef {{nodes: Node[], links: Link[]}} Graph */

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isLink = (value) => Array.isArray(value) && value.length === 2 && Number.isInteger(value[1]);

/**
 * Read an export; null when it is none (the server's answer says what it is instead).
 * @param {unknown} file the parsed JSON
 * @returns {Graph|null}
 */
export function readGraph(file) {
  if (!isObject(file)) return null;
  const told = isObject(file.prompt) && !file.prompt.class_type ? file.prompt : file;
  const entries = Object.entries(told);
  if (!entries.length || !entries.every(([, node]) => isObject(node) && node.class_type)) return null;
  return linked(entries.map(([id, node]) => readNode(id, node)));
}

/**
 * Make a graph of the nodes as the server lists them.
 * @param {Array<{id: string, class_type: string, title: string, inputs: Array<object|string>}>} nodes
 * @returns {Graph}
 */
export function graphOfNodes(nodes) {
  return linked(
    nodes.map((node) => ({
      id: String(node.id),
      type: node.class_type,
      title: node.title || node.class_type,
      inputs: node.inputs.map(readInput),
    })),
  );
}

/**
 * The inputs that hold a value of their own, as "node.input", for the selects of the mapping.
 * @param {Graph} graph
 * @returns {Array<{slot: string, node: Node, input: Input}>}
 */
export function valueSlots(graph) {
  return graph.nodes.flatMap((node) =>
    node.inputs.filter((input) => !input.link).map((input) => ({ slot: `${node.id}.${input.name}`, node, input })),
  );
}

function readNode(id, told) {
  const inputs = Object.entries(told.inputs ?? {}).map(([name, value]) => ({
    name,
    value: isLink(value) ? null : value,
    link: isLink(value) ? String(value[0]) : null,
  }));
  return { id, type: told.class_type, title: told._meta?.title || told.class_type, inputs };
}

function readInput(told) {
  if (typeof told === "string") return { name: told, value: undefined, link: null };
  const from = isLink(told.link) ? told.link[0] : told.link;
  const link = isLink(told.link) || from ? String(from) : null;
  return { name: told.name, value: told.value, link };
}

function linked(nodes) {
  const known = new Set(nodes.map((node) => node.id));
  const links = nodes.flatMap((node) =>
    node.inputs
      .filter((input) => input.link && known.has(input.link))
      .map((input) => ({ from: input.link, to: node.id, input: input.name })),
  );
  return { nodes, links };
}
