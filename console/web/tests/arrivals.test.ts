import assert from "node:assert/strict";
import { test } from "node:test";

import { release, take, tally, type Shown } from "../src/desk/arrivals.js";
import { compare } from "../src/desk/order.js";
import { isShut } from "../src/desk/view.js";
import { rowOf } from "./rows.js";

const open = (row: ReturnType<typeof rowOf>) => !isShut(row);
const shownOf = (...rows: ReturnType<typeof rowOf>[]): Shown => ({ rows, waiting: new Map() });
const ids = (shown: Shown) => shown.rows.map((row) => row.id).join(" ");

test("worst first, then what is late first", () => {
  const rows = [
    rowOf({ id: "blue" }),
    rowOf({ id: "later", proposed: "red", clock: { share: 0, due: "2026-12-01T00:00:00Z", overdue: false } }),
    rowOf({ id: "sooner", proposed: "red" }),
    rowOf({ id: "shut", proposed: "red", state: "closed" }),
    rowOf({ id: "no clock", proposed: "red", clock: null }),
  ];
  assert.equal(rows.sort((a, b) => compare(a, b, "worst")).map((row) => row.id).join(" "), "sooner later no clock blue shut");
});

test("while the list is held, arrivals wait and what is there changes in its place", () => {
  const shown = shownOf(rowOf({ id: "a", number: 1 }), rowOf({ id: "b", number: 1 }));
  const grown = take(shown, [rowOf({ id: "c", proposed: "red" }), rowOf({ id: "b", number: 2, proposed: "red" })], open, "worst", true);
  assert.equal(ids(shown), "a b");
  assert.equal(shown.rows[1]?.number, 2);
  assert.deepEqual(tally(shown.waiting), { all: 1, red: 1 });
  assert.equal(grown, 0);
});

test("what closes under the hand stays where it is", () => {
  const shown = shownOf(rowOf({ id: "a" }), rowOf({ id: "b" }));
  take(shown, [rowOf({ id: "a", number: 2, state: "closed" })], open, "worst", true);
  assert.equal(ids(shown), "a b");
});

test("a free list takes rows at their place and lets go of what is closed", () => {
  const shown = shownOf(rowOf({ id: "a" }), rowOf({ id: "b" }));
  const grown = take(shown, [rowOf({ id: "c", proposed: "orange" }), rowOf({ id: "a", number: 2, state: "closed" })], open, "worst", false);
  assert.equal(ids(shown), "c b");
  assert.equal(grown, 0);
});

test("releasing lets in what waited", () => {
  const shown = shownOf(rowOf({ id: "a" }));
  take(shown, [rowOf({ id: "c", proposed: "orange" })], open, "worst", true);
  assert.equal(release(shown, open, "worst"), 1);
  assert.equal(ids(shown), "c a");
  assert.equal(shown.waiting.size, 0);
});

test("a repeated or late message takes nothing back", () => {
  const shown = shownOf(rowOf({ id: "a", number: 5, state: "acknowledged" }));
  take(shown, [rowOf({ id: "a", number: 4, state: "open" })], open, "worst", false);
  assert.equal(shown.rows[0]?.state, "acknowledged");
});
