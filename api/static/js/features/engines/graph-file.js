/**
 * The graph of a workflow as nodes and links, read from an API-format export.
 *
 * Source: what ComfyUI's own "Export (API)" writes: {"3": {class_type, inputs: {name: value | [node, output]}, _meta}}.
 */

/** @param {unknown} value @returns {value is Record<string, any>} */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** @param {unknown} value @returns {value is [unknown, number]} */
const isLink = (value) => Array.isArray(value) && value.length === 2 && Number.isInteger(value[1]);

/**
 * Read an export; null when it is none (the server's answer says what it is instead).
 * @param {unknown} file the parsed JSON
 * @returns {Graph|null}
 */
export function readGraph(file) {
  if (!isObject(file)) return null;
  const source = isObject(file.prompt) && !file.prompt.class_type ? file.prompt : file;
  const entries = Object.entries(source);
  if (!entries.length || !entries.every(([, node]) => isObject(node) && node.class_type)) return null;
  return linked(entries.map(([id, node]) => readNode(id, node)));
}

/**
 * Make a graph of the nodes as the server lists them.
 * @param {Api.Node[]} nodes
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
 * @returns {GraphSlot[]}
 */
export function valueSlots(graph) {
  return graph.nodes.flatMap((node) =>
    node.inputs.filter((input) => !input.link).map((input) => ({ slot: `${node.id}.${input.name}`, node, input })),
  );
}

/** @param {string} id @param {Record<string, any>} source @returns {GraphNode} */
function readNode(id, source) {
  const inputs = Object.entries(source.inputs ?? {}).map(([name, value]) => ({
    name,
    value: isLink(value) ? null : value,
    link: isLink(value) ? String(value[0]) : null,
  }));
  return { id, type: source.class_type, title: source._meta?.title || source.class_type, inputs };
}

/** @param {Api.Input | string} source @returns {GraphInput} */
function readInput(source) {
  if (typeof source === "string") return { name: source, value: undefined, link: null };
  return { name: source.name, value: source.value, link: isLink(source.link) ? String(source.link[0]) : null };
}

/** @param {GraphNode[]} nodes @returns {Graph} */
function linked(nodes) {
  const known = new Set(nodes.map((node) => node.id));
  const links = nodes.flatMap(({ id, inputs }) =>
    inputs.flatMap(({ name, link }) => (link && known.has(link) ? [{ from: link, to: id, input: name }] : [])),
  );
  return { nodes, links };
}
