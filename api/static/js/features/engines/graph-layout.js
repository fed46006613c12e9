/**
 * Where the nodes of a workflow are drawn: in layers from left to right, links crossing as little as can be had
 * cheaply.
 *
 * The method is Sugiyama's: layers by the longest way, a point in each layer a long link passes, an order by the mean
 * of
 * the neighbours, then heights pulled towards them. Pure: sizes in, places out.
 */

export const NODE_WIDTH = 232;
export const HEAD_HEIGHT = 44;
export const ROW_HEIGHT = 22;
const PAD = 8;
const GAP_X = 72;
const GAP_Y = 22;
const POINT_HEIGHT = 10;
const SWEEPS = 8;
const MAX_POINTS = 10000;

/**
 * What a map holds for sure.
 * @template V
 * @param {Map<string, V>} map
 * @param {string} id
 */
const at = (map, id) => /** @type {V} */ (map.get(id));

/**
 * Lay a graph out.
 * @param {Graph} graph
 * @returns {{ boxes: Map<string, GraphBox>, lines: (GraphLink & { points: number[][] })[], width: number,
 *   height: number }}
 */
export function layOut(graph) {
  const depth = depths(graph);
  const { layers, cells, chains } = inLayers(graph, depth);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) order(layers, sweep % 2 === 0);
  layers.forEach(stack);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) pull(layers, cells, sweep % 2 === 0);
  return places(graph, cells, chains);
}

/**
 * How high a node is drawn.
 * @param {GraphNode} node
 */
export const heightOf = (node) => HEAD_HEIGHT + node.inputs.length * ROW_HEIGHT + PAD;

/** @param {Graph} graph */
function depths(graph) {
  const into = new Map(graph.nodes.map((node) => [node.id, /** @type {string[]} */ ([])]));
  const outOf = new Map(graph.nodes.map((node) => [node.id, /** @type {string[]} */ ([])]));
  for (const link of graph.links) {
    at(into, link.to).push(link.from);
    at(outOf, link.from).push(link.to);
  }
  const depth = byLongestWay(graph, into, outOf);
  for (const node of graph.nodes) {
    // what starts a way stands next to what it feeds, not at the far left
    const fed = at(outOf, node.id).map((id) => at(depth, id));
    if (!at(into, node.id).length && fed.length) depth.set(node.id, Math.max(0, Math.min(...fed) - 1));
  }
  return depth;
}

/**
 * Depths by the longest way, each node once all before it have theirs; a chain of thousands needs no deep stack.
 * @param {Graph} graph
 * @param {Map<string, string[]>} into
 * @param {Map<string, string[]>} outOf
 */
function byLongestWay(graph, into, outOf) {
  const depth = new Map(graph.nodes.map((node) => [node.id, 0]));
  const missing = new Map(graph.nodes.map((node) => [node.id, at(into, node.id).length]));
  const waiting = graph.nodes.map((node) => node.id).filter((id) => !at(missing, id));
  const left = new Set(depth.keys());
  while (left.size) {
    // a ring, which no engine would run, still has to be drawn: it is cut open anywhere
    const id = waiting.pop() ?? left.values().next().value ?? "";
    if (!left.delete(id)) continue;
    for (const next of at(outOf, id)) {
      if (!left.has(next)) continue;
      depth.set(next, Math.max(at(depth, next), at(depth, id) + 1));
      missing.set(next, at(missing, next) - 1);
      if (!at(missing, next)) waiting.push(next);
    }
  }
  return depth;
}

/**
 * @param {Graph} graph
 * @param {Map<string, number>} depth
 */
function inLayers(graph, depth) {
  /** @type {GraphCell[][]} */
  const layers = [];
  /** @type {Map<string, GraphCell>} */
  const cells = new Map();
  /** @param {string} id @param {number} layer @param {number} height */
  const add = (id, layer, height) => {
    /** @type {GraphCell} */
    const cell = { id, layer, height, y: 0, before: [], after: [] };
    cells.set(id, cell);
    layers[layer] ??= [];
    layers[layer].push(cell);
    return cell;
  };
  graph.nodes.forEach((node) => add(node.id, at(depth, node.id), heightOf(node)));
  // points for links that cross thousands of layers would be millions: then links go straight
  const points = graph.links.reduce((sum, link) => sum + Math.max(0, at(depth, link.to) - at(depth, link.from) - 1), 0);
  const chains = graph.links.map((link, index) => {
    const chain = [link.from];
    for (let layer = at(depth, link.from) + 1; layer < at(depth, link.to) && points <= MAX_POINTS; layer += 1) {
      chain.push(add(`${index}:${layer}`, layer, POINT_HEIGHT).id);
    }
    chain.push(link.to);
    for (let step = 1; step < chain.length; step += 1) {
      at(cells, chain[step - 1]).after.push(chain[step]);
      at(cells, chain[step]).before.push(chain[step - 1]);
    }
    return { ...link, chain };
  });
  return { layers: layers.filter(Boolean), cells, chains };
}

/**
 * @param {GraphCell[][]} layers
 * @param {boolean} isForward
 */
function order(layers, isForward) {
  /** @type {Map<string, number>} */
  const rank = new Map();
  layers.forEach((layer) => layer.forEach((cell, place) => rank.set(cell.id, place)));
  const sequence = isForward ? layers : [...layers].reverse();
  for (const layer of sequence) {
    const wanted = new Map(layer.map((cell) => [cell, mean(isForward ? cell.before : cell.after, rank, cell)]));
    layer.sort((item, other) => (wanted.get(item) ?? 0) - (wanted.get(other) ?? 0));
    layer.forEach((cell, place) => rank.set(cell.id, place));
  }
}

/**
 * @param {string[]} ids
 * @param {Map<string, number>} rank
 * @param {GraphCell} cell
 */
function mean(ids, rank, cell) {
  if (!ids.length) return at(rank, cell.id);
  return ids.reduce((sum, id) => sum + at(rank, id), 0) / ids.length;
}

/** @param {GraphCell[]} layer */
function stack(layer) {
  let y = 0;
  for (const cell of layer) {
    cell.y = y;
    y += cell.height + GAP_Y;
  }
}

/**
 * Move each cell towards the middle of its neighbours as far as those above and below it allow.
 * @param {GraphCell[][]} layers
 * @param {Map<string, GraphCell>} cells
 * @param {boolean} isForward
 */
function pull(layers, cells, isForward) {
  /** @param {GraphCell} cell */
  const middle = (cell) => cell.y + cell.height / 2;
  const sequence = isForward ? layers : [...layers].reverse();
  for (const layer of sequence) {
    for (const cell of layer) {
      const near = (isForward ? cell.before : cell.after).map((id) => middle(at(cells, id)));
      if (near.length) cell.y = near.reduce((sum, y) => sum + y, 0) / near.length - cell.height / 2;
    }
    spread(layer);
  }
}

/**
 * Undo overlaps: push down in order, then move the whole layer back by what that shifted it on average.
 * @param {GraphCell[]} layer
 */
function spread(layer) {
  const wanted = layer.map((cell) => cell.y);
  for (let place = 1; place < layer.length; place += 1) {
    const above = layer[place - 1];
    layer[place].y = Math.max(layer[place].y, above.y + above.height + GAP_Y);
  }
  const shift = layer.reduce((sum, cell, place) => sum + cell.y - wanted[place], 0) / layer.length;
  layer.forEach((cell) => (cell.y -= shift));
}

/**
 * @param {Graph} graph
 * @param {Map<string, GraphCell>} cells
 * @param {GraphChain[]} chains
 */
function places(graph, cells, chains) {
  const top = Math.min(...[...cells.values()].map((cell) => cell.y));
  /** @param {GraphCell} cell */
  const xOf = (cell) => PAD + cell.layer * (NODE_WIDTH + GAP_X);
  /** @type {Map<string, GraphBox>} */
  const boxes = new Map();
  for (const node of graph.nodes) {
    const cell = at(cells, node.id);
    boxes.set(node.id, { x: xOf(cell), y: cell.y - top + PAD, width: NODE_WIDTH, height: cell.height });
  }
  const rowOf = new Map(
    graph.nodes.map((node) => [node.id, new Map(node.inputs.map((item, place) => [item.name, place]))]),
  );
  const lines = chains.map(({ from, to, input, chain }) => {
    const start = at(boxes, from);
    const end = at(boxes, to);
    const between = chain.slice(1, -1).flatMap((id) => {
      const [x, y] = [xOf(at(cells, id)), at(cells, id).y - top + PAD + POINT_HEIGHT / 2];
      return [
        [x, y],
        [x + NODE_WIDTH, y],
      ];
    });
    const arrival = end.y + HEAD_HEIGHT + (at(at(rowOf, to), input) + 0.5) * ROW_HEIGHT;
    return {
      from,
      to,
      input,
      points: [[start.x + NODE_WIDTH, start.y + HEAD_HEIGHT / 2], ...between, [end.x, arrival]],
    };
  });
  const width = Math.max(...[...boxes.values()].map((box) => box.x + box.width)) + PAD;
  const height = Math.max(...[...cells.values()].map((cell) => cell.y + cell.height)) - top + 2 * PAD;
  return { boxes, lines, width, height };
}
