import assert from "node:assert/strict";
import { test } from "node:test";

import { chance, count, share } from "../src/format/numbers.js";

test("a probability has no false digits and is never certain", () => {
  assert.equal(chance(0.3849, "zh-CN"), "38%");
  assert.equal(chance(0.002, "en"), "<1 %");
  assert.equal(chance(0.999, "zh-CN"), ">99%");
});

test("a share goes on past the whole", () => {
  assert.equal(share(1.3, "en"), "130 %");
  assert.equal(share(-1, "zh-CN"), "0%");
});

test("thousands are set apart", () => assert.equal(count(12408), "12,408"));
