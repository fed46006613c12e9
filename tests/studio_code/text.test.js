import assert from "node:assert/strict";
import { test } from "node:test";

import { _, _n, _nodes } from "../../api/static/js/ui/text.js";

test("named values stand where the text has them, as they are", () => {
  assert.equal(
    _("{name} has {count} of {count}", { name: "{count} $& foxes", count: 2 }),
    "{count} $& foxes has 2 of 2",
  );
  assert.equal(_("Nothing to fill in"), "Nothing to fill in");
  assert.equal(_("{none} left", { none: 0 }), "0 left");
});

test("one and many", () => {
  const words = (n) => _n("One picture", "{n} pictures", n);
  assert.deepEqual([0, 1, 2].map(words), ["0 pictures", "One picture", "2 pictures"]);
});

test("elements stand in a text as the text wants them", () => {
  const [code, link] = [{ tag: "code" }, { tag: "a" }];
  assert.deepEqual(_nodes("Try {code} or {link}.", { link, code }), ["Try ", code, " or ", link, "."]);
});
