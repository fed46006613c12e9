import assert from "node:assert/strict";
import { test } from "node:test";
import { Selection } from "../../api/static/js/pictures/selection.js";
import { linkTo, parseHash } from "../../api/static/js/shell/router.js";

const picked = (...steps) => {
  const selection = new Selection(() => ["a", "b", "c", "d"]);
  for (const step of steps) step(selection);
  return selection.ids;
};

test("single ones are picked and dropped", () => {
  assert.deepEqual(
    picked(
      (all) => all.toggle("b"),
      (all) => all.toggle("c"),
      (all) => all.toggle("b"),
    ),
    ["c"],
  );
});

test("a range goes from the last touched one, either way", () => {
  assert.deepEqual(
    picked(
      (all) => all.toggle("c"),
      (all) => all.extend("a"),
    ).sort(),
    ["a", "b", "c"],
  );
  assert.deepEqual(
    picked((all) => all.extend("b")),
    ["b"],
  );
});

test("all are picked, and dropped when they all are", () => {
  assert.equal(picked((all) => all.all()).length, 4);
  assert.deepEqual(
    picked(
      (all) => all.all(),
      (all) => all.all(),
    ),
    [],
  );
});

test("those that are gone are forgotten, and listeners hear of each change until they stop", () => {
  const selection = new Selection(() => ["a", "b"]);
  const sizes = [];
  const stop = selection.onChange(({ size }) => sizes.push(size));
  selection.all();
  selection.drop(["a"]);
  stop();
  selection.clear();
  assert.deepEqual(sizes, [2, 1]);
});

test("an address is taken apart and put together", () => {
  assert.deepEqual(parseHash("#/gallery?q=red%20fox"), { name: "gallery", params: { q: "red fox" } });
  assert.deepEqual(parseHash("#/job/a%2Fb"), { name: "create", params: { id: "a/b", job: "a/b" } });
  assert.deepEqual(parseHash("#/nowhere"), { name: "create", params: {} });
  assert.equal(linkTo("gallery", { q: "red fox", model: "", since: null, favorites: false }), "#/gallery?q=red+fox");
  assert.equal(linkTo("create"), "#/create");
});
