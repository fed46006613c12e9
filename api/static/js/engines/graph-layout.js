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

/** @typedef {import("./graph-file.js").Graph} Graph */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */

/**
 * Lay a graph out.
 * @param {Graph} graph
 * @returns {{boxes: Map<string, Box>, lines: Array<{from: string, to: string, input: string, points: Array<[number,
 *   number]>}>,
 *   width: number, height: number}}
 */
export function layOut(graph) {
  const depth = depths(graph);
  const { layers, cells, chains } = inLayers(graph, depth);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) order(layers, sweep % 2 === 0);
  layers.forEach(stack);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) pull(layers, cells, sweep % 2 === 0);
  return places(graph, cells, chains);
}

/** How high a node is drawn. */
export const heightOf = (node) => HEAD_HEIGHT + node.inputs.length * ROW_HEIGHT + PAD;

function depths(graph) {
  const into = new Map(graph.nodes.map((node) => [node.id, []]));
  const outOf = new Map(graph.nodes.map((node) => [node.id, []]));
  for (const link of graph.links) {
    into.get(link.to).push(link.from);
    outOf.get(link.from).push(link.to);
  }
  const depth = byLongestWay(graph, into, outOf);
  for (const node of graph.nodes) {
    // what starts a way stands next to what it feeds, not at the far left
    const fed = outOf.get(node.id).map((id) => depth.get(id));
    if (!into.get(node.id).length && fed.length) depth.set(node.id, Math.max(0, Math.min(...fed) - 1));
  }
  return depth;
}

/** Depths by the longest way, each node once all before it have theirs; a chain of thousands needs no deep stack. */
function byLongestWay(graph, into, outOf) {
  const depth = new Map(graph.nodes.map((node) => [node.id, 0]));
  const missing = new Map(graph.nodes.map((node) => [node.id, into.get(node.id).length]));
  const waiting = graph.nodes.map((node) => node.id).filter((id) => !missing.get(id));
  const left = new Set(depth.keys());
  while (left.size) {
    // a ring, which no engine would run, still has to be drawn: it is cut open anywhere
    const id = waiting.pop() ?? left.values().next().value;
    if (!left.delete(id)) continue;
    for (const next of outOf.get(id)) {
      if (!left.has(next)) continue;
      depth.set(next, Math.max(depth.get(next), depth.get(id) + 1));
      missing.set(next, missing.get(next) - 1);
      if (!missing.get(next)) waiting.push(next);
    }
  }
  return depth;
}

function inLayers(graph, depth) {
  const layers = [];
  const cells = new Map();
  const add = (id, layer, height) => {
    const cell = { id, layer, height, y: 0, before: [], after: [] };
    cells.set(id, cell);
    layers[layer] ??= [];
    layers[layer].push(cell);
    return cell;
  };
  graph.nodes.forEach((node) => add(node.id, depth.get(node.id), heightOf(node)));
  // points for links that cross thousands of layers would be millions: then links go straight
  const points = graph.links.reduce((sum, link) => sum + Math.max(0, depth.get(link.to) - depth.get(link.from) - 1), 0);
  const chains = graph.links.map((link, index) => {
    const chain = [link.from];
    for (let layer = depth.get(link.from) + 1; layer < depth.get(link.to) && points <= MAX_POINTS; layer += 1) {
      chain.push(add(`${index}:${layer}`, layer, POINT_HEIGHT).id);
    }
    chain.push(link.to);
    for (let at = 1; at < chain.length; at += 1) {
      cells.get(chain[at - 1]).after.push(chain[at]);
      cells.get(chain[at]).before.push(chain[at - 1]);
    }
    return { ...link, chain };
  });
  return { layers: layers.filter(Boolean), cells, chains };
}

function order(layers, isForward) {
  const rank = new Map();
  layers.forEach((layer) => layer.forEach((cell, at) => rank.set(cell.id, at)));
  const sequence = isForward ? layers : [...layers].reverse();
  for (const layer of sequence) {
    const wanted = new Map(layer.map((cell) => [cell, mean(isForward ? cell.before : cell.after, rank, cell)]));
    layer.sort((one, other) => wanted.get(one) - wanted.get(other));
    layer.forEach((cell, at) => rank.set(cell.id, at));
  }
}

function mean(ids, rank, cell) {
  if (!ids.length) return rank.get(cell.id);
  return ids.reduce((sum, id) => sum + rank.get(id), 0) / ids.length;
}

function stack(layer) {
  let y = 0;
  for (const cell of layer) {
    cell.y = y;
    y += cell.height + GAP_Y;
  }
}

/** Move each cell towards the middle of its neighbours as far as those above and below it allow. */
function pull(layers, cells, isForward) {
  const middle = (cell) => cell.y + cell.height / 2;
  const sequence = isForward ? layers : [...layers].reverse();
  for (const layer of sequence) {
    for (const cell of layer) {
      const near = (isForward ? cell.before : cell.after).map((id) => middle(cells.get(id)));
      if (near.length) cell.y = near.reduce((sum, y) => sum + y, 0) / near.length - cell.height / 2;
    }
    spread(layer);
  }
}

/** Undo overlaps: push down in order, then move the whole layer back by what that shifted it on average. */
function spread(layer) {
  const wanted = layer.map((cell) => cell.y);
  for (let at = 1; at < layer.length; at += 1) {
    const above = layer[at - 1];
    layer[at].y = Math.max(layer[at].y, above.y + above.height + GAP_Y);
  }
  const shift = layer.reduce((sum, cell, at) => sum + cell.y - wanted[at], 0) / layer.length;
  layer.forEach((cell) => (cell.y -= shift));
}

function places(graph, cells, chains) {
  const top = Math.min(...[...cells.values()].map((cell) => cell.y));
  const xOf = (cell) => PAD + cell.layer * (NODE_WIDTH + GAP_X);
  const boxes = new Map();
  for (const node of graph.nodes) {
    const cell = cells.get(node.id);
    boxes.set(node.id, { x: xOf(cell), y: cell.y - top + PAD, width: NODE_WIDTH, height: cell.height });
  }
  const rowOf = new Map(graph.nodes.map((node) => [node.id, new Map(node.inputs.map((one, at) => [one.name, at]))]));
  const lines = chains.map(({ from, to, input, chain }) => {
    const start = boxes.get(from);
    const end = boxes.get(to);
    const between = chain.slice(1, -1).flatMap((id) => {
      const [x, y] = [xOf(cells.get(id)), cells.get(id).y - top + PAD + POINT_HEIGHT / 2];
      return [
        [x, y],
        [x + NODE_WIDTH, y],
      ];
    });
    const arrival = end.y + HEAD_HEIGHT + (rowOf.get(to).get(input) + 0.5) * ROW_HEIGHT;
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
