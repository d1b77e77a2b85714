import assert from "node:assert/strict";
import { test } from "node:test";

import { formatView, isFiltered, matches, parseView, PLAIN, queryOf, unfiltered } from "../src/desk/view.js";
import { rowOf } from "./rows.js";

const anywhere = () => true;

test("the plain view has no query", () => {
  assert.equal(formatView(PLAIN), "");
  assert.deepEqual(parseView(""), PLAIN);
});

test("a view comes back from its address", () => {
  const view = { ...PLAIN, mode: "list", level: "red", place: "街道/1", q: "GD 2026&1", closed: true, order: "due", open: "w9" } as const;
  assert.deepEqual(parseView(formatView(view)), view);
});

test("what an address cannot mean is left plain", () => {
  assert.deepEqual(parseView("?level=purple&state=x&order=up&mode=map&closed=yes"), PLAIN);
});

test("clearing filters keeps the mode and the open warning", () => {
  const view = { ...PLAIN, mode: "list", level: "red", open: "w9" } as const;
  assert.ok(isFiltered(view));
  assert.deepEqual(unfiltered(view), { ...PLAIN, mode: "list", open: "w9" });
});

test("awaiting is asked for as such, not as a state", () => {
  assert.deepEqual(queryOf({ ...PLAIN, state: "awaiting" }), { awaiting: "1", order: "worst" });
});

test("closed rows are hidden until asked for", () => {
  const row = rowOf({ state: "closed" });
  assert.equal(matches(row, PLAIN, anywhere), false);
  assert.equal(matches(row, { ...PLAIN, closed: true }, anywhere), true);
  assert.equal(matches(row, { ...PLAIN, state: "closed" }, anywhere), true);
});

test("a level is asked for as it is proposed, a place with all under it", () => {
  const row = rowOf({ level: "yellow", proposed: "red", awaiting: 2 });
  assert.ok(matches(row, { ...PLAIN, level: "red" }, anywhere));
  assert.ok(!matches(row, { ...PLAIN, level: "yellow" }, anywhere));
  assert.ok(matches(row, { ...PLAIN, place: "county" }, (place, above) => place === "p" && above === "county"));
  assert.ok(!matches(row, { ...PLAIN, place: "other" }, () => false));
});
