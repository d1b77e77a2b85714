import assert from "node:assert/strict";
import { test } from "node:test";

import { choices } from "../src/actions/deadlines.js";
import { applied } from "../src/actions/foresight.js";
import { rowOf } from "./rows.js";

test("the first confirmation of a red shows orange and waits for the second", () => {
  const row = rowOf({ level: "yellow", proposed: "red", awaiting: 2 });
  const once = applied(row, "confirm", {}, "chen", null);
  assert.deepEqual([once.level, once.awaiting], ["orange", 1]);
  assert.equal(applied(once, "confirm", {}, "li", null).level, "red");
});

test("an acknowledgement has a name and an end", () => {
  const taken = applied(rowOf({}), "acknowledge", { next_update_by: "2026-11-24T04:00:00Z" }, "chen", null);
  assert.deepEqual([taken.state, taken.taken_by, taken.next_update_by], ["acknowledged", "chen", "2026-11-24T04:00:00Z"]);
});

test("only moments ahead are offered, soonest first", () => {
  const evening = Date.parse("2026-11-24T10:00:00Z");
  assert.deepEqual(
    choices(evening, "Asia/Shanghai").map((choice) => choice.id),
    ["half_hour", "two_hours", "tomorrow_noon"],
  );
});
