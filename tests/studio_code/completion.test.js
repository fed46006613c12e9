import assert from "node:assert/strict";
import { test } from "node:test";
import { findOffers } from "../../api/static/js/features/create/complete.js";
import { matching, nearest, parseLine } from "../../api/static/js/features/feed/commands.js";

const OPTIONS = [
  { name: "steps", flags: ["--steps"], example: "--steps 30", meaning: "how many", choices: [] },
  { name: "model", flags: ["--model", "--ckpt"], example: "", meaning: "which", choices: [], names: "models" },
  { name: "fill", flags: ["--fill"], example: "", meaning: "", choices: ["original", "noise"] },
];
const shape = () => ({ lists: { models: [{ value: "dream.safetensors", label: "Dreamer", hint: "loaded" }] } });
const offers = (text, at = text.length) =>
  findOffers({ input: { value: text, selectionStart: at, selectionEnd: at }, options: OPTIONS, shape });

test("flags are offered after two dashes, by their beginning", () => {
  assert.deepEqual(offers("a fox --st"), [{ insert: "--steps ", from: 6, label: "--steps", hint: "how many" }]);
  assert.equal(offers("a fox --").length, 3);
  assert.deepEqual(offers("a fox"), []);
  assert.deepEqual(offers("well--st"), []);
});

test("names are offered after the flag that takes them, by label and by value", () => {
  for (const text of ["--model dr", "--ckpt DREAM", "--model safe"])
    assert.deepEqual(
      offers(text).map(({ insert }) => insert),
      ["dream.safetensors "],
    );
  assert.deepEqual(offers("--model dream.safetensors"), []);
});

test("values that are listed are offered", () => {
  assert.deepEqual(
    offers("a fox --fill n").map(({ label, from }) => [label, from]),
    [
      ["original", 13],
      ["noise", 13],
    ],
  );
});

test("a selection is being replaced, so nothing is offered", () => {
  const input = { value: "a --st", selectionStart: 0, selectionEnd: 6 };
  assert.deepEqual(findOffers({ input, options: OPTIONS, shape }), []);
});

test("a line is a prompt, a command by any of its names, or nothing", () => {
  assert.deepEqual(parseLine("  "), { kind: "empty" });
  assert.deepEqual(parseLine(" a fox --steps 3 "), { kind: "prompt", text: "a fox --steps 3" });
  const { kind, command, text } = parseLine("!IMG a fox");
  assert.deepEqual([kind, command?.name, text], ["command", "generate", "a fox"]);
  assert.equal(parseLine("/?").command?.name, "help");
});

test("text over several lines stays whole", () => {
  assert.equal(parseLine("/gen a fox\nin snow").text, "a fox\nin snow");
});

test("a mistyped command is told with the nearest", () => {
  const parsed = parseLine("/upscael 2");
  assert.deepEqual(
    [parsed.kind, parsed.word, parsed.nearest?.name, parsed.text],
    ["unknown", "upscael", "upscale", "2"],
  );
  assert.equal(nearest("xyzzy"), null);
  assert.equal(nearest("gal")?.name, "gallery");
});

test("commands are found by their beginning first, under the name that fits", () => {
  const found = matching("st");
  assert.deepEqual(
    found.slice(0, 3).map(({ name }) => name),
    ["style", "status", "stats"],
  );
  assert.equal(matching("dre")[0].name, "dream");
  assert.equal(matching("").length > 10, true);
});
