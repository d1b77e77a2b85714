import assert from "node:assert/strict";
import { test } from "node:test";

import { brief, plainReason } from "../src/desk/brief.js";

const ROW = { place: { id: "p", zh: "望汀街道", en: "Wangting" }, category: { id: "c", zh: "停水", en: "No water" } };

test("place and category that stand beside a sentence are not said twice", () => {
  assert.equal(brief("望汀街道“停水”事项已于11月20日到期", ROW, "zh-CN"), "已于11月20日到期");
  assert.equal(brief("No water, Wangting: was due 20 Nov", ROW, "en"), "was due 20 Nov");
});

test("a sentence that begins otherwise stays whole", () => {
  assert.equal(brief("近48小时，望汀街道“停水”反映17件", ROW, "zh-CN"), "近48小时，望汀街道“停水”反映17件");
  assert.equal(brief("Sensor, Wangting: no reading", ROW, "en"), "Sensor, Wangting: no reading");
});

test("the bar tells how much a reason weighs, so its words do not", () => {
  assert.equal(plainReason("时限已用77%，使可能性上升（占17%）"), "时限已用77%");
  assert.equal(plainReason("7 recorded steps: makes it more likely (10 %)"), "7 recorded steps");
  assert.equal(plainReason("已逾期2天，尚未办结"), "已逾期2天，尚未办结");
});
