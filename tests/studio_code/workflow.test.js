import assert from "node:assert/strict";
import { test } from "node:test";
import { labelOf, mappingOf, marksOf, mayHold } from "../../api/static/js/features/engines/fields.js";
import { graphOfNodes, readGraph, valueSlots } from "../../api/static/js/features/engines/graph-file.js";
import { layOut } from "../../api/static/js/features/engines/graph-layout.js";
import { ownerWords, stateWords, withLane } from "../../api/static/js/shell/engine-state.js";

const EXPORT = {
  4: { class_type: "CheckpointLoaderSimple", inputs: { ckpt_name: "a.safetensors" } },
  6: { class_type: "CLIPTextEncode", inputs: { text: "a fox", clip: ["4", 1] }, _meta: { title: "Positive" } },
  3: { class_type: "KSampler", inputs: { seed: 5, positive: ["6", 0], model: ["4", 0], latent_image: ["99", 0] } },
};

test("an export is read as nodes and links; a link to nowhere is none", () => {
  const graph = readGraph(EXPORT);
  assert.equal(graph?.nodes.length, 3);
  assert.deepEqual(
    graph?.links.map(({ from, to, input }) => `${from}>${to}.${input}`),
    ["6>3.positive", "4>3.model", "4>6.clip"],
  );
  assert.equal(graph?.nodes.find(({ id }) => id === "6")?.title, "Positive");
});

test("an export within its request is read too, and what is no export is null", () => {
  assert.equal(readGraph({ prompt: EXPORT })?.nodes.length, 3);
  for (const none of [null, [], {}, { nodes: [] }, "text", { 1: { inputs: {} } }]) assert.equal(readGraph(none), null);
});

test("what holds a value of its own may be mapped, what is linked may not", () => {
  const slots = valueSlots(readGraph(EXPORT) ?? { nodes: [], links: [] }).map(({ slot }) => slot);
  assert.deepEqual(slots, ["3.seed", "4.ckpt_name", "6.text"]);
});

test("nodes as the server lists them give the same graph", () => {
  const node = { id: "6", class_type: "CLIPTextEncode", title: "", inputs: [{ name: "text", value: "x", link: null }] };
  const graph = graphOfNodes([node, { ...node, id: "7", inputs: [{ name: "clip", value: null, link: ["6", 0] }] }]);
  assert.deepEqual(graph.links, [{ from: "6", to: "7", input: "clip" }]);
  assert.equal(graph.nodes[0].title, "CLIPTextEncode");
});

test("boxes of a layer never overlap, and links go to the right", () => {
  const { boxes, lines, width, height } = layOut(readGraph(EXPORT) ?? { nodes: [], links: [] });
  const all = [...boxes.values()];
  for (const [at, first] of all.entries()) {
    assert.ok(first.x + first.width <= width && first.y + first.height <= height);
    for (const other of all.slice(at + 1))
      assert.ok(first.x !== other.x || first.y + first.height <= other.y || other.y + other.height <= first.y);
  }
  for (const { points } of lines) assert.ok(points[0][0] < points[points.length - 1][0]);
});

test("a ring, which nothing would run, is drawn all the same", () => {
  const ring = { 1: { class_type: "A", inputs: { x: ["2", 0] } }, 2: { class_type: "B", inputs: { x: ["1", 0] } } };
  assert.equal(layOut(readGraph(ring) ?? { nodes: [], links: [] }).boxes.size, 2);
});

test("a chain of thousands needs no deep stack", () => {
  const chain = Object.fromEntries(
    Array.from({ length: 3000 }, (_, at) => [at, { class_type: "N", inputs: at ? { x: [String(at - 1), 0] } : {} }]),
  );
  assert.equal(layOut(readGraph(chain) ?? { nodes: [], links: [] }).boxes.size, 3000);
});

test("fields have their words, unknown ones their own name", () => {
  assert.deepEqual([labelOf("cfg_scale"), labelOf("my_field")], ["CFG scale", "my field"]);
  assert.deepEqual([mayHold("number", 3), mayHold("number", "3"), mayHold("text", undefined)], [true, false, true]);
});

test("the table has every known field, and those the server names besides at the end", () => {
  const mapping = mappingOf([
    { field: "seed", slots: ["3.seed"] },
    { field: "option detail", slots: ["3.cfg"] },
  ]);
  assert.deepEqual(
    [mapping.get("seed"), mapping.get("prompt"), [...mapping.keys()].at(-1)],
    [["3.seed"], [], "option detail"],
  );
  assert.deepEqual(marksOf(mapping).get("3.seed"), ["Seed"]);
});

test("an engine's state in words", () => {
  const engine = { state: "busy", waiting: 1, running: 1, wait_s: 75 };
  assert.deepEqual(stateWords(engine), { word: "Busy", tone: "busy", more: "a new job starts in about 1 min 15 s" });
  assert.equal(stateWords({ ...engine, state: "up" }).word, "Ready");
  assert.equal(stateWords({ ...engine, state: "anything" }).word, "Not checked yet");
  assert.match(stateWords({ ...engine, state: "paused", wait_s: 90 }, 15).more, /in 1 min 15 s$/);
});

test("a lane that is free says nothing of an engine that does not answer", () => {
  const lane = { state: "up", waiting: 0, running: 0, wait_s: 0 };
  assert.equal(withLane({ state: "down", name: "gpu" }, lane).state, "down");
  assert.equal(withLane({ state: "busy", name: "gpu" }, lane).state, "up");
  assert.deepEqual(
    ["guild", "user", "easel"].map((owner) => ownerWords({ owner })),
    ["this server's", "somebody's own", "Easel's"],
  );
});
